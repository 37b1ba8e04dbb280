//! Importing a package: the versions that Composer itself would see, and a sentence for everything that cannot be read.

use crate::support::TestStave;
use serde_json::{Value, json};
use stave_testkit::{BareRepository, Composer, Fault, samples};
use std::collections::BTreeSet;

/// The versions that Composer lists of a package.
async fn versions(composer: &Composer, name: &str) -> BTreeSet<String> {
    let run = composer.run(&["show", "--available", "--format=json", name]).await;
    assert!(run.success(), "{run}");
    let json = &run.output[run.output.find('{').expect("JSON")..];
    let shown = serde_json::Deserializer::from_str(json).into_iter::<Value>().next();
    let shown = shown.expect("a value").unwrap_or_else(|error| panic!("{error}: {run}"));
    shown["versions"]
        .as_array()
        .expect("versions")
        .iter()
        .map(|version| version.as_str().unwrap().to_owned())
        .collect()
}

async fn same_as_composers_own_scan(fill: impl FnOnce(&BareRepository), name: &str) {
    let (stave, ada) = TestStave::with_acme().await;
    let repository = stave.bitbucket.workspace("acme").repository("library");
    repository.public().push(fill);
    let itself = Composer::new();
    itself.manifest(
        &json!({"repositories": [{"type": "git", "url": repository.git().path()}, {"packagist": false}]}),
    );
    let page = stave.import(&ada, &repository.clone_url(), "none").await;
    page.shows(name);
    let through_stave = stave.composer(&ada).await;
    assert_eq!(versions(&through_stave, name).await, versions(&itself, name).await, "{}", page.text());
}

#[tokio::test]
async fn a_long_history_gives_the_versions_that_composer_sees() {
    same_as_composers_own_scan(|git| samples::history(git, "acme/history", 250), "acme/history").await;
}

#[tokio::test]
async fn odd_references_give_the_versions_that_composer_sees() {
    same_as_composers_own_scan(samples::oddities, "acme/oddities").await;
}

#[tokio::test]
async fn every_reference_has_its_line_in_the_log() {
    let (stave, ada) = TestStave::with_acme().await;
    let repository = stave.bitbucket.workspace("acme").repository("oddities");
    repository.push(samples::oddities);
    let page = stave.import(&ada, &repository.clone_url(), "auto").await;
    page.shows("acme/oddities").shows("is not valid JSON").shows("it points to no commit");
}

#[tokio::test]
async fn a_bad_composer_json_costs_its_own_version_only() {
    let (stave, ada) = TestStave::with_acme().await;
    let good = r#"{"name": "acme/lib"}"#;
    let deep = format!(r#"{{"name": "acme/lib", "extra": {}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    let large = format!(r#"{{"name": "acme/lib", "description": "{}"}}"#, "x".repeat(50 << 20));
    let repository = stave.bitbucket.workspace("acme").repository("lib");
    repository.commit("main", &[("composer.json", good)]);
    repository
        .tag("1.0.0", good)
        .tag("1.0.1", "{ this is no JSON")
        .tag("1.0.2", &deep)
        .tag("1.0.3", &large)
        .tag("1.0.4", r#"{"name": "acme/lib", "require": {"php": "one or two"}}"#)
        .tag("1.0.5", r#"{"name": "acme/other"}"#)
        .tag("nightly", good);
    let page = stave.import(&ada, &repository.clone_url(), "auto").await;
    page.shows("is not valid JSON")
        .shows("nested deeper")
        .shows("larger than 1 MiB")
        .shows("composer.json has a mistake in")
        .shows("composer.json names acme/other here")
        .shows("its name is not a version");
    let composer = stave.composer(&ada).await;
    let expected = ["1.0.0", "1.0.5", "dev-main"].map(str::to_owned);
    assert_eq!(versions(&composer, "acme/lib").await, BTreeSet::from(expected));
}

#[tokio::test]
async fn an_empty_repository_waits_for_its_first_push() {
    let (stave, ada) = TestStave::with_acme().await;
    let repository = stave.bitbucket.workspace("acme").repository("new");
    let page = stave.import(&ada, &repository.clone_url(), "auto").await;
    page.shows("has no branches and no tags yet");
    repository.commit("main", &[("composer.json", r#"{"name": "acme/new"}"#)]);
    ada.send(&format!("{}/update", page.url.path()), &[]).await;
    stave.settled(&ada, page.url.path()).await.shows("acme/new").shows("dev-main");
}

#[tokio::test]
async fn addresses_that_are_none_are_refused_in_the_form() {
    let (stave, ada) = TestStave::with_acme().await;
    for url in [
        "--upload-pack=touch /tmp/x",
        "file:///etc/passwd",
        "ext::sh -c id",
        "/etc",
        "https://ada:hunter2-hunter2@example.com/x.git",
        "not a url",
        "git://example.com/x",
        "https://",
        "",
    ] {
        let page = ada.send("/orgs/acme/packages", &[("url", url), ("credential", "none")]).await;
        assert_eq!(page.status, 422, "{url}: {}", page.text());
        page.hides("hunter2-hunter2");
    }
    ada.open("/orgs/acme/packages").await.hides("example.com");
    drop(stave);
}

#[tokio::test]
async fn hosts_that_may_not_be_reached_are_named() {
    let (stave, ada) = TestStave::with_acme().await;
    stave.import(&ada, "http://169.254.169.254/latest/meta-data.git", "none").await.shows("--outbound-allow");
    stave.import(&ada, "https://10.1.2.3/x.git", "none").await.shows("--outbound-allow");
}

#[tokio::test]
async fn a_repository_that_misbehaves_gets_a_sentence() {
    let (stave, ada) = TestStave::with_acme().await;
    let base = stave.bitbucket.base_url();
    let looping = stave.bitbucket.workspace("acme").repository("looping");
    looping.public();
    stave.bitbucket.fail("/acme/looping.git*", Fault::Redirect(format!("{base}/acme/looping.git/info/refs")));
    stave.import(&ada, &looping.clone_url(), "none").await.shows("redirect");
    stave.import(&ada, &format!("{base}/acme/nowhere.git"), "none").await.shows("asks for a log-in");
    stave.bitbucket.fail("/acme/page.git*", Fault::status(200, "<html>Log in</html>"));
    stave.import(&ada, &format!("{base}/acme/page.git"), "none").await.shows("web page");
}

#[tokio::test]
async fn a_private_repository_needs_a_credential_that_may_read_it() {
    let (stave, ada) = TestStave::with_acme().await;
    let secret = stave.bitbucket.workspace("others").owner("linus").repository("secret");
    secret.private().tag("1.0.0", r#"{"name": "acme/secret"}"#);
    let page = stave.import(&ada, &secret.clone_url(), "auto").await;
    page.hides("1.0.0").shows("edit the package");
    let token = secret.access_token(&["repository"]);
    let host = stave.bitbucket.base_url().replace("http://", "");
    let typed = [("description", "Robot"), ("host", host.as_str()), ("username", ""), ("secret", &token)];
    ada.send("/orgs/acme/settings/credentials", &typed).await.shows("Robot").hides(&token);
    let form = ada.open(&format!("{}/edit", page.url.path())).await;
    let choice = form
        .body
        .split("value=\"")
        .map(|rest| rest.split('"').next().unwrap())
        .find(|value| value.starts_with("credential:"));
    let choice = choice.expect("the credential can be chosen").to_owned();
    ada.send(form.url.path(), &[("url", &secret.clone_url()), ("credential", &choice)]).await;
    stave.settled(&ada, page.url.path()).await.shows("acme/secret").shows("1.0.0");

    // The token is revoked: the credential says so, and a new secret mends what failed for the old one.
    stave.bitbucket.revoke_token(&token);
    ada.send(&format!("{}/update", page.url.path()), &[]).await;
    stave.settled(&ada, page.url.path()).await.shows("asks for a log-in, or does not accept");
    ada.open("/orgs/acme/settings/credentials").await.shows("Does not work");
    let robot = format!("/orgs/acme/settings/credentials/{}", choice.trim_start_matches("credential:"));
    let fresh = secret.access_token(&["repository"]);
    let typed = [
        ("description", "Robot"),
        ("kind", "access_token"),
        ("host", host.as_str()),
        ("secret", fresh.as_str()),
    ];
    ada.send(&robot, &typed).await.shows("Saved.").hides("did not work");
    stave.settled(&ada, page.url.path()).await.hides("asks for a log-in");
}

#[tokio::test]
async fn what_was_published_stays_when_the_repository_goes_down_or_loses_a_tag() {
    let (stave, ada) = TestStave::with_acme().await;
    let repository = stave.bitbucket.workspace("acme").repository("lib");
    repository.commit("main", &[("composer.json", r#"{"name": "acme/lib"}"#)]);
    repository.tag("1.0.0", r#"{"name": "acme/lib"}"#).tag("1.1.0", r#"{"name": "acme/lib"}"#);
    let page = stave.import(&ada, &repository.clone_url(), "auto").await;
    let composer = stave.composer(&ada).await;
    let run = composer.require("acme/lib:1.1.0").await;
    assert!(run.success(), "{run}");

    stave.bitbucket.git_down();
    ada.send(&format!("{}/update", page.url.path()), &[]).await;
    assert!(versions(&composer, "acme/lib").await.contains("1.1.0"));
    stave.bitbucket.heal();

    repository.delete_tag("1.1.0");
    ada.send(&format!("{}/update", page.url.path()), &[]).await;
    let page = stave.settled(&ada, page.url.path()).await;
    composer.forget_cache();
    assert!(!versions(&composer, "acme/lib").await.contains("1.1.0"), "{}", page.text());
    composer.remove("vendor").forget_cache();
    let run = composer.install().await;
    assert!(run.success(), "lock files keep working: {run}");
}

#[tokio::test]
async fn a_bell_has_the_package_read_again() {
    let (stave, ada) = TestStave::with_acme().await;
    let repository = stave.bitbucket.workspace("acme").repository("lib");
    repository.commit("main", &[("composer.json", r#"{"name": "acme/lib"}"#)]);
    let page = stave.import(&ada, &repository.clone_url(), "auto").await;
    let at = page.body.find("/hooks/repositories/").expect("the page shows the hook URL");
    let hook = page.body[at..].split(['"', '<']).next().unwrap().to_owned();
    repository.tag("2.0.0", r#"{"name": "acme/lib"}"#);
    let client = reqwest::Client::new();
    let ring = |path: String| client.post(format!("{}{path}", stave.url)).body("{}").send();
    assert_eq!(ring(format!("{hook}0")).await.unwrap().status(), 404);
    assert_eq!(ring(hook).await.unwrap().status(), 202);
    stave.settled(&ada, page.url.path()).await.shows("2.0.0");
}
