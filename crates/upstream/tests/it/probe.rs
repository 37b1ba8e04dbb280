//! What an admin hears about a base URL.

use crate::support::{Server, answer, http, json, machine_time, now};
use stave_domain::integration::{OAuthVersion, Platform};
use stave_testkit::{DataCenterOptions, FakeBitbucket, FakeDataCenter, Fault, TwoFactor, Version};
use stave_upstream::{ProbeProblem, Sight, probe};
use std::time::Duration;

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
    let seen = probe(&http(), Platform::BitbucketCloud, &server.base_url, now()).await?;
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
        (answer(200, &[], PAGE), no(), "answered with a web page (Shop) where"),
        (answer(404, &[], PAGE), no(), "a web page (Shop) and status 404"),
        (no(), no(), "answered with an empty answer and status 404"),
        (json(200, r#"{"hello":"world"}"#), no(), "answered with JSON that is not Bitbucket's"),
        (no(), answer(400, &[], PAGE), "answered with an empty answer and status 404"),
        (no(), json(400, r#"{"error":{"code":7}}"#), "answered with an empty answer and status 404"),
        (answer(503, &[], ""), answer(503, &[], ""), "error 503"),
        (
            answer(302, &["location: https://login.example.com/?next=x"], ""),
            no(),
            "to a log-in page, https://login.example.com/:",
        ),
    ] {
        let sentence = heard(api, token).await.unwrap_err().to_string();
        assert!(sentence.contains(wanted), "{sentence}");
    }
}

#[tokio::test]
async fn slips_around_bitbucket_org_need_no_request() {
    for base in ["http://bitbucket.org", "https://bitbucket.org/acme", "https://api.bitbucket.org/2.0"] {
        let problem =
            probe(&http(), Platform::BitbucketCloud, &base.parse().unwrap(), now()).await.unwrap_err();
        assert!(matches!(problem, ProbeProblem::Misspelt), "{base}: {problem:?}");
    }
}

async fn at(base_url: &str, expected: Platform) -> Result<Sight, ProbeProblem> {
    probe(&http(), expected, &base_url.parse().unwrap(), machine_time()).await
}

#[tokio::test]
async fn every_version_of_data_center_says_what_it_can_do() {
    use OAuthVersion::{One, Two};
    for (version, oauth) in [
        (Version::V5_16, vec![One]),
        (Version::V7_20, vec![One]),
        (Version::V7_21, vec![Two, One]),
        (Version::V8_19, vec![Two]),
        (Version::V9_4, vec![Two]),
        (Version::V10_0, vec![Two]),
    ] {
        let options = DataCenterOptions::new(version).context_path("/git");
        let server = FakeDataCenter::start_with(options).await;
        for expected in Platform::ALL {
            let sight = at(&server.base_url(), expected).await.unwrap();
            assert_eq!(sight.platform, Platform::BitbucketDataCenter, "{version:?}");
            assert_eq!(sight.api_url.as_str(), format!("{}/rest/api/1.0", server.base_url()));
            assert_eq!(sight.version.as_ref().unwrap().to_string(), version.number());
            assert_eq!(sight.oauth, oauth, "{version:?}");
            assert_eq!(sight.clock_ahead, None);
            let ways: &[&str] = if version.has_oauth2() { &["log-in form"] } else { &[] };
            assert_eq!(sight.log_in_ways, ways);
            assert_eq!(sight.remarks.len(), 1, "it is reached without TLS: {:?}", sight.remarks);
            assert_eq!(sight.seen(now()).unwrap().speaks_oauth2, version.has_oauth2());
        }
        assert!(server.requests().iter().all(|request| request.header("authorization").is_none()));
    }
}

#[tokio::test]
async fn what_is_unusual_about_a_data_center_is_told() {
    let server = FakeDataCenter::start(Version::V8_19).await;
    server.insist_on_https().clock_ahead(Duration::from_mins(7));
    let sight = at(&server.base_url(), Platform::BitbucketDataCenter).await.unwrap();
    assert_eq!(sight.oauth, [OAuthVersion::One]);
    assert!(sight.remarks[0].contains("Administration > Server settings > Base URL"), "{:?}", sight.remarks);
    assert!((400..=430).contains(&sight.clock_ahead.unwrap().as_secs()), "{:?}", sight.clock_ahead);

    server.clock_behind(Duration::from_mins(9));
    server.fail("/rest/oauth2/1.0/client", Fault::status(500, ""));
    let options = r#"{"results":[{"type":"IDP","buttonText":"Okta"},{"type":"LOGIN_FORM"},{"type":"NEW"}]}"#;
    server.fail("/rest/authconfig/1.0/login-options", Fault::status(200, options));
    let sight = at(&server.base_url(), Platform::BitbucketDataCenter).await.unwrap();
    assert_eq!((sight.oauth, sight.log_in_ways.len()), (vec![], 2));
    assert_eq!(sight.log_in_ways, ["single sign-on: Okta", "log-in form"]);
    assert!(sight.clock_ahead.unwrap().is_negative());

    let nameless = r#"{"buildNumber":"8019003","displayName":"Our code"}"#;
    server.fail("/rest/api/1.0/application-properties", Fault::status(200, nameless));
    let sight = at(&server.base_url(), Platform::BitbucketDataCenter).await.unwrap();
    assert_eq!(sight.version, None);
    assert!(sight.remarks[0].contains("which version"), "{:?}", sight.remarks);
}

#[tokio::test]
async fn the_other_platform_is_recognised() {
    let cloud = FakeBitbucket::start().await;
    for expected in Platform::ALL {
        let sight = at(&cloud.base_url(), expected).await.unwrap();
        assert_eq!((sight.platform, sight.seen(now())), (Platform::BitbucketCloud, None));
        assert_eq!(sight.oauth, [OAuthVersion::Two]);
    }
    // A proxy that wants a password is nobody's API.
    let proxy = Server::start(|_| answer(401, &["www-authenticate: Basic realm=\"x\""], "")).await;
    let problem = at(proxy.base_url.as_str(), Platform::BitbucketDataCenter).await.unwrap_err();
    assert!(matches!(problem, ProbeProblem::Intercepted { .. }), "{problem:?}");
}

#[tokio::test]
async fn what_stands_in_front_of_a_data_center_is_named() {
    let server = FakeDataCenter::start(Version::V9_4).await;
    for plugin in [TwoFactor::Redirect, TwoFactor::HtmlPage] {
        server.two_factor(plugin).two_factor_for_everybody();
        let sentence = at(&server.base_url(), Platform::BitbucketDataCenter).await.unwrap_err().to_string();
        assert!(sentence.contains("Enable OAuth whitelist"), "{sentence}");
        server.heal();
    }
    server.single_sign_on();
    let sentence = at(&server.base_url(), Platform::BitbucketDataCenter).await.unwrap_err().to_string();
    assert!(
        sentence.contains("single sign-on") && sentence.contains("/plugins/servlet/oauth*"),
        "{sentence}"
    );
}

#[tokio::test]
async fn a_forgotten_context_path_is_found_by_where_the_server_points() {
    let server = Server::start(|request| {
        let is_home = request.starts_with("GET / ");
        if is_home { answer(302, &["location: /bitbucket/"], "") } else { answer(404, &[], "") }
    })
    .await;
    let sentence = at(server.base_url.as_str(), Platform::BitbucketDataCenter).await.unwrap_err().to_string();
    assert!(sentence.contains(&format!("points to {}/bitbucket/", server.base_url)), "{sentence}");
}

#[tokio::test]
async fn a_base_url_that_moved_is_named_as_it_is_to_be_entered() {
    let server = Server::start(|request| {
        let path = request.split(' ').nth(1).unwrap();
        answer(301, &[&format!("location: https://git.example.com{path}")], "")
    })
    .await;
    let sentence = at(server.base_url.as_str(), Platform::BitbucketDataCenter).await.unwrap_err().to_string();
    assert!(sentence.contains("points to https://git.example.com,"), "{sentence}");
}
