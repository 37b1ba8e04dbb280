//! kill -9 at any moment: every package is whole afterwards, no job is lost, no half-written zip is ever served.

use crate::support::{
    Browser,
    process::{Place, Process},
};
use serde_json::Value;
use sha1::{Digest, Sha1};
use stave_testkit::{GitServer, samples};
use std::time::Duration;

const TAGS: usize = 150;

/// How often the process is killed; `STAVE_TEST_KILLS` makes it more.
fn kills() -> usize {
    std::env::var("STAVE_TEST_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(10)
}

/// A Composer that looks at what is served without installing it.
struct Reader {
    client: reqwest::Client,
    token: String,
}

impl Reader {
    /// With a fresh token of this owner.
    async fn of(browser: &Browser) -> Self {
        let page = browser.send("/orgs/acme/token", &[]).await;
        let at =
            page.body.find("stave_uut_").unwrap_or_else(|| panic!("no token on the page:\n{}", page.text()));
        Self { client: reqwest::Client::new(), token: page.body[at..at + 78].to_owned() }
    }

    async fn get(&self, url: &str) -> reqwest::Response {
        self.client
            .get(url)
            .basic_auth("token", Some(&self.token))
            .send()
            .await
            .unwrap_or_else(|error| panic!("{url}: {error}"))
    }

    /// The versions of `acme/history`, whole again; `None` while it was never imported.
    async fn versions(&self, stave: &Process) -> Option<Vec<Value>> {
        let answer = self.get(&stave.url("/repo/acme/p2/acme/history.json")).await;
        if answer.status() == 404 {
            return None;
        }
        assert_eq!(answer.status(), 200);
        let document: Value =
            serde_json::from_slice(&answer.bytes().await.unwrap()).expect("a whole document");
        Some(document["packages"]["acme/history"].as_array().expect("versions").clone())
    }

    /// Fetches a zip and compares it with its checksum.
    async fn check_zip(&self, stave: &Process, dist: &Value) {
        let path = dist["url"].as_str().unwrap().split("/repo/").nth(1).unwrap();
        let answer = self.get(&stave.url(&format!("/repo/{path}"))).await;
        assert_eq!(answer.status(), 200, "{path}");
        let bytes = answer.bytes().await.expect("the whole zip");
        assert_eq!(&bytes[..2], b"PK");
        let end = bytes.len() - 22;
        assert_eq!(&bytes[end..end + 4], b"PK\x05\x06", "the zip has its end");
        if let Some(shasum) = dist["shasum"].as_str().filter(|shasum| !shasum.is_empty()) {
            assert_eq!(hex::encode(Sha1::digest(&bytes)), shasum, "{path}");
        }
    }
}

#[tokio::test]
async fn killed_at_any_moment_every_package_is_whole() {
    let git = GitServer::start();
    let repository = git.repository("history");
    samples::history(&repository, "acme/history", TAGS);
    let place = Place::new().await;
    let serve = || async { place.serve(&["--outbound-allow", "127.0.0.0/8"]).await };
    let stave = serve().await;
    let browser = first_owner(&stave).await;
    let reader = Reader::of(&browser).await;
    let page =
        browser.send("/orgs/acme/packages", &[("url", &git.url("history")), ("credential", "none")]).await;
    page.shows("history");
    let path = page.url.path().to_owned();
    stave.signal("KILL").await;
    stave.end().await;

    let mut seen = 0;
    for round in 0..kills() {
        let stave = serve().await;
        repository.tag(&format!("9.0.{round}"), "refs/heads/main");
        let browser = browser.at(&stave.url("/"));
        browser.send(&format!("{path}/update"), &[]).await;
        tokio::time::sleep(Duration::from_millis(u64::try_from(round * 67 % 700).unwrap())).await;
        if let Some(versions) = reader.versions(&stave).await {
            assert!(versions.len() >= seen, "{} versions after {seen}", versions.len());
            seen = versions.len();
            let last = versions.iter().rev().find_map(|version| version.get("dist")).expect("a dist");
            reader.check_zip(&stave, last).await;
        }
        stave.signal("KILL").await;
        stave.end().await;
    }

    let stave = serve().await;
    let wanted = TAGS + kills();
    for _ in 0..600 {
        let done = reader.versions(&stave).await.filter(|versions| {
            versions.len() == wanted
                && versions.iter().all(|version| version.get("dist").is_none_or(|dist| dist["shasum"] != ""))
        });
        if let Some(versions) = done {
            for dist in versions.iter().filter_map(|version| version.get("dist")).step_by(10) {
                reader.check_zip(&stave, dist).await;
            }
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!(
        "the import does not end; {:?} versions of {wanted}",
        reader.versions(&stave).await.map(|versions| versions.len())
    );
}

/// Registers the first admin with a password, who makes `acme`.
pub(crate) async fn first_owner(stave: &Process) -> Browser {
    let browser = Browser::new(&stave.url("/"));
    browser.open(stave.setup_link()).await.shows("Admin Panel");
    browser.send("/admin/configuration", &[("password_login", "true")]).await;
    let account = [
        ("username", "ada"),
        ("name", ""),
        ("email", "ada@example.com"),
        ("password", "correct horse battery"),
    ];
    browser.send("/register", &account).await;
    browser.send("/orgs/new", &[("name", "Acme"), ("short_name", "acme")]).await.shows("Acme");
    browser
}
