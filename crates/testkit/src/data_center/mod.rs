//! A stateful fake Bitbucket Data Center.
//!
//! One listener, everything below one base URL with its context path. What enters are requests and the calls of a test;
//! what leaves are answers.

mod api;
mod applink;
mod bucket;
mod caller;
mod consent;
mod delivery;
mod error;
mod front;
mod identity;
mod link;
mod listing;
mod oauth1;
mod oauth2;
mod options;
mod permission;
mod project;
mod reference;
mod repository;
mod scm;
mod scope;
mod session;
mod site;
mod source;
mod state;
mod token;
mod trouble;
mod truth;
mod user;
mod version;
mod webhook;

pub use link::{Consumer, Link};
pub use oauth1::SignedTokens;
pub use options::DataCenterOptions;
pub use project::Project;
pub use repository::Repository;
pub use state::{RateLimit, TwoFactor};
pub use user::User;
pub use version::Version;

use crate::{
    Delivery, Level, RecordedRequest,
    common::{browser::Browser, chance},
    listener::Listener,
    samples,
};
use axum::{
    Router, middleware,
    routing::{any, get, post},
};
use state::Fake;
use std::{collections::BTreeMap, sync::Arc};

/// A Bitbucket Data Center that runs on loopback until it is dropped. Everything that it knows, it was told by these
/// functions or over HTTP.
pub struct FakeDataCenter {
    fake: Arc<Fake>,
    _listener: Listener,
}

impl FakeDataCenter {
    /// Starts an empty one of this version, at the root of a free port.
    pub async fn start(version: Version) -> Self {
        Self::start_with(DataCenterOptions::new(version)).await
    }

    /// Starts an empty one.
    ///
    /// # Panics
    /// If the address is taken.
    pub async fn start_with(options: DataCenterOptions) -> Self {
        let started = tokio::task::spawn_blocking(move || Self::start_blocking(&options));
        started.await.expect("the fake starts")
    }

    /// As `start_with`, for callers without a runtime.
    ///
    /// # Panics
    /// If the address is taken.
    pub fn start_blocking(options: &DataCenterOptions) -> Self {
        let mut made = None;
        let listener = Listener::start(options.address, |address, runtime| {
            let fake = Arc::new(Fake::new(options, format!("http://{address}"), runtime));
            made = Some(Arc::clone(&fake));
            router(fake)
        });
        Self { fake: made.expect("the router was made"), _listener: listener }
    }

    /// The base URL with its context path, without a slash at the end.
    pub fn base_url(&self) -> String {
        self.fake.base()
    }

    /// Becomes another version, as after an upgrade: people, links and tokens stay.
    pub fn set_version(&self, version: Version) -> &Self {
        self.fake.state().version = version;
        self
    }

    /// The person with this user name; a new one has no rights.
    pub fn user(&self, name: &str) -> User {
        User::named(&self.fake, name)
    }

    /// Makes a group of these people, or changes it. New people are made.
    pub fn group(&self, name: &str, members: &[&str]) -> &Self {
        let members = members.iter().map(|name| self.user(name).id()).collect();
        self.fake.state().groups.insert(name.to_owned(), members);
        self
    }

    /// The project with this key; `~ada` is the personal one of ada. Nobody but admins may do something with a new one.
    pub fn project(&self, key: &str) -> Project {
        Project::named(&self.fake, key)
    }

    /// Makes an incoming OAuth 2 link with these permissions (`REPO_READ`, ...); several redirect URLs are separated by
    /// commas.
    pub fn link(&self, redirect_url: &str, permissions: &[&str]) -> Link {
        Link::create(&self.fake, redirect_url, permissions)
    }

    /// Makes a link of OAuth 1 whose incoming authentication has this consumer key and public key (PEM).
    ///
    /// # Panics
    /// If the key is none that Bitbucket takes.
    pub fn consumer(&self, key: &str, public_key: &str) -> Consumer {
        Consumer::create(&self.fake, key, public_key)
    }

    /// Goes to the consent page at `url`, of either OAuth, as this person and presses "Allow". Gives where Bitbucket
    /// sends the browser then: the callback with `code` and `state`, or with `oauth_token` and `oauth_verifier`.
    ///
    /// # Panics
    /// If `url` leads to no consent page; the message has the page that there is.
    pub async fn grant_access(&self, url: &str, name: &str) -> String {
        self.press("allow", url, name).await
    }

    /// Goes to the consent page at `url` as this person and presses "Deny".
    ///
    /// # Panics
    /// If `url` leads to no consent page.
    pub async fn deny_access(&self, url: &str, name: &str) -> String {
        self.press("deny", url, name).await
    }

    async fn press(&self, decision: &str, url: &str, name: &str) -> String {
        let session = chance(16);
        let user = self.user(name).id();
        self.fake.state().sessions.insert(session.clone(), user);
        let browser = Browser::new(session::COOKIE, &session);
        let origin = self.base_url().trim_end_matches(self.fake.context()).to_owned();
        let mut page = url.to_owned();
        while let Some(next) = browser.open(&page).await {
            if !next.starts_with('/') {
                return next;
            }
            page = format!("{origin}{next}");
        }
        browser.decide(&page, decision).await
    }

    /// What was asked so far, oldest first; of very many requests, the latest.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.fake.state().record.requests()
    }

    /// How many requests were like this, of all that there were; the path has the context path, too.
    pub fn calls(&self, pattern: &str) -> u64 {
        self.fake.state().record.calls(pattern)
    }

    /// How many requests of each kind there were: `GET /rest/api/latest/projects/{key}` and so on.
    pub fn calls_by_route(&self) -> BTreeMap<String, u64> {
        self.fake.state().record.routes()
    }

    /// Forgets what was asked so far.
    pub fn forget_requests(&self) -> &Self {
        self.fake.state().record.forget();
        self
    }

    /// Every try to deliver a webhook, oldest first, once none is on its way any more.
    pub async fn deliveries(&self) -> Vec<Delivery> {
        self.fake.courier.finish().await;
        self.fake.state().deliveries.clone()
    }

    /// Sends `diagnostics:ping` to every active webhook.
    pub fn ping_webhooks(&self) -> &Self {
        delivery::ping(&self.fake);
        self
    }

    /// Something to click through: the admin root, the project PHP with the sample repositories, whose admin is ada and
    /// whose readers are the group php with grace; linus may read one repository.
    pub fn seed_demo(&self) -> &Self {
        self.user("root").system_admin();
        self.group("php", &["grace"]);
        let php = self.project("PHP");
        php.grant("ada", Level::Admin).grant_group("php", Level::Read);
        for (slug, make) in samples::ALL {
            make(php.repository(slug).git());
        }
        php.repository("mailer").grant("linus", Level::Read);
        self
    }
}

fn router(fake: Arc<Fake>) -> Router {
    let inside = Router::new()
        .route("/", get(site::home))
        .route("/login", get(session::show).post(session::create))
        .merge(rest())
        .merge(applink::router())
        .merge(servlets())
        .route("/scm/{key}/{slug}/{*path}", any(scm::serve))
        .fallback(site::nothing);
    let router = match fake.context() {
        "" => inside,
        context => Router::new().nest(context, inside).fallback(site::nothing),
    };
    router.layer(middleware::from_fn_with_state(Arc::clone(&fake), front::receive)).with_state(fake)
}

/// The newest version of everything is also at `latest`.
fn rest() -> Router<Arc<Fake>> {
    let oauth2 = || {
        Router::new()
            .route("/authorize", get(oauth2::authorize))
            .route("/token", post(oauth2::token))
            .route("/client", get(oauth2::clients))
    };
    let login_options = || Router::new().route("/login-options", get(identity::login_options));
    Router::new()
        .nest("/rest/api/1.0", api::router())
        .nest("/rest/api/latest", api::router())
        .nest("/rest/oauth2/1.0", oauth2())
        .nest("/rest/oauth2/latest", oauth2())
        .nest("/rest/authconfig/1.0", login_options())
        .nest("/rest/authconfig/latest", login_options())
        .route("/rest/{*path}", any(api::no_resource))
}

fn servlets() -> Router<Arc<Fake>> {
    let below = Router::new()
        .route("/applinks/whoami", get(identity::whoami))
        .route("/oauth2/consent", get(oauth2::ask).post(oauth2::decide))
        .route("/oauth/request-token", post(oauth1::request_token))
        .route("/oauth/authorize", get(oauth1::authorize).post(oauth1::decide))
        .route("/oauth/access-token", post(oauth1::access_token))
        .route("/tfa/verify", get(site::second_factor))
        .route("/tfa/configuration", get(site::plugin).post(site::plugin_change));
    Router::new().nest("/plugins/servlet", below)
}
