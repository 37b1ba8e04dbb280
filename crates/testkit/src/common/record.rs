//! What was asked.

use super::pattern::Pattern;
use axum::{
    body::{Body, to_bytes},
    extract::{MatchedPath, Request},
    http::{HeaderMap, header},
};
use std::collections::{BTreeMap, HashMap};

/// Requests that are remembered; a demo that runs for days forgets the oldest ones.
const REMEMBERED: usize = 10_000;
/// A form that is larger is not written down.
const FORM_BYTES: usize = 1024 * 1024;

/// Everything that was asked: the latest requests, and how many there were of each kind.
#[derive(Default)]
pub(crate) struct Record {
    requests: Vec<RecordedRequest>,
    /// By method and path.
    paths: HashMap<(String, String), u64>,
    /// By method and route.
    routes: BTreeMap<String, u64>,
}

/// A request as it arrived, before anything was made of it.
#[derive(Debug, Clone)]
pub struct RecordedRequest {
    /// `GET`, `POST`, ...
    pub method: String,
    /// The path as sent, still percent-encoded.
    pub path: String,
    /// What stands behind the question mark, as sent; empty if there is none.
    pub query: String,
    /// The headers by their lower-case names; of a header that was sent twice, the first.
    pub headers: BTreeMap<String, String>,
    /// The fields of a form, as sent; empty if the body is no form.
    pub form: String,
}

impl RecordedRequest {
    /// The value of a header, by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// The request as it came, and the same request to go on with.
pub(crate) async fn write_down(request: Request) -> (RecordedRequest, Request) {
    let (parts, body) = request.into_parts();
    let kind =
        parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (form, body) = if kind.starts_with("application/x-www-form-urlencoded") {
        let bytes = to_bytes(body, FORM_BYTES).await.unwrap_or_default();
        (String::from_utf8_lossy(&bytes).into_owned(), Body::from(bytes))
    } else {
        (String::new(), body)
    };
    let recorded = RecordedRequest {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: headers(&parts.headers),
        form,
    };
    (recorded, Request::from_parts(parts, body))
}

impl Record {
    pub(crate) fn remember(&mut self, request: RecordedRequest, route: &str) {
        *self.paths.entry((request.method.clone(), request.path.clone())).or_default() += 1;
        *self.routes.entry(format!("{} {route}", request.method)).or_default() += 1;
        if self.requests.len() >= REMEMBERED {
            self.requests.drain(..REMEMBERED / 2);
        }
        self.requests.push(request);
    }

    /// The latest ones, oldest first.
    pub(crate) fn requests(&self) -> Vec<RecordedRequest> {
        self.requests.clone()
    }

    /// How many were like this, of all that there were.
    pub(crate) fn calls(&self, pattern: &str) -> u64 {
        let pattern = Pattern::new(pattern);
        let meant = self.paths.iter().filter(|((method, path), _)| pattern.means(method, path));
        meant.map(|(_, count)| count).sum()
    }

    pub(crate) fn routes(&self) -> BTreeMap<String, u64> {
        self.routes.clone()
    }

    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }
}

/// What the request is for, with names for what differs: `/2.0/repositories/{workspace}`. Empty where no route says it.
pub(crate) fn route(request: &Request) -> String {
    request.extensions().get::<MatchedPath>().map(|route| route.as_str().to_owned()).unwrap_or_default()
}

fn headers(headers: &HeaderMap) -> BTreeMap<String, String> {
    headers
        .keys()
        .filter_map(|name| Some((name.as_str().to_owned(), headers.get(name)?.to_str().ok()?.to_owned())))
        .collect()
}
