//! `api/security-advisories/`: what `composer audit` asks.

use super::{ReadBy, answer};
use crate::error::ApiError;
use axum::{
    body::Bytes,
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde_json::{Map, Value, json};
use stave_app::{App, Reader};
use stave_domain::{Timestamp, advisory::StoredAdvisory};
use url::form_urlencoded::parse;

/// What is asked for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asked {
    names: Vec<String>,
    /// Only what came or changed since.
    since: Option<Timestamp>,
}

/// `GET /repo/{organization}/api/security-advisories/?packages[]=&updatedSince=`
pub(super) async fn show(
    State(app): State<App>,
    ReadBy(reader): ReadBy,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    tell(&app, &reader, &asked(query.unwrap_or_default().as_bytes()), &headers).await
}

/// `POST /repo/{organization}/api/security-advisories/`, with the form that Composer sends: `packages[0]=acme/lib&..`.
pub(super) async fn audit(
    State(app): State<App>,
    ReadBy(reader): ReadBy,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    tell(&app, &reader, &asked(&body), &headers).await
}

async fn tell(app: &App, reader: &Reader, asked: &Asked, headers: &HeaderMap) -> Result<Response, ApiError> {
    if asked.names.is_empty() && asked.since.is_none() {
        let sentence = "Name packages, such as packages[]=acme/lib, or a time in seconds since 1970, such as updatedSince=1767225600.";
        return Err(ApiError::new(StatusCode::BAD_REQUEST, sentence));
    }
    let told = app.composer_advisories(reader, &asked.names, asked.since).await?;
    let whole = |list: Vec<StoredAdvisory>| list.iter().map(StoredAdvisory::full).collect::<Value>();
    let told: Map<String, Value> =
        told.into_iter().map(|(name, list)| (name.to_string(), whole(list))).collect();
    Ok(answer::fresh(headers, json!({ "advisories": told }).to_string().into_bytes()))
}

fn asked(form: &[u8]) -> Asked {
    let mut asked = Asked::default();
    for (key, value) in parse(form) {
        if key == "packages" || key.starts_with("packages[") {
            asked.names.push(package_name(&value).to_owned());
        } else if key == "updatedSince" {
            asked.since = value.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
        }
    }
    asked
}

/// The name in a package URL, such as `pkg:composer/acme/lib@1.0`; anything else is a name already.
pub(super) fn package_name(text: &str) -> &str {
    let url = text.strip_prefix("pkg:").map(|rest| rest.trim_start_matches('/'));
    let Some(rest) = url.and_then(|url| url.strip_prefix("composer/")) else { return text };
    rest.split(['@', '?', '#']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_of_all_clients() {
        let form = "packages%5B0%5D=acme%2Flib&packages[1]=other/lib&packages[]=pkg:composer/a/b@1.0&x=y&updatedSince=1767225600";
        let asked = asked(form.as_bytes());
        assert_eq!(asked.names, ["acme/lib", "other/lib", "a/b"]);
        assert_eq!(asked.since, Timestamp::from_second(1_767_225_600).ok());
        assert_eq!(super::asked(b"updatedSince=soon"), Asked::default());
        for (text, name) in [("pkg://composer/a/b", "a/b"), ("pkg:npm/a/b", "pkg:npm/a/b"), ("a/b", "a/b")] {
            assert_eq!(package_name(text), name);
        }
    }
}
