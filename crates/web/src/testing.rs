//! For tests: a Stave without a network, and browsers that keep their cookies.

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{
        HeaderMap, Request, Response, StatusCode,
        header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE},
    },
};
use stave_app::{App, KeySource, Settings};
use stave_domain::outbound::Outbound;
use stave_testkit::{Consumer, FakeBitbucket};
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
        let data = tempfile::tempdir().unwrap();
        let settings = Settings {
            data: data.path().to_owned(),
            url: "http://127.0.0.1:8080".parse().unwrap(),
            database_url: None,
            storage_url: None,
            outbound: Outbound::allowing(vec!["127.0.0.0/8".parse().unwrap()]),
            key: KeySource::DataFolder,
        };
        let app = App::start(settings).await.unwrap();
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
        Seen { status: head.status, location, body: String::from_utf8(bytes.to_vec()).unwrap() }
    }

    /// Leaves through a log-in button or a form, grants access as this person, and comes back: what the callback answers.
    pub(crate) async fn grant(&mut self, away: &Seen, bitbucket: &FakeBitbucket, person: &str) -> Seen {
        let back = bitbucket.grant_access(&away.location, person).await;
        self.get(&path_of(&back)).await
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
