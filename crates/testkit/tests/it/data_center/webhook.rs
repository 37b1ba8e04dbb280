use super::{api, start, text};
use crate::{client, read, receiver::Receiver};
use serde_json::{Value, json};
use stave_testkit::{FakeDataCenter, Forgery, Version, data_center::Repository};
use std::time::Duration;

const ZEROS: &str = "0000000000000000000000000000000000000000";

/// A webhook at PHP/mailer, and one at the project if `of` says so; ada is the admin.
async fn story(version: Version, of: &str) -> (FakeDataCenter, Repository, Receiver) {
    let server = start(version).await;
    server.seed_demo();
    let receiver = Receiver::default();
    let url = receiver.start().await;
    let wish = json!({"name": "Stave", "url": url, "configuration": {"secret": "s3cret"},
                      "events": ["repo:refs_changed", "repo:modified"]});
    let token = server.user("ada").http_token(&["PROJECT_ADMIN"]);
    let hooks = format!("{}/rest/api/1.0/projects/PHP{of}/webhooks", server.base_url());
    assert_eq!(read(client().post(hooks).bearer_auth(token).json(&wish)).await.0, 201);
    let mailer = server.project("PHP").repository("mailer");
    (server, mailer, receiver)
}

#[tokio::test]
async fn a_push_is_told_with_a_signature() {
    let (server, mailer, receiver) = story(Version::V9_4, "/repos/mailer").await;
    mailer.push_as("ada", |git| {
        let commit = git.commit("main", &[("composer.json", "{ }")]);
        git.annotated_tag("v3.0.0", &commit, "Release");
        git.reference_delete("refs/tags/v1.0.0");
    });
    server.deliveries().await;
    let deliveries = receiver.take();
    let [(headers, body)] = deliveries.as_slice() else { panic!("one push is one delivery: {deliveries:?}") };
    assert_eq!(headers["x-event-key"], "repo:refs_changed");
    assert!(headers["x-hub-signature"].to_str().unwrap().starts_with("sha256="));
    assert!(headers.contains_key("x-request-id") && !headers.contains_key("x-attempt-number"));
    assert_eq!((text(body, "eventKey"), text(&body["actor"], "name")), ("repo:refs_changed", "ada"));
    assert_eq!((text(&body["repository"], "slug"), body["repository"]["id"].as_u64()), ("mailer", Some(1)));
    assert!(text(body, "date").ends_with("+0000"));
    let change = |name: &str| {
        let found = body["changes"].as_array().unwrap().iter().find(|change| change["refId"] == name);
        found.unwrap_or_else(|| panic!("{name}: {body}")).clone()
    };
    assert_eq!(text(&change("refs/heads/main"), "type"), "UPDATE");
    let deleted = change("refs/tags/v1.0.0");
    assert_eq!((text(&deleted, "type"), text(&deleted, "toHash")), ("DELETE", ZEROS));
    let added = change("refs/tags/v3.0.0");
    assert_eq!((text(&added, "type"), text(&added["ref"], "type")), ("ADD", "TAG"));
    let tag = mailer.git().resolve("v3.0.0").unwrap();
    let commit = mailer.git().resolve("v3.0.0^{commit}").unwrap();
    assert_eq!((text(&added, "toHash"), text(&body["toCommit"], "id")), (tag.as_str(), commit.as_str()));
    assert!(body["toCommit"]["authorTimestamp"].is_i64());
}

#[tokio::test]
async fn old_versions_say_less_and_new_ones_say_it_otherwise() {
    let (server, mailer, receiver) = story(Version::V7_20, "").await;
    let told = async || {
        mailer.commit("main", &[("now", &rand::random::<u64>().to_string())]);
        server.deliveries().await;
        receiver.take().remove(0).1
    };
    let old = told().await;
    assert_eq!((old.get("toCommit"), old["repository"].get("hierarchyId")), (None, None));
    server.set_version(Version::V10_0);
    let new = told().await;
    assert!(text(&new["toCommit"], "authorTimestamp").contains(".000Z"), "{new}");
}

#[tokio::test]
async fn names_change_with_a_bell_and_repositories_go_without() {
    let (server, mailer, receiver) = story(Version::V9_4, "").await;
    mailer.rename("post");
    mailer.move_to("OTHER");
    server.deliveries().await;
    let told = receiver.take();
    let events: Vec<(&str, &str)> =
        told.iter().map(|(_, body)| (text(&body["old"], "slug"), text(&body["new"], "slug"))).collect();
    assert_eq!(events, [("mailer", "post")], "the other project has no webhook");
    server.project("PHP").repository("clock").delete();
    server.deliveries().await;
    assert_eq!(receiver.take().len(), 0);
    server.ping_webhooks().deliveries().await;
    let (headers, body) = receiver.take().remove(0);
    assert_eq!((headers["x-event-key"].to_str().unwrap(), body), ("diagnostics:ping", json!({"test": true})));
}

#[tokio::test]
async fn who_fails_five_times_is_skipped_for_a_while() {
    let (server, mailer, receiver) = story(Version::V9_4, "/repos/mailer").await;
    receiver.answer(&[500, 500, 500, 500, 500]);
    for _ in 0..6 {
        mailer.ring();
        server.deliveries().await;
    }
    assert_eq!(receiver.take().len(), 5, "no delivery is tried again, and the sixth was not tried");
    server.advance(Duration::from_secs(10));
    mailer.ring();
    server.deliveries().await;
    assert_eq!(receiver.take().len(), 1);
}

#[tokio::test]
async fn deliveries_go_wrong_on_demand() {
    let (server, mailer, receiver) = story(Version::V9_4, "/repos/mailer").await;
    for forgery in [Forgery::Unsigned, Forgery::WrongSecret, Forgery::OtherBody, Forgery::UnknownRepository] {
        receiver.answer(&[401]);
        assert_eq!(mailer.forge(forgery).await, [401]);
        let (headers, body) = receiver.take().remove(0);
        assert_eq!(headers.contains_key("x-hub-signature"), forgery != Forgery::Unsigned);
        assert_eq!(body["repository"]["id"] == json!(mailer.id()), forgery != Forgery::UnknownRepository);
    }
    for (lost, doubled, expected) in [(100, 0, 0), (0, 100, 2), (0, 0, 1)] {
        server.lose_deliveries(lost).double_deliveries(doubled);
        mailer.ring();
        server.deliveries().await;
        assert_eq!(receiver.take().len(), expected);
    }
}

#[tokio::test]
async fn a_push_by_git_rings() {
    let (server, mailer, receiver) = story(Version::V9_4, "/repos/mailer").await;
    let token = server.user("ada").http_token(&["REPO_WRITE"]);
    let url = mailer.clone_url().replacen("://", &format!("://ada:{token}@"), 1);
    let main = mailer.git().resolve("refs/heads/main").unwrap();
    let mut git = std::process::Command::new("git");
    git.current_dir(mailer.git().path())
        .args(["push", "--quiet", &url])
        .arg(format!("{main}:refs/tags/v9.0.0"));
    git.env("GIT_TERMINAL_PROMPT", "0").env("GIT_CONFIG_GLOBAL", "/dev/null");
    let pushed = tokio::task::spawn_blocking(move || git.output().unwrap()).await.unwrap();
    assert!(pushed.status.success(), "{pushed:?}");
    server.deliveries().await;
    let (_, body) = receiver.take().remove(0);
    assert_eq!(
        (text(&body["changes"][0], "refId"), text(&body["actor"], "name")),
        ("refs/tags/v9.0.0", "ada")
    );
}

#[tokio::test]
async fn files_are_read_raw() {
    let server = start(Version::V7_20).await;
    let php = server.project("PHP");
    php.sketch("begun", Some("{\"name\": \"acme/begun\"}")).grant("ada", stave_testkit::Level::Read);
    php.sketch("plain", None).grant("ada", stave_testkit::Level::Read);
    php.repository("empty").grant("ada", stave_testkit::Level::Read);
    let token = server.user("ada").http_token(&["REPO_READ"]);
    let raw = async |path: &str| {
        let (status, body) = api(&server, &token, &format!("/projects/PHP/repos/{path}")).await;
        (
            status,
            body["errors"][0]["exceptionName"]
                .as_str()
                .unwrap_or_default()
                .replace("com.atlassian.bitbucket.", ""),
        )
    };
    let check = async || {
        assert_eq!(raw("begun/raw/composer.json").await, (200, String::new()));
        assert_eq!(raw("plain/raw/composer.json").await, (404, "content.NoSuchPathException".to_owned()));
        assert_eq!(
            raw("empty/raw/composer.json").await,
            (404, "repository.NoDefaultBranchException".to_owned())
        );
        assert_eq!(
            raw("nothing/raw/composer.json").await,
            (404, "repository.NoSuchRepositoryException".to_owned())
        );
    };
    check().await;
    for slug in ["begun", "plain", "empty"] {
        assert!(php.repository(slug).git().path().is_dir());
    }
    check().await;
    assert_eq!(raw("begun/raw/composer.json?at=refs/tags/1.0.0").await.0, 200);
    assert_eq!(raw("begun/raw/composer.json?at=9.9").await, (404, "commit.NoSuchCommitException".to_owned()));
    let (_, manifest) = api(&server, &token, "/projects/PHP/repos/begun/raw/composer.json").await;
    assert_eq!(manifest, json!({"name": "acme/begun"}) as Value);
}
