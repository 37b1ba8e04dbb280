//! Settings > Security: what Composer no longer sees, what it is no longer sent, and which Composer may ask.

use crate::support::{Browser, TestStave};
use jiff::SignedDuration;
use serde_json::{Value, json};
use stave_testkit::{Composer, FakeComposerRepository};

const PAGE: &str = "/orgs/acme/settings/security";

/// Fills the form and waits until what follows from it is published.
async fn choose(stave: &TestStave, browser: &Browser, fields: &[(&str, &str)]) {
    let page = browser.open(PAGE).await;
    browser.submit(&page, page.form("Save").fill(fields)).await.shows("Saved.");
    stave.settled(browser, PAGE).await;
}

/// An organization with a library and a plugin.
async fn with_plugin() -> (TestStave, Browser, Composer) {
    let (stave, ada) = TestStave::with_acme().await;
    for (slug, composer_json) in [
        ("lib", r#"{"name": "acme/lib"}"#),
        (
            "plugin",
            r#"{"name": "acme/plugin", "type": "composer-plugin", "require": {"composer-plugin-api": "^2.0"}, "extra": {"class": "Acme\\Plugin"}}"#,
        ),
    ] {
        let repository = stave.bitbucket.workspace("acme").repository(slug);
        repository.tag("v1.0.0", composer_json);
        stave.import(&ada, &repository.clone_url(), "auto").await.shows("v1.0.0");
    }
    let composer = stave.composer(&ada).await;
    composer.manifest(&json!({"config": {"secure-http": false, "allow-plugins": {"acme/plugin": false}}}));
    (stave, ada, composer)
}

/// A package of the lock file.
fn locked(composer: &Composer, name: &str) -> Value {
    let lock: Value = serde_json::from_str(&composer.file("composer.lock").unwrap()).unwrap();
    let found = lock["packages"].as_array().unwrap().iter().find(|package| package["name"] == name);
    found.unwrap_or_else(|| panic!("{name} is not locked: {lock}")).clone()
}

#[tokio::test]
async fn a_source_is_hidden_and_a_lock_file_forgets_it() {
    let (stave, ada, composer) = with_plugin().await;
    let run = composer.require("acme/lib:^1.0").await;
    assert!(run.success(), "{run}");
    assert!(locked(&composer, "acme/lib")["source"].is_object(), "as before there were settings");
    choose(&stave, &ada, &[("hides_source", "always")]).await;
    let run = composer.run(&["update", "mirrors"]).await;
    assert!(run.success(), "{run}");
    let package = locked(&composer, "acme/lib");
    assert!(package["source"].is_null() && package["dist"]["url"].is_string(), "{package}");
    let run = composer.remove("vendor").forget_cache().install().await;
    assert!(run.success(), "{run}");
    let token = stave.token(&ada).await;
    for path in ["search.json?q=lib", "list.json?fields[]=repository"] {
        let request = reqwest::Client::new().get(format!("{}/repo/acme/{path}", stave.url));
        let told = request.basic_auth("ada", Some(&token)).send().await.unwrap().text().await.unwrap();
        let clone_url = stave.bitbucket.base_url();
        assert!(told.contains("acme/lib") && !told.contains(&clone_url), "{path}: {told}");
    }
}

#[tokio::test]
async fn a_plugin_that_is_not_on_the_list_goes() {
    let (stave, ada, composer) = with_plugin().await;
    choose(&stave, &ada, &[("hides_source", "always")]).await;
    for package in ["acme/lib:^1.0", "acme/plugin:^1.0"] {
        let run = composer.require(package).await;
        assert!(run.success(), "{run}");
    }
    choose(&stave, &ada, &[("plugins", "limited"), ("allowed_plugins", "other/*")]).await;
    let run = composer.remove("vendor").forget_cache().install().await;
    assert!(run.success(), "a lock file goes on: {run}");
    let run = composer.update().await;
    assert!(!run.success() && run.output.contains("acme/plugin"), "it is left out: {run}");

    choose(&stave, &ada, &[("blocks_plugin_downloads", "on")]).await;
    let run = composer.remove("vendor").forget_cache().install().await;
    assert!(!run.success(), "{run}");
    let sentence =
        "acme/plugin v1.0.0 is not downloaded. It is a Composer plugin, and not on the list of allowed ones.";
    assert!(run.output.contains(sentence) && run.output.contains("410"), "{run}");
    assert!(composer.file("vendor/acme/plugin/composer.json").is_none());

    choose(&stave, &ada, &[("allowed_plugins", "acme/plugin")]).await;
    let run = composer.install().await;
    assert!(run.success(), "{run}");
}

#[tokio::test]
async fn a_composer_that_is_too_old_is_told_so() {
    let (stave, ada, composer) = with_plugin().await;
    let run = composer.require("acme/lib").await;
    assert!(run.success(), "{run}");
    let version = composer.run(&["--version"]).await.output;
    let number = version.split_whitespace().find_map(|word| {
        let mut numbers = word.split('.').map(str::parse::<u32>);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    });
    if number.expect("Composer says its version") >= (2, 10) {
        return;
    }
    choose(&stave, &ada, &[("clients", "newest")]).await;
    let run = composer.remove("vendor").forget_cache().install().await;
    let sentence =
        "may not be used with this repository: its organization allows Composer 2.10.* and newer only";
    assert!(!run.success() && run.output.contains(sentence), "{run}");
    let run = composer.update().await;
    assert!(!run.success() && run.output.contains(sentence), "{run}");
    choose(&stave, &ada, &[("clients", "all")]).await;
    let run = composer.install().await;
    assert!(run.success(), "{run}");
}

/// An organization that mirrors vendor/lib 1.0.0, which is years old there; with the page of the mirror.
async fn with_mirror() -> (TestStave, Browser, FakeComposerRepository, String) {
    let (stave, ada) = TestStave::with_acme().await;
    let upstream = FakeComposerRepository::start().await;
    upstream.package("vendor/lib").version("1.0.0", &json!({"time": "2020-01-01T00:00:00+00:00"}));
    let url = upstream.url();
    let mirror = [
        ("name", "Vendor"),
        ("url", url.as_str()),
        ("credential", ""),
        ("timeout", ""),
        ("adds", "automatically"),
    ];
    let page = ada.send("/orgs/acme/settings/mirroring", &mirror).await.url.path().to_owned();
    stave.settled(&ada, &page).await.shows("Works");
    (stave, ada, upstream, page)
}

/// Has a mirror read now.
async fn read_anew(stave: &TestStave, browser: &Browser, page: &str) {
    browser.send(&format!("{page}/update"), &[]).await;
    stave.settled(browser, page).await.shows("Works");
}

#[tokio::test]
async fn malware_is_refused_the_moment_that_a_mirror_names_it() {
    let (stave, ada, upstream, page) = with_mirror().await;
    upstream.package("vendor/lib").version("1.1.0", &json!({"time": "2020-02-01T00:00:00+00:00"}));
    let composer = stave.composer(&ada).await;
    let run = composer.require("vendor/lib:^1.0").await;
    assert!(run.success(), "{run}");
    let package = locked(&composer, "vendor/lib");
    assert_eq!((&package["version"], &package["source"]), (&json!("1.1.0"), &Value::Null), "{package}");

    upstream.package("vendor/lib").malware("1.1.0", "Steals keys");
    read_anew(&stave, &ada, &page).await;
    let run = composer.remove("vendor").forget_cache().install().await;
    let sentence = "vendor/lib 1.1.0 is not downloaded. It is flagged as malware (Steals keys";
    let was_told = run.output.contains(sentence) && run.output.contains("410");
    // Clients that know such lists refuse what is on them before they ask for it.
    let knows_itself = run.output.contains("vendor/lib 1.1.0 (in the lock file) was not loaded");
    assert!(!run.success() && (was_told || knows_itself), "{run}");
    assert!(composer.file("vendor/vendor/lib/composer.json").is_none());
    let run = composer.update().await;
    assert!(run.success(), "{run}");
    assert_eq!(locked(&composer, "vendor/lib")["version"], "1.0.0");

    let p2 = format!("{}/repo/acme/p2/vendor/lib.json", stave.url);
    let token = stave.token(&ada).await;
    let answer = reqwest::Client::new().get(p2).basic_auth("ada", Some(&token)).send().await.unwrap();
    let metadata: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    assert_eq!(metadata["filter"]["malware"][0]["constraint"], "1.1.0", "it is passed on: {metadata}");
    let dist = package["dist"]["url"].as_str().unwrap();
    let answer = reqwest::Client::new().get(dist).basic_auth("ada", Some(token)).send().await.unwrap();
    assert_eq!(answer.status(), 410);
    assert!(answer.text().await.unwrap().contains(sentence));
}

#[tokio::test]
async fn a_fresh_release_waits_and_comes_by_itself() {
    let (stave, ada, upstream, page) = with_mirror().await;
    choose(&stave, &ada, &[("cooldown_days", "7")]).await;
    let composer = stave.composer(&ada).await;
    let run = composer.require("vendor/lib:^1.0").await;
    assert!(run.success(), "what was old when it was first seen comes at once: {run}");
    upstream.package("vendor/lib").version("1.1.0", &json!({"time": "2020-02-01T00:00:00+00:00"}));
    read_anew(&stave, &ada, &page).await;
    let run = composer.update().await;
    assert!(run.success(), "{run}");
    assert_eq!(locked(&composer, "vendor/lib")["version"], "1.0.0", "its first sight here counts");

    stave.app.clock().advance(SignedDuration::from_hours(24 * 7 + 1));
    stave.settled(&ada, "/orgs/acme").await;
    let run = composer.update().await;
    assert!(run.success(), "{run}");
    assert_eq!(locked(&composer, "vendor/lib")["version"], "1.1.0");
}

#[tokio::test]
async fn a_private_name_is_never_asked_for() {
    let (stave, ada, upstream, _) = with_mirror().await;
    upstream.package("acme/secret").version("99.0.0", &json!({}));
    choose(&stave, &ada, &[("private_names", "acme/*")]).await;
    let composer = stave.composer(&ada).await;
    let run = composer.require("acme/secret").await;
    assert!(!run.success(), "{run}");
    assert_eq!(upstream.calls("/p2/acme/*"), 0);
}
