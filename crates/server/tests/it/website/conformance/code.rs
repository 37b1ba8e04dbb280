//! The code flow, and what may be asked for besides.

use super::Plan;
use crate::support::website::{BUTTON, Reply, authorize_fields, query};

#[tokio::test]
async fn a_code_is_worth_an_id_token_and_what_is_known_of_the_visitor() {
    let plan = Plan::start().await;
    let back = plan.sign_in(&[]).await;
    assert_eq!(query(&back, "state"), "the state");
    let tokens = plan.redeem(&back).await;
    assert_eq!((tokens.text("token_type"), tokens.text("scope")), ("Bearer", "openid"));
    assert!(tokens.json["expires_in"].as_i64().is_some_and(|seconds| seconds > 0), "{tokens:?}");
    assert_eq!((tokens.header("cache-control"), tokens.header("pragma")), ("no-store", "no-cache"));
    assert!(tokens.header("content-type").starts_with("application/json"));
    assert_eq!(tokens.text("refresh_token"), "", "nobody asked for offline_access");

    // No nonce was sent, and none comes back; neither does what was not asked for.
    let claims = plan.claims(&tokens).await;
    for name in ["nonce", "email", "name", "groups"] {
        assert!(claims.get(name).is_none(), "{claims}");
    }
    for name in ["auth_time", "iat", "exp"] {
        assert!(claims[name].is_i64(), "{claims}");
    }
    assert!(claims["sid"].is_string() && claims["at_hash"].is_string(), "{claims}");

    let access = tokens.text("access_token");
    let user = plan.website.user(access).await.granted();
    assert_eq!(user.json, serde_json::json!({"sub": claims["sub"]}));
    let posted = plan.website.http().post(plan.website.at("/userinfo")).bearer_auth(access);
    assert_eq!(Reply::of(posted).await.granted().json, user.json);
}

#[tokio::test]
async fn the_nonce_comes_back_as_it_was_sent() {
    let plan = Plan::start().await;
    let nonce = "n-0S6_WzA2Mj & \u{e4}\"";
    let tokens = plan.redeem(&plan.sign_in(&[("nonce", nonce)]).await).await;
    assert_eq!(plan.claims(&tokens).await["nonce"], nonce);
}

#[tokio::test]
async fn scopes_give_what_they_are_named_for() {
    let plan = Plan::start().await;
    plan.sign_in(&[]).await;
    for (scope, told) in [
        ("openid profile", &["name", "nickname", "preferred_username", "updated_at"][..]),
        ("openid email", &["email", "email_verified"]),
        ("openid address", &[]),
        ("openid phone", &[]),
        ("openid profile email address phone", &["name", "email"]),
    ] {
        let tokens = plan.redeem(&plan.go(&[("scope", scope)]).await).await;
        let claims = plan.claims(&tokens).await;
        let user = plan.website.user(tokens.text("access_token")).await.granted().json;
        for name in told {
            assert!(!claims[*name].is_null(), "{scope}: {claims}");
            assert_eq!(claims[*name], user[*name], "{scope}: {name}");
        }
        for name in ["email", "name"].iter().filter(|name| !told.contains(name)) {
            assert!(claims.get(name).is_none() && user.get(name).is_none(), "{scope}: {name}");
        }
        let has_empty = |json: &serde_json::Value| {
            json.as_object()
                .unwrap()
                .values()
                .any(|value| value.is_null() || value == "" || value == &serde_json::json!([]))
        };
        assert!(!has_empty(&claims) && !has_empty(&user), "{claims} {user}");
    }
}

#[tokio::test]
async fn what_is_not_known_does_no_harm() {
    let plan = Plan::start().await;
    plan.sign_in(&[]).await;
    for parameter in [
        ("display", "page"),
        ("display", "popup"),
        ("ui_locales", "se"),
        ("claims_locales", "se"),
        ("acr_values", "1 2"),
        ("login_hint", "buffy@example.com"),
        ("extra", "foobar"),
        ("claims", r#"{"userinfo": {"name": {"essential": true}}}"#),
        ("nonce", ""),
    ] {
        let back = plan.go(&[parameter]).await;
        plan.redeem(&back).await;
    }
}

#[tokio::test]
async fn a_request_may_come_as_a_form() {
    let plan = Plan::start().await;
    let fields = authorize_fields(&plan.client, &[("nonce", "by post")]);
    let page = plan.visitor.browser.send(&plan.website.at("/authorize"), &fields).await;
    page.shows(BUTTON);
    let tokens = plan.redeem(&plan.visitor.sign_in_at(&page).await).await;
    assert_eq!(plan.claims(&tokens).await["nonce"], "by post");
}

#[tokio::test]
async fn the_answer_may_be_a_form() {
    let plan = Plan::start().await;
    plan.sign_in(&[]).await;
    let page = plan.go(&[("response_mode", "form_post")]).await;
    plan.assert_here(&page);
    let action = format!("action=\"{}\"", plan.client.redirect_uri);
    assert!(page.body.contains(&action), "{}", page.body);
    assert_eq!(page.value("state").as_deref(), Some("the state"));
    assert_eq!(page.value("iss"), Some(plan.website.issuer.clone()));
    let code = page.value("code").expect("a code");
    let fields =
        [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", &plan.client.redirect_uri)];
    plan.website.token(&plan.client, &fields).await.granted();
}

#[tokio::test]
async fn the_secret_may_stand_in_the_form() {
    let plan = Plan::start().await;
    let back = plan.sign_in(&[]).await;
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &query(&back, "code")),
        ("redirect_uri", &plan.client.redirect_uri),
        ("client_id", &plan.client.id),
        ("client_secret", &plan.client.secret),
    ];
    let tokens = Reply::of(plan.website.http().post(plan.website.at("/token")).form(&fields)).await.granted();
    plan.claims(&tokens).await;
}
