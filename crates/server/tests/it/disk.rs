//! The disk fills up in the middle of things: nothing half-written is served, a sentence says what to do, and when there is room again
//! everything goes on by itself.

use crate::{
    crash::first_owner,
    support::{
        Answer, Browser,
        chance::Chance,
        process::{Place, Process},
    },
};
use serde_json::{Value, json};
use sha1::{Digest, Sha1};
use stave_app::Clock;
use stave_testkit::{FakeComposerRepository, GitServer};
use std::{
    fs::{self, File},
    io::Write as _,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

const MIB: u64 = 1024 * 1024;
const LARGE: u64 = 12 * MIB;
/// What every page and every answer says.
const FULL: &str = "The disk of the server is full or cannot be written";

/// What makes a disk small.
enum Small {
    /// A real one, of 100 MB or less (`STAVE_TEST_SMALL_DISK`; `mount -t tmpfs -o size=64m`): a file takes the room.
    Disk(PathBuf),
    /// How large a file may become: what goes beyond fails as on a full disk.
    Limit,
}

impl Small {
    fn here() -> Option<Self> {
        if let Some(folder) = std::env::var_os("STAVE_TEST_SMALL_DISK") {
            return Some(Self::Disk(folder.into()));
        }
        let is_there =
            Command::new("prlimit").arg("--version").output().is_ok_and(|run| run.status.success());
        is_there.then_some(Self::Limit)
    }

    async fn place(&self) -> Place {
        match self {
            Self::Disk(folder) => Place::new_in(folder).await,
            Self::Limit => Place::new().await,
        }
    }

    /// Leaves so much room.
    fn leave(&self, stave: &Process, place: &Place, bytes: u64) {
        match self {
            Self::Disk(folder) => {
                self.free(stave);
                let rest = available(folder).checked_sub(bytes).expect("the disk is small, not tiny");
                let mut file = File::create(folder.join("filler")).unwrap();
                let _ = std::io::copy(&mut std::io::Read::take(std::io::repeat(b'x'), rest), &mut file);
                file.flush().unwrap();
            }
            Self::Limit if bytes == 0 => limit(stave, "0"),
            Self::Limit => {
                let sizes =
                    files(&place.data()).into_iter().map(|file| fs::metadata(file).map_or(0, |it| it.size()));
                limit(stave, &(sizes.max().unwrap_or(0).min(MIB * 8) + bytes).to_string());
            }
        }
    }

    fn free(&self, stave: &Process) {
        match self {
            Self::Disk(folder) => _ = fs::remove_file(folder.join("filler")),
            Self::Limit => limit(stave, "unlimited"),
        }
    }
}

fn limit(stave: &Process, most: &str) {
    let run = Command::new("prlimit")
        .arg(format!("--fsize={most}:"))
        .arg(format!("--pid={}", stave.pid()))
        .output();
    let run = run.expect("prlimit");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

fn available(folder: &Path) -> u64 {
    let run = Command::new("df").args(["--output=avail", "-B1"]).arg(folder).output().expect("df");
    let said = String::from_utf8_lossy(&run.stdout);
    said.lines().last().and_then(|line| line.trim().parse().ok()).unwrap_or_else(|| panic!("{said}"))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// `stave` as it runs where a file that becomes too large is an error and not the end (`SIGXFSZ`).
async fn serve(place: &Place) -> Process {
    let stave = place.command(&["--outbound-allow", "127.0.0.0/8"]);
    let stave = stave.as_std();
    let mut shell = tokio::process::Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(stave.get_program()).args(stave.get_args());
    for (name, value) in stave.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.current_dir(place.folder()).stdin(std::process::Stdio::null()).kill_on_drop(true);
    Process::start(shell).await
}

/// A Stave on a small disk, with an organization and a token that may do everything.
struct Cramped {
    small: Small,
    place: Place,
    stave: Process,
    ada: Browser,
    token: String,
}

impl Cramped {
    /// `None`, and a word about it, where no disk can be made small.
    async fn start() -> Option<Self> {
        let Some(small) = Small::here() else {
            eprintln!("not run: there is no prlimit here, and STAVE_TEST_SMALL_DISK names no small disk");
            return None;
        };
        let place = small.place().await;
        let stave = serve(&place).await;
        let ada = first_owner(&stave).await;
        let fields = [("description", "CI"), ("access", "update")];
        let page = ada.send("/orgs/acme/settings/tokens", &fields).await;
        let at = page.body.find("stave_out_").unwrap_or_else(|| panic!("no token:\n{}", page.text()));
        let token = page.body[at..at + 78].to_owned();
        Some(Self { small, place, stave, ada, token })
    }

    fn leave(&self, bytes: u64) {
        self.small.leave(&self.stave, &self.place, bytes);
    }

    fn free(&self) {
        self.small.free(&self.stave);
    }

    async fn get(&self, path: &str) -> (u16, Vec<u8>) {
        let request = reqwest::Client::new().get(self.stave.url(&format!("/repo/acme/{path}")));
        let answer = request.basic_auth("token", Some(&self.token)).send().await.unwrap();
        (answer.status().as_u16(), answer.bytes().await.unwrap().to_vec())
    }

    async fn push(&self, file: &[u8]) -> (u16, String) {
        let request = reqwest::Client::new().post(self.stave.url("/api/packages/artifacts/?version=1.0.0"));
        let answer = request.basic_auth("token", Some(&self.token)).body(file.to_vec()).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// A page, once it shows this.
    async fn shown(&self, path: &str, text: &str) -> Answer {
        for _ in 0..450 {
            let page = self.ada.open(path).await;
            if page.body.contains(text) && !page.body.contains("data-refresh") {
                return page;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{text} is not on\n{}", self.ada.open(path).await.text());
    }

    /// Nothing is left of what could not be stored.
    fn is_tidy(&self) {
        let data = self.place.data();
        let left = [files(&data.join("tmp")), files(&data.join("blobs/incoming"))].concat();
        assert!(left.is_empty(), "{left:?}");
    }
}

/// The path of the zip of a version, as metadata names it.
fn dist_path(metadata: &[u8], name: &str) -> String {
    let file: Value = serde_json::from_slice(metadata).unwrap();
    let url =
        file["packages"][name][0]["dist"]["url"].as_str().unwrap_or_else(|| panic!("{file}")).to_owned();
    url.split_once("/repo/acme/").unwrap().1.to_owned()
}

#[tokio::test]
async fn a_mirrored_zip_that_does_not_fit_is_fetched_when_it_does() {
    let Some(cramped) = Cramped::start().await else { return };
    let upstream = FakeComposerRepository::start().await;
    let names = ["vendor/one", "vendor/two"];
    for name in names {
        upstream.package(name).version_of("1.0.0", &json!({}), usize::try_from(LARGE).unwrap());
    }
    upstream.package("vendor/small").version("1.0.0", &json!({}));
    let form = [
        ("name", "Vendor"),
        ("url", &upstream.url()),
        ("credential", ""),
        ("timeout", "5"),
        ("adds", "automatically"),
    ];
    let page = cramped.ada.send("/orgs/acme/settings/mirroring", &form).await.url.path().to_owned();
    cramped.shown(&page, "Works").await;
    let small = dist_path(&cramped.get("p2/vendor/small.json").await.1, "vendor/small");
    let whole = cramped.get(&small).await;
    assert_eq!(whole.0, 200);
    // The first one does not fit at all; the second one, on a real disk, not twice: it is fetched, and then copied to its place.
    for (name, room) in names.into_iter().zip([4 * MIB, LARGE + 4 * MIB]) {
        let (status, metadata) = cramped.get(&format!("p2/{name}.json")).await;
        assert_eq!(status, 200);
        let path = dist_path(&metadata, name);
        cramped.leave(if matches!(cramped.small, Small::Limit) { 4 * MIB } else { room });
        let (status, body) = cramped.get(&path).await;
        let told = String::from_utf8_lossy(&body);
        assert!(status == 507 && told.contains(FULL) && told.contains("\"warning\""), "{status} {told}");
        cramped.is_tidy();
        cramped.shown(&page, FULL).await.shows("A zip could not be fetched.").shows(name);
        assert_eq!(cramped.get(&small).await, whole, "what is here is served");
        cramped.free();
        let (status, body) = cramped.get(&path).await;
        let right = hex::encode(Sha1::digest(upstream.package(name).dist_bytes("1.0.0")));
        assert_eq!((status, hex::encode(Sha1::digest(&body))), (200, right));
        cramped.ada.open(&page).await.hides(FULL);
    }
}

#[tokio::test]
async fn an_upload_that_does_not_fit_leaves_nothing_behind() {
    let Some(cramped) = Cramped::start().await else { return };
    let upstream = FakeComposerRepository::start().await;
    let package = upstream.package("acme/tool");
    let file = package.version_of("1.0.0", &json!({}), usize::try_from(LARGE).unwrap()).dist_bytes("1.0.0");
    cramped.leave(4 * MIB);
    let (status, told) = cramped.push(&file).await;
    assert!(status == 507 && told.contains(FULL), "{status} {told}");
    cramped.is_tidy();
    assert_eq!(cramped.get("p2/acme/tool.json").await.0, 404);
    cramped.free();
    let (status, told) = cramped.push(&file).await;
    assert_eq!(status, 201, "{told}");
    let path = dist_path(&cramped.get("p2/acme/tool.json").await.1, "acme/tool");
    assert!(cramped.get(&path).await == (200, file));
}

#[tokio::test]
async fn a_repository_that_does_not_fit_is_fetched_when_it_does() {
    let Some(cramped) = Cramped::start().await else { return };
    let git = GitServer::start();
    let repository = git.repository("history");
    repository.commit("main", &[("composer.json", r#"{"name": "acme/history"}"#)]);
    repository.tag("1.0.0", "refs/heads/main");
    let fields = [("url", git.url("history")), ("credential", "none".to_owned())];
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    let page = cramped.ada.send("/orgs/acme/packages", &fields).await.url.path().to_owned();
    cramped.shown(&page, "1.0.0").await;
    let before = cramped.get("p2/acme/history.json").await;
    assert_eq!(before.0, 200);

    let mut chance = Chance(1);
    let noise: String = (0..LARGE).map(|_| char::from(b' ' + u8::try_from(chance.of(95)).unwrap())).collect();
    repository.commit("main", &[("noise.txt", &noise)]);
    repository.tag("1.1.0", "refs/heads/main");
    cramped.leave(4 * MIB);
    cramped.ada.send(&format!("{page}/update"), &[]).await;
    cramped.shown(&page, FULL).await;
    assert_eq!(cramped.get("p2/acme/history.json").await, before, "what was read before is served");
    cramped.free();
    // Nobody does anything: the next try, for which the test does not wait, finds the room.
    let rows = cramped.place.storage().await;
    for job in rows.job_list(None, 100).await.unwrap() {
        rows.job_hasten(job.id, Clock::default().now()).await.unwrap();
    }
    let after = cramped.shown(&page, "1.1.0").await;
    after.hides(FULL);
    let path = dist_path(&cramped.get("p2/acme/history.json").await.1, "acme/history");
    assert_eq!(cramped.get(&path).await.0, 200);
}

#[tokio::test]
async fn rows_that_do_not_fit_are_refused_and_what_is_there_is_served() {
    let Some(cramped) = Cramped::start().await else { return };
    if !cramped.place.has_rows() {
        eprintln!("not run: the rows are in PostgreSQL, on another disk");
        return;
    }
    let upstream = FakeComposerRepository::start().await;
    let file = upstream.package("acme/tool").version("1.0.0", &json!({})).dist_bytes("1.0.0");
    assert_eq!(cramped.push(&file).await.0, 201);
    let there = cramped.get("p2/acme/tool.json").await;
    cramped.leave(0);
    let text = "x".repeat(400_000);
    let mut written = Vec::new();
    let refused = loop {
        let name = format!("acme/typed{}", written.len());
        let version =
            json!({"name": name, "version": "1.0.0", "type": "metapackage", "extra": {"text": text}});
        let page =
            cramped.ada.send("/orgs/acme/packages/new/custom", &[("json", &version.to_string())]).await;
        if !page.status.is_success() {
            break page;
        }
        written.push(name);
        assert!(written.len() < 100, "the disk is never full");
    };
    assert_eq!(refused.status, 507, "{}", refused.text());
    refused.shows(FULL);
    assert_eq!(cramped.get("p2/acme/tool.json").await, there);
    let path = dist_path(&there.1, "acme/tool");
    assert!(cramped.get(&path).await == (200, file.clone()));
    cramped.free();
    let name = format!("acme/typed{}", written.len());
    let version = json!({"name": name, "version": "1.0.0", "type": "metapackage"});
    cramped.ada.send("/orgs/acme/packages/new/custom", &[("json", &version.to_string())]).await.shows(&name);

    cramped.stave.signal("KILL").await;
    let Cramped { place, stave, token, .. } = cramped;
    stave.end().await;
    let stave = serve(&place).await;
    for name in written.iter().map(String::as_str).chain([name.as_str(), "acme/tool"]) {
        let request = reqwest::Client::new().get(stave.url(&format!("/repo/acme/p2/{name}.json")));
        let answer = request.basic_auth("token", Some(&token)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{name} was stored before");
    }
}
