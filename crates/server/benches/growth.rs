//! How time and memory grow with packages, tokens and versions: `cargo bench -p stave-server --bench growth`. It prints tables and
//! draws charts, and asserts no time.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on fails, and says where")]
#![expect(clippy::print_stdout, reason = "the tables are what it is for")]

#[path = "common/chart.rs"]
mod chart;
#[path = "common/client.rs"]
mod client;
#[path = "common/page.rs"]
mod page;
#[path = "common/process.rs"]
#[expect(dead_code, reason = "the read bench needs more of it")]
mod process;
#[path = "common/registry.rs"]
#[expect(dead_code, reason = "the read bench needs more of it")]
mod registry;

use chart::{Line, svg};
use client::Client;
use page::{Table, docs, figure, publish};
use process::{Process, free_port};
use registry::{Registry, bulk_name};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

const PACKAGES: [u32; 4] = [100, 1_000, 10_000, 100_000];
const VERSIONS: [u32; 5] = [1, 10, 100, 1_000, 5_000];
/// Tokens with a selection of their own each.
const TOKENS: u16 = 1_000;
const REQUESTS: usize = 1_000;

fn main() {
    // Whoever builds all targets to run the tests does not want to wait for this.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let runtime = Runtime::new().unwrap();
    packages(&runtime);
    versions(&runtime);
}

/// What a Stave with so many packages took.
struct OfPackages {
    ready_ms: f64,
    cold_us: f64,
    warm_us: f64,
    missing_us: f64,
    root_us: f64,
    root_bytes: usize,
    other_token_us: f64,
    idle_mib: f64,
    mib: f64,
}

fn packages(runtime: &Runtime) {
    let steps: Vec<(u32, OfPackages)> =
        PACKAGES.iter().map(|count| (*count, runtime.block_on(of_packages(*count as usize)))).collect();
    let mut table = Table::new(&[
        "packages",
        "ready ms",
        "p2 cold us",
        "p2 warm us",
        "no such package us",
        "packages.json us",
        "bytes",
        "first of a token us",
        "idle MiB",
        "after MiB",
    ]);
    for (count, it) in &steps {
        table.row(vec![
            figure(f64::from(*count)),
            figure(it.ready_ms),
            figure(it.cold_us),
            figure(it.warm_us),
            figure(it.missing_us),
            figure(it.root_us),
            it.root_bytes.to_string(),
            figure(it.other_token_us),
            figure(it.idle_mib),
            figure(it.mib),
        ]);
    }
    let line = |name, value: fn(&OfPackages) -> f64| Line {
        name,
        points: steps.iter().map(|(count, it)| (f64::from(*count), value(it))).collect(),
    };
    let lines = [
        line("p2, first time, us", |it| it.cold_us),
        line("p2, warm, us", |it| it.warm_us),
        line("packages.json, us", |it| it.root_us),
        line("first of a token, us", |it| it.other_token_us),
        line("start to ready, ms", |it| it.ready_ms),
        line("memory after that, MiB", |it| it.mib),
    ];
    let ratio = |value: fn(&OfPackages) -> f64| figure(value(&steps[3].1) / value(&steps[0].1));
    let summary = format!(
        "\nA thousand times the packages: p2 warm × {}, p2 cold × {}, packages.json × {}, first answer to a token × {}, memory × {}.\n",
        ratio(|it| it.warm_us),
        ratio(|it| it.cold_us),
        ratio(|it| it.root_us),
        ratio(|it| it.other_token_us),
        ratio(|it| it.mib)
    );
    draw("packages", &svg("Reading, by the number of packages", "packages", &lines));
    publish("packages", &(table.text() + &summary));
}

async fn of_packages(count: usize) -> OfPackages {
    let registry = Registry::new().await;
    let all = registry.token(1, None).await;
    let mut tokens = Vec::new();
    for number in 0..TOKENS {
        tokens.push(registry.token(number + 2, Some(&format!("bulk/p{number}*\nacme/*"))).await);
    }
    let port = free_port();
    // A Stave that has published everything once does not do so again while it is measured.
    let empty = Process::stave(registry.path(), port);
    while registry.storage.setting_find("published.url").await.unwrap().is_none() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop(empty);
    registry.packages_published(count, &document()).await;
    // What the kernel still has to write to the disk would be in the way of the first requests.
    assert!(std::process::Command::new("sync").status().unwrap().success());
    let path = move |number: usize| format!("/repo/acme/p2/{}.json", bulk_name(number * 7919 % count));
    let stave = Process::stave(registry.path(), port);
    let idle_mib = stave.memory_mib();
    let mut client = Client::new(port, &all);
    client.wait_for("/repo/acme/packages.json");
    // With few packages each is cold once.
    let cold_us = client.median_us(REQUESTS.min(count), path);
    let warm_us = client.median_us(REQUESTS, |number| path(number % REQUESTS.min(count)));
    let root_bytes = client.get("/repo/acme/packages.json").body.len();
    let root_us = client.median_us(REQUESTS, |_| "/repo/acme/packages.json".into());
    let mut missing: Vec<f64> = (0..REQUESTS)
        .map(|number| {
            client.get(&format!("/repo/acme/p2/bulk/none-{}.json", number % 10)).took.as_secs_f64() * 1e6
        })
        .collect();
    missing.sort_by(f64::total_cmp);
    let mut firsts: Vec<f64> = tokens
        .iter()
        .enumerate()
        .map(|(number, token)| {
            client.become_holder_of(token);
            let reply = client.get(&format!("/repo/acme/p2/{}.json", bulk_name(number % count)));
            assert!(matches!(reply.status, 200 | 404), "{}", reply.head);
            reply.took.as_secs_f64() * 1e6
        })
        .collect();
    firsts.sort_by(f64::total_cmp);
    OfPackages {
        ready_ms: stave.ready_after.as_secs_f64() * 1e3,
        cold_us,
        warm_us,
        missing_us: missing[REQUESTS / 2],
        root_us,
        root_bytes,
        other_token_us: firsts[firsts.len() / 2],
        idle_mib,
        mib: stave.memory_mib(),
    }
}

/// A document of usual size.
fn document() -> Vec<u8> {
    use std::io::Write as _;
    let line = |number: u32| {
        format!(r#"{{"version":"v1.{number}.0","time":"2026-01-01T00:00:{:02}+00:00"}}"#, number % 60)
    };
    let versions: Vec<String> = (0..20).map(line).collect();
    let body = format!(r#"{{"packages":{{"bulk/p":[{}]}},"minified":"composer/2.0"}}"#, versions.join(","));
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(body.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// What a package with so many versions took.
struct OfVersions {
    publish_ms: f64,
    bytes: u32,
    warm_us: f64,
}

fn versions(runtime: &Runtime) {
    let steps: Vec<(u32, OfVersions)> =
        VERSIONS.iter().map(|count| (*count, runtime.block_on(of_versions(*count as usize)))).collect();
    let mut table = Table::new(&[
        "versions",
        "start to published ms",
        "us a version",
        "bytes sent",
        "bytes a version",
        "p2 warm us",
    ]);
    for (count, it) in &steps {
        table.row(vec![
            figure(f64::from(*count)),
            figure(it.publish_ms),
            figure(it.publish_ms * 1e3 / f64::from(*count)),
            figure(f64::from(it.bytes)),
            figure(f64::from(it.bytes) / f64::from(*count)),
            figure(it.warm_us),
        ]);
    }
    let line = |name, value: fn(&OfVersions) -> f64| Line {
        name,
        points: steps.iter().map(|(count, it)| (f64::from(*count), value(it))).collect(),
    };
    let lines = [
        line("start to published, ms", |it| it.publish_ms),
        line("bytes sent", |it| f64::from(it.bytes)),
        line("p2, warm, us", |it| it.warm_us),
    ];
    draw("versions", &svg("One package, by the number of its versions", "versions", &lines));
    publish("versions", &table.text());
}

async fn of_versions(count: usize) -> OfVersions {
    let registry = Registry::new().await;
    let token = registry.token(1, None).await;
    registry.package("acme/mailer", count).await;
    let path = "/repo/acme/p2/acme/mailer.json";
    let began = Instant::now();
    let stave = Process::stave(registry.path(), free_port());
    let mut client = Client::new(stave.port, &token);
    let bytes = u32::try_from(client.wait_for(path).body.len()).unwrap();
    let publish_ms = began.elapsed().as_secs_f64() * 1e3;
    OfVersions { publish_ms, bytes, warm_us: client.median_us(REQUESTS, |_| path.into()) }
}

fn draw(name: &str, chart: &str) {
    if std::env::var_os("STAVE_TEST_UPDATE").is_some() {
        std::fs::write(docs().join(format!("performance-{name}.svg")), chart).unwrap();
    }
}
