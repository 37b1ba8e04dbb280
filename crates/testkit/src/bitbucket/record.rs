//! What was asked.

use axum::http::HeaderMap;
use std::collections::BTreeMap;

/// Requests that are remembered; a demo that runs for days forgets the oldest ones.
pub(crate) const REMEMBERED: usize = 10_000;

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

pub(crate) fn headers(headers: &HeaderMap) -> BTreeMap<String, String> {
    headers
        .keys()
        .filter_map(|name| Some((name.as_str().to_owned(), headers.get(name)?.to_str().ok()?.to_owned())))
        .collect()
}
