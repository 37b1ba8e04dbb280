//! What the token endpoint says: a grant, or why not (RFC 6749, section 5).

use super::{saying, scopes_in};
use crate::{Saw, SignInProblem, UpstreamError, answer::Answer};
use jiff::SignedDuration;
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use stave_domain::{Secret, Timestamp, identity::Grant, integration::Platform};
use url::Url;

/// Bitbucket's promise if the answer does not say how long the token lives. Seconds.
const DEFAULT_LIFE_SECONDS: i64 = 3600;
/// No token is believed to live longer than a year. Seconds.
const LONGEST_LIFE_SECONDS: i64 = 365 * 24 * 3600;

/// What the token endpoint answers, be it a grant or an error (RFC 6749, sections 5.1 and 5.2).
#[derive(Deserialize)]
struct TokenAnswer {
    access_token: Option<Secret>,
    refresh_token: Option<Secret>,
    /// Seconds; a number, or a text with digits.
    expires_in: Option<Value>,
    /// Bitbucket Cloud: since May 2026.
    scope: Option<String>,
    /// Bitbucket Cloud: until May 2026.
    scopes: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

/// What the token endpoint was asked for.
pub(crate) enum Asked<'a> {
    /// A grant for the code with which a person came back.
    Code { callback: &'a Url },
    /// A grant for an older one's refresh token.
    Refresh { old: &'a Grant },
    /// A grant for the client itself (RFC 6749, section 4.4).
    Itself,
}

/// The grant in an answer of the token endpoint.
pub(crate) fn grant_in(
    answer: &Answer,
    platform: Platform,
    asked: &Asked<'_>,
    now: Timestamp,
) -> Result<Grant, UpstreamError> {
    let refused = |problem| UpstreamError::SignIn { host: answer.host(), platform, problem };
    match answer.json::<TokenAnswer>() {
        Ok(said) if answer.status.is_success() && said.has_token() => Ok(grant(said, asked, now)),
        Ok(said) => Err(refusal(answer, &said, asked).map_or_else(|error| error, refused)),
        Err(unreadable) if answer.status.is_success() => Err(unreadable),
        Err(_) if answer.status == StatusCode::UNAUTHORIZED => Err(refused(SignInProblem::ClientRefused)),
        Err(unreadable) => Err(unreadable_refusal(answer, unreadable)),
    }
}

impl TokenAnswer {
    fn has_token(&self) -> bool {
        self.access_token.as_ref().is_some_and(|token| !token.is_empty())
    }
}

/// What a refresh does not mention is as it was (RFC 6749, sections 5.1 and 6).
fn grant(said: TokenAnswer, asked: &Asked<'_>, now: Timestamp) -> Grant {
    let old = match asked {
        Asked::Code { .. } | Asked::Itself => None,
        Asked::Refresh { old } => Some(*old),
    };
    let expires_at = expiry(said.expires_in.as_ref(), now);
    let scopes = said.scope.or(said.scopes).map(|text| scopes_in(&text)).filter(|scopes| !scopes.is_empty());
    let refresh_token = said.refresh_token.filter(|token| !token.is_empty());
    Grant {
        access_token: said.access_token.unwrap_or_default(),
        token_secret: None,
        refresh_token: refresh_token.or_else(|| old.and_then(|grant| grant.refresh_token.clone())),
        expires_at,
        scopes: scopes.or_else(|| old.map(|grant| grant.scopes.clone())).unwrap_or_default(),
    }
}

fn expiry(expires_in: Option<&Value>, now: Timestamp) -> Timestamp {
    let said = expires_in.and_then(|v| v.as_i64().or_else(|| v.as_str()?.parse().ok()));
    let life = SignedDuration::from_secs(said.unwrap_or(DEFAULT_LIFE_SECONDS).clamp(0, LONGEST_LIFE_SECONDS));
    now.checked_add(life).unwrap_or(Timestamp::MAX)
}

/// Bitbucket says `invalid_request` for nearly everything, so its description has to help; it may be translated, so
/// nothing rests on it alone.
fn refusal(answer: &Answer, said: &TokenAnswer, asked: &Asked<'_>) -> Result<SignInProblem, UpstreamError> {
    if is_out_of_order(answer.status) {
        return Err(answer.failure());
    }
    let host = answer.host();
    let error = said.error.as_deref().unwrap_or_default();
    let description = said.error_description.as_deref().unwrap_or_default().to_lowercase();
    Ok(match (error, asked) {
        ("invalid_client" | "unauthorized_client", _) => SignInProblem::ClientRefused,
        ("invalid_grant" | "invalid_request", Asked::Refresh { .. }) => {
            return Err(UpstreamError::Unauthorized { host });
        }
        ("invalid_grant" | "invalid_request", Asked::Code { callback })
            if description.contains("redirect_uri") =>
        {
            SignInProblem::CallbackMismatch { callback: callback.to_string() }
        }
        ("invalid_request", Asked::Code { callback }) if description.contains("callback") => {
            SignInProblem::CallbackMissing { callback: callback.to_string() }
        }
        ("invalid_grant", Asked::Code { .. }) => SignInProblem::CodeSpent,
        _ if answer.status == StatusCode::UNAUTHORIZED => SignInProblem::ClientRefused,
        ("", _) if answer.status.is_success() => {
            let saw = Saw::Without("an access token");
            return Err(UpstreamError::Unreadable { host, saw, source: None });
        }
        ("", _) => return Err(answer.failure()),
        _ => SignInProblem::Refused { said: saying(error, said.error_description.as_deref()) },
    })
}

/// A refusal that is not JSON: a status of the protocol says enough, any other may come from some other server.
fn unreadable_refusal(answer: &Answer, unreadable: UpstreamError) -> UpstreamError {
    if answer.status.is_client_error() && !is_out_of_order(answer.status) {
        unreadable
    } else {
        answer.failure()
    }
}

fn is_out_of_order(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderMap;

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            url: Url::parse("https://bitbucket.org/site/oauth2/access_token").unwrap(),
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: body.as_bytes().to_vec(),
        }
    }

    fn read(status: u16, body: &str, asked: &Asked<'_>) -> Result<Grant, UpstreamError> {
        grant_in(&answer(status, body), Platform::BitbucketCloud, asked, now())
    }

    fn now() -> Timestamp {
        "2026-10-01T10:00:00Z".parse().unwrap()
    }

    fn old() -> Grant {
        Grant {
            access_token: Secret::new("old access"),
            token_secret: None,
            refresh_token: Some(Secret::new("old refresh")),
            expires_at: now(),
            scopes: scopes_in("account email"),
        }
    }

    fn callback() -> Url {
        Url::parse("https://stave.example.com/oauth/callback/bitbucket").unwrap()
    }

    /// In Bitbucket's shape, before and after May 2026, and in every shape that the RFC allows.
    #[test]
    fn grants() {
        let both = ["account", "email"];
        let cases: [(&str, i64, &[&str]); 8] = [
            (r#"{"access_token":"a","expires_in":7200,"scope":"account email"}"#, 7200, &both),
            (
                r#"{"access_token":"a","expires_in":7200,"scopes":"account email","state":"authorization_code"}"#,
                7200,
                &both,
            ),
            (r#"{"access_token":"a","expires_in":"7200","scope":"account,email"}"#, 7200, &both),
            (r#"{"access_token":"a","scope":" email  account "}"#, 3600, &both),
            (r#"{"access_token":"a","expires_in":null,"scope":null,"scopes":"email"}"#, 3600, &["email"]),
            (r#"{"access_token":"a","expires_in":-5}"#, 0, &[]),
            (r#"{"access_token":"a","expires_in":9223372036854775807}"#, LONGEST_LIFE_SECONDS, &[]),
            (r#"{"access_token":"a","expires_in":"soon","scope":""}"#, 3600, &[]),
        ];
        for (body, seconds, scopes) in cases {
            let grant = read(200, body, &Asked::Code { callback: &callback() }).unwrap();
            assert_eq!(
                grant.expires_at,
                now().checked_add(SignedDuration::from_secs(seconds)).unwrap(),
                "{body}"
            );
            assert_eq!(grant.scopes, scopes.iter().map(ToString::to_string).collect(), "{body}");
            assert_eq!(grant.refresh_token, None, "{body}");
        }
    }

    #[test]
    fn what_a_refresh_does_not_mention_stays() {
        let old = old();
        let asked = Asked::Refresh { old: &old };
        let short = read(200, r#"{"access_token":"new"}"#, &asked).unwrap();
        assert_eq!((short.refresh_token, short.scopes), (old.refresh_token.clone(), old.scopes.clone()));
        let body = r#"{"access_token":"new","refresh_token":"newer","scope":"email"}"#;
        let full = read(200, body, &asked).unwrap();
        assert_eq!((full.refresh_token, full.scopes), (Some(Secret::new("newer")), scopes_in("email")));
    }

    /// What is seen, and what it means for a log-in and for a refresh. (Bitbucket's texts, as clients report them.)
    #[test]
    fn refusals() {
        let cases = [
            (
                400,
                r#"{"error":"invalid_grant","error_description":"The specified code is not valid."}"#,
                "CodeSpent",
                "Unauthorized",
            ),
            (
                400,
                r#"{"error":"invalid_request","error_description":"Invalid refresh_token"}"#,
                "Refused",
                "Unauthorized",
            ),
            (401, r#"{"error":"invalid_grant"}"#, "CodeSpent", "Unauthorized"),
            (401, r#"{"error":"invalid_client"}"#, "ClientRefused", "ClientRefused"),
            (
                400,
                r#"{"error":"unauthorized_client","error_description":"Client credentials missing"}"#,
                "ClientRefused",
                "ClientRefused",
            ),
            (401, "", "ClientRefused", "ClientRefused"),
            (
                400,
                r#"{"error":"invalid_request","error_description":"No callback uri defined for the OAuth client."}"#,
                "CallbackMissing",
                "Unauthorized",
            ),
            (
                400,
                r#"{"error":"invalid_request","error_description":"redirect_uri does not match"}"#,
                "CallbackMismatch",
                "Unauthorized",
            ),
            (
                400,
                r#"{"error":"invalid_grant","error_description":"redirect_uri does not match"}"#,
                "CallbackMismatch",
                "Unauthorized",
            ),
            (400, r#"{"error":"something_new","error_description":"Not today"}"#, "Refused", "Refused"),
            (400, r#"{"unrelated":true}"#, "Unexpected", "Unexpected"),
            (400, "<html>", "Unreadable", "Unreadable"),
            (200, "<html>", "Unreadable", "Unreadable"),
            (200, "{}", "Unreadable", "Unreadable"),
            (200, r#"{"access_token":""}"#, "Unreadable", "Unreadable"),
            (200, r#"{"error":"invalid_grant"}"#, "CodeSpent", "Unauthorized"),
            (404, "Not Found", "Unreadable", "Unreadable"),
            (429, "", "RateLimited", "RateLimited"),
            (500, "<html>", "Unexpected", "Unexpected"),
            (503, r#"{"error":"invalid_request"}"#, "Unexpected", "Unexpected"),
        ];
        let old = old();
        for (status, body, for_code, for_refresh) in cases {
            let name = |asked| format!("{:?}", read(status, body, asked).unwrap_err());
            let (code, refresh) =
                (name(&Asked::Code { callback: &callback() }), name(&Asked::Refresh { old: &old }));
            assert!(code.contains(for_code), "{status} {body}: {code}");
            assert!(refresh.contains(for_refresh), "{status} {body}: {refresh}");
        }
    }
}
