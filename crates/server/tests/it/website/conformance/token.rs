//! The token endpoint and what its tokens are worth.

use super::Plan;
use crate::support::website::{Reply, query};
use reqwest::StatusCode;

/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: [(&str, &str); 2] =
    [("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"), ("code_challenge_method", "S256")];

#[tokio::test]
async fn a_code_works_once_and_takes_its_tokens_with_it() {
    let plan = Plan::start().await;
    let back = plan.sign_in(&[("scope", "openid offline_access")]).await;
    let tokens = plan.redeem(&back).await;
    plan.website.redeem(&plan.client, &back).await.refuses(400, "invalid_grant");
    assert_eq!(plan.website.user(tokens.text("access_token")).await.status, StatusCode::UNAUTHORIZED);
    plan.website.refresh(&plan.client, tokens.text("refresh_token")).await.refuses(400, "invalid_grant");
}

#[tokio::test]
async fn of_fifty_who_redeem_a_code_at_once_one_gets_tokens_and_loses_them() {
    let plan = std::sync::Arc::new(Plan::start().await);
    let back = std::sync::Arc::new(plan.sign_in(&[]).await);
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (plan, back) = (plan.clone(), back.clone());
        tries.spawn(async move { plan.website.redeem(&plan.client, &back).await });
    }
    let replies = tries.join_all().await;
    let (good, bad): (Vec<_>, Vec<_>) = replies.into_iter().partition(|reply| reply.status == StatusCode::OK);
    assert_eq!((good.len(), bad.len()), (1, 49));
    assert_eq!(plan.website.user(good[0].text("access_token")).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_verifier_has_to_fit() {
    let plan = Plan::start().await;
    plan.sign_in(&[]).await;
    let long = "a".repeat(129);
    for (challenge, verifier, is_good) in [
        (&CHALLENGE[..], VERIFIER, true),
        (&CHALLENGE, "another-verifier-that-is-long-enough-to-be-one-too", false),
        (&CHALLENGE, "", false),
        (&CHALLENGE, &long, false),
        (&[], VERIFIER, false),
    ] {
        let code = query(&plan.go(challenge).await, "code");
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", &plan.client.redirect_uri),
        ];
        if !verifier.is_empty() {
            fields.push(("code_verifier", verifier));
        }
        let reply = plan.website.token(&plan.client, &fields).await;
        assert_eq!(reply.status.is_success(), is_good, "{challenge:?} {verifier}: {reply:?}");
        if !is_good {
            assert!(matches!(reply.text("error"), "invalid_grant" | "invalid_request"), "{reply:?}");
        }
    }
}

#[tokio::test]
async fn a_client_that_has_to_use_pkce_gets_no_code_without() {
    let mut plan = Plan::start().await;
    let in_browsers = [("name", "Page"), ("kind", "browser"), ("may_refresh", "")];
    for client in [plan.website.client().await, plan.website.client_with(&in_browsers).await] {
        plan.client = client;
        plan.assert_refused(&plan.go(&[]).await, "invalid_request");
    }
}

#[tokio::test]
async fn a_refresh_token_is_replaced_and_belongs_to_its_client() {
    let plan = Plan::start().await;
    let tokens = plan.redeem(&plan.sign_in(&[("scope", "openid email offline_access")]).await).await;
    let first = tokens.text("refresh_token");
    assert!(!first.is_empty() && first.chars().all(|c| matches!(c, ' '..='~')), "{tokens:?}");

    let other = plan.website.client_with(&[("name", "Other"), ("kind", "confidential")]).await;
    plan.website.refresh(&other, first).await.refuses(400, "invalid_grant");

    let renewed = plan.website.refresh(&plan.client, first).await.granted();
    assert_ne!(renewed.text("refresh_token"), first);
    assert_ne!(renewed.text("access_token"), tokens.text("access_token"));
    let (before, after) = (plan.claims(&tokens).await, plan.claims(&renewed).await);
    for name in ["sub", "aud", "iss", "auth_time", "sid"] {
        assert_eq!(before[name], after[name], "{name}");
    }
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", renewed.text("refresh_token")),
        ("scope", "openid email profile"),
    ];
    plan.website.token(&plan.client, &fields).await.refuses(400, "invalid_scope");

    // One that was replaced twice is nobody's any more.
    plan.website.refresh(&plan.client, renewed.text("refresh_token")).await.granted();
    plan.website.refresh(&plan.client, first).await.refuses(400, "invalid_grant");
}

#[tokio::test]
async fn the_endpoint_says_what_is_wrong() {
    let plan = Plan::start().await;
    let (http, token) = (plan.website.http(), plan.website.at("/token"));
    let (id, secret) = (plan.client.id.as_str(), plan.client.secret.as_str());
    let code =
        [("grant_type", "authorization_code"), ("code", "x"), ("redirect_uri", &plan.client.redirect_uri)];

    assert_eq!(http.get(&token).send().await.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
    plan.website.token(&plan.client, &code).await.refuses(400, "invalid_grant");
    plan.website
        .token(&plan.client, &[("grant_type", "password")])
        .await
        .refuses(400, "unsupported_grant_type");
    plan.website.token(&plan.client, &[]).await.refuses(400, "invalid_request");
    let wrong = Reply::of(http.post(&token).basic_auth(id, Some("wrong")).form(&code)).await;
    wrong.refuses(401, "invalid_client");
    assert!(wrong.header("www-authenticate").starts_with("Basic"), "{wrong:?}");
    let twice = http.post(&token).basic_auth(id, Some(secret));
    let twice = twice.form(&[&code[..], &[("client_id", id), ("client_secret", secret)]].concat());
    Reply::of(twice).await.refuses(400, "invalid_request");
    let secretless = http.post(&token).form(&[&code[..], &[("client_id", id)]].concat());
    Reply::of(secretless).await.refuses(401, "invalid_client");
}

#[tokio::test]
async fn who_asks_about_a_visitor_shows_a_token() {
    let plan = Plan::start().await;
    let address = plan.website.at("/userinfo");
    let none = Reply::of(plan.website.http().get(&address)).await;
    assert_eq!(none.status, StatusCode::UNAUTHORIZED);
    assert!(none.header("www-authenticate").starts_with("Bearer"), "{none:?}");
    assert!(!none.header("www-authenticate").contains("error"), "{none:?}");
    let bad = plan.website.user("nonsense").await;
    assert_eq!(bad.status, StatusCode::UNAUTHORIZED);
    assert!(bad.header("www-authenticate").contains("error=\"invalid_token\""), "{bad:?}");

    let tokens = plan.redeem(&plan.sign_in(&[]).await).await;
    let access = tokens.text("access_token");
    plan.website.user(access).await.granted();
    let in_query = plan.website.http().get(format!("{address}?access_token={access}"));
    assert_eq!(Reply::of(in_query).await.status, StatusCode::UNAUTHORIZED);
    let id_token = plan.website.user(tokens.text("id_token")).await;
    assert_eq!(id_token.status, StatusCode::UNAUTHORIZED);
}
