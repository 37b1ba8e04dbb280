//! An application that says what it was asked: the one behind a proxy, or the one to which visitors return with a code.

use axum::{
    Json, Router,
    extract::Request,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use tokio::{net::TcpListener, task::JoinHandle};

/// Listens on loopback until it is dropped.
pub(crate) struct Echo {
    /// `http://127.0.0.1:41234`
    pub(crate) url: String,
    serving: JoinHandle<()>,
}

/// A request, as it arrived.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Heard {
    /// So that people see where they are.
    pub(crate) welcome: String,
    pub(crate) method: String,
    /// With its query.
    pub(crate) path: String,
    /// In the order in which they came, names in small letters.
    pub(crate) headers: Vec<(String, String)>,
}

/// What the application greets everybody with.
pub(crate) const WELCOME: &str = "Welcome to the application";

impl Heard {
    /// Every value of a header.
    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
    }
}

impl Echo {
    pub(crate) async fn start() -> Self {
        Self::serve(Router::new().fallback(echo)).await
    }

    /// An application of one's own; what it does not know is said back.
    pub(crate) async fn with(routes: Router) -> Self {
        Self::serve(routes.fallback(echo)).await
    }

    async fn serve(router: Router) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self { url, serving }
    }

    /// The address of a path.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn echo(request: Request) -> Response {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let headers = request.headers().iter();
    let heard = Heard {
        welcome: WELCOME.to_owned(),
        method: request.method().to_string(),
        path: request.uri().to_string(),
        headers: headers.map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect(),
    };
    Json(heard).into_response()
}
