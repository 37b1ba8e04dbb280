//! Large workspaces: as few calls as can be, no row written for nothing, little memory.

use super::platform::{Followed, Platform, Rows};
use super::truth::agrees;
use crate::support::{Browser, process::Place};
use stave_app::Clock;
use stave_testkit::{FakeBitbucket, Size};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

const PAGE: usize = 10;

/// Calls that read a list of so many.
fn pages(entries: usize) -> u64 {
    u64::try_from(entries.div_ceil(PAGE).max(1)).unwrap()
}

/// What Bitbucket Cloud makes everybody do who wants to know everything: the workspace, its repositories, its people, everybody's
/// rights, the webhook.
fn least(size: Size) -> u64 {
    let rights = size.repositories + (size.people - 1) * size.each_reads.min(size.repositories);
    1 + pages(size.repositories) + pages(size.people) + pages(rights) + 1
}

/// The tables in which a run tells of itself, the one that says who asked for it, and that of the daily self-test, which may come
/// in between.
const TOLD: [&str; 4] = ["synchronization", "log", "session", "endpoint"];

async fn follow(size: Size) {
    let platform = Platform::cloud().await;
    let Platform::Cloud(bitbucket) = &platform else { unreachable!() };
    bitbucket.seed_large("acme", size).page_length_at_most(PAGE);
    let place = Place::new().await;
    let stave = place.serve(&["--outbound-allow", "127.0.0.0/8"]).await;
    let url = stave.url("");
    let admin = Browser::new(&stave.url("/"));
    admin.open(stave.setup_link()).await;
    let slug = platform.integrate(&admin, &url).await;
    platform.log_in(&admin, &slug, "p0001").await;
    admin.send("/orgs/new", &[("name", "Acme"), ("short_name", "acme")]).await.shows("Acme");
    let rows = Rows { storage: place.storage().await, clock: Clock::default() };
    let followed = Followed::look(&admin, &rows, (&slug, "acme"), None).await;
    let page = followed.rest().await;

    bitbucket.forget_requests();
    let began = Instant::now();
    admin.press(&page, "Start synchronization").await;
    followed.rest().await;
    tell("first run", bitbucket, began.elapsed(), least(size)).await;
    agrees(&followed, &bitbucket.workspace("acme").truth(), true).await;

    let before = place.dump().await;
    let known = rows.storage.synchronization_find(followed.id()).await.unwrap();
    bitbucket.forget_requests();
    let began = Instant::now();
    followed.succeeds().await;
    let calls = tell("run without changes", bitbucket, began.elapsed(), least(size)).await;
    assert!(calls * 10 <= least(size) * 11, "{calls} calls where {} are enough", least(size));
    let memory = stave.peak_memory_kib();
    println!("peak memory: {} MiB", memory / 1024);
    let after = place.dump().await;
    assert_eq!(rows.storage.synchronization_find(followed.id()).await.unwrap(), known);
    assert_eq!(changed(&before, &after), [""; 0]);
    assert!(memory < 256 * 1024, "{memory} KiB");
}

/// Tables whose rows are others now.
fn changed(before: &BTreeMap<String, Vec<String>>, after: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let all = before.keys().chain(after.keys()).filter(|table| before.get(*table) != after.get(*table));
    all.filter(|table| !TOLD.contains(&table.as_str())).cloned().collect()
}

/// Prints the calls and the time of a run, beside the least calls and the time that the platform took for as many.
async fn tell(what: &str, bitbucket: &FakeBitbucket, took: Duration, least: u64) -> u64 {
    let routes = bitbucket.calls_by_route();
    let api = routes.iter().filter(|(route, _)| route.contains("/2.0/")).map(|(_, calls)| calls);
    let (calls, own) = (api.sum::<u64>(), own_time(bitbucket).await);
    println!(
        "{what}: {calls} calls, at least {least} are needed; {took:?}, of which the platform itself takes about {:?}\n{routes:#?}",
        own * u32::try_from(calls).unwrap()
    );
    calls
}

/// How long the platform takes for a request by itself: the latest ones are asked again, one after another.
async fn own_time(bitbucket: &FakeBitbucket) -> Duration {
    let requests = bitbucket.requests();
    let latest = requests.iter().rev().filter(|it| it.method == "GET" && it.path.starts_with("/2.0/"));
    let latest: Vec<_> = latest.take(200).collect();
    let (client, began) = (reqwest::Client::new(), Instant::now());
    for request in &latest {
        let url = format!("{}{}?{}", bitbucket.base_url(), request.path, request.query);
        let key = request.header("authorization").unwrap_or_default();
        client.get(url).header("authorization", key).send().await.unwrap().bytes().await.unwrap();
    }
    began.elapsed() / u32::try_from(latest.len().max(1)).unwrap()
}

#[tokio::test]
async fn a_small_workspace_with_rights_for_some() {
    follow(Size { repositories: 80, people: 25, packages: 6, each_reads: 9 }).await;
}

#[tokio::test]
async fn a_small_workspace_that_everybody_reads() {
    follow(Size { repositories: 50, people: 20, packages: 3, each_reads: 50 }).await;
}

#[tokio::test]
#[ignore = "minutes: cargo nextest run -p stave-server --run-ignored all -E 'test(three_thousand)' --no-capture"]
async fn three_thousand_repositories_and_five_hundred_people() {
    follow(Size { repositories: 3000, people: 500, packages: 60, each_reads: 100 }).await;
}

#[tokio::test]
#[ignore = "many minutes: cargo nextest run -p stave-server --run-ignored all -E 'test(million)' --no-capture"]
async fn a_million_and_a_half_rights() {
    follow(Size { repositories: 3000, people: 500, packages: 60, each_reads: 3000 }).await;
}
