//! Bitbucket Data Center and Server: connected by OAuth 2 and OAuth 1, and upgraded from one to the other.

use crate::support::{Answer, Browser, TestStave};
use stave_domain::integration::Client;
use stave_testkit::{Composer, DataCenterOptions, FakeDataCenter, Level, Version, samples};

const READ: &[&str] = &["REPO_READ"];

/// A Stave in Setup Mode beside a Bitbucket Data Center below a context path.
struct Pair {
    stave: TestStave,
    bitbucket: FakeDataCenter,
    admin: Browser,
}

impl Pair {
    async fn start(version: Version) -> Self {
        let stave = TestStave::start().await;
        let options = DataCenterOptions::new(version).context_path("/bitbucket");
        let bitbucket = FakeDataCenter::start_with(options).await;
        let admin = stave.setup_browser().await;
        Self { stave, bitbucket, admin }
    }

    /// Sends the form "Add Integration"; the slug is the one that it showed.
    async fn add(&self, oauth: &str, (id, secret): (&str, &str)) -> Answer {
        let slug = self.admin.open("/admin/integrations/new").await.value("slug").expect("a slug");
        let fields = [
            ("name", "Git"),
            ("platform", "bitbucket-data-center"),
            ("base_url", &self.bitbucket.base_url()),
            ("oauth", oauth),
            ("client_id", id),
            ("client_secret", secret),
            ("slug", &slug),
        ];
        self.admin.send("/admin/integrations/new", &fields).await
    }

    /// Connects by OAuth 1, as the guide says: what Stave made goes into the application link.
    async fn connect_by_oauth1(&self) {
        self.add("1", ("", "")).await.shows("Public Key").shows("BEGIN PUBLIC KEY");
        let integration = self.stave.app.integration_list().await.unwrap().remove(0);
        let Client::OAuth1 { consumer_key, public_key, .. } = &integration.client else {
            panic!("it speaks OAuth 1: {integration:?}")
        };
        self.bitbucket.consumer(consumer_key, public_key);
    }

    fn callback(&self) -> String {
        format!("{}/oauth/callback/bitbucket", self.stave.url)
    }

    /// Logs in as somebody.
    async fn sign_in(&self, browser: &Browser, name: &str) -> Answer {
        let away = browser.open("/login/bitbucket").await;
        self.allow(browser, away, name).await
    }

    /// Goes from Bitbucket's log-in page through its consent page as somebody, and back.
    async fn allow(&self, browser: &Browser, away: Answer, name: &str) -> Answer {
        self.bitbucket.user(name);
        assert!(away.url.as_str().starts_with(&self.bitbucket.base_url()), "{}: {}", away.url, away.text());
        let next = away.url.query_pairs().find(|(key, _)| key == "next").expect("a page to go to").1;
        let consent = away.url.join(&next).expect("an address");
        let back = self.bitbucket.grant_access(consent.as_str(), name).await;
        browser.open(&back).await
    }

    /// A person with an account here, in a browser of their own.
    async fn person(&self, name: &str) -> Browser {
        let browser = self.stave.browser();
        self.sign_in(&browser, name).await.shows("Create account");
        browser.send("/login/register", &[("username", name), ("name", ""), ("email", "")]).await;
        browser.open("/profile").await.shows(name);
        browser
    }

    /// The page of the one integration.
    async fn page(&self) -> String {
        let integration = self.stave.app.integration_list().await.unwrap().remove(0);
        format!("/admin/integrations/{}", integration.id)
    }
}

#[tokio::test]
async fn by_oauth2_from_the_form_to_composer_install() {
    let pair = Pair::start(Version::V8_19).await;
    let php = pair.bitbucket.project("PHP");
    samples::mailer(php.grant("ada", Level::Read).repository("mailer").git());
    samples::clock(php.repository("clock").git());
    let link = pair.bitbucket.link(&pair.callback(), READ);
    pair.add("2", (&link.client_id(), &link.client_secret())).await.shows("The integration was created");

    pair.sign_in(&pair.admin, "ada").await.shows("Create account");
    let fields = [("username", "ada"), ("name", "Ada"), ("email", "ada@example.com")];
    pair.admin.send("/login/register", &fields).await.shows("Admin");
    pair.admin.open("/profile").await.shows("not verified");
    pair.admin.send("/orgs/new", &[("name", "Acme"), ("short_name", "acme")]).await.shows("Acme");
    for name in ["mailer", "clock"] {
        let url = format!("{}/scm/php/{name}.git", pair.bitbucket.base_url());
        pair.stave.import(&pair.admin, &url, "auto").await.shows(&format!("acme/{name}"));
    }
    let composer: Composer = pair.stave.composer(&pair.admin).await;
    let run = composer.require("acme/mailer").await;
    assert!(run.success(), "{run}");
}

#[tokio::test]
async fn a_new_link_by_oauth1_is_refused_from_version_8_on() {
    let pair = Pair::start(Version::V8_19).await;
    pair.add("1", ("", "")).await.shows("Bitbucket 8.19.3").shows("Choose OAuth 2");
    assert_eq!(pair.stave.app.integration_list().await.unwrap(), []);
}

#[tokio::test]
async fn oauth2_is_not_offered_by_an_old_server() {
    let pair = Pair::start(Version::V7_20).await;
    pair.add("2", ("id", "secret")).await.shows("offers no OAuth 2").shows("Save anyway");
}

#[tokio::test]
async fn an_upgrade_locks_nobody_out() {
    let pair = Pair::start(Version::V7_20).await;
    pair.connect_by_oauth1().await;
    let (ada, grace, linus) =
        (pair.person("ada").await, pair.person("grace").await, pair.person("linus").await);
    let page = pair.page().await;
    pair.admin.open(&page).await.hides("Upgrade to OAuth 2");

    // The server is updated; the next check of the connection sees what it can do now.
    pair.bitbucket.set_version(Version::V7_21);
    let away = pair.admin.send(&format!("{page}/check"), &[]).await;
    pair.allow(&pair.admin, away, "ada").await.shows("Upgrade to OAuth 2");

    // The first try has a wrong secret: people are offered the way in that still works.
    let link = pair.bitbucket.link(&pair.callback(), READ);
    let upgrade = |secret: String| {
        let fields = [
            ("name", "Git".to_owned()),
            ("base_url", pair.bitbucket.base_url()),
            ("oauth", "2".to_owned()),
            ("client_id", link.client_id()),
            ("client_secret", secret),
        ];
        let (admin, page) = (&pair.admin, &page);
        async move {
            let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
            admin.send(&format!("{page}/edit"), &fields).await
        }
    };
    upgrade("wrong".into()).await.shows("Saved");
    ada.open("/profile").await.shows("ada").shows("Log in once more");
    let late = pair.stave.browser();
    pair.sign_in(&late, "grace").await.shows("Log in the way it was before");
    let away = late.open("/login/bitbucket?as=before").await;
    pair.allow(&late, away, "grace").await;
    late.open("/profile").await.shows("grace");

    // The right one: each person logs in once more, with the account that they had.
    upgrade(link.client_secret()).await.shows("Saved");
    pair.sign_in(&ada, "ada").await;
    ada.open("/profile").await.hides("Log in once more");
    pair.admin.open(&page).await.shows("1 of 3");
    pair.sign_in(&grace, "grace").await;
    linus.open("/profile").await.shows("Log in once more");

    // It is called off, and everybody still gets in by OAuth 1 as who they are.
    pair.admin.send(&format!("{page}/call-off"), &[]).await.shows("Called off");
    for name in ["ada", "grace", "linus"] {
        let browser = pair.stave.browser();
        pair.sign_in(&browser, name).await;
        browser.open("/profile").await.shows(name).hides("Create account");
    }

    // Once everybody has logged in by OAuth 2, the key pair is forgotten.
    upgrade(link.client_secret()).await.shows("Saved");
    for name in ["ada", "grace", "linus"] {
        let browser = pair.stave.browser();
        pair.sign_in(&browser, name).await;
        browser.open("/profile").await.shows(name);
    }
    let integration = pair.stave.app.integration_list().await.unwrap().remove(0);
    assert!(integration.previous.is_none(), "{integration:?}");
    pair.admin.open(&page).await.hides("Call off the upgrade");
}
