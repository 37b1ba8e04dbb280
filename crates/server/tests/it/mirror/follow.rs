//! What upstreams change is here soon; what they lose stays.

use super::Mirrored;
use serde_json::{Value, json};
use stave_domain::job::{Job, NewJob, Urgency};
use std::time::Duration;

/// The versions in metadata, newest first.
fn versions(metadata: &Value, name: &str) -> Vec<String> {
    let list = metadata["packages"][name].as_array().cloned().unwrap_or_default();
    list.iter().map(|version| version["version"].as_str().unwrap_or_default().to_owned()).collect()
}

/// Has the mirror read as its time would come: without comparing what nobody said anything about.
async fn poll(mirrored: &Mirrored, number: u128) {
    let mirror = mirrored.page.rsplit_once('/').unwrap().1.parse().unwrap();
    let (job, now) = (Job::UpdateMirror { mirror }, mirrored.stave.app.clock().now());
    let id = uuid::Uuid::from_u128(number).into();
    let new = NewJob { id, job, organization_id: None, urgency: Urgency::Now, run_at: now, created_at: now };
    let storage = mirrored.stave.storage().await;
    storage.job_enqueue(&new).await.unwrap();
    while !storage.job_pending(&job.key()).await.unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn only_what_the_feed_names_is_asked_for_again() {
    let mirrored = Mirrored::of(|upstream| {
        upstream.package("vendor/lib").version("1.0.0", &json!({}));
        upstream.package("vendor/other").version("1.0.0", &json!({}));
    })
    .await;
    let token = mirrored.token("update").await;
    for name in ["vendor/lib", "vendor/other"] {
        assert_eq!(mirrored.p2(name, &token).await.0, 200);
    }
    // What was told lately is heard twice.
    mirrored.upstream.advance(Duration::from_mins(10));
    poll(&mirrored, 1).await;
    mirrored.upstream.advance(Duration::from_mins(10));
    mirrored.upstream.package("vendor/lib").version("1.1.0", &json!({}));
    mirrored.upstream.forget_requests();
    poll(&mirrored, 2).await;
    let (_, metadata) = mirrored.p2("vendor/lib", &token).await;
    assert_eq!(versions(&metadata, "vendor/lib"), ["1.1.0", "1.0.0"]);
    assert_eq!(mirrored.upstream.calls("/p2/vendor/other*"), 0);

    mirrored.upstream.forget_changes();
    mirrored.upstream.advance(Duration::from_mins(10));
    mirrored.upstream.package("vendor/other").version("2.0.0", &json!({}));
    mirrored.upstream.forget_requests();
    poll(&mirrored, 3).await;
    assert_eq!(
        mirrored.upstream.calls("/p2/vendor/lib.json"),
        1,
        "where the feed broke off, all are looked at"
    );
    let (_, metadata) = mirrored.p2("vendor/other", &token).await;
    assert_eq!(versions(&metadata, "vendor/other"), ["2.0.0", "1.0.0"]);
}

#[tokio::test]
async fn what_was_not_there_a_moment_ago_is_found_when_the_feed_names_it() {
    let mirrored = Mirrored::with_lib().await;
    let token = mirrored.token("update").await;
    assert_eq!(mirrored.p2("vendor/new", &token).await.0, 404);
    mirrored.upstream.package("vendor/new").version("1.0.0", &json!({}));
    assert_eq!(mirrored.p2("vendor/new", &token).await.0, 404, "it is not asked for again so soon");
    mirrored.read().await.shows("Works");
    assert_eq!(mirrored.p2("vendor/new", &token).await.0, 200);
    assert_eq!(mirrored.p2("vendor/late", &token).await.0, 404);
    mirrored.upstream.package("vendor/late").version("1.0.0", &json!({}));
    mirrored.stave.app.clock().advance(jiff::SignedDuration::from_mins(6));
    assert_eq!(mirrored.p2("vendor/late", &token).await.0, 200, "but after a while it is");
}

#[tokio::test]
async fn what_is_gone_upstream_stays_here_and_says_so() {
    let mirrored = Mirrored::with_lib().await;
    let composer = mirrored.composer("update").await;
    assert!(composer.require("vendor/lib").await.success());
    let token = mirrored.token("read").await;
    mirrored.upstream.remove_package("vendor/lib");
    mirrored.read().await.shows("Works");
    let (status, metadata) = mirrored.p2("vendor/lib", &token).await;
    assert_eq!(
        (status, &metadata["packages"]["vendor/lib"][0]["abandoned"]),
        (200, &json!(true)),
        "{metadata}"
    );
    composer.remove("vendor").forget_cache();
    let run = composer.update().await;
    assert!(run.success() && run.output.contains("abandoned"), "{run}");

    mirrored.upstream.package("vendor/lib").version("1.0.0", &json!({}));
    mirrored.read().await.shows("Works");
    let (_, metadata) = mirrored.p2("vendor/lib", &token).await;
    assert_eq!(metadata["packages"]["vendor/lib"][0]["abandoned"], Value::Null, "it came back: {metadata}");
}

#[tokio::test]
async fn a_version_that_is_gone_or_moved_upstream_is_still_installed_from_lock_files() {
    let mirrored = Mirrored::of(|upstream| {
        upstream.package("vendor/lib").version("1.0.0", &json!({})).version("1.1.0", &json!({}));
    })
    .await;
    let (removed, moved) = (mirrored.composer("update").await, mirrored.composer("update").await);
    assert!(removed.require("vendor/lib:1.1.0").await.success());
    assert!(moved.require("vendor/lib:1.0.0").await.success());
    mirrored.upstream.package("vendor/lib").remove_version("1.1.0").retag("1.0.0");
    mirrored.read().await.shows("Works");
    let (_, metadata) = mirrored.p2("vendor/lib", &mirrored.token("read").await).await;
    assert_eq!(versions(&metadata, "vendor/lib"), ["1.0.0"]);
    for composer in [&removed, &moved] {
        composer.remove("vendor").forget_cache();
        let run = composer.install().await;
        assert!(run.success(), "{run}");
    }
    let fresh = mirrored.composer("update").await;
    assert!(fresh.require("vendor/lib:1.0.0").await.success());
    assert_ne!(
        fresh.file("vendor/vendor/lib/src/version.php"),
        moved.file("vendor/vendor/lib/src/version.php")
    );
}

#[tokio::test]
async fn a_mirror_that_is_switched_off_is_not_asked_and_installs_go_on() {
    let mirrored = Mirrored::with_lib().await;
    let composer = mirrored.composer("update").await;
    assert!(composer.require("vendor/lib").await.success());
    let url = mirrored.upstream.url();
    let form = [
        ("name", "Vendor"),
        ("url", url.as_str()),
        ("credential", ""),
        ("timeout", ""),
        ("adds", "disabled"),
    ];
    mirrored.ada.send(&mirrored.page, &form).await.shows("Disabled");
    mirrored.upstream.package("vendor/more").version("1.0.0", &json!({}));
    mirrored.upstream.forget_requests();
    mirrored.read().await;
    assert_eq!(mirrored.p2("vendor/more", &mirrored.token("update").await).await.0, 404);
    assert_eq!(mirrored.upstream.calls("*"), 0);
    composer.remove("vendor").forget_cache();
    let run = composer.update().await;
    assert!(run.success(), "{run}");
}

#[tokio::test]
async fn warnings_and_bad_versions_of_an_upstream_are_passed_on() {
    let mirrored = Mirrored::of(|upstream| {
        upstream.package("vendor/lib").version("1.0.0", &json!({})).version("1.1.0", &json!({}));
    })
    .await;
    let token = mirrored.token("update").await;
    let (_, metadata) = mirrored.p2("vendor/lib", &token).await;
    assert_eq!(
        (&metadata["security-advisories"], &metadata["filter"]),
        (&json!([]), &json!({})),
        "{metadata}"
    );
    mirrored.upstream.package("vendor/lib").advisory("TEST-1", "<1.1").malware("1.0.0", "steals passwords");
    mirrored.read().await.shows("Works");
    let (_, metadata) = mirrored.p2("vendor/lib", &token).await;
    assert_eq!(metadata["security-advisories"][0]["advisoryId"], "TEST-1", "{metadata}");
    assert_eq!(metadata["filter"]["malware"][0]["constraint"], "1.0.0", "{metadata}");
}
