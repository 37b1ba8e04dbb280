//! What an admin hears about a base URL.

use crate::support::{Server, answer, http, json};
use stave_domain::integration::Platform;
use stave_upstream::{ProbeProblem, probe};

const DENIED: &str = r#"{"type":"error","error":{"message":"Access denied."}}"#;
const PAGE: &str = "<!DOCTYPE html><html><title>Shop</title></html>";

/// What is heard if the API answers so, and the token endpoint so.
async fn heard(api: Vec<u8>, token: Vec<u8>) -> Result<(), ProbeProblem> {
    let server =
        Server::start(
            move |request| {
                if request.starts_with("GET /2.0/user ") { api.clone() } else { token.clone() }
            },
        )
        .await;
    let seen = probe(&http(), Platform::BitbucketCloud, &server.base_url).await?;
    assert_eq!(seen.api_url.as_str(), format!("{}/2.0", server.base_url));
    assert!(server.requests().iter().all(|request| !request.to_lowercase().contains("authorization:")));
    Ok(())
}

#[tokio::test]
async fn what_counts_as_bitbucket() {
    let no = || answer(404, &[], PAGE);
    for (api, token) in [
        (json(401, DENIED), no()),
        (json(403, DENIED), no()),
        (answer(401, &[], ""), no()),
        (json(400, DENIED), no()),
        (json(404, DENIED), no()),
        (no(), json(400, r#"{"error":"unauthorized_client"}"#)),
        (no(), json(401, r#"{"error":"invalid_client"}"#)),
        (answer(429, &[], ""), json(400, r#"{"error":"invalid_grant"}"#)),
        (answer(302, &["location: /login"], ""), json(400, r#"{"error":"invalid_request"}"#)),
    ] {
        let shown = String::from_utf8_lossy(&api).into_owned();
        heard(api, token).await.unwrap_or_else(|problem| panic!("{problem} {shown}"));
    }
}

#[tokio::test]
async fn what_does_not() {
    let no = || answer(404, &[], "");
    for (api, token, wanted) in [
        (answer(200, &[], PAGE), no(), "answered with a web page where"),
        (answer(404, &[], PAGE), no(), "a web page and status 404"),
        (no(), no(), "answered with status 404"),
        (json(200, r#"{"hello":"world"}"#), no(), "answered with something else"),
        (no(), answer(400, &[], PAGE), "answered with status 404"),
        (no(), json(400, r#"{"error":{"code":7}}"#), "answered with status 404"),
        (answer(503, &[], ""), answer(503, &[], ""), "error 503"),
        (
            answer(302, &["location: https://login.example.com/?next=x"], ""),
            no(),
            "points to https://login.example.com/,",
        ),
    ] {
        let sentence = heard(api, token).await.unwrap_err().to_string();
        assert!(sentence.contains(wanted), "{sentence}");
    }
}

#[tokio::test]
async fn slips_around_bitbucket_org_need_no_request() {
    for base in ["http://bitbucket.org", "https://bitbucket.org/acme", "https://api.bitbucket.org/2.0"] {
        let problem = probe(&http(), Platform::BitbucketCloud, &base.parse().unwrap()).await.unwrap_err();
        assert!(matches!(problem, ProbeProblem::Misspelt), "{base}: {problem:?}");
    }
}
