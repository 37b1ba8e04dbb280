//! Where zips come from, and with what they are asked for.

use super::{Mirrored, add};
use crate::support::TestStave;
use serde_json::json;
use stave_testkit::{Composer, FakeComposerRepository};

/// Stores a credential for the host of an upstream; its id.
async fn credential(stave: &TestStave, upstream: &FakeComposerRepository, fields: &[(&str, &str)]) -> String {
    let ada = stave.browser();
    stave.sign_in(&ada, "ada").await;
    let host = upstream.url().split_once("://").unwrap().1.to_owned();
    let mut form = vec![("description", "Vendor"), ("host", host.as_str()), ("all_the_same", "on")];
    form.extend(fields);
    let stored = ada.send("/orgs/acme/settings/credentials", &form).await;
    stored.url.path().rsplit_once('/').unwrap_or_else(|| panic!("{}", stored.text())).1.to_owned()
}

#[tokio::test]
async fn an_upstream_that_wants_to_know_who_asks_gets_it_and_nobody_else_does() {
    let kinds: [(&str, &[(&str, &str)]); 3] = [
        ("basic", &[("kind", "password"), ("username", "acme"), ("secret", "hunter2")]),
        ("bearer", &[("kind", "bearer"), ("secret", "hunter2")]),
        (
            "header",
            &[("kind", "header"), ("username", "X-Licence"), ("header", "X-Licence"), ("secret", "hunter2")],
        ),
    ];
    for (kind, fields) in kinds {
        let (stave, ada) = TestStave::with_acme().await;
        let (upstream, archives) =
            (FakeComposerRepository::start().await, FakeComposerRepository::start().await);
        match kind {
            "basic" => upstream.require_basic("acme", "hunter2"),
            "bearer" => upstream.require_bearer("hunter2"),
            _ => upstream.require_header("X-Licence", "hunter2"),
        };
        upstream.package("vendor/lib").version("1.0.0", &json!({}));
        upstream.package("vendor/far").version("1.0.0", &json!({}));
        let far = archives.package("vendor/far").version("1.0.0", &json!({})).dist_url("1.0.0");
        upstream.package("vendor/far").alter("1.0.0", &json!({"dist": {"url": far, "shasum": ""}}));

        let open = add(&stave, &ada, &[("name", "Open"), ("url", &upstream.url())]).await;
        ada.open(&open).await.shows("Cannot be read");
        let id = credential(&stave, &upstream, fields).await;
        let page =
            add(&stave, &ada, &[("name", "Known"), ("url", &upstream.url()), ("credential", &id)]).await;
        ada.open(&page).await.shows("Works");
        let composer = Composer::new();
        composer.repository(&format!("{}/repo/acme/", stave.url)).config_auth(
            &stave.url,
            "ada",
            &stave.token(&ada).await,
        );
        let run = composer.require("vendor/lib").await;
        assert!(run.success(), "{kind}: {run}");
        let run = composer.require("vendor/far").await;
        assert!(run.success(), "{kind}: {run}");
        let asked = archives.requests();
        assert_eq!(asked.len(), 1, "{kind}");
        let secret =
            |(_, value): (&String, &String)| value.contains("hunter2") || value.starts_with("Basic ");
        assert!(!asked[0].headers.iter().any(secret), "{kind}: {:?}", asked[0]);
    }
}

#[tokio::test]
async fn versions_without_a_reference_and_without_an_archive_are_served() {
    let mirrored = Mirrored::of(|upstream| {
        let lib = upstream.package("vendor/lib");
        lib.version("1.0.0", &json!({}))
            .alter("1.0.0", &json!({"dist": {"reference": null, "shasum": null}, "source": null}));
        upstream
            .package("vendor/meta")
            .version("1.0.0", &json!({"type": "metapackage", "require": {"vendor/lib": "^1.0"}}));
    })
    .await;
    let composer = mirrored.composer("update").await;
    let run = composer.require("vendor/meta").await;
    assert!(run.success(), "{run}");
    assert!(composer.file("vendor/vendor/lib/composer.json").is_some());
    composer.remove("vendor").forget_cache();
    let run = composer.install().await;
    assert!(run.success(), "{run}");
}

#[tokio::test]
async fn a_preferred_place_is_asked_first_and_the_version_s_own_is_the_way_out() {
    let mirrored = Mirrored::of(|upstream| {
        upstream.package("vendor/lib").version("1.0.0", &json!({}));
        let url = format!("{}/preferred/%package%/%reference%.%type%", upstream.url());
        upstream.root_keys(&json!({"mirrors": [{"dist-url": url, "preferred": true}]}));
    })
    .await;
    let run = mirrored.composer("update").await.require("vendor/lib").await;
    assert!(run.success(), "{run}");
    assert_eq!(mirrored.upstream.calls("/preferred/vendor/lib/*.zip"), 1);
    assert_eq!(mirrored.upstream.calls("/dists/*"), 1);
}

#[tokio::test]
async fn no_mirror_answers_for_a_package_that_was_renamed() {
    let mirrored = Mirrored::with_lib().await;
    let (stave, ada) = (&mirrored.stave, &mirrored.ada);
    let repository = stave.bitbucket.workspace("acme").repository("lib");
    repository.tag("1.0.0", r#"{"name": "acme/lib"}"#);
    let token = mirrored.token("update").await;
    // It says that it is at the commit of somebody else's package.
    let commit = repository.git().resolve("refs/tags/1.0.0").unwrap();
    let evil = mirrored.upstream.package("vendor/evil");
    evil.version("1.0.0", &json!({})).alter("1.0.0", &json!({"dist": {"reference": commit}}));
    assert_eq!(mirrored.p2("vendor/evil", &token).await.0, 200);

    let page = stave.import(ada, &repository.clone_url(), "auto").await;
    let path = mirrored.dist_path("acme/lib", &token).await;
    assert!(path.contains(&commit), "{path}");
    let right = mirrored.get(&path, &token).await;
    repository.tag("2.0.0", r#"{"name": "acme/renamed"}"#);
    ada.send(&format!("{}/update", page.url.path()), &[]).await;
    stave.settled(ada, page.url.path()).await.shows("acme/renamed");
    assert_eq!(mirrored.p2("acme/lib", &token).await.0, 404);
    let locked = mirrored.get(&path, &token).await;
    assert!(locked == right && locked.0 == 200, "{}", String::from_utf8_lossy(&locked.1));
}
