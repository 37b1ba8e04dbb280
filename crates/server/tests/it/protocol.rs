//! Everything that the real Composer asks besides metadata and dists, and what mirrors of others ask.

use crate::support::{Answer, Browser, TestStave};
use jiff::SignedDuration;
use serde_json::{Value, json};
use stave_testkit::{Composer, ComposerRun, samples};

const ADVISORIES: &str = "/orgs/acme/settings/security/advisories";

/// A Stave with `acme/mailer`, which requires `acme/clock`, and their pages.
async fn with_mailer() -> (TestStave, Browser, [Answer; 2]) {
    let (stave, ada) = TestStave::with_acme().await;
    let mailer = stave.bitbucket.workspace("acme").repository("mailer");
    mailer.push(samples::mailer);
    let clock = stave.bitbucket.workspace("acme").repository("clock");
    clock.push(samples::clock);
    let pages = [
        stave.import(&ada, &mailer.clone_url(), "auto").await,
        stave.import(&ada, &clock.clone_url(), "auto").await,
    ];
    (stave, ada, pages)
}

fn package_id(page: &Answer) -> stave_domain::id::PackageId {
    page.url.path().rsplit('/').next().unwrap().parse().unwrap()
}

async fn said(composer: &Composer, arguments: &[&str]) -> String {
    let run = composer.run(arguments).await;
    assert!(run.success(), "{arguments:?}: {run}");
    run.output
}

/// The endpoints of the repository of `acme`, asked with a token.
struct Asked {
    url: String,
    token: String,
    client: reqwest::Client,
}

impl Asked {
    async fn by(stave: &TestStave, browser: &Browser) -> Self {
        let url = format!("{}/repo/acme", stave.url);
        Self { url, token: stave.token(browser).await, client: reqwest::Client::new() }
    }

    /// A Composer with the same token: a person has one, and another would revoke it.
    fn composer(&self) -> Composer {
        let composer = Composer::new();
        composer.repository(&format!("{}/", self.url)).config_auth(&self.url, "token", &self.token);
        composer
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.answer(self.client.get(format!("{}/{path}", self.url))).await
    }

    async fn post(&self, path: &str, body: String) -> (u16, Value) {
        self.answer(self.client.post(format!("{}/{path}", self.url)).body(body)).await
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> (u16, Value) {
        let answer = request.basic_auth("token", Some(&self.token)).send().await.unwrap();
        let status = answer.status().as_u16();
        assert_eq!(answer.headers()["content-type"], "application/json", "{}", answer.url());
        (status, answer.json().await.unwrap())
    }
}

#[tokio::test]
async fn composer_finds_shows_and_explains_packages() {
    let (stave, ada, pages) = with_mailer().await;
    let asked = Asked::by(&stave, &ada).await;
    let composer = asked.composer();
    let found = said(&composer, &["search", "MAIL"]).await;
    assert!(found.contains("acme/mailer") && found.contains("Sends mail"), "{found}");
    assert!(!found.contains("acme/clock"), "{found}");
    assert!(said(&composer, &["search", "acme", "--type=library"]).await.contains("acme/clock"));
    assert!(!said(&composer, &["search", "acme", "--type=metapackage"]).await.contains("acme/clock"));
    let names = said(&composer, &["search", "--only-name", "acme/m"]).await;
    assert!(names.contains("acme/mailer") && !names.contains("acme/clock"), "{names}");
    assert!(said(&composer, &["search", "--only-vendor", "acme"]).await.contains("acme"));
    let listed = said(&composer, &["show", "--available", "acme/*"]).await;
    assert!(listed.contains("acme/mailer") && listed.contains("acme/clock"), "{listed}");
    let shown = said(&composer, &["show", "--available", "acme/mailer"]).await;
    assert!(shown.contains("v2.1.0") && shown.contains("Sends mail"), "{shown}");

    assert!(composer.require("acme/mailer:1.0.0").await.success());
    let outdated = said(&composer, &["outdated"]).await;
    assert!(outdated.contains("acme/mailer") && outdated.contains("2.1.0"), "{outdated}");
    assert!(said(&composer, &["depends", "acme/clock"]).await.contains("acme/mailer"));
    let page = said(&composer, &["browse", "--show", "acme/mailer"]).await;
    assert!(page.contains(&stave.bitbucket.base_url()), "{page}");

    for page in &pages {
        let installs = stave.app.installs_of(package_id(page)).await.unwrap();
        assert_eq!((installs.last_30_days, installs.total), (1, 1), "{installs:?}");
    }
    let results = asked.get("search.json?q=mailer").await.1["results"].clone();
    assert_eq!(results[0]["downloads"], 1, "{results}");
    composer.remove("vendor");
    let run = composer.install().await;
    assert!(run.success() && run.output.contains("Installing acme/mailer"), "{run}");
    let installs = stave.app.installs_of(package_id(&pages[0])).await.unwrap();
    assert_eq!(installs.by_version, [("1.0.0.0".to_owned(), 2)]);
    let downloads = stave.storage().await.download_list(package_id(&pages[0])).await.unwrap();
    assert_eq!(downloads.iter().map(|it| it.count).collect::<Vec<_>>(), [1], "the dist was sent once");
}

#[tokio::test]
async fn an_audit_tells_of_advisories() {
    let (stave, ada, _) = with_mailer().await;
    let asked = Asked::by(&stave, &ada).await;
    let composer = asked.composer();
    assert!(composer.require("acme/mailer:1.0.0").await.success());
    assert!(said(&composer, &["audit"]).await.contains("No security vulnerability advisories found"));

    let typed = [
        ("package", "acme/mailer"),
        ("title", "Header injection in the sender"),
        ("affected", "<1.2|>=2.0,<2.1"),
        ("severity", "high"),
        ("cve", "cve-2026-12345"),
        ("link", "https://example.com/advisory"),
    ];
    let list = ada.send(&format!("{ADVISORIES}/new"), &typed).await;
    list.shows("Header injection in the sender")
        .shows("5 of 10 published")
        .shows("CVE-2026-12345")
        .shows("High");
    let audit: ComposerRun = composer.run(&["audit"]).await;
    assert!(!audit.success(), "{audit}");
    for part in ["acme/mailer", "Header injection in the sender", "CVE-2026-12345", "<1.2|>=2.0,<2.1"] {
        assert!(audit.output.contains(part), "{part}: {audit}");
    }
    let (_, document) = asked.get("p2/acme/mailer.json").await;
    let partial = &document["security-advisories"][0];
    assert_eq!(partial["affectedVersions"], "<1.2|>=2.0,<2.1", "{document}");
    let (_, branches) = asked.get("p2/acme/mailer~dev.json").await;
    assert_eq!(branches.get("security-advisories"), None);
    let names = "packages[0]=acme%2Fmailer&packages[1]=acme/clock&packages[2]=acme/unknown";
    let (_, told) = asked.post("api/security-advisories/", names.into()).await;
    let report = &told["advisories"]["acme/mailer"][0];
    assert_eq!((&report["severity"], &report["sources"][0]["name"]), (&json!("high"), &json!("Acme")));
    assert_eq!(told["advisories"]["acme/clock"], json!([]), "known, without any");
    assert_eq!(told["advisories"].get("acme/unknown"), None);
    assert_eq!(
        asked.get("api/security-advisories/?updatedSince=0").await.1,
        json!({
            "advisories": {"acme/mailer": [report]}
        })
    );
    assert_eq!(asked.get("api/security-advisories/").await.0, 400);

    let page = ada.open(&list.link("Header injection in the sender").unwrap()).await;
    page.shows("5 of 10: v2.0.0").shows("v1.0.0");
    let mut changed = typed;
    changed[2].1 = ">=1.0,<1.0.0";
    ada.send(page.url.path(), &changed).await.shows("None of its 10 published versions");
    composer.forget_cache();
    let audit = composer.run(&["audit"]).await;
    assert!(audit.success(), "{audit}");
    ada.send(&format!("{}/delete", page.url.path()), &[]).await.shows("No advisories yet");
    let (_, document) = asked.get("p2/acme/mailer.json").await;
    assert_eq!(document["security-advisories"], json!([]));
}

#[tokio::test]
async fn installs_are_counted_and_nothing_else() {
    let (stave, ada, [mailer, _]) = with_mailer().await;
    let asked = Asked::by(&stave, &ada).await;
    let told = |name: &str, version: &str| json!({"name": name, "version": version});
    let send =
        async |downloads: Value| asked.post("downloads/", json!({"downloads": downloads}).to_string()).await;
    let known = told("Acme/Mailer", "1.0.0.0");
    assert_eq!(send(json!([known, known, told("acme/mailer", "dev-main")])).await.0, 201);
    let (status, partial) =
        send(json!([known, told("acme/mailer", "9.0.0.0"), told("acme/x", "1.0.0.0")])).await;
    assert_eq!((status, &partial["status"]), (200, &json!("partial")), "{partial}");
    assert_eq!(asked.post("downloads/", "no JSON".into()).await.0, 400);
    assert_eq!(send(json!([])).await.0, 201);
    let client = reqwest::Client::new();
    let nobody = client.post(format!("{}/downloads/", asked.url)).body("{}").send().await.unwrap();
    assert_eq!(nobody.status(), 401);
    let installs = stave.app.installs_of(package_id(&mailer)).await.unwrap();
    assert_eq!(installs.by_version, [("1.0.0.0".to_owned(), 3), ("dev-main".to_owned(), 1)]);

    // What was not written yet is written before the end.
    assert_eq!(send(json!([known])).await.0, 201);
    stave.app.close().await.unwrap();
    let totals = stave.storage().await.install_totals(&[package_id(&mailer)]).await.unwrap();
    assert_eq!(totals[&package_id(&mailer)], 5);
}

#[tokio::test]
async fn lists_and_searches_can_be_narrowed() {
    let (stave, ada, _) = with_mailer().await;
    let bridge = stave.bitbucket.workspace("acme").repository("bridge");
    bridge.commit("main", &[("composer.json", r#"{
        "name": "acme/bridge", "type": "symfony-bundle", "keywords": ["Mail", "queue"], "description": "A mailer for queues",
        "provide": {"psr/log-implementation": "3.0", "ext-mailparse": "*"}, "abandoned": "acme/mailer"
    }"#)]);
    stave.import(&ada, &bridge.clone_url(), "auto").await.shows("acme/bridge");
    let asked = Asked::by(&stave, &ada).await;
    let names = async |path: &str| asked.get(path).await.1["packageNames"].clone();
    assert_eq!(names("list.json").await, json!(["acme/bridge", "acme/clock", "acme/mailer"]));
    assert_eq!(names("list.json?filter=ACME/*l*&vendor=acme").await, json!(["acme/clock", "acme/mailer"]));
    assert_eq!(names("list.json?vendor=other").await, json!([]));
    assert_eq!(names("list.json?type=symfony-bundle").await, json!(["acme/bridge"]));
    let (_, told) =
        asked.get("list.json?filter=acme/*e*&fields[]=type&fields[]=abandoned&fields[]=odd").await;
    assert_eq!(
        told["packages"]["acme/bridge"],
        json!({"type": "symfony-bundle", "abandoned": "acme/mailer"})
    );
    assert_eq!(told["packages"]["acme/mailer"], json!({"type": "library", "abandoned": false}));

    let found = async |path: &str| {
        let (_, page) = asked.get(path).await;
        let names =
            page["results"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap().to_owned());
        (names.collect::<Vec<_>>().join(" "), page["total"].clone(), page.get("next").cloned())
    };
    assert_eq!(
        found("search.json?q=mailer").await.0,
        "acme/mailer acme/bridge",
        "names come before descriptions"
    );
    assert_eq!(found("search.json?tags[]=mail&tags[]=queue").await.0, "acme/bridge");
    assert_eq!(found("search.json?q=&type=library").await.0, "acme/clock acme/mailer");
    assert_eq!(found("search.json?q=nothing").await, (String::new(), json!(0), None));
    let (first, total, next) = found("search.json?q=acme&per_page=2").await;
    assert_eq!((first.as_str(), &total), ("acme/bridge acme/clock", &json!(3)));
    let next = next.unwrap();
    let next = next.as_str().unwrap().strip_prefix(&format!("{}/", asked.url)).unwrap();
    assert_eq!(found(next).await, ("acme/mailer".to_owned(), json!(3), None));

    let (_, told) = asked.get("providers/psr/log-implementation.json").await;
    let bridge =
        json!({"name": "acme/bridge", "description": "A mailer for queues", "type": "symfony-bundle"});
    assert_eq!(told, json!({"providers": [bridge]}));
    assert_eq!(asked.get("providers/ext-mailparse.json").await.1, told);
    assert_eq!(asked.get("providers/ext-other.json").await.1, json!({"providers": []}));
}

#[tokio::test]
async fn changes_can_be_followed() {
    let (stave, ada, [mailer, _]) = with_mailer().await;
    let asked = Asked::by(&stave, &ada).await;
    let machine = ada.send("/orgs/acme/settings/tokens", &[("description", "Mirror")]).await;
    let at = machine.body.find("stave_ort_").unwrap_or_else(|| panic!("no token:\n{}", machine.text()));
    let mirror = Asked { token: machine.body[at..at + 78].to_owned(), url: asked.url.clone(), ..asked };
    let (status, begin) = mirror.get("metadata/changes.json").await;
    assert_eq!(status, 400);
    assert_eq!(mirror.get("metadata/changes.json?since=1767225600").await.0, 400, "these are seconds");
    let actions = async |since: &Value| {
        let (status, feed) = mirror.get(&format!("metadata/changes.json?since={since}")).await;
        assert_eq!(status, 200, "{feed}");
        let line = |action: &Value| {
            format!("{} {}", action["type"].as_str().unwrap(), action["package"].as_str().unwrap())
        };
        let mut lines: Vec<_> = feed["actions"].as_array().unwrap().iter().map(line).collect();
        lines.sort();
        (lines, feed["timestamp"].clone())
    };
    stave.app.clock().advance(SignedDuration::from_mins(5));
    let (_, since) = actions(&begin["timestamp"]).await;
    stave.app.clock().advance(SignedDuration::from_mins(5));
    assert_eq!(actions(&since).await.0, [""; 0], "nothing changed since");

    stave.bitbucket.workspace("acme").repository("mailer").tag("v3.0.0", r#"{"name": "acme/mailer"}"#);
    ada.send(&format!("{}/update", mailer.url.path()), &[]).await;
    stave.settled(&ada, mailer.url.path()).await.shows("v3.0.0");
    let (lines, next) = actions(&since).await;
    assert_eq!(lines, ["update acme/mailer", "update acme/mailer~dev"]);
    assert_eq!(actions(&since).await.0, lines, "whoever asks again hears the same");
    ada.send(&format!("{}/delete", mailer.url.path()), &[]).await;
    stave.app.clock().advance(SignedDuration::from_secs(11));
    assert_eq!(actions(&next).await.0, ["delete acme/mailer"]);
    stave.app.clock().advance(SignedDuration::from_hours(31 * 24));
    assert_eq!(actions(&next).await.0, ["resync *"]);
}
