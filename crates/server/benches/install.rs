//! A project with 200 dependencies, installed by the real Composer, beside Satis and nginx:
//! `cargo bench -p stave-server --bench install`. It prints tables and asserts no time. The server has one core and Composer another.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on fails, and says where")]
#![expect(clippy::print_stdout, reason = "the tables are what it is for")]

#[path = "common/composer.rs"]
mod composer;
#[path = "common/nginx.rs"]
mod nginx;
#[path = "common/page.rs"]
mod page;
#[path = "common/process.rs"]
#[expect(dead_code, reason = "the growth bench needs more of it")]
mod process;
#[path = "common/registry.rs"]
#[expect(dead_code, reason = "the growth bench needs more of it")]
mod registry;
#[path = "common/upstream.rs"]
mod upstream;

use composer::Composer;
use nginx::{PASSWORD, password_rule, serve};
use page::{Table, figure, publish};
use process::{Process, free_port};
use registry::Registry;
use std::{fs, path::Path};
use tempfile::TempDir;
use upstream::{PACKAGES, Upstream};

const ROUNDS: usize = 3;

/// What one client took, in seconds.
#[derive(Clone, Copy)]
struct Took {
    update: f64,
    install: f64,
}

/// Somebody who has all packages.
struct Server<'a> {
    process: &'a Process,
    path: &'static str,
    password: &'a str,
}

fn main() {
    // Whoever builds all targets to run the tests does not want to wait for this.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let (open, satis) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (open_port, satis_port) = (free_port(), free_port());
    let all = Upstream::new();
    all.write(open.path(), &format!("http://127.0.0.1:{open_port}"));
    all.write(satis.path(), &format!("http://127.0.0.1:{satis_port}"));
    println!(
        "{PACKAGES} packages with {} versions, {} kB of zips",
        Upstream::versions(),
        all.zip_bytes() / 1_000
    );
    let rule = password_rule(satis.path());
    let upstream = serve(open.path(), ("upstream", open_port), "");
    let satis = serve(satis.path(), ("satis", satis_port), &rule);
    let (prepared, token) = tokio::runtime::Runtime::new().unwrap().block_on(prepare(&upstream));

    let (cold, _data, stave) = first_time(&prepared, &token, &upstream);
    publish("install-first", &cold);
    let stave = Server { process: &stave, path: "/repo/acme/", password: &token };
    let satis = Server { process: &satis, path: "/", password: PASSWORD };
    publish("install", &beside_satis(&stave, &satis));
}

/// A data folder with nothing but a mirror, and a token.
async fn prepare(upstream: &Process) -> (Registry, String) {
    let registry = Registry::new().await;
    registry.mirror(&upstream.url(""), upstream::root().to_string().as_bytes()).await;
    let token = registry.update_token().await;
    (registry, token)
}

impl Server<'_> {
    fn client(&self) -> Composer {
        Composer::new(&self.process.url(self.path), self.password)
    }
}

impl Took {
    fn of(client: &Composer) -> Self {
        let update = client.update();
        assert_eq!(client.locked().len(), PACKAGES);
        Self { update, install: client.install() }
    }
}

/// What is in the middle.
fn median(rounds: &[Took], figure: fn(&Took) -> f64) -> f64 {
    let mut figures: Vec<f64> = rounds.iter().map(figure).collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn row(table: &mut Table, what: &str, [stave, other]: [&[Took]; 2], figure_of: fn(&Took) -> f64) {
    let (own, other) = (median(stave, figure_of), median(other, figure_of));
    table.row(vec![what.into(), figure(own), figure(other), figure(own / other)]);
}

/// A Stave that has to fetch everything, beside no Stave at all. The last one comes back, and has everything now.
fn first_time(prepared: &Registry, token: &str, upstream: &Process) -> (String, TempDir, Process) {
    let direct = Server { process: upstream, path: "/", password: "" };
    let (mut own, mut others, mut last) = (Vec::new(), Vec::new(), None);
    for _ in 0..ROUNDS {
        // Only one of them has the core.
        drop(last.take());
        let data = tempfile::tempdir().unwrap();
        copy(prepared.path(), data.path());
        let process = Process::stave(data.path(), free_port());
        let stave = Server { process: &process, path: "/repo/acme/", password: token };
        let clients = [stave.client(), direct.client()];
        own.push(Took::of(&clients[0]));
        others.push(Took::of(&clients[1]));
        assert_eq!(clients[0].locked(), clients[1].locked());
        last = Some((data, process));
    }
    let mut table = Table::new(&["", "through Stave, s", "from the upstream itself, s", "ratio"]);
    row(&mut table, "update", [&own, &others], |took| took.update);
    row(&mut table, "install", [&own, &others], |took| took.install);
    let (data, process) = last.unwrap();
    (table.text(), data, process)
}

/// Both have everything.
fn beside_satis(stave: &Server<'_>, satis: &Server<'_>) -> String {
    let servers = [stave, satis];
    let kept = servers.map(|server| {
        let client = server.client();
        Took::of(&client);
        client
    });
    let (mut new, mut known): ([Vec<Took>; 2], [Vec<Took>; 2]) = Default::default();
    for _ in 0..ROUNDS {
        for (server, client) in [0, 1].map(|at| (servers[at], at)) {
            new[client].push(Took::of(&server.client()));
            known[client].push(Took::of(&kept[client]));
        }
    }
    let mut table = Table::new(&["", "Stave, s", "Satis and nginx apr1, s", "ratio"]);
    let (new, known) = ([&new[0][..], &new[1][..]], [&known[0][..], &known[1][..]]);
    row(&mut table, "update, empty cache", new, |took| took.update);
    row(&mut table, "update, warm cache", known, |took| took.update);
    row(&mut table, "install, empty cache", new, |took| took.install);
    row(&mut table, "install, warm cache", known, |took| took.install);
    table.text()
}

/// All files of a folder, and of those in it.
fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
