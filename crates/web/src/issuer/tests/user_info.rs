//! The user info endpoint and what a client learns before it asks.

use super::{
    Shop,
    client::{on_a_server, refusal},
};
use axum::http::{Request, StatusCode};
use jiff::SignedDuration;

#[tokio::test]
async fn a_token_is_shown_in_the_header_or_the_form() {
    let shop = Shop::open().await;
    let mut app = shop.add(on_a_server()).await;
    let mut linus = shop.visitor("linus").await;
    let tokens = app.tokens(&mut linus).await;
    let token = tokens["access_token"].as_str().unwrap().to_owned();
    let sub = app.user_info(&tokens["access_token"]).await.json()["sub"].clone();
    let bearer = format!("bearer {token}");
    let post = || Request::post("/w/shop/userinfo");
    let form = "application/x-www-form-urlencoded";
    let body = format!("access_token={token}");
    let told = app.web.send(post().header("authorization", &bearer), "").await;
    assert_eq!(
        (told.status, &told.json()["sub"], told.header("cache-control")),
        (StatusCode::OK, &sub, "no-store")
    );
    let told = app.web.send(post().header("content-type", form), &body).await;
    assert_eq!((told.status, &told.json()["sub"]), (StatusCode::OK, &sub));
    let twice =
        app.web.send(post().header("content-type", form).header("authorization", &bearer), &body).await;
    assert_eq!(refusal(&twice, StatusCode::BAD_REQUEST), "invalid_request");

    let missing = app.web.get(&format!("/w/shop/userinfo?access_token={token}")).await;
    assert_eq!((missing.status, missing.header("www-authenticate")), (StatusCode::UNAUTHORIZED, "Bearer"));
    let wrong = app.user_info(&"x".into()).await;
    assert_eq!(refusal(&wrong, StatusCode::UNAUTHORIZED), "invalid_token");
    assert_eq!(wrong.header("www-authenticate"), "Bearer error=\"invalid_token\"");
    let less = app.refresh(&tokens["refresh_token"], "profile").await.json();
    assert!(less.get("id_token").is_none());
    let less = app.user_info(&less["access_token"]).await;
    assert_eq!(refusal(&less, StatusCode::FORBIDDEN), "insufficient_scope");
    assert!(less.header("www-authenticate").contains("insufficient_scope"));
    shop.site.app.clock().advance(SignedDuration::from_mins(15));
    assert_eq!(app.user_info(&tokens["access_token"]).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_a_client_learns_is_true() {
    let shop = Shop::open().await;
    let mut browser = shop.site.browser();
    let issuer = "http://127.0.0.1:8080/w/shop";
    for path in [
        "/w/shop/.well-known/openid-configuration",
        "/.well-known/openid-configuration/w/shop",
        "/.well-known/oauth-authorization-server/w/shop",
    ] {
        let seen = browser.get(path).await;
        assert_eq!(
            (seen.status, seen.header("content-type")),
            (StatusCode::OK, "application/json"),
            "{path}"
        );
        assert_eq!(seen.header("access-control-allow-origin"), "*");
        let document = seen.json();
        assert_eq!(document["issuer"], issuer);
        for endpoint in ["authorization", "token", "userinfo", "revocation", "end_session"] {
            let address = document[format!("{endpoint}_endpoint")].as_str().unwrap();
            let path = address.strip_prefix("http://127.0.0.1:8080").unwrap();
            assert_ne!(browser.get(path).await.status, StatusCode::NOT_FOUND, "{address}");
        }
        assert_eq!(document["jwks_uri"], format!("{issuer}/jwks"));
        assert_eq!(document["request_uri_parameter_supported"], false);
        assert!(
            document
                .as_object()
                .unwrap()
                .values()
                .all(|value| value.as_array().is_none_or(|list| !list.is_empty()))
        );
        assert_eq!(browser.get(&path.replace("shop", "nowhere")).await.status, StatusCode::NOT_FOUND);
    }
    let seen = browser.get("/w/shop/jwks").await;
    assert_eq!(seen.header("cache-control"), "public, max-age=600");
    let key = &seen.json()["keys"][0];
    let names: Vec<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["kty", "use", "alg", "kid", "n", "e"], "and nothing private");
}

#[tokio::test]
async fn a_new_key_is_learnt_before_it_signs() {
    let shop = Shop::open().await;
    let mut app = shop.add(on_a_server()).await;
    let mut linus = shop.visitor("linus").await;
    let actor = shop.site.actor(&shop.grace).await;
    let kids = |keys: &serde_json::Value| -> Vec<String> {
        let kid = |key: &serde_json::Value| key["kid"].as_str().unwrap().to_owned();
        keys["keys"].as_array().unwrap().iter().map(kid).collect()
    };
    let signed_by = |tokens: &serde_json::Value| {
        jsonwebtoken::decode_header(tokens["id_token"].as_str().unwrap()).unwrap().kid.unwrap()
    };
    let rotate = async || shop.site.app.website_key_rotate(&actor, "acme", "shop").await;
    assert!(rotate().await.is_err(), "the first key is not an hour old");
    shop.site.app.clock().advance(SignedDuration::from_hours(1));
    let old = kids(&linus.get("/w/shop/jwks").await.json());
    let hint = app.tokens(&mut linus).await;
    rotate().await.unwrap();
    let both = kids(&linus.get("/w/shop/jwks").await.json());
    assert_eq!((both.len(), &both[0]), (2, &old[0]));
    assert_eq!(signed_by(&app.tokens(&mut linus).await), both[0]);
    shop.site.app.clock().advance(SignedDuration::from_hours(1));
    assert_eq!(signed_by(&app.tokens(&mut linus).await), both[1]);
    shop.site.app.clock().advance(SignedDuration::from_hours(3));
    assert_eq!(kids(&linus.get("/w/shop/jwks").await.json()), both[1..]);
    let hinted = [("id_token_hint", hint["id_token"].as_str()), ("prompt", Some("none"))];
    app.code(&mut linus, &hinted).await;
}
