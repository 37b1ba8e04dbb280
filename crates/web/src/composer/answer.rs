//! How bytes are sent to Composer: compressed if it takes that, not at all if it has them.

use crate::error::ApiError;
use axum::{
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{
            ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, IF_MODIFIED_SINCE, LAST_MODIFIED,
            VARY,
        },
    },
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use jiff::fmt::rfc2822::DateTimePrinter;
use stave_app::Failure;
use stave_domain::Timestamp;
use std::io::{self, Read, Write};

/// Smaller ones are not worth compressing.
const COMPRESS_FROM_BYTES: usize = 1024;

/// What every JSON answer carries. Nobody but this client may keep it, and it has to ask each time.
const COMMON: [(HeaderName, HeaderValue); 3] = [
    (CONTENT_TYPE, HeaderValue::from_static("application/json")),
    (CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
    (VARY, HeaderValue::from_static("Authorization, Accept-Encoding")),
];

/// By what a client recognises that it has the newest bytes: Composer keeps the text of Last-Modified and nothing else.
pub(super) struct Validators {
    last_modified: Option<HeaderValue>,
}

impl Validators {
    pub(super) fn of(modified_at: Timestamp) -> Self {
        Self { last_modified: http_date(&modified_at) }
    }

    /// Equality, not "not older": a repository that was restored from a backup must not look unchanged.
    fn is_current(&self, asked: &HeaderMap) -> bool {
        self.last_modified.is_some() && asked.get(IF_MODIFIED_SINCE) == self.last_modified.as_ref()
    }
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7).
fn http_date(at: &Timestamp) -> Option<HeaderValue> {
    DateTimePrinter::new().timestamp_to_rfc9110_string(at).ok()?.parse().ok()
}

/// A published document, which lies compressed; `304` without a body if the client has it.
pub(super) fn document(asked: &HeaderMap, body_gzip: Bytes, validators: &Validators) -> Response {
    let date = validators.last_modified.clone().map(|value| [(LAST_MODIFIED, value)]);
    if validators.is_current(asked) {
        let [_, cache, vary] = COMMON;
        return (StatusCode::NOT_MODIFIED, [cache, vary], date, ()).into_response();
    }
    if takes_gzip(asked) {
        return (COMMON, date, [(CONTENT_ENCODING, "gzip")], body_gzip).into_response();
    }
    match decompressed(&body_gzip) {
        Ok(body) => (COMMON, date, body).into_response(),
        Err(error) => ApiError::from(Failure::internal(error)).into_response(),
    }
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

fn decompressed(body_gzip: &[u8]) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    GzDecoder::new(body_gzip).read_to_end(&mut body)?;
    Ok(body)
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
    fn dates_as_http_writes_them() {
        let at: Timestamp = "1994-11-06T08:49:37Z".parse().unwrap();
        assert_eq!(http_date(&at).unwrap(), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn who_has_the_bytes_is_not_sent_them() {
        let validators = Validators::of("1994-11-06T08:49:37Z".parse().unwrap());
        let body = compressed(b"{}").unwrap();
        let known = asked(IF_MODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:37 GMT");
        let answer = document(&known, body.clone().into(), &validators);
        assert_eq!(answer.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(answer.headers()[LAST_MODIFIED], "Sun, 06 Nov 1994 08:49:37 GMT");
        assert!(!answer.headers().contains_key(CONTENT_TYPE));
        let newer = asked(IF_MODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:38 GMT");
        assert_eq!(document(&newer, body.into(), &validators).status(), StatusCode::OK);
    }

    #[test]
    fn bytes_are_the_same_either_way() {
        let body = b"{\"packages\":{}}".repeat(100);
        let gzip = fresh(&asked(ACCEPT_ENCODING, "gzip"), body.clone());
        assert_eq!(gzip.headers()[CONTENT_ENCODING], "gzip");
        assert_eq!(decompressed(&compressed(&body).unwrap()).unwrap(), body);
        assert!(!fresh(&HeaderMap::new(), body).headers().contains_key(CONTENT_ENCODING));
    }
}
