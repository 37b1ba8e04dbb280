//! Whether a base URL leads to Bitbucket Cloud. What counts as Bitbucket is kept wide, so that stand-ins and proxies pass.

use super::Addresses;
use crate::{
    HttpClient,
    answer::Answer,
    connector::{ProbeProblem, Seen},
    http::Authorization,
};
use reqwest::StatusCode;
use serde_json::Value;
use stave_domain::integration::{ApiTimeout, BaseUrl};

/// An admin waits for it, so it is short, whatever the integration's own time-out is.
const TIMEOUT: ApiTimeout = ApiTimeout(Some(10));

/// Asks the API, and if that does not settle it the token endpoint, both without credentials.
pub(crate) async fn probe(http: &HttpClient, base_url: &BaseUrl) -> Result<Seen, ProbeProblem> {
    if is_nearly_bitbucket_org(base_url) {
        return Err(ProbeProblem::Misspelt);
    }
    let addresses = Addresses::of(base_url);
    let user = super::below(&addresses.api, "/user");
    let first = http.get(&user, Authorization::Nobody, TIMEOUT).await.map_err(ProbeProblem::Unreachable)?;
    if !is_bitbuckets_api(&first) {
        let form = [("grant_type", "authorization_code")];
        let second = http.post_form(&addresses.access_token, Authorization::Nobody, &form, TIMEOUT).await;
        if !second.is_ok_and(|answer| is_a_token_endpoint(&answer)) {
            return Err(problem(&first));
        }
    }
    Ok(Seen { api_url: addresses.api })
}

/// `http://`, a workspace behind the host, or the host of the API: all of them would fail in more confusing ways.
fn is_nearly_bitbucket_org(base_url: &BaseUrl) -> bool {
    let host = base_url.url().host_str().unwrap_or_default();
    matches!(host, "bitbucket.org" | "www.bitbucket.org" | "api.bitbucket.org")
        && !base_url.is_bitbucket_org()
}

/// Without a token, Bitbucket's `/2.0/user` refuses, in JSON of its own.
fn is_bitbuckets_api(answer: &Answer) -> bool {
    let refuses = matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    refuses || answer.json::<Value>().is_ok_and(|body| body["type"] == "error")
}

/// Without a client, a token endpoint refuses with an `error` (RFC 6749, section 5.2).
fn is_a_token_endpoint(answer: &Answer) -> bool {
    let refuses = matches!(answer.status, StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED);
    refuses && answer.json::<Value>().is_ok_and(|body| body["error"].is_string())
}

fn problem(answer: &Answer) -> ProbeProblem {
    let url = answer.url.to_string();
    if let Some(to) = answer.redirect_target() {
        return ProbeProblem::Redirected { from: url, to };
    }
    let status = answer.status.as_u16();
    if answer.status.is_server_error() || answer.status == StatusCode::TOO_MANY_REQUESTS {
        return ProbeProblem::Faulty { url, status };
    }
    let saw = match (answer.status.is_success(), answer.is_web_page()) {
        (true, true) => "a web page".to_owned(),
        (true, false) => "something else".to_owned(),
        (false, true) => format!("a web page and status {status}"),
        (false, false) => format!("status {status}"),
    };
    ProbeProblem::NotBitbucket { url, saw }
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
