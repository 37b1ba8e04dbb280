//! A stateful fake Bitbucket Cloud.
//!
//! One listener plays both hosts, by path: the site at `/`, the API at `/2.0`. What enters are requests and the calls of
//! a test; what leaves are answers and deliveries of webhooks.

mod api;
mod caller;
mod collection;
pub(crate) mod consumer;
mod delivery;
mod error;
mod fields;
mod filter;
mod front;
mod limit;
mod lists;
mod oauth;
pub(crate) mod permission;
pub(crate) mod project;
mod reference;
pub(crate) mod repository;
mod scope;
mod session;
mod site;
mod source;
mod state;
mod token;
mod trouble;
mod truth;
pub(crate) mod user;
mod webhook;
pub(crate) mod workspace;

use crate::{
    Consumer, Delivery, Level, RecordedRequest, User, Workspace,
    common::{browser::Browser, chance},
    listener::Listener,
    samples,
};
use axum::{
    Router, middleware,
    routing::{get, post},
};
use state::Fake;
use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

/// A Bitbucket Cloud that runs on loopback until it is dropped. Everything that it knows, it was told by these functions
/// or over HTTP.
pub struct FakeBitbucket {
    fake: Arc<Fake>,
    _listener: Listener,
}

impl FakeBitbucket {
    /// Starts an empty one on a free port.
    pub async fn start() -> Self {
        Self::start_on(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// Starts an empty one on this address.
    ///
    /// # Panics
    /// If the address is taken.
    pub async fn start_on(address: SocketAddr) -> Self {
        let started = tokio::task::spawn_blocking(move || Self::start_blocking(address));
        started.await.expect("the fake starts")
    }

    /// As `start_on`, for callers without a runtime.
    ///
    /// # Panics
    /// If the address is taken.
    pub fn start_blocking(address: SocketAddr) -> Self {
        let mut made = None;
        let listener = Listener::start(address, |address, runtime| {
            let fake = Arc::new(Fake::new(format!("http://{address}"), runtime));
            made = Some(Arc::clone(&fake));
            router(fake)
        });
        Self { fake: made.expect("the router was made"), _listener: listener }
    }

    /// The base URL of the site, without a slash at the end; the API is at `/2.0` below it.
    pub fn base_url(&self) -> String {
        self.fake.base.clone()
    }

    /// The workspace with this slug; a new one has no members.
    pub fn workspace(&self, slug: &str) -> Workspace {
        Workspace::named(&self.fake, slug)
    }

    /// The person with this nickname; a new one is in no workspace.
    pub fn user(&self, nickname: &str) -> User {
        User::named(&self.fake, nickname)
    }

    /// Makes an OAuth consumer in a workspace; without a callback, give an empty text.
    pub fn consumer(&self, workspace: &str, callback: &str, scopes: &[&str]) -> Consumer {
        Consumer::create(&self.fake, self.workspace(workspace).uuid(), callback, scopes)
    }

    /// Goes through the consent page at `url` as this person and presses "Grant access". Gives where Bitbucket sends the
    /// browser then: the callback with `code` and `state`.
    ///
    /// # Panics
    /// If there is no consent page at `url`; the message has the page that there is.
    pub async fn grant_access(&self, url: &str, nickname: &str) -> String {
        self.press("grant", url, nickname).await
    }

    /// Goes through the consent page at `url` as this person and presses "Cancel".
    ///
    /// # Panics
    /// If there is no consent page at `url`.
    pub async fn deny_access(&self, url: &str, nickname: &str) -> String {
        self.press("cancel", url, nickname).await
    }

    async fn press(&self, decision: &str, url: &str, nickname: &str) -> String {
        let session = chance(16);
        let user = self.user(nickname).uuid().to_owned();
        self.fake.state().sessions.insert(session.clone(), user);
        Browser::new(session::COOKIE, &session).decide(url, decision).await
    }

    /// What was asked so far, oldest first; of very many requests, the latest.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.fake.state().record.requests()
    }

    /// How many requests were like this, of all that there were: `/2.0/user*`, `POST /2.0/*/hooks`; `*` stands for any text.
    pub fn calls(&self, pattern: &str) -> u64 {
        self.fake.state().record.calls(pattern)
    }

    /// How many requests of each kind there were: `GET /2.0/repositories/{workspace}` and so on; git is without a path.
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

    /// A workspace to click through: `acme` with its owner ada, its member grace and the sample repositories; linus is
    /// no member and may read one of them.
    pub fn seed_demo(&self) -> &Self {
        let acme = self.workspace("acme");
        acme.owner("ada").member("grace");
        for (name, make) in samples::ALL {
            acme.repository(name).push_as("ada", make);
        }
        acme.repository("mailer").grant("linus", Level::Read);
        self
    }
}

fn router(fake: Arc<Fake>) -> Router {
    let consumers = Router::new()
        .route("/", get(consumer::list).post(consumer::create))
        .route("/new", get(consumer::new))
        .route("/{key}", get(consumer::show).post(consumer::update))
        .route("/{key}/edit", get(consumer::edit));
    Router::new()
        .nest("/2.0", api::router())
        .nest("/{workspace}/workspace/settings/oauth-consumers", consumers)
        .route("/site/oauth2/authorize", get(oauth::authorize).post(oauth::decide))
        .route("/site/oauth2/access_token", post(oauth::token))
        .route("/account/signin", get(session::show).post(session::create))
        .fallback(site::serve)
        .layer(middleware::from_fn_with_state(Arc::clone(&fake), front::receive))
        .with_state(fake)
}
