//! Refresh tokens: their order, their end, and what ends them.

use super::{
    Shop,
    client::{Application, claims, log_in_through, on_a_server, refusal},
    token::{invalid_grant, opened, pass},
};
use crate::testing::Browser;
use axum::http::StatusCode;
use stave_app::ClientForm;
use stave_domain::website::MemberStatus;

#[tokio::test]
async fn refresh_tokens_follow_one_another() {
    let (shop, mut app, mut linus) = opened().await;
    let first = app.tokens(&mut linus).await;
    pass(&shop, 100);
    let second = app.refresh(&first["refresh_token"], "").await.json();
    let again = app.refresh(&first["refresh_token"], "").await.json();
    assert_eq!(second["refresh_token"], again["refresh_token"], "the answer may have been lost");
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    let (old, new) = (claims(&first["id_token"]), claims(&second["id_token"]));
    for name in ["sub", "aud", "iss", "auth_time", "sid"] {
        assert_eq!(old[name], new[name], "{name}");
    }
    assert!(new.get("nonce").is_none() && new["iat"].as_i64() > old["iat"].as_i64());
    pass(&shop, 3);
    invalid_grant(&app.refresh(&first["refresh_token"], "").await);
    invalid_grant(&app.refresh(&second["refresh_token"], "").await);
    assert_eq!(app.user_info(&second["access_token"]).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn logging_in_once_more_ends_nothing_of_the_same_member() {
    let (shop, mut app, mut linus) = opened().await;
    let tokens = app.tokens(&mut linus).await;
    let asked = linus.get(&app.door(&[("prompt", Some("login"))])).await;
    log_in_through(&shop, &mut linus, &asked, "linus").await;
    assert_eq!(app.refresh(&tokens["refresh_token"], "").await.status, StatusCode::OK);
    let asked = linus.get(&app.door(&[("prompt", Some("login"))])).await;
    log_in_through(&shop, &mut linus, &asked, "mia").await;
    let refresh = app.refresh(&tokens["refresh_token"], "").await;
    invalid_grant(&refresh);
}

#[tokio::test]
async fn an_old_refresh_token_ends_everything_however_old_it_is() {
    let (_shop, mut app, mut linus) = opened().await;
    let first = app.tokens(&mut linus).await;
    let second = app.refresh(&first["refresh_token"], "").await.json();
    let third = app.refresh(&second["refresh_token"], "").await.json();
    invalid_grant(&app.refresh(&first["refresh_token"], "").await);
    invalid_grant(&app.refresh(&third["refresh_token"], "").await);
}

#[tokio::test]
async fn refresh_tokens_end() {
    let shop = Shop::open_with(&[("idle_hours", "720"), ("longest_hours", "2160")]).await;
    let mut app = shop.add(on_a_server()).await;
    let mut linus = shop.visitor("linus").await;
    let day = 24 * 3600;
    let idle = app.tokens(&mut linus).await;
    pass(&shop, 7 * day);
    invalid_grant(&app.refresh(&idle["refresh_token"], "").await);
    let mut tokens = app.tokens(&mut linus).await;
    for _ in 0..5 {
        pass(&shop, 6 * day - 1);
        tokens = app.refresh(&tokens["refresh_token"], "").await.json();
        assert!(tokens["refresh_token"].is_string(), "{tokens}");
    }
    pass(&shop, 5);
    invalid_grant(&app.refresh(&tokens["refresh_token"], "").await);
}

#[tokio::test]
async fn scopes_shrink_and_never_grow() {
    let (shop, mut app, mut linus) = opened().await;
    let tokens = app.tokens(&mut linus).await;
    let more = app.refresh(&tokens["refresh_token"], "openid groups").await;
    assert_eq!(refusal(&more, StatusCode::BAD_REQUEST), "invalid_scope");
    let less = app.refresh(&tokens["refresh_token"], "openid").await.json();
    assert_eq!(less["scope"], "openid");
    assert!(claims(&less["id_token"]).get("email").is_none());
    assert!(app.user_info(&less["access_token"]).await.json().get("email").is_none());
    pass(&shop, 10);
    let all = app.refresh(&less["refresh_token"], "").await.json();
    assert_eq!(all["scope"], "openid profile email offline_access");
}

#[tokio::test]
async fn a_client_that_may_not_refresh_gets_no_refresh_token() {
    let shop = Shop::open().await;
    let mut app = shop.add(ClientForm { may_refresh: None, ..on_a_server() }).await;
    let mut linus = shop.visitor("linus").await;
    let tokens = app.tokens(&mut linus).await;
    assert!(tokens.get("refresh_token").is_none() && tokens["scope"] == "openid profile email", "{tokens}");
    let mut may = shop.add(on_a_server()).await;
    let theirs = may.tokens(&mut linus).await;
    let seen = app.refresh(&theirs["refresh_token"], "").await;
    assert_eq!(refusal(&seen, StatusCode::BAD_REQUEST), "unauthorized_client");
    let mut other = shop.add(on_a_server()).await;
    invalid_grant(&other.refresh(&theirs["refresh_token"], "").await);
    assert_eq!(may.refresh(&theirs["refresh_token"], "").await.status, StatusCode::OK, "nobody spoilt it");
}

#[tokio::test]
async fn everything_ends_with_the_sign_in_and_the_member() {
    let (shop, mut app, mut linus) = opened().await;
    let tokens = app.tokens(&mut linus).await;
    let code = app.code(&mut linus, &[]).await;
    let member = shop.members().await.remove(0);
    shop.set_status(&member, MemberStatus::Blocked).await;
    invalid_grant(&app.redeem(&code, &[]).await);
    invalid_grant(&app.refresh(&tokens["refresh_token"], "").await);
    assert_eq!(app.user_info(&tokens["access_token"]).await.status, StatusCode::UNAUTHORIZED);

    shop.set_status(&member, MemberStatus::Active).await;
    let mut linus = shop.visitor("linus").await;
    let tokens = app.tokens(&mut linus).await;
    let code = app.code(&mut linus, &[]).await;
    linus.post("/w/shop/logout/confirm", &[]).await;
    invalid_grant(&app.redeem(&code, &[]).await);
    invalid_grant(&app.refresh(&tokens["refresh_token"], "").await);
    assert_eq!(app.user_info(&tokens["access_token"]).await.status, StatusCode::UNAUTHORIZED);

    let mut linus = shop.visitor("linus").await;
    let tokens = app.tokens(&mut linus).await;
    pass(&shop, 8 * 3600);
    invalid_grant(&app.refresh(&tokens["refresh_token"], "").await);
    assert_eq!(error_of_silence(&app, &mut linus).await, "login_required");
}

async fn error_of_silence(app: &Application, visitor: &mut Browser) -> String {
    super::client::error(&visitor.get(&app.door(&[("prompt", Some("none"))])).await)
}

#[tokio::test]
async fn a_refresh_is_a_sign_of_life_of_the_browser() {
    let (shop, mut app, mut linus) = opened().await;
    let mut tokens = app.tokens(&mut linus).await;
    for _ in 0..3 {
        pass(&shop, 5 * 3600);
        tokens = app.refresh(&tokens["refresh_token"], "").await.json();
    }
    assert!(tokens["refresh_token"].is_string(), "{tokens}");
    app.code(&mut linus, &[]).await;
}
