//! A website whose visitors log in here: made by its owner through the pages, as every owner does. What its pages are called stands here
//! and nowhere else.

use super::{
    Answer, Browser, TestStave,
    echo::Echo,
    form::Form,
    web_server::{WebServer, free_port},
};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::Value;
use std::path::Path;
use url::Url;

/// The website `shop` of the organization `acme`.
pub(crate) struct TestWebsite {
    pub(crate) stave: TestStave,
    /// Ada, who owns `acme`.
    pub(crate) owner: Browser,
    /// `http://127.0.0.1:41234/w/shop`
    pub(crate) issuer: String,
    /// Where clients get their visitors back.
    pub(crate) application: Echo,
    http: reqwest::Client,
}

/// An application of it, as its programmer knows it.
#[derive(Debug, Clone)]
pub(crate) struct TestClient {
    pub(crate) id: String,
    /// Empty if it runs in browsers.
    pub(crate) secret: String,
    pub(crate) redirect_uri: String,
}

/// What stands on the page for proxies.
#[derive(Debug, Clone)]
pub(crate) struct ProxyTexts {
    pub(crate) nginx: String,
    pub(crate) caddy: String,
}

/// The web server in front of the website.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proxy {
    Nginx,
    Caddy,
}

impl Proxy {
    /// Its name in addresses.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Caddy => "caddy",
        }
    }

    async fn start(self, port: u16, texts: &ProxyTexts) -> WebServer {
        match self {
            Self::Nginx => WebServer::nginx(port, &texts.nginx).await,
            Self::Caddy => WebServer::caddy(port, &texts.caddy).await,
        }
    }
}

/// The website behind a real web server, with the text that its owner copied from the page.
pub(crate) struct Protected {
    pub(crate) website: TestWebsite,
    /// `http://shop.localhost:41234`
    pub(crate) origin: String,
    _server: WebServer,
}

impl Protected {
    /// An application that says what it hears.
    pub(crate) async fn application(proxy: Proxy) -> Self {
        Self::start(proxy, |website| website.application.url.clone()).await
    }

    /// A folder of files.
    pub(crate) async fn files(proxy: Proxy, folder: &Path) -> Self {
        Self::start(proxy, |_| folder.display().to_string()).await
    }

    async fn start(proxy: Proxy, target: impl FnOnce(&TestWebsite) -> String) -> Self {
        let port = free_port();
        let origin = format!("http://shop.localhost:{port}");
        let website = TestWebsite::start_at(&origin).await;
        let texts = website.proxy(&origin, &target(&website)).await;
        let server = proxy.start(port, &texts).await;
        Self { website, origin, _server: server }
    }

    /// An address of the site.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }
}

/// What an endpoint for programs answered.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    /// `Null` if it is no JSON.
    pub(crate) json: Value,
}

impl Reply {
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.expect("a text");
        Self { status, headers, json: serde_json::from_str(&text).unwrap_or(Value::Null) }
    }

    /// A text in the answer; empty if it is not there.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.json[name].as_str().unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Fails unless it is this refusal.
    #[track_caller]
    pub(crate) fn refuses(&self, status: u16, error: &str) -> &Self {
        assert_eq!((self.status.as_u16(), self.text("error")), (status, error), "{self:?}");
        self
    }

    /// Fails unless it went well.
    #[track_caller]
    pub(crate) fn granted(self) -> Self {
        assert_eq!(self.status, StatusCode::OK, "{self:?}");
        self
    }
}

/// The text on the button of the login form.
pub(crate) const BUTTON: &str = "Log in with Bitbucket";
/// The text on the button of the issuer's page that asks whether to log out, and of the one at a site behind a proxy.
pub(crate) const LOG_OUT: &str = "Log out";
const PAGES: &str = "/orgs/acme/websites";

impl TestWebsite {
    /// Visitors log in with the fake Bitbucket; the site itself is nowhere.
    pub(crate) async fn start() -> Self {
        Self::start_at("http://shop.localhost:1").await
    }

    /// The site is at this origin.
    pub(crate) async fn start_at(origin: &str) -> Self {
        let (stave, owner) = TestStave::with_acme().await;
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build();
        let website = Self {
            issuer: format!("{}/w/shop", stave.url),
            application: Echo::start().await,
            stave,
            owner,
            http: http.expect("a client"),
        };
        website.create("shop", origin).await;
        website
    }

    /// Makes one more website, with the same consumer's workspace and the same people.
    pub(crate) async fn create(&self, slug: &str, origin: &str) {
        let fields = [("name", "Shop"), ("slug", slug), ("origin", origin), ("origins", "")];
        self.owner.send(PAGES, &fields).await.shows("Login");
        let callback = format!("{}/w/{slug}/callback/bitbucket", self.stave.url);
        let consumer = self.stave.bitbucket.consumer("acme", &callback, &["account", "email"]);
        let setting = [
            ("bitbucket_on", "on"),
            ("bitbucket_label", BUTTON),
            ("bitbucket_base_url", &self.stave.bitbucket.base_url()),
            ("bitbucket_client_id", consumer.key()),
            ("bitbucket_client_secret", &consumer.secret()),
        ];
        self.publish(slug, |form| form.fill(&setting)).await;
    }

    /// Changes the login setting, applies and saves it.
    pub(crate) async fn publish(&self, slug: &str, change: impl FnOnce(Form) -> Form) -> Answer {
        let page = self.owner.open(&format!("{PAGES}/{slug}/login")).await;
        let applied = self.owner.submit(&page, change(page.form("Apply"))).await;
        self.owner.press(&applied, "Save").await
    }

    /// Makes a client that runs on a server, and has to use PKCE.
    pub(crate) async fn client(&self) -> TestClient {
        self.client_with(&[("kind", "confidential"), ("pkce_required", "on")]).await
    }

    /// Makes a client like those that the conformance plan has: on a server, without PKCE.
    pub(crate) async fn plain_client(&self) -> TestClient {
        self.client_with(&[("kind", "confidential")]).await
    }

    /// Makes a client of the website itself with these fields besides; those that are named win.
    pub(crate) async fn client_with(&self, fields: &[(&str, &str)]) -> TestClient {
        let page = self.client_page(fields).await;
        let id = page.inside("client-id").unwrap_or_else(|| panic!("no client id:\n{}", page.text()));
        let given =
            fields.iter().find(|(name, _)| *name == "redirect_uris").map(|(_, uri)| (*uri).to_owned());
        TestClient {
            id,
            secret: page.inside("client-secret").unwrap_or_default(),
            redirect_uri: given.unwrap_or_else(|| self.application.at("/callback")),
        }
    }

    /// The page on which its owner finds the secret, once, and the texts to copy.
    pub(crate) async fn client_page(&self, fields: &[(&str, &str)]) -> Answer {
        let usual = [
            ("name", "Application"),
            ("redirect_uris", &self.application.at("/callback")),
            ("post_logout_uris", &self.application.at("/bye")),
            ("is_own", "on"),
            ("may_refresh", "on"),
        ];
        let usual = usual.into_iter().filter(|(name, _)| !fields.iter().any(|(given, _)| given == name));
        let fields: Vec<_> =
            fields.iter().copied().chain(usual).filter(|(_, value)| !value.is_empty()).collect();
        let page = self.owner.send(&format!("{PAGES}/shop/clients"), &fields).await;
        assert!(page.status.is_success(), "{}", page.text());
        page
    }

    /// Makes a key for the proxy in front of a folder or of an application: the texts with it.
    pub(crate) async fn proxy(&self, origin: &str, target: &str) -> ProxyTexts {
        let chosen = [("origin", origin), ("family", "remote"), ("target", target)];
        let page = self.owner.send(&format!("{PAGES}/shop/connect/proxy/key"), &chosen).await;
        let text = |id| page.inside(id).unwrap_or_else(|| panic!("no text for {id}:\n{}", page.text()));
        ProxyTexts { nginx: text("nginx"), caddy: text("caddy") }
    }

    /// Somebody with an account at the fake Bitbucket, in a browser of their own.
    pub(crate) fn visitor(&self, name: &'static str) -> Visitor {
        self.stave.bitbucket.user(name);
        Visitor { browser: self.stave.browser(), name }
    }

    /// An address of the issuer.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }

    /// Where a client sends a browser; a parameter that is given here takes the place of the usual one, an empty one removes it.
    pub(crate) fn authorize(&self, client: &TestClient, parameters: &[(&str, &str)]) -> String {
        let mut url = Url::parse(&self.at("/authorize")).expect("an address");
        url.query_pairs_mut().extend_pairs(authorize_fields(client, parameters));
        url.to_string()
    }

    /// Asks the token endpoint, by HTTP Basic.
    pub(crate) async fn token(&self, client: &TestClient, fields: &[(&str, &str)]) -> Reply {
        let request = self.http.post(self.at("/token")).basic_auth(&client.id, Some(&client.secret));
        Reply::of(request.form(fields)).await
    }

    /// Redeems the code with which a browser came back.
    pub(crate) async fn redeem(&self, client: &TestClient, back: &Answer) -> Reply {
        let (code, redirect_uri) = (query(back, "code"), client.redirect_uri.as_str());
        let fields = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", redirect_uri)];
        self.token(client, &fields).await
    }

    /// Uses a refresh token.
    pub(crate) async fn refresh(&self, client: &TestClient, token: &str) -> Reply {
        self.token(client, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    /// Asks who it is.
    pub(crate) async fn user(&self, access_token: &str) -> Reply {
        Reply::of(self.http.get(self.at("/userinfo")).bearer_auth(access_token)).await
    }

    /// The discovery document, the keys: anything that needs nobody.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        Reply::of(self.http.get(self.at(path))).await
    }

    /// A client for requests of all kinds: it keeps nothing and follows nothing.
    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.http
    }
}

/// What a client asks for.
pub(crate) fn authorize_fields<'a>(
    client: &'a TestClient,
    parameters: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let usual = [
        ("client_id", client.id.as_str()),
        ("redirect_uri", client.redirect_uri.as_str()),
        ("response_type", "code"),
        ("scope", "openid"),
        ("state", "the state"),
    ];
    let kept = usual.into_iter().filter(|(name, _)| !parameters.iter().any(|(given, _)| given == name));
    kept.chain(parameters.iter().copied().filter(|(_, value)| !value.is_empty())).collect()
}

/// A parameter of the address at which a browser is; empty if it has none.
pub(crate) fn query(at: &Answer, name: &str) -> String {
    at.url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// Somebody who visits the website.
pub(crate) struct Visitor {
    pub(crate) browser: Browser,
    /// Their name at Bitbucket.
    pub(crate) name: &'static str,
}

impl Visitor {
    /// Opens an address that asks who they are, and says it: the page after all of that.
    pub(crate) async fn sign_in(&self, address: &str) -> Answer {
        let form = self.browser.open(address).await;
        self.sign_in_at(&form).await
    }

    /// Presses the button of the login form, and those of Bitbucket.
    pub(crate) async fn sign_in_at(&self, form: &Answer) -> Answer {
        let mut page = self.browser.press(form, BUTTON).await;
        let name = format!("Log in as {}", self.name);
        if Form::with_button(&page.body, &name).is_some() {
            page = self.browser.press(&page, &name).await;
        }
        self.browser.press(&page, "Grant access").await
    }
}
