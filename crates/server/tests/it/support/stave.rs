//! A whole Stave in this process, beside a fake Bitbucket.

use super::{Browser, database::TestDatabase};
use stave_app::{App, KeySource};
use stave_domain::Secret;
use stave_server::{Config, Stave};
use stave_storage::Storage;
use stave_testkit::{Composer, Consumer, FakeBitbucket};
use std::{collections::BTreeMap, net::SocketAddr, path::Path, time::Duration};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// A running Stave that is in Setup Mode at first.
pub(crate) struct TestStave {
    pub(crate) bitbucket: FakeBitbucket,
    pub(crate) app: App,
    pub(crate) url: String,
    stop: CancellationToken,
    served: Option<tokio::task::JoinHandle<()>>,
    data: TempDir,
    database: TestDatabase,
}

impl TestStave {
    /// Starts one on a free port, which may reach loopback.
    pub(crate) async fn start() -> Self {
        let data = TempDir::new().expect("a temporary folder");
        let database = TestDatabase::new().await;
        let config = Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            database_url: database.url().map(Secret::new),
            outbound_allow: vec!["127.0.0.0/8".parse().expect("a range")],
            mirror_url: None,
            trusted_proxies: Vec::new(),
            ..Config::in_folder(data.path().to_owned())
        };
        let stave = Stave::start(config).await.expect("Stave starts");
        let (app, url) = (stave.app().clone(), format!("http://{}", stave.address()));
        let stop = CancellationToken::new();
        let served = tokio::spawn({
            let stop = stop.clone();
            async move { stave.run(stop).await.expect("Stave serves") }
        });
        let bitbucket = FakeBitbucket::start().await;
        Self { bitbucket, app, url, stop, served: Some(served), data, database }
    }

    /// Its rows, read beside it.
    pub(crate) async fn storage(&self) -> Storage {
        self.database.storage(self.data.path()).await
    }

    /// The folder with everything that is not in the database.
    pub(crate) fn data(&self) -> &Path {
        self.data.path()
    }

    /// Every row of every table.
    pub(crate) async fn dump(&self) -> BTreeMap<String, Vec<String>> {
        self.database.dump(self.data.path()).await
    }

    /// A fresh browser.
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(&self.url)
    }

    /// A browser that opened the setup link.
    pub(crate) async fn setup_browser(&self) -> Browser {
        let link = self.app.setup_link().await.expect("a link").expect("Setup Mode is on");
        let browser = self.browser();
        browser.open(&link).await.shows("Admin Panel");
        browser
    }

    /// Adds the integration with the fake Bitbucket, as the admin in this browser; its consumer has these scopes.
    pub(crate) async fn connect(&self, admin: &Browser, scopes: &[&str]) -> Consumer {
        let form = admin.open("/admin/integrations/new").await;
        let slug = form.value("slug").expect("the form has a slug");
        let consumer =
            self.bitbucket.consumer("acme", &format!("{}/oauth/callback/{slug}", self.url), scopes);
        let fields = [
            ("name", "Bitbucket"),
            ("platform", "bitbucket"),
            ("base_url", &self.bitbucket.base_url()),
            ("client_id", consumer.key()),
            ("client_secret", &consumer.secret()),
            ("slug", &slug),
        ];
        admin.send("/admin/integrations/new", &fields).await.shows("The integration was created");
        consumer
    }

    /// Signs in with the fake Bitbucket as one of its people: to the registration step the first time.
    pub(crate) async fn sign_in(&self, browser: &Browser, name: &str) -> super::Answer {
        self.bitbucket.user(name);
        let departure = self.departure(browser).await;
        let back = self.bitbucket.grant_access(&departure, name).await;
        browser.open(&back).await
    }

    /// Where "Log in with Bitbucket" leads; the browser keeps the cookie of the trip.
    pub(crate) async fn departure(&self, browser: &Browser) -> String {
        browser.open("/login/bitbucket").await.url.to_string()
    }

    /// Everything up to the point where packages can be added: the admin `ada` owns the organization `acme`.
    pub(crate) async fn with_acme() -> (Self, Browser) {
        let stave = Self::start().await;
        stave.bitbucket.workspace("acme").owner("ada");
        let browser = stave.setup_browser().await;
        stave.connect(&browser, ALL_SCOPES).await;
        stave.sign_in(&browser, "ada").await.shows("Create account");
        let fields = [("username", "ada"), ("name", "Ada"), ("email", "ada@example.com")];
        browser.send("/login/register", &fields).await;
        browser.send("/admin/setup/leave", &[]).await.shows("Setup Mode is over");
        browser.send("/orgs/new", &[("name", "Acme"), ("short_name", "acme")]).await.shows("Acme");
        (stave, browser)
    }

    /// Adds a package by URL and waits until its import is over: the page then.
    pub(crate) async fn import(&self, browser: &Browser, url: &str, credential: &str) -> super::Answer {
        let page = browser.send("/orgs/acme/packages", &[("url", url), ("credential", credential)]).await;
        assert!(page.status.is_success(), "{}", page.text());
        self.settled(browser, page.url.path()).await
    }

    /// A package's page once nothing is going on there.
    pub(crate) async fn settled(&self, browser: &Browser, path: &str) -> super::Answer {
        for _ in 0..600 {
            let page = browser.open(path).await;
            if !page.body.contains("data-refresh") {
                return page;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the import does not end");
    }

    /// A Composer that may read `acme`.
    pub(crate) async fn composer(&self, browser: &Browser) -> Composer {
        let token = self.token(browser).await;
        let composer = Composer::new();
        composer.repository(&format!("{}/repo/acme/", self.url)).config_auth(&self.url, "ada", &token);
        composer
    }

    /// A fresh user token.
    pub(crate) async fn token(&self, browser: &Browser) -> String {
        let page = browser.send("/orgs/acme/token", &[]).await;
        let at =
            page.body.find("stave_uut_").unwrap_or_else(|| panic!("no token on the page:\n{}", page.text()));
        page.body[at..at + 78].to_owned()
    }
}

/// A second process on the same database, with a data folder of its own.
pub(crate) struct Node {
    pub(crate) url: String,
    stop: CancellationToken,
    served: tokio::task::JoinHandle<()>,
    _data: TempDir,
}

impl TestStave {
    /// Starts one on the same PostgreSQL and the same blobs; `None` on SQLite, which has one process.
    pub(crate) async fn node(&self) -> Option<Node> {
        let database_url = Some(Secret::new(self.database.url()?));
        let data = TempDir::new().expect("a temporary folder");
        let config = Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            database_url,
            storage_url: Some(self.data.path().join("blobs").display().to_string()),
            outbound_allow: vec!["127.0.0.0/8".parse().expect("a range")],
            key: KeySource::File(self.data.path().join("key")),
            mirror_url: None,
            trusted_proxies: Vec::new(),
            ..Config::in_folder(data.path().to_owned())
        };
        let stave = Stave::start(config).await.expect("Stave starts");
        let (url, stop) = (format!("http://{}", stave.address()), CancellationToken::new());
        let served = tokio::spawn({
            let stop = stop.clone();
            async move { stave.run(stop).await.expect("Stave serves") }
        });
        Some(Node { url, stop, served, _data: data })
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.stop.cancel();
        self.served.abort();
    }
}

/// What the setup form asks for.
pub(crate) const ALL_SCOPES: &[&str] = &["account", "email", "team", "repository", "pullrequest", "webhook"];

impl Drop for TestStave {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(served) = self.served.take() {
            served.abort();
        }
    }
}
