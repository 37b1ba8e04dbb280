//! What Composer reads, beside nginx with the same bytes: `cargo bench -p stave-server --bench read`. It prints a table and asserts
//! no time. Both servers have one core, and wrk has another; they are asked in turns, so that whatever else this machine does falls
//! on all.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on fails, and says where")]
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

#[path = "common/client.rs"]
#[expect(dead_code, reason = "the growth bench needs more of it")]
mod client;
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
#[path = "common/wrk.rs"]
mod wrk;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use client::Client;
use nginx::{PASSWORD, password_rule, serve};
use page::{Table, figure, publish};
use process::{Process, free_port};
use registry::{Registry, commit};
use std::{fs, path::Path};
use wrk::{Measured, load, median};

const ROUNDS: usize = 3;
const SECONDS: u32 = 2;
const CONNECTIONS: usize = 16;

/// Versions of the small and of the large package: about as psr/log and symfony/symfony have.
const SMALL: (&str, usize) = ("acme/small", 15);
const LARGE: (&str, usize) = ("acme/large", 1_670);

/// Something that all servers are asked for.
struct Case {
    name: &'static str,
    path: String,
    /// Sent with each request.
    headers: Vec<String>,
}

fn main() {
    // Whoever builds all targets to run the tests does not want to wait for this.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (registry, token) = runtime.block_on(fill());
    drop(runtime);
    let stave = Process::stave(registry.path(), free_port());
    let mut client = Client::new(stave.port, &token);
    let web = tempfile::tempdir().unwrap();
    let cases = cases(&mut client, web.path());
    let nginx = Nginx::start(web.path());
    publish("read", &compare(&cases, &stave, &token, &nginx));
    publish("memory", &crowd(&cases[2], &stave, &token));
}

async fn fill() -> (Registry, String) {
    let registry = Registry::new().await;
    for (number, ((name, versions), size)) in
        [(SMALL, 68 * 1024), (LARGE, 12 * 1024 * 1024)].into_iter().enumerate()
    {
        let package = registry.package(name, versions).await;
        let bytes: Vec<u8> = noise(number as u64 + 1).take(size).collect();
        registry.dist(package, &commit(name, 0), &bytes).await;
    }
    let token = registry.token(1, None).await;
    (registry, token)
}

/// Bytes that do not compress (xorshift).
fn noise(mut state: u64) -> impl Iterator<Item = u8> {
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()
    })
    .flatten()
}

/// What is asked for; nginx gets the bytes that Stave sends.
fn cases(client: &mut Client, web: &Path) -> Vec<Case> {
    let p2 = |name: &str| format!("/repo/acme/p2/{name}.json");
    let zip = |name: &str| format!("/repo/acme/dists/{name}/{}.zip", commit(name, 0));
    let mut cases = Vec::new();
    for (name, path) in [
        ("packages.json", "/repo/acme/packages.json".to_owned()),
        ("p2, small", p2(SMALL.0)),
        ("p2, large", p2(LARGE.0)),
        ("dist, 68 kB", zip(SMALL.0)),
        ("dist, 12 MiB", zip(LARGE.0)),
    ] {
        let reply = client.wait_for(&path);
        let file = web.join(path.trim_start_matches('/'));
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        if reply.head.contains("content-encoding: gzip") {
            let mut plain = Vec::new();
            std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&reply.body[..]), &mut plain)
                .unwrap();
            println!("{name}: {} bytes, {} compressed", plain.len(), reply.body.len());
            fs::write(format!("{}.gz", file.display()), &reply.body).unwrap();
            fs::write(file, plain).unwrap();
        } else {
            println!("{name}: {} bytes", reply.body.len());
            fs::write(file, &reply.body).unwrap();
        }
        cases.push(Case { name, path, headers: vec!["Accept-Encoding: gzip".into()] });
    }
    cases.insert(3, Case { name: "p2, small, 304", path: p2(SMALL.0), headers: Vec::new() });
    cases
}

/// nginx with and without a password.
struct Nginx {
    open: Process,
    closed: Process,
}

impl Nginx {
    fn start(web: &Path) -> Self {
        let closed = password_rule(web);
        Self {
            open: serve(web, ("open", free_port()), ""),
            closed: serve(web, ("closed", free_port()), &closed),
        }
    }
}

fn basic(password: &str) -> String {
    format!("Authorization: Basic {}", STANDARD.encode(format!("token:{password}")))
}

/// All in turns, several rounds.
fn compare(cases: &[Case], stave: &Process, token: &str, nginx: &Nginx) -> String {
    let servers =
        [(stave, basic(token)), (&nginx.open, "X-Nobody: 1".into()), (&nginx.closed, basic(PASSWORD))];
    let mut table = Table::new(&[
        "",
        "Stave, req/s",
        "nginx, req/s",
        "ratio",
        "nginx apr1, req/s",
        "ratio",
        "p99 ms, Stave",
        "nginx",
        "CPU us, Stave",
        "nginx",
        "apr1",
    ]);
    for case in cases {
        let mut rounds: [Vec<Measured>; 3] = Default::default();
        for _ in 0..ROUNDS {
            for ((server, authorization), rounds) in servers.iter().zip(&mut rounds) {
                let mut headers = case.headers.clone();
                headers.push(authorization.clone());
                if headers.len() == 1 {
                    headers.push(format!(
                        "If-Modified-Since: {}",
                        last_modified(server, authorization, &case.path)
                    ));
                }
                rounds.push(load(server, &case.path, &headers, (CONNECTIONS, SECONDS)));
            }
        }
        let [stave, open, closed] = rounds.map(|rounds| median(&rounds));
        let ratio = |other: Measured| figure(stave.requests_a_second / other.requests_a_second);
        table.row(vec![
            case.name.into(),
            figure(stave.requests_a_second),
            figure(open.requests_a_second),
            ratio(open),
            figure(closed.requests_a_second),
            ratio(closed),
            figure(stave.p99_ms),
            figure(open.p99_ms),
            figure(stave.cpu_us),
            figure(open.cpu_us),
            figure(closed.cpu_us),
        ]);
    }
    table.text()
}

/// The date that a client would send back.
fn last_modified(server: &Process, authorization: &str, path: &str) -> String {
    let agent = std::process::Command::new("curl")
        .args(["--silent", "--head", "--header", authorization, &server.url(path)])
        .output()
        .expect("curl runs");
    let head = String::from_utf8(agent.stdout).unwrap();
    let line = head.lines().find_map(|line| {
        line.split_once(": ")
            .filter(|(name, _)| name.eq_ignore_ascii_case("last-modified"))
            .map(|(_, date)| date)
    });
    line.unwrap_or("Thu, 01 Jan 1970 00:00:00 GMT").trim().to_owned()
}

/// The large document to many at once, with and without gzip: what it takes in memory.
fn crowd(large: &Case, stave: &Process, token: &str) -> String {
    let mut table = Table::new(&["256 connections, large p2", "req/s", "memory, MiB", "peak, MiB"]);
    for (name, headers) in [("gzip", large.headers.clone()), ("not compressed", Vec::new())] {
        let headers = [headers, vec![basic(token)]].concat();
        let measured = load(stave, &large.path, &headers, (256, 2 * SECONDS));
        table.row(vec![
            name.into(),
            figure(measured.requests_a_second),
            figure(stave.memory_mib()),
            figure(stave.peak_mib()),
        ]);
    }
    table.text()
}
