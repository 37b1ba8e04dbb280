//! Mirrors: Composer installs from here what others have, whatever becomes of them.

mod dist;
mod fault;
mod follow;
mod storm;

use crate::support::{Answer, Browser, TestStave};
use serde_json::{Value, json};
use stave_testkit::{Composer, Composer1, FakeComposerRepository};

const LIST: &str = "/orgs/acme/settings/mirroring";

/// A Stave that mirrors a pretended Composer repository.
struct Mirrored {
    stave: TestStave,
    ada: Browser,
    upstream: FakeComposerRepository,
    /// The address of the mirror's page.
    page: String,
}

impl Mirrored {
    /// One that was read; `prepare` says what is there before.
    async fn of(prepare: impl FnOnce(&FakeComposerRepository)) -> Self {
        let (stave, ada) = TestStave::with_acme().await;
        let upstream = FakeComposerRepository::start().await;
        prepare(&upstream);
        let page = add(&stave, &ada, &[("name", "Vendor"), ("url", &upstream.url())]).await;
        ada.open(&page).await.shows("Works");
        Self { stave, ada, upstream, page }
    }

    /// The same with one package.
    async fn with_lib() -> Self {
        Self::of(|upstream| {
            upstream.package("vendor/lib").version("1.0.0", &json!({}));
        })
        .await
    }

    /// Has the mirror read now, and every package compared; its page then.
    async fn read(&self) -> Answer {
        self.ada.send(&format!("{}/update", self.page), &[]).await;
        self.stave.settled(&self.ada, &self.page).await
    }

    /// A token of the organization that may do this: `read` or `update`.
    async fn token(&self, access: &str) -> String {
        let fields = [("description", access), ("access", access)];
        let page = self.ada.send("/orgs/acme/settings/tokens", &fields).await;
        let at =
            page.body.find("stave_o").unwrap_or_else(|| panic!("no token on the page:\n{}", page.text()));
        page.body[at..at + 78].to_owned()
    }

    /// A Composer with such a token.
    async fn composer(&self, access: &str) -> Composer {
        let composer = Composer::new();
        composer.repository(&format!("{}/repo/acme/", self.stave.url)).config_auth(
            &self.stave.url,
            "token",
            &self.token(access).await,
        );
        composer
    }

    /// What is answered to a token, below the repository.
    async fn get(&self, path: &str, token: &str) -> (u16, Vec<u8>) {
        let address = format!("{}/repo/acme/{path}", self.stave.url);
        let answer =
            reqwest::Client::new().get(address).basic_auth("token", Some(token)).send().await.unwrap();
        (answer.status().as_u16(), answer.bytes().await.unwrap().to_vec())
    }

    /// The metadata of a package: status and JSON.
    async fn p2(&self, name: &str, token: &str) -> (u16, Value) {
        let (status, body) = self.get(&format!("p2/{name}.json"), token).await;
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    /// The path of the zip of a version below the repository, as the metadata names it.
    async fn dist_path(&self, name: &str, token: &str) -> String {
        let (_, metadata) = self.p2(name, token).await;
        let url =
            metadata["packages"][name][0]["dist"]["url"].as_str().unwrap_or_else(|| panic!("{metadata}"));
        url.strip_prefix(&format!("{}/repo/acme/", self.stave.url)).unwrap().to_owned()
    }

    /// Whether the organization has a package of this name.
    async fn has(&self, name: &str) -> bool {
        self.ada.open("/orgs/acme/packages").await.body.contains(name)
    }
}

/// Adds a mirror and waits until it was read; the address of its page.
async fn add(stave: &TestStave, ada: &Browser, fields: &[(&str, &str)]) -> String {
    let mut form = vec![("credential", ""), ("timeout", "5"), ("adds", "automatically")];
    form.retain(|(name, _)| fields.iter().all(|(other, _)| other != name));
    form.extend(fields);
    let added = ada.send(LIST, &form).await;
    let page = added.url.path().to_owned();
    assert!(page.starts_with(&format!("{LIST}/")), "{}", added.text());
    stave.settled(ada, &page).await;
    page
}

#[tokio::test]
async fn an_update_brings_packages_in_and_they_stay_when_the_upstream_is_gone() {
    let mirrored = Mirrored::of(|upstream| {
        upstream.package("vendor/base").version("1.2.0", &json!({}));
        let requires = json!({"require": {"vendor/base": "^1.0", "php": ">=7"}, "autoload": {"psr-4": {"Lib\\": "src/"}}});
        upstream.package("vendor/lib").version("1.0.0", &requires).version("dev-main", &json!({}));
    })
    .await;
    let composer = mirrored.composer("update").await;
    let run = composer.require("vendor/lib").await;
    assert!(run.success(), "{run}");
    let lock: Value = serde_json::from_str(&composer.file("composer.lock").unwrap()).unwrap();
    assert_eq!(lock["packages"].as_array().unwrap().len(), 2, "{lock}");
    for package in lock["packages"].as_array().unwrap() {
        let url = package["dist"]["url"].as_str().unwrap();
        assert!(url.starts_with(&format!("{}/repo/acme/dists/vendor/", mirrored.stave.url)), "{url}");
    }
    assert!(composer.file("vendor/vendor/lib/src/version.php").is_some());
    assert!(mirrored.has("vendor/lib").await && mirrored.has("vendor/base").await);

    let reader = mirrored.composer("read").await;
    reader.manifest(&json!({"require": {"vendor/lib": "^1.0"}}));
    let Mirrored { upstream, .. } = &mirrored;
    upstream.fail("*", stave_testkit::Fault::Reset);
    for composer in [&composer, &reader] {
        composer.remove("vendor").forget_cache();
        let run = composer.update().await;
        assert!(run.success(), "what is here needs nobody: {run}");
        composer.remove("vendor").forget_cache();
        let run = composer.install().await;
        assert!(run.success(), "{run}");
        assert!(composer.file("vendor/vendor/base/src/version.php").is_some());
    }
}

#[tokio::test]
async fn a_token_that_may_only_read_adds_nothing_and_is_told_why() {
    let mirrored = Mirrored::with_lib().await;
    let reader = mirrored.composer("read").await;
    let run = reader.require("vendor/lib").await;
    assert!(!run.success() && run.output.contains("this token may only read"), "{run}");
    assert!(!mirrored.has("vendor/lib").await);
    let token = mirrored.token("read").await;
    let (status, body) = mirrored.p2("vendor/none", &token).await;
    assert_eq!((status, &body["warning"]), (404, &Value::Null), "of what is nowhere nobody is warned");

    let run = mirrored.composer("update").await.require("vendor/lib").await;
    assert!(run.success(), "{run}");
    let run = reader.forget_cache().require("vendor/lib").await;
    assert!(run.success(), "{run}");
}

#[tokio::test]
async fn a_hundred_clients_cause_one_request() {
    let mirrored = Mirrored::with_lib().await;
    let token = mirrored.token("update").await;
    mirrored.upstream.forget_requests();
    let asked = futures::future::join_all((0..100).map(|_| mirrored.p2("vendor/lib", &token))).await;
    assert!(asked.iter().all(|(status, body)| *status == 200 && *body == asked[0].1), "{:?}", asked[0]);
    assert_eq!(mirrored.upstream.calls("/p2/vendor/lib.json"), 1);
    assert_eq!(mirrored.upstream.calls("/p2/vendor/lib~dev.json"), 1);

    let missing = futures::future::join_all((0..100).map(|_| mirrored.p2("vendor/none", &token))).await;
    assert!(missing.iter().all(|(status, _)| *status == 404));
    assert_eq!(mirrored.upstream.calls("/p2/vendor/none.json"), 1);

    let path = mirrored.dist_path("vendor/lib", &token).await;
    let dists = futures::future::join_all((0..100).map(|_| mirrored.get(&path, &token))).await;
    let bytes = mirrored.upstream.package("vendor/lib").dist_bytes("1.0.0");
    assert!(dists.iter().all(|(status, body)| *status == 200 && *body == bytes));
    assert_eq!(mirrored.upstream.calls("/dists/*"), 1);
}

#[tokio::test]
async fn what_is_the_organizations_own_is_never_asked_for() {
    let mirrored = Mirrored::of(|upstream| {
        upstream.package("acme/lib").version("99.0.0", &json!({}));
        upstream.package("acme/secret").version("99.0.0", &json!({}));
    })
    .await;
    let (stave, ada) = (&mirrored.stave, &mirrored.ada);
    let repository = stave.bitbucket.workspace("acme").repository("lib");
    repository.tag("1.0.0", r#"{"name": "acme/lib"}"#);
    stave.import(ada, &repository.clone_url(), "auto").await.shows("acme/lib");
    let token = mirrored.token("update").await;
    let (_, metadata) = mirrored.p2("acme/lib", &token).await;
    assert_eq!(metadata["packages"]["acme/lib"][0]["version"], "1.0.0", "{metadata}");
    let composer = mirrored.composer("update").await;
    let run = composer.require("acme/lib").await;
    assert!(run.success() && !run.output.contains("99.0.0"), "{run}");
    assert_eq!(mirrored.upstream.calls("/p2/acme/lib*"), 0, "nobody else hears of the name");
}

#[tokio::test]
async fn an_own_package_takes_the_place_of_a_mirrored_one() {
    let mirrored = Mirrored::of(|upstream| {
        upstream.package("acme/lib").version("2.0.0", &json!({}));
    })
    .await;
    let old = mirrored.composer("update").await;
    assert!(old.require("acme/lib").await.success());
    let (stave, ada) = (&mirrored.stave, &mirrored.ada);
    let repository = stave.bitbucket.workspace("acme").repository("lib");
    repository.tag("1.0.0", r#"{"name": "acme/lib"}"#);
    stave.import(ada, &repository.clone_url(), "auto").await.shows("acme/lib");
    let (_, metadata) = mirrored.p2("acme/lib", &mirrored.token("read").await).await;
    assert_eq!(metadata["packages"]["acme/lib"][0]["version"], "1.0.0", "{metadata}");
    old.remove("vendor").forget_cache();
    let run = old.install().await;
    assert!(run.success(), "what was locked before is still here: {run}");
    mirrored.read().await.shows("Works");
    let (_, metadata) = mirrored.p2("acme/lib", &mirrored.token("read").await).await;
    assert_eq!(metadata["packages"]["acme/lib"][0]["version"], "1.0.0", "it does not come back");
}

#[tokio::test]
async fn upstreams_that_speak_composer_1_alone_are_converted() {
    for how in [Composer1::Hashed, Composer1::Lazy, Composer1::Included, Composer1::Inline] {
        let mirrored = Mirrored::of(|upstream| {
            upstream.package("vendor/base").version("1.2.0", &json!({}));
            upstream.package("vendor/lib").version("1.0.0", &json!({"require": {"vendor/base": "^1.0"}}));
            upstream.composer1(how);
        })
        .await;
        let composer = mirrored.composer("update").await;
        let run = composer.require("vendor/lib").await;
        assert!(run.success(), "{how:?}: {run}");
        composer.remove("vendor").forget_cache();
        let run = composer.install().await;
        assert!(run.success(), "{how:?}: {run}");
    }
}

#[tokio::test]
async fn the_first_mirror_that_has_a_package_is_the_one() {
    let mirrored = Mirrored::of(|upstream| {
        upstream.package("vendor/lib").version("1.0.0", &json!({}));
        upstream.package("vendor/both").version("1.0.0", &json!({}));
    })
    .await;
    let second = FakeComposerRepository::start().await;
    for name in ["vendor/lib", "vendor/both", "vendor/only"] {
        second.package(name).version("9.0.0", &json!({}));
    }
    let page = add(&mirrored.stave, &mirrored.ada, &[("name", "Second"), ("url", &second.url())]).await;
    let token = mirrored.token("update").await;
    let version = async |name: &str| {
        let (status, metadata) = mirrored.p2(name, &token).await;
        (status, metadata["packages"][name][0]["version"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(version("vendor/lib").await, (200, "1.0.0".to_owned()));
    assert_eq!(version("vendor/only").await, (200, "9.0.0".to_owned()));

    mirrored.upstream.fail("/p2/*", stave_testkit::Fault::status(503, ""));
    let (status, _) = version("vendor/both").await;
    assert_eq!(status, 502, "a lower one does not answer for a higher one that cannot tell");
    mirrored.upstream.heal();
    mirrored.ada.send(&format!("{page}/move"), &[("place", "0")]).await;
    assert_eq!(version("vendor/both").await, (200, "9.0.0".to_owned()), "the order was changed");
    assert_eq!(
        version("vendor/lib").await,
        (200, "1.0.0".to_owned()),
        "what is here stays where it came from"
    );
}
