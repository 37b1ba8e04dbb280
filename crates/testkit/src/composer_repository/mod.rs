//! A Composer repository of somebody else, as mirrors read it: packages with versions, metadata of Composer 2 or 1, archives.
//!
//! What enters are requests and the calls of a test; what leaves are answers, right or wrong as a test wants them.

mod api;
mod archive;
mod document;
mod files;
mod front;
mod package;
mod state;
mod trouble;

pub use package::FakePackage;

use crate::{RecordedRequest, listener::Listener};
use axum::{
    Router, middleware,
    routing::{get, post},
};
use serde_json::Value;
use state::{Fake, Login};
use std::{net::SocketAddr, sync::Arc};

/// A Composer repository that runs on loopback until it is dropped. It speaks Composer 2 and is open to everybody, until it is told
/// otherwise.
pub struct FakeComposerRepository {
    fake: Arc<Fake>,
    _listener: Listener,
}

/// How a repository that does not speak Composer 2 has its packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Composer1 {
    /// `providers-url`: lists of hashes, and a file for each package.
    Hashed,
    /// `providers-lazy-url`: a file for each package.
    Lazy,
    /// In a file that packages.json includes.
    Included,
    /// In packages.json itself.
    Inline,
}

impl FakeComposerRepository {
    /// Starts an empty one on a free port.
    pub async fn start() -> Self {
        Self::start_on(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// Starts an empty one on this address.
    pub async fn start_on(address: SocketAddr) -> Self {
        let started = tokio::task::spawn_blocking(move || Self::start_blocking(address));
        started.await.expect("the fake starts")
    }

    /// As `start_on`, for callers without a runtime.
    pub fn start_blocking(address: SocketAddr) -> Self {
        let mut made = None;
        let listener = Listener::start(address, |address, _| {
            let fake = Arc::new(Fake::new(format!("http://{address}")));
            made = Some(Arc::clone(&fake));
            router(fake)
        });
        Self { fake: made.expect("the router was made"), _listener: listener }
    }

    /// Where it is, without a slash at the end.
    pub fn url(&self) -> String {
        self.fake.base.clone()
    }

    /// The package of this name; a new one has no versions, and is not there yet.
    pub fn package(&self, name: &str) -> FakePackage {
        FakePackage::named(&self.fake, name)
    }

    /// Makes so many packages `vendor/p0001` ... with the versions 1.0.0 and 1.1.0, each of which requires the one before.
    pub fn seed(&self, vendor: &str, packages: usize) -> &Self {
        for number in 1..=packages {
            let require = match number {
                1 => serde_json::json!({}),
                _ => serde_json::json!({"require": {format!("{vendor}/p{:04}", number - 1): "^1.0"}}),
            };
            let package = self.package(&format!("{vendor}/p{number:04}"));
            package.version("1.0.0", &require).version("1.1.0", &require);
        }
        self
    }

    /// Takes a package away; its archives stay.
    pub fn remove_package(&self, name: &str) -> &Self {
        self.fake.state().remove(name);
        self
    }

    /// From now on it speaks Composer 1 alone.
    pub fn composer1(&self, how: Composer1) -> &Self {
        self.fake.state().composer1 = Some(how);
        self
    }

    /// These keys are in packages.json from now on, in place of its own; null takes one away.
    pub fn root_keys(&self, keys: &Value) -> &Self {
        let keys = keys.as_object().expect("packages.json is an object").clone();
        self.fake.state().root_keys.extend(keys);
        self
    }

    /// From now on packages.json tells which names there are.
    pub fn tell_names(&self) -> &Self {
        self.fake.state().tells_names = true;
        self
    }

    /// From now on no answer has a Last-Modified.
    pub fn without_last_modified(&self) -> &Self {
        self.fake.state().hides_times = true;
        self
    }

    /// From now on there is no feed of changes.
    pub fn without_feed(&self) -> &Self {
        self.root_keys(&serde_json::json!({"metadata-changes-url": null}))
    }

    /// Forgets what has changed so far: whoever asks from where it was has to look at everything.
    pub fn forget_changes(&self) -> &Self {
        self.fake.state().changes.clear();
        self
    }

    /// Archives are at another address from now on: that of another such repository, for example. Theirs are not there.
    pub fn dists_at(&self, base: &str) -> &Self {
        self.fake.state().dist_base = Some(base.to_owned());
        self
    }

    /// From now on every request needs this user and password (RFC 7617).
    pub fn require_basic(&self, user: &str, password: &str) -> &Self {
        self.require(Login::Basic(user.to_owned(), password.to_owned()))
    }

    /// From now on every request needs this bearer token (RFC 6750).
    pub fn require_bearer(&self, token: &str) -> &Self {
        self.require(Login::Header("authorization".to_owned(), format!("Bearer {token}")))
    }

    /// From now on every request needs this header.
    pub fn require_header(&self, name: &str, value: &str) -> &Self {
        self.require(Login::Header(name.to_lowercase(), value.to_owned()))
    }

    fn require(&self, login: Login) -> &Self {
        self.fake.state().login = Some(login);
        self
    }

    /// What was asked so far, oldest first; of very many requests, the latest.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.fake.state().record.requests()
    }

    /// How many requests were like this, of all that there were: `/p2/acme/*`, `POST /downloads/`; `*` stands for any text.
    pub fn calls(&self, pattern: &str) -> u64 {
        self.fake.state().record.calls(pattern)
    }

    /// Forgets what was asked so far.
    pub fn forget_requests(&self) -> &Self {
        self.fake.state().record.forget();
        self
    }

    /// The installs that clients told of: name and version of each, oldest first.
    pub fn notified(&self) -> Vec<(String, String)> {
        self.fake.state().notified.clone()
    }
}

fn router(fake: Arc<Fake>) -> Router {
    Router::new()
        .route("/packages.json", get(files::root))
        .route("/p2/{vendor}/{file}", get(files::metadata))
        .route("/p/{vendor}/{file}", get(files::hashed))
        .route("/p/{file}", get(files::list))
        .route("/p1/{vendor}/{file}", get(files::lazy))
        .route("/include/{file}", get(files::include))
        .route("/dists/{vendor}/{name}/{file}", get(files::dist))
        .route("/metadata/changes.json", get(api::changes))
        .route("/api/security-advisories/", post(api::advisories).get(api::advisories))
        .route("/api/filter", post(api::filter))
        .route("/filter/summary.json", get(api::filter_summary))
        .route("/downloads/", post(api::notify))
        .layer(middleware::from_fn_with_state(Arc::clone(&fake), front::receive))
        .with_state(fake)
}
