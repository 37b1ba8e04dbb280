//! Bitbucket's REST API: a key, one host, and errors in the words of this room.

use super::wire::ErrorAnswer;
use crate::{
    Asker, HttpClient, Key, Saw, UpstreamError,
    answer::{Answer, authority, below, below_segments},
    asker::{Call, Found, Sender, declined, persist},
    http::Authorization,
    oauth2::scopes_in,
};
use async_trait::async_trait;
use reqwest::StatusCode;
use stave_domain::integration::{ApiTimeout, Permission, Platform};
use std::collections::BTreeSet;
use url::Url;

/// Where Bitbucket explains what it removes.
const CHANGELOG: &str = "https://developer.atlassian.com/cloud/bitbucket/changelog";

/// The API, asked by somebody.
pub(super) struct Api<'a> {
    pub(super) http: &'a HttpClient,
    /// No trailing slash.
    pub(super) root: &'a Url,
    pub(super) asker: &'a dyn Asker,
    pub(super) timeout: ApiTimeout,
}

#[async_trait]
impl Sender for Api<'_> {
    async fn send_once(&self, call: &Call, key: &Key) -> Result<Answer, UpstreamError> {
        let answer = self.http.call(call, Authorization::of(key), self.timeout).await?;
        if answer.status.is_success() {
            return Ok(answer);
        }
        match failure(&answer, key) {
            UpstreamError::NotFound { .. } if call.takes_absence && sentence_in(&answer).is_some() => {
                Ok(answer)
            }
            UpstreamError::Unexpected { status: 400, host } if call.body.is_some() => {
                Err(declined(host, sentence_in(&answer)))
            }
            failure => Err(failure),
        }
    }
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

    /// Who is asked.
    pub(super) fn host(&self) -> String {
        authority(self.root)
    }

    /// One resource; every status but a success is an error.
    pub(super) async fn get(&self, url: &Url) -> Result<Answer, UpstreamError> {
        self.send(&Call::get(url)).await
    }

    /// Something that may not be there. Only Bitbucket's own words make it absent, not those of what stands in front of it.
    pub(super) async fn find(&self, url: &Url) -> Result<Found, UpstreamError> {
        let answer = self.send(&Call::find(url)).await?;
        let absence = sentence_in(&answer).filter(|_| !answer.status.is_success());
        Ok(absence.map_or(Found::There(answer), Found::Absent))
    }

    /// Sends a request; every status but a success is an error.
    pub(super) async fn send(&self, call: &Call) -> Result<Answer, UpstreamError> {
        persist(self, self.asker, call).await
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

/// Bitbucket's own sentence about what went wrong.
fn sentence_in(answer: &Answer) -> Option<String> {
    answer.json::<ErrorAnswer>().ok()?.error.message
}

fn failure(answer: &Answer, key: &Key) -> UpstreamError {
    let body = answer.json::<ErrorAnswer>().ok();
    if let Some(announcement) = announcement(answer, body.as_ref()) {
        return answer.gone(Some(announcement));
    }
    match (answer.status, body) {
        (StatusCode::FORBIDDEN, Some(body)) => refusal(answer, &body, key),
        _ => answer.failure(),
    }
}

/// Where Bitbucket explains that this was removed: an address, or the number of an entry of its changelog, whatever the status.
fn announcement(answer: &Answer, body: Option<&ErrorAnswer>) -> Option<String> {
    if let Some(address) = body.and_then(|body| body.error.announcement()) {
        return Some(address.to_owned());
    }
    let text = String::from_utf8_lossy(&answer.body);
    let (_, rest) = text.split_once("CHANGE-")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let entry = format!("CHANGE-{digits}");
    // Bitbucket repeats the names of what it does not find, and anything may be called so.
    let is_a_name = answer.url.path().to_lowercase().contains(&entry.to_lowercase());
    (digits.len() >= 3 && !is_a_name).then(|| format!("{CHANGELOG}#{entry}"))
}

/// Why whoever asks may not do this: a scope is missing, or a right.
fn refusal(answer: &Answer, body: &ErrorAnswer, key: &Key) -> UpstreamError {
    let host = answer.host();
    let granted: BTreeSet<String> =
        body.error.granted().map(str::to_owned).chain(granted_scopes(answer)).collect();
    if !matches!(key, Key::Grant(_)) {
        let needed: Vec<String> = body.error.required().map(str::to_owned).collect();
        let is_scope = !needed.is_empty();
        return if is_scope {
            UpstreamError::MissingScopes { host, needed, granted }
        } else {
            answer.failure()
        };
    }
    let needed: Vec<Permission> = body.error.required().filter_map(|scope| scope.parse().ok()).collect();
    if needed.is_empty() {
        return answer.failure();
    }
    let mut missing = Permission::missing_from(Platform::BitbucketCloud, &granted);
    for permission in &needed {
        if !missing.contains(permission) {
            missing.push(*permission);
        }
    }
    UpstreamError::MissingPermissions { host, platform: Platform::BitbucketCloud, needed, missing }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderMap;
    use stave_domain::{Secret, outbound::Outbound};

    fn refused(answer: &Answer) -> UpstreamError {
        failure(answer, &Key::Grant(Secret::new("t")))
    }

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
        let UpstreamError::MissingPermissions { needed, missing, .. } = refused(&answer(403, body, None))
        else {
            panic!()
        };
        assert_eq!(needed, [Permission::AccountRead]);
        assert_eq!(missing.len(), 4, "{missing:?}");
        let silent = r#"{"type":"error","error":{"message":"m","detail":{"required":["account"]}}}"#;
        let UpstreamError::MissingPermissions { missing, .. } = refused(&answer(403, silent, None)) else {
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
            (
                404,
                r#"{"type":"error","error":{"message":"CHANGE-3081 - Functionality has been deprecated"}}"#,
                "#CHANGE-3081",
            ),
            (401, "remote: CHANGE-3222: app passwords are gone", "#CHANGE-3222"),
            (404, r#"{"type":"error","error":{"message":"acme/CHANGE-12 is not a valid hook"}}"#, "NotFound"),
            (429, "", "RateLimited"),
            (555, "", "Unexpected"),
        ];
        for (status, body, name) in cases {
            let error = format!("{:?}", refused(&answer(status, body, None)));
            assert!(error.contains(name), "{status} {body}: {error}");
        }
    }

    #[test]
    fn a_repository_may_be_called_like_an_entry_of_the_changelog() {
        let mut answer = answer(404, "Repository acme/CHANGE-2770 not found", None);
        answer.url = Url::parse("https://api.bitbucket.org/2.0/repositories/acme/change-2770/hooks").unwrap();
        assert!(matches!(refused(&answer), UpstreamError::NotFound { .. }));
    }

    #[test]
    fn a_token_that_somebody_made_lacks_scopes_and_no_boxes() {
        let body = r#"{"type":"error","error":{"message":"m","detail":{"required":["read:user:bitbucket"],"granted":["read:repository:bitbucket"]}}}"#;
        let token = Key::Basic { username: "ada@example.com".to_owned(), password: Secret::new("t") };
        let error = failure(&answer(403, body, None), &token);
        let UpstreamError::MissingScopes { needed, granted, .. } = &error else { panic!("{error:?}") };
        assert_eq!(needed, &["read:user:bitbucket"]);
        assert_eq!(granted, &["read:repository:bitbucket".to_owned()].into());
        assert!(error.to_string().contains("lacks the scope read:user:bitbucket."), "{error}");
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
        let key = Key::Grant(Secret::new("t"));
        let root = Url::parse("https://api.bitbucket.org/2.0").unwrap();
        let api = Api { http: &http, root: &root, asker: &key, timeout: ApiTimeout::default() };
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
