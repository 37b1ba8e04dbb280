//! Bitbucket's REST API: a token, one host, and errors in the words of this room.

use super::wire::ErrorAnswer;
use crate::{
    HttpClient, Saw, UpstreamError,
    answer::{Answer, authority, below, below_segments},
    http::Authorization,
    oauth2::scopes_in,
};
use reqwest::StatusCode;
use stave_domain::{
    Secret,
    integration::{ApiTimeout, Permission, Platform},
};
use std::collections::BTreeSet;
use url::Url;

/// The API, asked as one person.
pub(super) struct Api<'a> {
    pub(super) http: &'a HttpClient,
    /// No trailing slash.
    pub(super) root: &'a Url,
    pub(super) token: &'a Secret,
    pub(super) timeout: ApiTimeout,
}

impl Api<'_> {
    /// The address of a resource, such as `/user`.
    pub(super) fn at(&self, path: &str) -> Url {
        below(self.root, path)
    }

    /// The address of a resource with names in it, which may contain anything.
    pub(super) fn at_segments(&self, segments: &[&str]) -> Url {
        below_segments(self.root, segments)
    }

    /// One resource; every status but a success is an error.
    pub(super) async fn get(&self, url: &Url) -> Result<Answer, UpstreamError> {
        let answer = self.http.get(url, Authorization::Bearer(self.token), self.timeout).await?;
        if answer.status.is_success() { Ok(answer) } else { Err(failure(&answer)) }
    }

    /// The address of the next page. The token goes to the API's own host only (rule of 4 May 2026), so a link to another
    /// one is an error; `bitbucket.org/!api/` is an old name of the API.
    pub(super) fn next(&self, link: &str) -> Result<Url, UpstreamError> {
        let host = authority(self.root);
        let link = link.replacen("https://bitbucket.org/!api/2.0/", "https://api.bitbucket.org/2.0/", 1);
        match self.root.join(&link) {
            Ok(url) if url.origin() == self.root.origin() => Ok(url),
            Ok(url) => Err(UpstreamError::Redirected { host, to: url.origin().ascii_serialization() }),
            Err(error) => Err(UpstreamError::Unreadable {
                host,
                saw: Saw::Without("a usable link to the next page"),
                source: Some(error.into()),
            }),
        }
    }
}

/// The scopes of the token with which this was asked, if Bitbucket tells them.
pub(super) fn granted_scopes(answer: &Answer) -> BTreeSet<String> {
    answer.header("x-oauth-scopes").map(scopes_in).unwrap_or_default()
}

fn failure(answer: &Answer) -> UpstreamError {
    let host = answer.host();
    match (answer.status, answer.json::<ErrorAnswer>()) {
        (StatusCode::FORBIDDEN, Ok(body)) => {
            let needed: Vec<_> =
                body.error.required().filter_map(|scope| scope.parse::<Permission>().ok()).collect();
            if needed.is_empty() {
                return answer.failure();
            }
            let granted = body.error.granted().map(str::to_owned).chain(granted_scopes(answer)).collect();
            let mut missing = Permission::missing_from(Platform::BitbucketCloud, &granted);
            for permission in &needed {
                if !missing.contains(permission) {
                    missing.push(*permission);
                }
            }
            UpstreamError::MissingPermissions { host, platform: Platform::BitbucketCloud, needed, missing }
        }
        (StatusCode::GONE, Ok(body)) => {
            UpstreamError::Gone { host, announcement: body.error.announcement().map(str::to_owned) }
        }
        _ => answer.failure(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderMap;
    use stave_domain::outbound::Outbound;

    fn answer(status: u16, body: &str, scopes: Option<&str>) -> Answer {
        Answer {
            url: Url::parse("https://api.bitbucket.org/2.0/user").unwrap(),
            status: StatusCode::from_u16(status).unwrap(),
            headers: scopes
                .map(|s| ("x-oauth-scopes".parse().unwrap(), s.parse().unwrap()))
                .into_iter()
                .collect::<HeaderMap>(),
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn a_missing_scope_is_named_as_its_box() {
        let body = r#"{"type":"error","error":{"message":"m","detail":{"required":["account"],"granted":["team","email"]}}}"#;
        let UpstreamError::MissingPermissions { needed, missing, .. } = failure(&answer(403, body, None))
        else {
            panic!()
        };
        assert_eq!(needed, [Permission::AccountRead]);
        assert_eq!(missing.len(), 4, "{missing:?}");
        let silent = r#"{"type":"error","error":{"message":"m","detail":{"required":["account"]}}}"#;
        let UpstreamError::MissingPermissions { missing, .. } = failure(&answer(403, silent, None)) else {
            panic!()
        };
        assert_eq!(missing, [Permission::AccountRead], "what is not known to be missing is not named");
    }

    #[test]
    fn other_refusals() {
        let cases = [
            (403, r#"{"type":"error","error":{"message":"m","detail":"Not yours."}}"#, "Forbidden"),
            (
                403,
                r#"{"type":"error","error":{"message":"m","detail":{"required":["newscope"],"granted":[]}}}"#,
                "Forbidden",
            ),
            (403, "<html>", "Forbidden"),
            (401, r#"{"type":"error","error":{"message":"Access token expired."}}"#, "Unauthorized"),
            (404, "Not Found", "NotFound"),
            (
                410,
                r#"{"type":"error","error":{"message":"gone","data":{"announcement_url":"https://x.example/#C-1"}}}"#,
                "#C-1",
            ),
            (410, "", "announcement: None"),
            (429, "", "RateLimited"),
            (555, "", "Unexpected"),
        ];
        for (status, body, name) in cases {
            let error = format!("{:?}", failure(&answer(status, body, None)));
            assert!(error.contains(name), "{status} {body}: {error}");
        }
    }

    #[test]
    fn the_scopes_of_the_token_are_in_a_header() {
        let expected: BTreeSet<_> = ["account", "email", "webhook"].map(str::to_owned).into();
        for text in ["account email webhook", "webhook,email, account", " account  email,webhook "] {
            assert_eq!(granted_scopes(&answer(200, "{}", Some(text))), expected);
        }
        assert_eq!(granted_scopes(&answer(200, "{}", None)), BTreeSet::new());
    }

    #[test]
    fn the_token_goes_to_the_api_host_only() {
        let http = HttpClient::new(Outbound::default()).unwrap();
        let token = Secret::new("t");
        let root = Url::parse("https://api.bitbucket.org/2.0").unwrap();
        let api = Api { http: &http, root: &root, token: &token, timeout: ApiTimeout::default() };
        let cases = [
            (
                "https://api.bitbucket.org/2.0/user/emails?page=2",
                Some("https://api.bitbucket.org/2.0/user/emails?page=2"),
            ),
            (
                "https://bitbucket.org/!api/2.0/user/emails?page=2",
                Some("https://api.bitbucket.org/2.0/user/emails?page=2"),
            ),
            ("/2.0/user/emails?page=2", Some("https://api.bitbucket.org/2.0/user/emails?page=2")),
            ("https://bitbucket.org/2.0/user/emails?page=2", None),
            ("http://api.bitbucket.org/2.0/user/emails", None),
            ("https://api.bitbucket.org:444/2.0/user/emails", None),
            ("https://api.bitbucket.org@evil.example/", None),
            ("//evil.example/", None),
            ("https://", None),
        ];
        for (link, expected) in cases {
            assert_eq!(api.next(link).ok().as_ref().map(Url::as_str), expected, "{link}");
        }
    }
}
