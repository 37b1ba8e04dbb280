//! Whether a base URL leads to Bitbucket Cloud. What counts as Bitbucket is kept wide, so that stand-ins and proxies pass.

use super::Addresses;
use crate::{
    answer::{Answer, below},
    probe::{Found, Look, ProbeProblem, Sight},
};
use reqwest::StatusCode;
use serde_json::Value;
use stave_domain::integration::{BaseUrl, OAuthVersion, Platform};

/// Asks the API, and if that does not settle it the token endpoint, both without credentials.
pub(crate) async fn probe(look: &Look<'_>) -> Result<Found, ProbeProblem> {
    let addresses = Addresses::of(look.base_url);
    let first = look.get(&below(&addresses.api, "/user")).await?;
    let sight = Sight {
        platform: Platform::BitbucketCloud,
        clock_ahead: look.clock_ahead(&first),
        api_url: addresses.api,
        version: None,
        oauth: vec![OAuthVersion::Two],
        log_in_ways: Vec::new(),
        remarks: Vec::new(),
    };
    if is_bitbuckets_api(&first) {
        return Ok(Found::Surely(sight));
    }
    let form = [("grant_type", "authorization_code")];
    let second = look.post_form(&addresses.access_token, &form).await;
    match second {
        Ok(answer) if is_a_token_endpoint(&answer) => Ok(Found::Surely(sight)),
        _ if is_refusal(&first) => Ok(Found::Perhaps(sight)),
        _ => Err(ProbeProblem::of(&first, look.base_url)),
    }
}

/// `http://`, a workspace behind the host, or the host of the API: all of them would fail in more confusing ways.
pub(crate) fn is_nearly_bitbucket_org(base_url: &BaseUrl) -> bool {
    let host = base_url.url().host_str().unwrap_or_default();
    matches!(host, "bitbucket.org" | "www.bitbucket.org" | "api.bitbucket.org")
        && !base_url.is_bitbucket_org()
}

/// Without a token, Bitbucket's `/2.0/user` refuses, in JSON of its own.
fn is_bitbuckets_api(answer: &Answer) -> bool {
    answer.json::<Value>().is_ok_and(|body| body["type"] == "error")
}

fn is_refusal(answer: &Answer) -> bool {
    matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
}

/// Without a client, a token endpoint refuses with an `error` (RFC 6749, section 5.2).
fn is_a_token_endpoint(answer: &Answer) -> bool {
    let refuses = matches!(answer.status, StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED);
    refuses && answer.json::<Value>().is_ok_and(|body| body["error"].is_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_around_bitbucket_org_are_recognised() {
        let cases = [
            ("https://bitbucket.org", false),
            ("https://bitbucket.org/", false),
            ("http://bitbucket.org", true),
            ("https://bitbucket.org/acme", true),
            ("https://www.bitbucket.org", true),
            ("https://api.bitbucket.org/2.0", true),
            ("https://bitbucket.org:8443", true),
            ("https://bitbucket.example.org", false),
        ];
        for (base, nearly) in cases {
            assert_eq!(is_nearly_bitbucket_org(&base.parse().unwrap()), nearly, "{base}");
        }
    }
}
