//! What the page to which a browser would be sent says about the client and its callback. A wrong one is never sent back
//! (RFC 6749, section 4.1.2.1), so only the page tells.

use super::{code_in, saying};
use crate::{SignInProblem, UpstreamError, answer::Answer, page};
use reqwest::StatusCode;
use stave_domain::integration::Platform;
use std::collections::BTreeMap;
use url::Url;

/// Words that blame the callback, and those that blame the client: what comes first on the page counts.
const CALLBACK: [&str; 4] = ["redirect_uri", "redirect uri", "redirect url", "callback"];
const CLIENT: [&str; 6] =
    ["client_id", "client id", "unknown client", "invalid client", "invalid_client", "unauthorized_client"];
/// Words without which a page that is no failure is no error page either.
const WRONG: [&str; 7] =
    ["invalid", "error", "misconfigured", "mismatch", "not match", "unknown", "not registered"];

/// Whether a browser would be let in there. Nobody is logged in yet, so a page to log in is as good as one to agree.
pub(crate) fn door_read(answer: &Answer, platform: Platform, callback: &Url) -> Result<(), UpstreamError> {
    let refused = |problem| Err(UpstreamError::SignIn { host: answer.host(), platform, problem });
    if let Some(location) = answer.location() {
        return match sent_back(&location, callback).map(|query| code_in(&query).map(|_| ())) {
            Some(Err(problem)) => refused(problem),
            _ => Ok(()),
        };
    }
    let text = page::text(&answer.body);
    let is_about = |words: &[&str]| words.iter().filter_map(|word| text.find(word)).min();
    let is_wrong = answer.status.is_client_error()
        || (!page::asks_for_password(&answer.body) && WRONG.iter().any(|word| text.contains(word)));
    match (is_about(&CALLBACK), is_about(&CLIENT)) {
        _ if answer.status.is_server_error() || answer.status == StatusCode::TOO_MANY_REQUESTS => {
            Err(answer.failure())
        }
        _ if !is_wrong => Ok(()),
        (Some(callback_at), client_at) if client_at.is_none_or(|at| callback_at < at) => {
            refused(SignInProblem::CallbackMismatch { callback: callback.to_string() })
        }
        (_, Some(_)) => refused(SignInProblem::ClientUnknown),
        _ if answer.status.is_success() || answer.status == StatusCode::UNAUTHORIZED => Ok(()),
        _ if answer.status == StatusCode::NOT_FOUND || text.is_empty() => Err(answer.failure()),
        _ => refused(SignInProblem::Refused { said: saying(&text, None) }),
    }
}

/// The query with which a browser would come back already, without any person.
fn sent_back(location: &Url, callback: &Url) -> Option<BTreeMap<String, String>> {
    let is_callback = location.origin() == callback.origin() && location.path() == callback.path();
    is_callback.then(|| location.query_pairs().into_owned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderMap;

    fn heard(status: u16, location: Option<&str>, body: &str) -> String {
        let url = Url::parse("https://git.example.com/rest/oauth2/latest/authorize").unwrap();
        let headers = location.map(|to| ("location".parse().unwrap(), to.parse().unwrap())).into_iter();
        let mut answer =
            Answer::new(&url, StatusCode::from_u16(status).unwrap(), headers.collect::<HeaderMap>());
        answer.body = body.as_bytes().to_vec();
        let callback = Url::parse("https://stave.example.com/oauth/callback/x").unwrap();
        format!("{:?}", door_read(&answer, Platform::BitbucketDataCenter, &callback))
    }

    #[test]
    fn doors() {
        let back = "https://stave.example.com/oauth/callback/x";
        for (status, location, body, expected) in [
            (302, Some("/login?redirect_uri=invalid".to_owned()), "", "Ok"),
            (302, Some(format!("{back}?error=access_denied&state=s")), "", "Denied"),
            (302, Some(format!("{back}?error=server_error&error_description=Not+today")), "", "Not today."),
            (302, Some(format!("{back}?code=1")), "", "Ok"),
            (200, None, "<title>Log in</title><a href='?redirect_uri=x'>Go</a>", "Ok"),
            (200, None, "<p>Invalid redirect_uri</p><input type=\"password\">", "Ok"),
            (200, None, "<title>Invalid redirect_uri</title>", "CallbackMismatch"),
            (400, None, "<p>The redirect URL is not that of the client ID.</p>", "CallbackMismatch"),
            (400, None, "<p>Invalid client_id: no redirect_uri.</p>", "ClientUnknown"),
            (401, None, r#"{"error":"invalid_client"}"#, "ClientUnknown"),
            (401, None, "", "Ok"),
            (403, None, "<h1>Not for you</h1>", "not for you."),
            (400, None, "", "Unexpected"),
            (404, None, "<h1>Nothing here</h1>", "NotFound"),
            (429, None, "redirect_uri", "RateLimited"),
            (503, None, "<h1>client_id</h1>", "Unexpected"),
        ] {
            let heard = heard(status, location.as_deref(), body);
            assert!(heard.contains(expected), "{status} {location:?} {body}: {heard}");
        }
    }
}
