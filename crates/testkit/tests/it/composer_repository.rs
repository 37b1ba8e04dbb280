use crate::client;
use serde_json::{Value, json};
use stave_testkit::{Composer, Composer1, FakeComposerRepository, Fault};

/// Status and JSON of a file; null if it is none.
async fn file(fake: &FakeComposerRepository, path: &str) -> (u16, Value) {
    crate::read(client().get(format!("{}{path}", fake.url()))).await
}

#[tokio::test]
async fn the_real_composer_installs_from_it() {
    let fake = FakeComposerRepository::start().await;
    fake.package("acme/log").version("1.0.0", &json!({})).version("1.1.0", &json!({}));
    fake.package("acme/lib")
        .version("2.0.0", &json!({"require": {"acme/log": "^1.0"}}))
        .version("dev-main", &json!({}));
    fake.package("acme/all").version("1.0.0", &json!({"type": "metapackage", "require": {"acme/lib": "*"}}));
    fake.require_basic("token", "secret");
    let composer = Composer::new();
    composer.repository(&fake.url()).config_auth(&fake.url(), "token", "secret");
    let run = composer.require("acme/all:^1.0").await;
    assert!(run.success(), "{run}");
    let installed = composer.file("vendor/acme/log/src/version.php").unwrap();
    assert!(installed.contains("1.1.0"), "{installed}");
    let told = fake.notified();
    assert!(told.contains(&("acme/log".to_owned(), "1.1.0.0".to_owned())), "{told:?}");

    let composer = Composer::new();
    composer.repository(&fake.url()).config_auth(&fake.url(), "token", "wrong");
    assert!(!composer.require("acme/log").await.success());
}

#[tokio::test]
async fn what_changes_is_seen_and_archives_stay() {
    let fake = FakeComposerRepository::start().await;
    let log = fake.package("acme/log");
    log.version("1.0.0", &json!({"description": "One"})).version("1.1.0", &json!({"description": "Two"}));
    let (old_url, old_bytes) = (log.dist_url("1.0.0"), log.dist_bytes("1.0.0"));
    log.retag("1.0.0")
        .wrong_checksum("1.1.0")
        .abandon("acme/other")
        .advisory("A-1", "<1.1")
        .malware("1.0.0", "It steals.");
    assert_ne!(log.dist_bytes("1.0.0"), old_bytes);
    assert_eq!(client().get(&old_url).send().await.unwrap().bytes().await.unwrap(), old_bytes);

    let (_, found) = file(&fake, "/p2/acme/log.json").await;
    let [new, old] = found["packages"]["acme/log"].as_array().unwrap().as_slice() else { panic!("{found}") };
    assert_eq!((new["version"].as_str(), old["version"].as_str()), (Some("1.1.0"), Some("1.0.0")));
    assert_eq!(old.get("name"), None, "{old}");
    assert_eq!((&new["abandoned"], &new["dist"]["shasum"]), (&json!("acme/other"), &json!("0".repeat(40))));
    assert_eq!(found["security-advisories"], json!([{"advisoryId": "A-1", "affectedVersions": "<1.1"}]));
    assert_eq!(found["filter"]["malware"][0]["constraint"], "1.0.0");
    assert_eq!(file(&fake, "/p2/acme/log~dev.json").await.0, 404);
    log.remove_version("1.1.0").remove_version("1.0.0");
    assert_eq!(file(&fake, "/p2/acme/log.json").await.0, 404);
    assert_eq!(client().get(&old_url).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_file_that_is_known_is_not_sent_again() {
    let fake = FakeComposerRepository::start().await;
    fake.package("acme/log").version("1.0.0", &json!({}));
    let url = format!("{}/p2/acme/log.json", fake.url());
    let modified = async || {
        let answer = client().get(&url).send().await.unwrap();
        answer.headers()["last-modified"].to_str().unwrap().to_owned()
    };
    let first = modified().await;
    let known = client().get(&url).header("if-modified-since", &first).send().await.unwrap();
    assert_eq!(known.status(), 304);
    assert!(known.bytes().await.unwrap().is_empty());
    fake.package("acme/log").retag("1.0.0");
    assert_ne!(modified().await, first, "within the same second too");
}

#[tokio::test]
async fn answers_go_wrong_as_they_are_told() {
    let fake = FakeComposerRepository::start().await;
    fake.package("acme/log").version("1.0.0", &json!({}));
    let (url, right) =
        (fake.package("acme/log").dist_url("1.0.0"), fake.package("acme/log").dist_bytes("1.0.0"));
    fake.fail_next("/dists/*", Fault::Altered);
    let altered = client().get(&url).send().await.unwrap().bytes().await.unwrap();
    let differences = altered.iter().zip(&right).filter(|(a, b)| a != b).count();
    assert_eq!((altered.len(), differences), (right.len(), 1));
    for fault in [Fault::Truncated, Fault::Reset] {
        fake.fail_next("/dists/*", fault.clone());
        let came = async { client().get(&url).send().await?.bytes().await };
        assert!(came.await.is_err(), "{fault:?}");
    }
    fake.fail_after("/dists/*", 1, Fault::status(503, ""));
    let statuses = [
        client().get(&url).send().await.unwrap().status(),
        client().get(&url).send().await.unwrap().status(),
    ];
    assert_eq!(statuses.map(|status| status.as_u16()), [200, 503]);
    fake.heal();
    assert_eq!(client().get(&url).send().await.unwrap().bytes().await.unwrap(), right);
    assert_eq!(fake.calls("/dists/acme/*"), 6);
}

#[tokio::test]
async fn composer_1_lists_name_what_there_is() {
    let fake = FakeComposerRepository::start().await;
    fake.seed("acme", 2).composer1(Composer1::Hashed);
    let (_, root) = file(&fake, "/packages.json").await;
    let (list, entry) = root["provider-includes"].as_object().unwrap().iter().next().unwrap();
    let (status, listed) =
        file(&fake, &format!("/{}", list.replace("%hash%", entry["sha256"].as_str().unwrap()))).await;
    assert_eq!(status, 200);
    let hash = listed["providers"]["acme/p0002"]["sha256"].as_str().unwrap();
    let (_, provider) = file(&fake, &format!("/p/acme/p0002${hash}.json")).await;
    assert_eq!(provider["packages"]["acme/p0002"]["1.1.0"]["require"]["acme/p0001"], "^1.0");
    assert_eq!(file(&fake, "/p2/acme/p0002.json").await.0, 404);
    fake.package("acme/p0002").retag("1.1.0");
    assert_eq!(file(&fake, &format!("/p/acme/p0002${hash}.json")).await.0, 404, "old files are gone");
}
