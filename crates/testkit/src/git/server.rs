//! A folder of bare repositories over smart HTTP.

use super::{BareRepository, answer};
use crate::listener::Listener;
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, Response, StatusCode, header},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex},
};
use tempfile::TempDir;

/// A server of git repositories on loopback, for tests that need nothing else of a platform.
pub struct GitServer {
    folder: TempDir,
    /// User and password that every request must carry.
    login: Arc<Mutex<Option<(String, String)>>>,
    listener: Listener,
}

#[derive(Clone)]
struct Served {
    root: PathBuf,
    login: Arc<Mutex<Option<(String, String)>>>,
}

impl GitServer {
    /// Starts without a repository, open to everybody.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let login = Arc::new(Mutex::new(None));
        let served = Served { root: folder.path().to_owned(), login: Arc::clone(&login) };
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = Listener::start(loopback, |_, _| Router::new().fallback(serve).with_state(served));
        Self { folder, login, listener }
    }

    /// Makes an empty repository: `name` is a path without `.git`, such as `acme/mailer`.
    pub fn repository(&self, name: &str) -> BareRepository {
        BareRepository::create(self.folder.path().join(format!("{name}.git")))
    }

    /// Where a repository is cloned from.
    pub fn url(&self, name: &str) -> String {
        format!("http://{}/{name}.git", self.listener.address())
    }

    /// From now on every request needs this user and password (RFC 7617).
    pub fn require_login(&self, user: &str, password: &str) {
        *self.login.lock().expect("the server is sound") = Some((user.to_owned(), password.to_owned()));
    }
}

async fn serve(State(served): State<Served>, request: Request) -> Response<Body> {
    let login = served.login.lock().expect("the server is sound").clone();
    if let Some((user, password)) = login
        && basic_login(request.headers()) != Some((user, password))
    {
        return refusal(StatusCode::UNAUTHORIZED, "Log in with user and password.");
    }
    let path = request.uri().path().trim_start_matches('/').to_owned();
    let Some((name, rest)) = path.split_once(".git/") else {
        return refusal(StatusCode::NOT_FOUND, "Not found.");
    };
    let repository = served.root.join(format!("{name}.git"));
    if name.contains("..") || !repository.is_dir() {
        return refusal(StatusCode::NOT_FOUND, "Repository not found.");
    }
    answer(&repository, rest, Some("git"), request).await
}

/// User and password of a request with HTTP Basic.
pub(crate) fn basic_login(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, encoded) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let decoded =
        scheme.eq_ignore_ascii_case("basic").then(|| BASE64_STANDARD.decode(encoded.trim()).ok())??;
    let (user, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// A plain answer of a git server that does not serve; a 401 asks for HTTP Basic.
pub(crate) fn refusal(status: StatusCode, sentence: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(format!("{sentence}\n")));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/plain; charset=utf-8"));
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Basic realm=\"git\""));
    }
    response
}
