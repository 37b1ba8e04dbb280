//! What goes wrong elsewhere: the last good answer is served, never a wrong one, and the mirror's page tells.

use super::Mirrored;
use serde_json::json;
use stave_testkit::Fault;
use std::time::Duration;

const HTML: &str = "<html><title>Please log in</title></html>";

#[tokio::test]
async fn a_zip_that_is_not_what_it_should_be_is_not_kept() {
    for (fault, sentence) in [
        (Fault::status(200, HTML), "web page"),
        (Fault::status(500, ""), "answered with error 500"),
        (Fault::status(404, ""), ""),
        (Fault::Truncated, ""),
        (Fault::Altered, "checksum"),
        (Fault::Reset, ""),
    ] {
        let mirrored = Mirrored::with_lib().await;
        let token = mirrored.token("update").await;
        let path = mirrored.dist_path("vendor/lib", &token).await;
        mirrored.upstream.fail("/dists/*", fault.clone());
        let (status, body) = mirrored.get(&path, &token).await;
        let told = String::from_utf8_lossy(&body);
        assert_eq!(status, 502, "{fault:?}: {told}");
        assert!(told.contains("\"warning\"") && told.contains(sentence), "{fault:?}: {told}");
        mirrored.ada.open(&mirrored.page).await.shows("A zip could not be fetched.").shows("vendor/lib");

        mirrored.upstream.heal();
        let (status, body) = mirrored.get(&path, &token).await;
        assert!(
            status == 200 && body == mirrored.upstream.package("vendor/lib").dist_bytes("1.0.0"),
            "{fault:?}"
        );
        mirrored.ada.open(&mirrored.page).await.hides("A zip could not be fetched.");
    }
}

#[tokio::test]
async fn an_altered_zip_without_a_checksum_is_noticed_by_its_own() {
    let mirrored = Mirrored::of(|upstream| {
        upstream.package("vendor/lib").version_of("1.0.0", &json!({"dist": {"shasum": ""}}), 4096);
    })
    .await;
    let token = mirrored.token("update").await;
    let path = mirrored.dist_path("vendor/lib", &token).await;
    mirrored.upstream.fail_next("/dists/*", Fault::Altered);
    let (status, body) = mirrored.get(&path, &token).await;
    assert_eq!(status, 502, "{}", String::from_utf8_lossy(&body));
    assert_eq!(mirrored.get(&path, &token).await.0, 200);
}

#[tokio::test]
async fn an_upstream_that_announces_a_wrong_checksum_is_not_believed() {
    let mirrored = Mirrored::of(|upstream| {
        upstream.package("vendor/lib").version("1.0.0", &json!({})).wrong_checksum("1.0.0");
    })
    .await;
    let composer = mirrored.composer("update").await;
    let run = composer.require("vendor/lib").await;
    assert!(!run.success(), "{run}");
    assert!(composer.file("vendor/vendor/lib/composer.json").is_none());
    mirrored.ada.open(&mirrored.page).await.shows("their checksum is another one");
}

#[tokio::test]
async fn metadata_stays_as_it_was_while_the_upstream_is_down() {
    let mirrored = Mirrored::with_lib().await;
    let token = mirrored.token("update").await;
    let good = mirrored.p2("vendor/lib", &token).await;
    assert_eq!(mirrored.p2("vendor/none", &token).await.0, 404);
    for fault in [
        Fault::status(200, HTML),
        Fault::status(200, "{\"packages\":"),
        Fault::status(503, ""),
        Fault::status(403, ""),
        Fault::RateLimit,
        Fault::Truncated,
        Fault::Reset,
    ] {
        mirrored.upstream.fail("*", fault.clone());
        let page = mirrored.read().await;
        page.shows("It could not be read").shows("What is here is served as it was");
        assert_eq!(mirrored.p2("vendor/lib", &token).await, good, "{fault:?}");
        let (status, body) = mirrored.p2("vendor/unseen", &token).await;
        assert_eq!(status, 502, "{fault:?}: a failure is never an absence: {body}");
        assert!(body["warning"].is_string(), "{fault:?}: {body}");
        assert_eq!(mirrored.p2("vendor/none", &token).await.0, 404, "{fault:?}: what it had not it has not");
        mirrored.upstream.heal();
    }
    mirrored.read().await.shows("Works").hides("It could not be read");
    mirrored.upstream.package("vendor/unseen").version("1.0.0", &json!({}));
    assert_eq!(mirrored.p2("vendor/unseen", &token).await.0, 200);
}

#[tokio::test]
async fn a_slow_upstream_is_given_up_and_others_are_served() {
    let mirrored = Mirrored::with_lib().await;
    let token = mirrored.token("update").await;
    assert_eq!(mirrored.p2("vendor/lib", &token).await.0, 200);
    mirrored.upstream.fail("/p2/vendor/slow*", Fault::Slow(Duration::from_mins(1)));
    let (slow, known) = tokio::join!(mirrored.p2("vendor/slow", &token), mirrored.p2("vendor/lib", &token));
    assert_eq!((slow.0, known.0), (502, 200), "{}", slow.1);
}

#[tokio::test]
async fn one_bad_package_keeps_no_other_from_being_read() {
    let mirrored = Mirrored::of(|upstream| {
        upstream.without_feed();
        for name in ["vendor/bad", "vendor/good"] {
            upstream.package(name).version("1.0.0", &json!({}));
        }
    })
    .await;
    let token = mirrored.token("update").await;
    for name in ["vendor/bad", "vendor/good"] {
        assert_eq!(mirrored.p2(name, &token).await.0, 200);
        mirrored.upstream.package(name).version("1.1.0", &json!({}));
    }
    mirrored.upstream.fail("/p2/vendor/bad*", Fault::status(500, ""));
    mirrored.read().await.shows("vendor/bad");
    let newest = async |name: &str| mirrored.p2(name, &token).await.1["packages"][name][0]["version"].clone();
    assert_eq!((newest("vendor/good").await, newest("vendor/bad").await), (json!("1.1.0"), json!("1.0.0")));
    mirrored.upstream.heal();
    mirrored.read().await.hides("vendor/bad");
    assert_eq!(newest("vendor/bad").await, "1.1.0");
}

#[tokio::test]
async fn an_upstream_that_was_never_reached_is_asked_for_nothing() {
    let mirrored = Mirrored::with_lib().await;
    let (stave, ada) = (&mirrored.stave, &mirrored.ada);
    let dead = stave_testkit::FakeComposerRepository::start().await;
    dead.fail("*", Fault::status(503, ""));
    let page = super::add(stave, ada, &[("name", "Dead"), ("url", &dead.url())]).await;
    ada.send(&format!("{page}/move"), &[("place", "0")]).await;
    ada.open(&page)
        .await
        .shows("Cannot be read")
        .shows("Until it was read once, no package is looked for in it.");
    dead.forget_requests();
    let token = mirrored.token("update").await;
    assert_eq!(mirrored.p2("vendor/lib", &token).await.0, 200);
    assert_eq!(mirrored.p2("vendor/none", &token).await.0, 404);
    assert_eq!(dead.calls("/p2/*"), 0);
}
