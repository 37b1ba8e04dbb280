//! How bytes are sent to Composer: compressed if it takes that, not at all if it has them.

use crate::error::ApiError;
use axum::{
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{
            ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_MODIFIED_SINCE,
            IF_NONE_MATCH, LAST_MODIFIED, VARY,
        },
    },
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use stave_app::{App, Text};
use std::io::{self, Write};

/// Smaller ones are not worth compressing.
const COMPRESS_FROM_BYTES: usize = 1024;

/// What every JSON answer carries. Nobody but this client may keep it, and it has to ask each time.
const COMMON: [(HeaderName, HeaderValue); 3] = [
    (CONTENT_TYPE, HeaderValue::from_static("application/json")),
    (CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
    (VARY, HeaderValue::from_static("Authorization, Accept-Encoding")),
];

/// By what a client recognises that it has the newest bytes. Composer keeps the text of Last-Modified and nothing else.
pub(super) struct Validators {
    etag: Option<HeaderValue>,
    last_modified: Option<HeaderValue>,
}

impl Validators {
    pub(super) fn new(etag: Bytes, last_modified: Option<Bytes>) -> Self {
        let value = |bytes| HeaderValue::from_maybe_shared(bytes).ok();
        Self { etag: value(etag), last_modified: last_modified.and_then(value) }
    }

    /// Whoever names an `ETag` is answered by that alone (RFC 9110, section 13.1.3). A date has to be the same, not "not older":
    /// a repository that was restored from a backup must not look unchanged.
    pub(super) fn are_current(&self, asked: &HeaderMap) -> bool {
        if !asked.contains_key(IF_NONE_MATCH) {
            return self.last_modified.is_some()
                && asked.get(IF_MODIFIED_SINCE) == self.last_modified.as_ref();
        }
        let Some(own) = self.etag.as_ref().and_then(|etag| etag.to_str().ok()) else { return false };
        let named = asked.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        // A weak comparison (RFC 9110, section 13.1.2).
        let opaque = |etag: &str| etag.trim().trim_start_matches("W/").to_owned();
        named.flat_map(|text| text.split(',')).any(|etag| etag.trim() == "*" || opaque(etag) == opaque(own))
    }

    /// Puts them into an answer.
    pub(super) fn put(self, headers: &mut HeaderMap) {
        headers.extend(self.etag.map(|etag| (ETAG, etag)));
        headers.extend(self.last_modified.map(|date| (LAST_MODIFIED, date)));
    }
}

/// A text, which lies compressed; `304` without a body if the client has it.
pub(super) fn text(app: &App, asked: &HeaderMap, text: &Text) -> Response {
    let validators = Validators::new(text.etag.clone(), text.last_modified.clone());
    let mut response = if validators.are_current(asked) {
        let [_, cache, vary] = COMMON;
        (StatusCode::NOT_MODIFIED, [cache, vary]).into_response()
    } else if takes_gzip(asked) {
        (COMMON, [(CONTENT_ENCODING, HeaderValue::from_static("gzip"))], text.body_gzip.clone())
            .into_response()
    } else {
        match app.text_plain(text) {
            Ok(body) => (COMMON, body).into_response(),
            Err(failure) => return ApiError::from(failure).into_response(),
        }
    };
    validators.put(response.headers_mut());
    response
}

/// An answer that was made for this request.
pub(super) fn fresh(asked: &HeaderMap, body: Vec<u8>) -> Response {
    if body.len() >= COMPRESS_FROM_BYTES
        && takes_gzip(asked)
        && let Ok(body_gzip) = compressed(&body)
    {
        return (COMMON, [(CONTENT_ENCODING, "gzip")], body_gzip).into_response();
    }
    (COMMON, body).into_response()
}

fn compressed(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body)?;
    encoder.finish()
}

/// Whether gzip is welcome (RFC 9110, section 12.5.3): named, or covered by `*`, and not with `q=0`.
fn takes_gzip(asked: &HeaderMap) -> bool {
    let texts = asked.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut by_star = false;
    for (coding, is_welcome) in texts.flat_map(|text| text.split(',')).map(coding) {
        match coding.as_str() {
            "gzip" | "x-gzip" => return is_welcome,
            "*" => by_star = is_welcome,
            _ => {}
        }
    }
    by_star
}

/// `gzip;q=0.5` is gzip, welcome.
fn coding(text: &str) -> (String, bool) {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default().to_ascii_lowercase();
    let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    (name, weight.is_none_or(|weight| weight.trim().parse::<f32>().is_ok_and(|weight| weight > 0.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn gzip_is_sent_to_whoever_takes_it() {
        let takes = [
            "gzip",
            "deflate, gzip, br, zstd",
            "GZIP;q=0.1",
            "*",
            "br;q=0, *;q=0.5",
            "x-gzip",
            "identity, gzip ; q=1",
        ];
        let refuses = ["", "identity", "br", "gzip;q=0", "gzip;q=0.000, *", "*;q=0", "gzip;q=x"];
        for text in takes {
            assert!(takes_gzip(&asked(ACCEPT_ENCODING, text)), "{text}");
        }
        for text in refuses {
            assert!(!takes_gzip(&asked(ACCEPT_ENCODING, text)), "{text}");
        }
        assert!(!takes_gzip(&HeaderMap::new()), "who says nothing gets it as it is");
    }

    #[test]
    fn who_has_the_bytes_is_recognised() {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        let validators = || Validators::new("W/\"0a1b\"".into(), Some(date.into()));
        for (name, value, has) in [
            (IF_MODIFIED_SINCE, date, true),
            (IF_MODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:38 GMT", false),
            (IF_NONE_MATCH, "W/\"0a1b\"", true),
            (IF_NONE_MATCH, "\"0a1b\"", true),
            (IF_NONE_MATCH, "\"other\", W/\"0a1b\"", true),
            (IF_NONE_MATCH, "*", true),
            (IF_NONE_MATCH, "\"other\"", false),
            (IF_NONE_MATCH, "", false),
        ] {
            assert_eq!(validators().are_current(&asked(name.clone(), value)), has, "{name}: {value}");
        }
        let mut both = asked(IF_MODIFIED_SINCE, date);
        both.insert(IF_NONE_MATCH, "\"other\"".parse().unwrap());
        assert!(!validators().are_current(&both), "an ETag says more than a date");
        assert!(!Validators::new("W/\"0a1b\"".into(), None).are_current(&HeaderMap::new()));
    }

    #[test]
    fn what_is_worth_it_is_compressed() {
        let body = b"{\"packages\":{}}".repeat(100);
        let gzip = asked(ACCEPT_ENCODING, "gzip");
        assert_eq!(fresh(&gzip, body.clone()).headers()[CONTENT_ENCODING], "gzip");
        assert!(!fresh(&HeaderMap::new(), body).headers().contains_key(CONTENT_ENCODING));
        assert!(!fresh(&gzip, b"{}".to_vec()).headers().contains_key(CONTENT_ENCODING));
    }
}
