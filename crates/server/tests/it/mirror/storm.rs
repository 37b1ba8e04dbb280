//! Many ask while faults of the upstream come and go: no wrong byte is ever served, and what was announced is what is sent.

#![expect(clippy::print_stdout, reason = "figures are for whoever runs these tests; none is asserted")]

use super::Mirrored;
use crate::support::chance::{Chance, number};
use futures::future::join_all;
use serde_json::{Value, json};
use sha1::{Digest, Sha1};
use sha2::Sha256;
use stave_testkit::{FakeComposerRepository, Fault};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// So many ask at the same time.
const CLIENTS: u64 = 8;
/// So many requests see the same fault.
const ERA: u64 = 50;
/// For the shortest storm; a longer one has more.
const PACKAGES: u64 = 30;

/// What a package has: the reference of each version.
type State = BTreeMap<String, String>;

/// What the upstream really had, ever.
#[derive(Default)]
struct Truth {
    states: HashMap<String, Vec<State>>,
    /// The SHA-1 of each archive, by its reference.
    sums: HashMap<String, String>,
}

impl Truth {
    /// Notes what a package has now.
    fn note(&mut self, upstream: &FakeComposerRepository, name: &str, versions: &[String]) {
        let package = upstream.package(name);
        let mut state = State::new();
        for version in versions {
            let reference = package.dist_reference(version);
            self.sums.insert(reference.clone(), hex::encode(Sha1::digest(package.dist_bytes(version))));
            state.insert(version.clone(), reference);
        }
        self.states.entry(name.to_owned()).or_default().push(state);
    }
}

/// What the clients saw.
#[derive(Default)]
struct Seen {
    metadata: Vec<(String, State)>,
    /// Reference and checksum: as metadata announced it, and as a zip had it.
    announced: HashSet<(String, String)>,
    sent: HashSet<(String, String)>,
    /// Paths that were answered once: they have to be from then on.
    answered: HashSet<String>,
    refused: u64,
}

/// The upstream as it changes and fails, and those who ask Stave meanwhile.
struct Storm {
    mirrored: Mirrored,
    token: String,
    truth: Truth,
    versions: BTreeMap<String, Vec<String>>,
    seen: Mutex<Seen>,
    asked: AtomicU64,
    requests: u64,
}

impl Storm {
    async fn new(requests: u64) -> Self {
        let mut versions = BTreeMap::new();
        let mirrored = Mirrored::of(|upstream| {
            for number in 0..PACKAGES.max(requests / 25) {
                let name = format!("vendor/p{number:04}");
                upstream.package(&name).version("1.0.0", &json!({})).version_of("1.1.0", &json!({}), 40_000);
                versions.insert(name, vec!["1.0.0".to_owned(), "1.1.0".to_owned()]);
            }
        })
        .await;
        let mut truth = Truth::default();
        for (name, versions) in &versions {
            truth.note(&mirrored.upstream, name, versions);
        }
        let token = mirrored.token("update").await;
        let (seen, asked) = (Mutex::default(), AtomicU64::new(0));
        Self { mirrored, token, truth, versions, seen, asked, requests }
    }

    /// A path, asked for. What was answered once always is; everything else may be refused, with a sentence.
    async fn get(&self, path: &str) -> Option<Vec<u8>> {
        let was_answered = self.seen.lock().unwrap().answered.contains(path);
        let (status, body) = self.mirrored.get(path, &self.token).await;
        self.asked.fetch_add(1, Ordering::Relaxed);
        let mut seen = self.seen.lock().unwrap();
        if status == 200 {
            seen.answered.insert(path.to_owned());
            return Some(body);
        }
        let told = String::from_utf8_lossy(&body);
        assert!(status == 502 && told.contains("\"warning\""), "{path}: {status} {told}");
        assert!(!was_answered, "{path} was here before: {told}");
        seen.refused += 1;
        None
    }

    /// The metadata of a package: what is announced of each version.
    async fn metadata(&self, name: &str) -> Option<Vec<(String, Value)>> {
        let body = self.get(&format!("p2/{name}.json")).await?;
        let file: Value = serde_json::from_slice(&body).expect("a whole document");
        let versions = file["packages"][name].as_array().expect("versions").iter();
        let versions = versions
            .map(|version| (version["version"].as_str().unwrap().to_owned(), version["dist"].clone()))
            .collect::<Vec<_>>();
        let mut seen = self.seen.lock().unwrap();
        let reference = |dist: &Value| dist["reference"].as_str().unwrap().to_owned();
        let state = versions.iter().map(|(version, dist)| (version.clone(), reference(dist))).collect();
        seen.metadata.push((name.to_owned(), state));
        for (_, dist) in &versions {
            let shasum = dist["shasum"].as_str().unwrap();
            if !shasum.is_empty() {
                seen.announced.insert((reference(dist), shasum.to_owned()));
            }
        }
        Some(versions)
    }

    async fn zip(&self, name: &str, reference: &str) -> bool {
        let Some(bytes) = self.get(&format!("dists/{name}/{reference}.zip")).await else { return false };
        let sum = hex::encode(Sha1::digest(&bytes));
        self.seen.lock().unwrap().sent.insert((reference.to_owned(), sum));
        true
    }

    /// Asks for packages, and for a zip of each, until so many requests were answered.
    async fn ask(&self, mut chance: Chance, until: u64) {
        let names: Vec<_> = self.versions.keys().collect();
        while self.asked.load(Ordering::Relaxed) < until {
            let name = chance.choose(&names);
            let Some(versions) = self.metadata(name).await else { continue };
            let (_, dist) = chance.choose(&versions);
            self.zip(name, dist["reference"].as_str().unwrap()).await;
        }
    }

    /// A package gets a version, or another archive for one that it has; whoever follows it hears of that.
    fn change(&mut self, chance: &mut Chance) {
        let names: Vec<_> = self.versions.keys().cloned().collect();
        for _ in 0..3 {
            let name = chance.choose(&names).clone();
            let package = self.mirrored.upstream.package(&name);
            let versions = self.versions.get_mut(&name).expect("it is one of them");
            if chance.of(2) == 0 {
                package.retag(chance.choose::<String>(versions));
            } else {
                let version = format!("2.{}.0", versions.len());
                package.version(&version, &json!({}));
                versions.push(version);
            }
            self.truth.note(&self.mirrored.upstream, &name, versions);
        }
    }

    /// One fault for a while.
    async fn era(&mut self, number: u64, chance: &mut Chance) {
        let (pattern, fault, percent) = fault(chance);
        // The first one in every list, of which the page shows the beginning.
        let probe = format!("a-first/probe{:04}", 9_999 - number);
        self.mirrored.upstream.package(&probe).version("1.0.0", &json!({}));
        self.change(chance);
        self.mirrored.upstream.heal();
        let is_lying = pattern == "lie";
        if is_lying {
            self.mirrored.upstream.package(&probe).wrong_checksum("1.0.0");
        } else {
            self.mirrored.upstream.fail_some(pattern, percent, fault.clone());
        }
        let until = (self.asked.load(Ordering::Relaxed) + ERA).min(self.requests);
        let clients = (0..CLIENTS).map(|_| self.ask(Chance(chance.of(1 << 30)), until)).collect::<Vec<_>>();
        let watch = async {
            let page = &self.mirrored.page;
            if is_lying || (pattern, percent) == ("/dists/*", 100) {
                let reference = self.mirrored.upstream.package(&probe).dist_reference("1.0.0");
                self.metadata(&probe).await.expect("only its zip is wrong");
                assert!(!self.zip(&probe, &reference).await, "{fault:?}");
                self.mirrored.ada.open(page).await.shows("A zip could not be fetched.").shows(&probe);
            } else if (pattern, percent) == ("*", 100) {
                self.mirrored.read().await.shows("It could not be read");
            } else {
                self.mirrored.ada.send(&format!("{page}/update"), &[]).await;
            }
        };
        tokio::join!(join_all(clients), watch);
        self.mirrored.upstream.heal();
        if is_lying {
            let right = hex::encode(Sha1::digest(self.mirrored.upstream.package(&probe).dist_bytes("1.0.0")));
            self.mirrored.upstream.package(&probe).alter("1.0.0", &json!({"dist": {"shasum": right}}));
            self.mirrored.read().await.shows("Works");
        }
        let reference = self.mirrored.upstream.package(&probe).dist_reference("1.0.0");
        self.metadata(&probe).await.expect("the fault is over");
        assert!(self.zip(&probe, &reference).await, "the fault is over");
        self.versions.insert(probe.clone(), vec!["1.0.0".to_owned()]);
        self.truth.note(&self.mirrored.upstream, &probe, &self.versions[&probe]);
    }

    /// After the storm: everything is there, as it is now and as lock files have it.
    async fn calm(&self) {
        self.mirrored.upstream.heal();
        self.mirrored.read().await.shows("Works").hides("It could not be read");
        for name in self.versions.keys() {
            let versions = self.metadata(name).await.unwrap_or_else(|| panic!("{name} is not served"));
            let newest = self.seen.lock().unwrap().metadata.last().unwrap().1.clone();
            assert_eq!(Some(&newest), self.truth.states[name].last(), "{name}");
            for (_, dist) in &versions {
                let reference = dist["reference"].as_str().unwrap();
                assert!(self.zip(name, reference).await, "{name} {reference}");
            }
        }
        let locked = self.seen.lock().unwrap().metadata.clone();
        for (name, state) in locked {
            for reference in state.values() {
                let path = format!("dists/{name}/{reference}.zip");
                if !self.seen.lock().unwrap().answered.contains(&path) {
                    assert!(self.zip(&name, reference).await, "{path}");
                }
            }
        }
        self.mirrored.ada.open(&self.mirrored.page).await.hides("A zip could not be fetched.");
    }

    /// Compares everything that was served with what is true.
    fn judge(&self) {
        let seen = self.seen.lock().unwrap();
        for (name, state) in &seen.metadata {
            assert!(self.truth.states[name].contains(state), "{name} never was like this: {state:?}");
        }
        for (reference, sum) in seen.announced.iter().chain(&seen.sent) {
            assert_eq!(self.truth.sums[reference], *sum, "{reference}");
        }
        for blob in files(&self.mirrored.stave.data().join("blobs/dists")) {
            let digest = hex::encode(Sha256::digest(std::fs::read(&blob).unwrap()));
            let (folder, rest) = digest.split_at(2);
            assert!(blob.ends_with(format!("{folder}/{rest}.zip")), "{} is not {digest}", blob.display());
        }
        let left = files(&self.mirrored.stave.data().join("tmp"));
        assert!(left.is_empty(), "{left:?}");
        assert!(seen.refused > 0 && !seen.announced.is_empty(), "no fault was met, no checksum announced");
    }
}

/// Where something goes wrong, how, and how often of a hundred times. `lie`: the metadata names a wrong checksum.
fn fault(chance: &mut Chance) -> (&'static str, Fault, u8) {
    let html = || Fault::status(200, "<html><title>Please log in</title></html>");
    let faults = [
        ("lie", Fault::Reset),
        ("/dists/*", Fault::Altered),
        ("/dists/*", Fault::Truncated),
        ("/dists/*", html()),
        ("/dists/*", Fault::status(200, "PK\u{3}\u{4} and nothing that fits")),
        ("/dists/*", Fault::status(500, "")),
        ("/p2/*", html()),
        ("/p2/*", Fault::status(200, "{\"packages\":")),
        ("/p2/*", Fault::status(200, "{\"packages\":{\"vendor/other\":7}")),
        ("/p2/*", Fault::status(200, "[]")),
        ("/p2/*", Fault::Truncated),
        ("/p2/*", Fault::status(429, "")),
        ("*", Fault::status(503, "")),
        ("*", html()),
        ("*", Fault::Reset),
        ("*", Fault::Slow(Duration::from_millis(100))),
        ("*", Fault::Hang),
    ];
    let (pattern, fault) = chance.choose(&faults).clone();
    let percent = match fault {
        Fault::Hang => 4,
        Fault::Slow(_) => 30,
        _ => *chance.choose(&[30, 100, 100]),
    };
    (pattern, fault, percent)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// `STAVE_TEST_REQUESTS` makes it longer, `STAVE_TEST_SEED` another one.
#[tokio::test(flavor = "multi_thread")]
async fn no_wrong_byte_is_served_whatever_the_upstream_does() {
    let mut chance = Chance(number("STAVE_TEST_SEED", 1));
    let mut storm = Storm::new(number("STAVE_TEST_REQUESTS", 600)).await;
    let mut eras = 0;
    while storm.asked.load(Ordering::Relaxed) < storm.requests {
        storm.era(eras, &mut chance).await;
        eras += 1;
    }
    storm.calm().await;
    storm.judge();
    let seen = storm.seen.lock().unwrap();
    println!(
        "{eras} faults, {} requests, {} of them refused; {} files, {} checksums and {} zips compared",
        storm.asked.load(Ordering::Relaxed),
        seen.refused,
        seen.metadata.len(),
        seen.announced.len(),
        seen.sent.len()
    );
}
