//! For tests: a Stave without a network, and browsers that keep their cookies.

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{
        HeaderMap, Request, Response, StatusCode,
        header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE},
    },
};
use stave_app::{Actor, App, IntegrationForm, IntegrationSaved, KeySource, Level, MailSettings, Settings};
use stave_domain::{
    Secret,
    integration::{Client, Integration, OAuthVersion, Platform},
    outbound::Outbound,
};
use stave_testkit::{Consumer, FakeBitbucket, FakeDataCenter, data_center::Link};
use std::collections::BTreeMap;
use tempfile::TempDir;
use tower::ServiceExt as _;
use url::{Url, form_urlencoded::Serializer};

/// A Stave in Setup Mode, gone when it is dropped. It may reach this machine only.
pub(crate) struct TestSite {
    pub(crate) app: App,
    router: Router,
    _data: TempDir,
}

/// The permissions that the form asks for.
pub(crate) const ALL_SCOPES: [&str; 6] = ["account", "email", "team", "repository", "pullrequest", "webhook"];

impl TestSite {
    pub(crate) async fn start() -> Self {
        Self::start_with(None).await
    }

    /// One that sends mail, or does not.
    pub(crate) async fn start_with(mail: Option<MailSettings>) -> Self {
        Self::start_as(|settings| Settings { mail, ..settings }).await
    }

    /// One in which every new organization has this mirror.
    pub(crate) async fn start_mirroring(url: &str) -> Self {
        let mirror_url = Some(url.parse().unwrap());
        Self::start_as(|settings| Settings { mirror_url, ..settings }).await
    }

    async fn start_as(change: impl FnOnce(Settings) -> Settings) -> Self {
        let data = tempfile::tempdir().unwrap();
        let settings = Settings {
            data: data.path().to_owned(),
            url: "http://127.0.0.1:8080".parse().unwrap(),
            database_url: None,
            storage_url: None,
            outbound: Outbound::allowing(vec!["127.0.0.0/8".parse().unwrap()]),
            key: KeySource::DataFolder,
            mail: None,
            docs_edit_url: None,
            mirror_url: None,
            trusted_proxies: Vec::new(),
        };
        let app = App::start(change(settings)).await.unwrap();
        Self { router: crate::router(app.clone()), app, _data: data }
    }

    /// A browser that was never here.
    pub(crate) fn browser(&self) -> Browser {
        Browser { router: self.router.clone(), cookies: BTreeMap::new() }
    }

    /// The path of a fresh setup link.
    pub(crate) async fn setup_path(&self) -> String {
        path_of(&self.app.setup_link().await.unwrap().unwrap())
    }

    /// A browser that holds the setup cookie.
    pub(crate) async fn setup_browser(&self) -> Browser {
        let mut browser = self.browser();
        let path = self.setup_path().await;
        assert_eq!(browser.get(&path).await.location, "/admin");
        browser
    }

    /// Creates an integration through the form, for a fresh consumer with these permissions.
    pub(crate) async fn connect(
        &self,
        admin: &mut Browser,
        bitbucket: &FakeBitbucket,
        scopes: &[&str],
    ) -> Consumer {
        let consumer = bitbucket.consumer("acme", "http://127.0.0.1:8080/oauth/callback/bitbucket", scopes);
        let secret = consumer.secret();
        let base_url = bitbucket.base_url();
        let form = [
            ("name", "Bitbucket"),
            ("platform", "bitbucket"),
            ("base_url", base_url.as_str()),
            ("api_timeout", ""),
            ("workspace_name", "acme"),
            ("client_id", consumer.key()),
            ("client_secret", secret.as_str()),
            ("slug", "bitbucket"),
        ];
        let seen = admin.post("/admin/integrations/new", &form).await;
        assert_eq!(seen.location, "/admin?done=integration-created", "{}", seen.body);
        consumer
    }
}

impl TestSite {
    /// Setup is over: ada is the admin, grace owns the organization acme, and both log in with the fake.
    pub(crate) async fn with_acme() -> (Self, FakeBitbucket, [Browser; 2]) {
        let (site, bitbucket) = (Self::start().await, FakeBitbucket::start().await);
        let mut ada = site.setup_browser().await;
        site.connect(&mut ada, &bitbucket, &ALL_SCOPES).await;
        ada.register(&bitbucket, "ada").await;
        assert_eq!(ada.post("/admin/setup/leave", &[]).await.status, StatusCode::SEE_OTHER);
        let mut grace = site.browser();
        grace.register(&bitbucket, "grace").await;
        let made = grace.post("/orgs/new", &[("name", "Acme"), ("short_name", "acme")]).await;
        assert_eq!(made.location, "/orgs/acme?done=organization-created", "{}", made.body);
        (site, bitbucket, [ada, grace])
    }

    /// A fresh user token.
    pub(crate) async fn token_of(&self, browser: &mut Browser) -> String {
        let made = self.app.user_token_regenerate(&self.actor(browser).await).await.unwrap();
        made.secret.expose().to_owned()
    }

    /// Who asks in this browser.
    pub(crate) async fn actor(&self, browser: &Browser) -> Actor {
        let cookie = |name| browser.cookies.get(name).map(|value| Secret::new(value.as_str()));
        let (login, setup) = (cookie("stave_login"), cookie("stave_setup"));
        self.app.actor(login.as_ref(), setup.as_ref()).await.unwrap()
    }

    /// Adds an organization's own integration, with a fake that somebody there runs.
    pub(crate) async fn add_own(
        &self,
        owner: &Browser,
        organization: &str,
        server: &FakeBitbucket,
    ) -> Integration {
        let (actor, level) = (self.actor(owner).await, Level::Organization(organization.into()));
        let form = self.app.integration_form_new(&actor, &level, "").await.unwrap();
        let callback = self.app.integration_callback(&form.slug);
        let consumer = server.consumer(organization, &callback, &ALL_SCOPES);
        let form = IntegrationForm {
            name: format!("Bitbucket of {organization}"),
            platform: Platform::BitbucketCloud.key().into(),
            base_url: server.base_url(),
            client_id: consumer.key().into(),
            client_secret: Secret::new(consumer.secret()),
            ..form
        };
        self.add(&actor, &level, &form).await
    }

    /// Adds an organization's own integration with a Data Center, and what it needs there.
    pub(crate) async fn add_own_data_center(
        &self,
        owner: &Browser,
        organization: &str,
        (server, oauth): (&FakeDataCenter, OAuthVersion),
    ) -> Integration {
        let (actor, level) = (self.actor(owner).await, Level::Organization(organization.into()));
        let form = self.app.integration_form_new(&actor, &level, "").await.unwrap();
        let callback = self.app.integration_callback(&form.slug);
        let link = (oauth == OAuthVersion::Two).then(|| server.link(&callback, &["REPO_READ"]));
        let form = IntegrationForm {
            name: format!("Data Center of {organization}"),
            platform: Platform::BitbucketDataCenter.key().into(),
            base_url: server.base_url(),
            oauth: oauth.key().into(),
            client_id: link.as_ref().map(Link::client_id).unwrap_or_default(),
            client_secret: Secret::new(link.as_ref().map(Link::client_secret).unwrap_or_default()),
            ..form
        };
        let integration = self.add(&actor, &level, &form).await;
        if let Client::OAuth1 { consumer_key, public_key, .. } = &integration.client {
            server.consumer(consumer_key, public_key);
        }
        integration
    }

    async fn add(&self, actor: &Actor, level: &Level, form: &IntegrationForm) -> Integration {
        match self.app.integration_create(actor, level, form).await.unwrap() {
            IntegrationSaved::Saved(integration) => *integration,
            doubtful @ IntegrationSaved::Doubtful(_) => panic!("{doubtful:?}"),
        }
    }
}

/// A browser: it keeps cookies and follows nothing by itself.
pub(crate) struct Browser {
    router: Router,
    pub(crate) cookies: BTreeMap<String, String>,
}

/// What a browser got.
pub(crate) struct Seen {
    pub(crate) status: StatusCode,
    /// Where it is sent, or nothing.
    pub(crate) location: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Browser {
    pub(crate) async fn get(&mut self, path: &str) -> Seen {
        self.send(Request::get(path), "").await
    }

    pub(crate) async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Seen {
        let form = Serializer::new(String::new()).extend_pairs(form).finish();
        let request = Request::post(path).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request, &form).await
    }

    pub(crate) async fn send(&mut self, request: axum::http::request::Builder, body: &str) -> Seen {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = request.header(COOKIE, cookies.join("; ")).body(Body::from(body.to_owned())).unwrap();
        let answer: Response<Body> = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = answer.into_parts();
        self.keep(&head.headers);
        let location = head.headers.get(LOCATION).map_or("", |value| value.to_str().unwrap()).to_owned();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let body = String::from_utf8(bytes.to_vec()).unwrap();
        Seen { status: head.status, location, headers: head.headers, body }
    }

    /// Leaves through a log-in button or a form, grants access as this person, and comes back: what the callback answers.
    pub(crate) async fn grant(&mut self, away: &Seen, bitbucket: &FakeBitbucket, person: &str) -> Seen {
        let back = bitbucket.grant_access(&away.location, person).await;
        self.get(&path_of(&back)).await
    }

    /// Goes to an address that leads to the platform, grants access as this person, and comes back.
    pub(crate) async fn travel(&mut self, door: &str, bitbucket: &FakeBitbucket, person: &str) -> Seen {
        let away = self.get(door).await;
        self.grant(&away, bitbucket, person).await
    }

    /// As [`travel`](Self::travel), to connect an account.
    pub(crate) async fn connect(&mut self, door: &str, bitbucket: &FakeBitbucket, person: &str) -> Seen {
        let away = self.post(door, &[]).await;
        self.grant(&away, bitbucket, person).await
    }

    /// Logs in at the platform and creates the account with what the form proposes.
    pub(crate) async fn register(&mut self, bitbucket: &FakeBitbucket, person: &str) -> Seen {
        let away = self.get("/login/bitbucket").await;
        assert_eq!(self.grant(&away, bitbucket, person).await.location, "/login/register");
        self.post("/login/register", &[("username", person), ("email", ""), ("name", "")]).await
    }

    fn keep(&mut self, headers: &HeaderMap) {
        for cookie in headers.get_all(SET_COOKIE) {
            let (pair, attributes) = cookie.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

/// Path and query of an address.
pub(crate) fn path_of(address: &str) -> String {
    Url::parse(address).unwrap()[url::Position::BeforePath..].to_owned()
}
