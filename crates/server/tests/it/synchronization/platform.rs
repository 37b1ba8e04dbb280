//! Bitbucket of either kind, with people who log in; an organization that follows it; what their tokens read.

use crate::support::{Answer, Browser, form::Form};
use serde_json::Value;
use stave_app::Clock;
use stave_domain::{id::SynchronizationId, job::JobState};
use stave_storage::Storage;
use stave_testkit::{FakeBitbucket, FakeDataCenter, Script, Version};
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

/// So long nothing may go on before a test says that it hangs.
const PATIENCE: Duration = Duration::from_secs(100);
const SCOPES: &[&str] =
    &["account", "email", "team", "repository", "repository:admin", "pullrequest", "webhook"];

/// A stand-in for Bitbucket.
pub(super) enum Platform {
    Cloud(FakeBitbucket),
    DataCenter(FakeDataCenter),
}

impl Platform {
    pub(super) async fn cloud() -> Self {
        Self::Cloud(FakeBitbucket::start().await)
    }

    pub(super) async fn data_center(version: Version) -> Self {
        Self::DataCenter(FakeDataCenter::start(version).await)
    }

    /// What the stories follow there.
    pub(super) fn key(&self) -> &'static str {
        match self {
            Self::Cloud(_) => "acme",
            Self::DataCenter(_) => "ACME",
        }
    }

    pub(super) fn host(&self) -> String {
        let url = match self {
            Self::Cloud(bitbucket) => bitbucket.base_url(),
            Self::DataCenter(server) => server.base_url(),
        };
        url.replace("http://", "").split('/').next().unwrap_or_default().to_owned()
    }

    /// Makes the workspace or project, which `ada` administers.
    pub(super) fn found(&self) {
        match self {
            Self::Cloud(bitbucket) => {
                bitbucket.workspace("acme").owner("ada");
            }
            Self::DataCenter(server) => {
                server.user("ada").system_admin();
                server.project("ACME");
            }
        }
    }

    pub(super) fn script(&self, seed: u64) -> Script<'_> {
        let script = match self {
            Self::Cloud(bitbucket) => bitbucket.script(self.key(), seed),
            Self::DataCenter(server) => server.script(self.key(), seed),
        };
        script.sparing(&["ada"])
    }

    /// A secret that reads everything, as somebody stores it among the credentials: its kind and itself.
    pub(super) fn secret(&self) -> Option<(&'static str, String)> {
        match self {
            Self::Cloud(_) => None,
            Self::DataCenter(server) => {
                let token = server.user("ada").http_token(&["PROJECT_ADMIN", "REPO_ADMIN"]);
                Some(("http_access_token", token))
            }
        }
    }

    /// Data Center never sends again what was lost, and does not say when a repository changed. Runs ask git about packages; in what
    /// is none yet, a lost push is found when its time comes (24 hours) or with the next delivery. Here it comes for these.
    pub(super) async fn ring(&self, repositories: impl Iterator<Item = &String>) {
        let Self::DataCenter(server) = self else { return };
        for id in repositories {
            server.repository(id.parse().expect("an id is a number")).ring();
        }
        server.deliveries().await;
    }

    /// Adds the integration, as the admin in this browser; gives its slug.
    pub(super) async fn integrate(&self, admin: &Browser, url: &str) -> String {
        let slug = admin.open("/admin/integrations/new").await.value("slug").expect("the form has a slug");
        let callback = format!("{url}/oauth/callback/{slug}");
        let (platform, base_url, id, secret) = match self {
            Self::Cloud(bitbucket) => {
                let consumer = bitbucket.consumer("acme", &callback, SCOPES);
                ("bitbucket", bitbucket.base_url(), consumer.key().to_owned(), consumer.secret())
            }
            Self::DataCenter(server) => {
                let link = server.link(&callback, &["REPO_READ"]);
                ("bitbucket-data-center", server.base_url(), link.client_id(), link.client_secret())
            }
        };
        let fields = [
            ("name", platform),
            ("platform", platform),
            ("base_url", &base_url),
            ("oauth", "2"),
            ("client_id", &id),
            ("client_secret", &secret),
            ("slug", &slug),
        ];
        admin.send("/admin/integrations/new", &fields).await.shows("The integration was created");
        slug
    }

    /// Goes through the pages of Bitbucket to which `away` led, as one of its people, and back.
    pub(super) async fn allow(&self, browser: &Browser, away: &Answer, name: &str) -> Answer {
        let back = match self {
            Self::Cloud(bitbucket) => {
                bitbucket.user(name);
                bitbucket.grant_access(away.url.as_str(), name).await
            }
            Self::DataCenter(server) => {
                server.user(name);
                let next = away.url.query_pairs().find(|(key, _)| key == "next").expect("a page to go to").1;
                let consent = away.url.join(&next).expect("an address");
                server.grant_access(consent.as_str(), name).await
            }
        };
        browser.open(&back).await
    }

    /// Logs in; the first time, registers too.
    pub(super) async fn log_in(&self, browser: &Browser, slug: &str, name: &str) -> Answer {
        let away = browser.open(&format!("/login/{slug}")).await;
        let page = self.allow(browser, &away, name).await;
        if !page.body.contains("Create account") {
            return page;
        }
        let fields = [("username", name), ("name", ""), ("email", &format!("{name}@example.com"))];
        browser.send("/login/register", &fields).await
    }
}

/// Whose rows are looked at, and by which clock.
#[derive(Clone)]
pub(super) struct Rows {
    pub(super) storage: Storage,
    pub(super) clock: Clock,
}

impl Rows {
    /// What waits or runs, of the jobs that are due.
    async fn due(&self) -> Vec<String> {
        let jobs = self.storage.job_list(None, 10_000).await.unwrap();
        let now = self.clock.now();
        let due = jobs.iter().filter(|job| job.pending.state(now) != JobState::Later);
        due.map(|job| format!("{:?} {:?}", job.job, job.pending)).collect()
    }

    /// Waits until no job is due.
    pub(super) async fn rest(&self) {
        let (mut last, mut since) = (Vec::new(), Instant::now());
        loop {
            let due = self.due().await;
            if due.is_empty() {
                return;
            }
            if due != last {
                (last, since) = (due, Instant::now());
            }
            assert!(since.elapsed() < PATIENCE, "the jobs do not end: {last:#?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// A synchronization of `acme`, seen by somebody who manages it.
pub(super) struct Followed<'a> {
    pub(super) manager: &'a Browser,
    pub(super) rows: Rows,
    /// The path of its page.
    pub(super) page: String,
}

impl<'a> Followed<'a> {
    /// Chooses a workspace at the integration with this slug, and waits until it was looked at.
    pub(super) async fn look(
        manager: &'a Browser,
        rows: &Rows,
        (slug, key): (&str, &str),
        access: Option<&str>,
    ) -> Self {
        let offers = manager.open("/orgs/acme/settings/synchronizations/new").await;
        let at = offers.body.find(&format!("id=\"at-{slug}\"")).expect("the integration is offered");
        let form = Form::with_button(&offers.body[at..], "Choose").expect("something can be chosen");
        let chosen = match access {
            Some(access) => form.fill(&[("workspace", key), ("access", access)]),
            None => form.fill(&[("workspace", key)]),
        };
        let page = manager.submit(&offers, chosen).await;
        assert_eq!(page.url.query(), Some("done=synchronization-begun"), "{}", page.text());
        let followed = Self { manager, rows: rows.clone(), page: page.url.path().to_owned() };
        followed.rest().await;
        followed
    }

    /// The same, and starts it.
    pub(super) async fn start(
        manager: &'a Browser,
        rows: &Rows,
        place: (&str, &str),
        access: Option<&str>,
    ) -> Self {
        let followed = Self::look(manager, rows, place, access).await;
        let page = followed.rest().await;
        followed.manager.press(&page, "Start synchronization").await.shows("Last success");
        followed.rest().await;
        followed
    }

    pub(super) fn id(&self) -> SynchronizationId {
        self.page.rsplit('/').next().unwrap_or_default().parse().expect("an id")
    }

    /// The repositories that are packages, by the platform's ids.
    pub(super) async fn packages(&self) -> BTreeSet<String> {
        let storage = &self.rows.storage;
        let followed = storage.repository_list_followed(self.id()).await.unwrap();
        let numbers: BTreeSet<u32> =
            followed.into_iter().filter_map(|it| Some(it.followed?.number)).collect();
        let known = storage.remote_repository_list(self.id()).await.unwrap();
        let packages = known.into_iter().filter(|it| numbers.contains(&it.number));
        packages.map(|it| it.remote.external_id).collect()
    }

    /// Waits until nothing is to be done; its page then.
    pub(super) async fn rest(&self) -> Answer {
        self.rows.rest().await;
        self.manager.open(&self.page).await
    }

    /// "Run now", and everything that comes of it; the page then.
    pub(super) async fn run(&self) -> Answer {
        self.manager.send(&format!("{}/run", self.page), &[]).await;
        self.rest().await
    }

    /// "Run now", which succeeds.
    #[track_caller]
    pub(super) fn succeeds(&self) -> impl Future<Output = Answer> + use<'_, 'a> {
        let caller = std::panic::Location::caller();
        async move {
            let page = self.run().await;
            assert!(!page.body.contains("The last run failed"), "{caller}: {}", page.text());
            page
        }
    }
}

/// A Composer of somebody, as far as it asks.
#[derive(Clone)]
pub(super) struct Token {
    client: reqwest::Client,
    url: String,
    text: String,
}

impl Token {
    /// A fresh one; the one before stops.
    pub(super) async fn of(browser: &Browser, url: &str) -> Self {
        Self::shown(&browser.send("/orgs/acme/token", &[]).await, url)
    }

    /// A fresh one of somebody who may not be a member.
    pub(super) async fn of_profile(browser: &Browser, url: &str) -> Self {
        Self::shown(&browser.send("/profile/token", &[]).await, url)
    }

    fn shown(page: &Answer, url: &str) -> Self {
        let at =
            page.body.find("stave_uut_").unwrap_or_else(|| panic!("no token on the page:\n{}", page.text()));
        let text = page.body[at..at + 78].to_owned();
        Self { client: reqwest::Client::new(), url: url.to_owned(), text }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// `None` while nobody answers.
    async fn ask(&self, file: &str) -> Option<reqwest::Response> {
        let address = format!("{}/repo/acme/{file}", self.url);
        self.client.get(address).basic_auth("token", Some(&self.text)).send().await.ok()
    }

    /// Whether it reads a package; `None` while nobody answers.
    pub(super) async fn try_read(&self, package: &str) -> Option<bool> {
        let status = self.ask(&format!("p2/{package}.json")).await?.status().as_u16();
        assert!([200, 304, 401, 403, 404].contains(&status), "{package}: {status}");
        Some(status == 200)
    }

    pub(super) async fn reads(&self, package: &str) -> bool {
        self.try_read(package).await.expect("an answer")
    }

    /// Which of these it reads.
    pub(super) async fn read_of<'p>(&self, packages: &[&'p str]) -> Vec<&'p str> {
        let mut read = Vec::new();
        for &package in packages {
            if self.reads(package).await {
                read.push(package);
            }
        }
        read
    }

    /// The commit at which a version is published, `dev-main` for example; `None` if it is not, or may not be read.
    pub(super) async fn commit(&self, package: &str, version: &str) -> Option<String> {
        let half = if version.starts_with("dev-") { "~dev" } else { "" };
        let answer = self.ask(&format!("p2/{package}{half}.json")).await?;
        if answer.status() != 200 {
            return None;
        }
        let document: Value = answer.json().await.expect("a document");
        let versions = document["packages"][package].as_array()?;
        let found = versions.iter().find(|it| it["version"] == version)?;
        let place = found.get("source").or(found.get("dist"))?;
        place["reference"].as_str().map(str::to_owned)
    }
}
