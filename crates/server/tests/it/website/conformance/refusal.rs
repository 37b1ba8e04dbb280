//! Requests that cannot be answered with a code: on a page here, or at the client.

use super::Plan;
use crate::support::website::query;

#[tokio::test]
async fn whoever_is_not_known_is_not_answered() {
    let plan = Plan::start().await;
    let uri = plan.client.redirect_uri.clone();
    let (longer, queried) = (format!("{uri}/foo"), format!("{uri}?foo=bar"));
    for changed in [
        ("redirect_uri", longer.as_str()),
        ("redirect_uri", queried.as_str()),
        ("redirect_uri", "https://evil.example/callback"),
        ("redirect_uri", ""),
        ("client_id", "nobody"),
        ("client_id", ""),
    ] {
        let url = plan.website.authorize(&plan.client, &[changed]);
        let answer = plan.website.http().get(url).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{changed:?}");
        assert!(answer.headers().get("location").is_none(), "{changed:?}");
        assert!(answer.text().await.unwrap().contains("<h1"), "{changed:?}: a page");
    }
}

#[tokio::test]
async fn whoever_is_known_is_told_what_is_wrong() {
    let plan = Plan::start().await;
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    for (changes, error) in [
        (&[("response_type", "")][..], "invalid_request"),
        (&[("response_type", "id_token")], "unsupported_response_type"),
        (&[("scope", "profile")], "invalid_scope"),
        (&[("request", "eyJhbGciOiJub25lIn0.e30.")], "request_not_supported"),
        (&[("request_uri", "https://client.example/request")], "request_uri_not_supported"),
        (&[("prompt", "none login")], "invalid_request"),
        (&[("max_age", "soon")], "invalid_request"),
        (&[("id_token_hint", "nonsense")], "invalid_request"),
        (&[("code_challenge", challenge)], "invalid_request"),
        (&[("code_challenge", challenge), ("code_challenge_method", "plain")], "invalid_request"),
        (&[("nonce", "1"), ("nonce", "2")], "invalid_request"),
    ] {
        let url = plan.website.authorize(&plan.client, changes);
        let answer = plan.website.http().get(&url).send().await.unwrap();
        assert_eq!(answer.status(), 303, "{changes:?}");
        let back = plan.visitor.browser.open(&url).await;
        plan.assert_refused(&back, error);
        assert_eq!(query(&back, "state"), "the state", "{changes:?}");
    }
    let without_state = plan.go(&[("state", ""), ("response_type", "")]).await;
    assert!(!without_state.url.as_str().contains("state="), "{}", without_state.url);
}

#[tokio::test]
async fn a_visitor_who_does_not_want_to_is_sent_back() {
    let plan = Plan::start().await;
    let form = plan.go(&[]).await;
    let consent = plan.visitor.browser.press(&form, crate::support::website::BUTTON).await;
    let consent = plan.visitor.browser.press(&consent, "Log in as ada").await;
    let back = plan.visitor.browser.press(&consent, "Cancel").await;
    // Either the client hears of it, or the visitor is at the form again and may choose another way.
    if back.url.as_str().starts_with(&plan.client.redirect_uri) {
        plan.assert_refused(&back, "access_denied");
    } else {
        plan.assert_here(&back);
    }
    plan.assert_refused(&plan.go(&[("prompt", "none")]).await, "login_required");
}
