//! The token endpoint: who gets tokens for what, how often, and when they end.

use super::{
    Shop,
    client::{Application, CALLBACK, VERIFIER, in_a_browser, on_a_server, refusal},
};
use crate::testing::{Browser, Seen};
use axum::http::{Request, StatusCode};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::SignedDuration;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};
use stave_app::ClientForm;

pub(super) async fn opened() -> (Shop, Application, Browser) {
    let shop = Shop::open().await;
    let app = shop.add(on_a_server()).await;
    let visitor = shop.visitor("linus").await;
    (shop, app, visitor)
}

pub(super) fn pass(shop: &Shop, seconds: i64) {
    shop.site.app.clock().advance(SignedDuration::from_secs(seconds));
}

pub(super) fn invalid_grant(seen: &Seen) {
    assert_eq!(refusal(seen, StatusCode::BAD_REQUEST), "invalid_grant");
}

/// Calls the token endpoint with this `Authorization` header and form.
async fn call_with(app: &mut Application, authorization: &str, form: &str) -> Seen {
    let request = Request::post(format!("{}/token", app.path))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("authorization", authorization);
    app.web.send(request, form).await
}

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

#[tokio::test]
async fn the_id_token_says_what_the_standard_wants() {
    let (shop, mut app, mut linus) = opened().await;
    let code = app.code(&mut linus, &[]).await;
    let seen = app.redeem(&code, &[]).await;
    assert_eq!((seen.header("content-type"), seen.header("cache-control")), ("application/json", "no-store"));
    assert_eq!(seen.header("pragma"), "no-cache");
    let tokens = seen.json();
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(900)));
    assert_eq!(tokens["scope"], "openid profile email offline_access");

    let keys = linus.get("/w/shop/jwks").await.json();
    let key = &keys["keys"][0];
    let token = tokens["id_token"].as_str().unwrap();
    let header = jsonwebtoken::decode_header(token).unwrap();
    assert_eq!((header.typ.as_deref(), header.kid.as_deref()), (Some("JWT"), key["kid"].as_str()));
    let public =
        DecodingKey::from_rsa_components(key["n"].as_str().unwrap(), key["e"].as_str().unwrap()).unwrap();
    let mut checks = Validation::new(Algorithm::RS256);
    checks.set_audience(&[&app.id]);
    checks.set_issuer(&["http://127.0.0.1:8080/w/shop"]);
    let claims = jsonwebtoken::decode::<Value>(token, &public, &checks).unwrap().claims;
    let member = shop.members().await.remove(0);
    for (name, value) in [
        ("sub", json!(member.sub)),
        ("aud", json!(app.id)),
        ("nonce", json!("n-1")),
        ("nickname", json!("linus")),
        ("preferred_username", json!("linus")),
        ("email_verified", json!(true)),
        ("updated_at", json!(member.signed_in_at.as_second())),
    ] {
        assert_eq!(claims[name], value, "{name}");
    }
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 600);
    assert!(claims["auth_time"].as_i64() <= claims["iat"].as_i64());
    assert!(claims["email"].as_str().unwrap().contains('@') && claims["sid"].is_string());
    assert!(claims.get("azp").is_none() && claims.get("groups").is_none(), "nothing is empty: {claims}");
    let half = &<sha2::Sha256 as sha2::Digest>::digest(tokens["access_token"].as_str().unwrap())[..16];
    let half = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(half);
    assert_eq!(claims["at_hash"], json!(half));
    let told = app.user_info(&tokens["access_token"]).await.json();
    assert_eq!((&told["sub"], &told["email"]), (&claims["sub"], &claims["email"]));

    let little = app.code(&mut linus, &[("scope", Some("openid")), ("nonce", None)]).await;
    let little = app.redeem(&little, &[]).await.json();
    let claims = super::client::claims(&little["id_token"]);
    assert!(["email", "name", "nonce"].iter().all(|name| claims.get(*name).is_none()), "{claims}");
    assert!(little.get("refresh_token").is_none(), "offline_access was not asked for");
}

#[tokio::test]
async fn a_client_shows_who_it_is_in_one_way() {
    let (shop, mut app, mut linus) = opened().await;
    let code = app.code(&mut linus, &[]).await;
    let form =
        format!("grant_type=authorization_code&code={code}&redirect_uri={CALLBACK}&code_verifier={VERIFIER}");
    let (id, secret) = (app.id.clone(), app.secret.clone());
    let wrong = call_with(&mut app, &basic(&id, "wrong"), &form).await;
    assert_eq!(refusal(&wrong, StatusCode::UNAUTHORIZED), "invalid_client");
    assert!(wrong.header("www-authenticate").starts_with("Basic realm="), "{:?}", wrong.headers);
    let wrong = call_with(&mut app, "Bearer x", &form).await;
    assert_eq!(refusal(&wrong, StatusCode::UNAUTHORIZED), "invalid_client");
    let both = call_with(&mut app, &basic(&id, &secret), &format!("{form}&client_secret={secret}")).await;
    assert_eq!(refusal(&both, StatusCode::BAD_REQUEST), "invalid_request");
    for (changes, error) in [
        (vec![("client_secret", "wrong")], "invalid_client"),
        (vec![("client_id", "nobody")], "invalid_client"),
    ] {
        let seen = app.redeem(&code, &changes).await;
        assert_eq!(refusal(&seen, StatusCode::UNAUTHORIZED), error);
        assert_eq!(seen.header("www-authenticate"), "", "it did not try the header");
    }
    let nothing = app.web.post("/w/shop/token", &[("grant_type", "authorization_code")]).await;
    assert_eq!(refusal(&nothing, StatusCode::BAD_REQUEST), "invalid_request");
    let good = call_with(&mut app, &basic(&id, &secret), &form).await;
    assert_eq!(good.status, StatusCode::OK, "nothing of this used the code: {}", good.body);

    let browser = shop.add(in_a_browser()).await;
    let site = site_client(&shop).await;
    for mut app in [
        Application { secret: "any".into(), ..browser },
        Application { id: site, secret: String::new(), web: shop.site.browser(), path: "/w/shop".into() },
    ] {
        let seen = app.redeem("x", &[]).await;
        assert_eq!(refusal(&seen, StatusCode::UNAUTHORIZED), "invalid_client");
    }
}

/// The client of the website's own pages, which stands in the address to which they lead.
async fn site_client(shop: &Shop) -> String {
    let actor = shop.site.actor(&shop.grace).await;
    let key = shop.site.app.website_proxy_key_add(&actor, "acme", "shop").await.unwrap();
    let start = Request::get("/w/shop/site/start?rd=/")
        .header("x-stave-proxy-key", key.expose())
        .header("x-forwarded-proto", "https")
        .header("x-forwarded-host", "shop.example");
    let away = shop.site.browser().send(start, "").await;
    let url = url::Url::parse(&away.location).unwrap();
    url.query_pairs().find(|(name, _)| name == "client_id").unwrap().1.into_owned()
}

#[tokio::test]
async fn a_request_is_a_form_and_says_what_it_wants() {
    let (_shop, mut app, _) = opened().await;
    for (form, error) in [
        (vec![("grant_type", "")], "invalid_request"),
        (vec![("grant_type", "password")], "unsupported_grant_type"),
        (vec![("grant_type", "authorization_code")], "invalid_request"),
        (vec![("grant_type", "authorization_code"), ("code", "x")], "invalid_request"),
        (vec![("grant_type", "refresh_token")], "invalid_request"),
        (vec![("grant_type", "authorization_code"), ("code", "a"), ("code", "b")], "invalid_request"),
    ] {
        let seen = app.call("token", &form).await;
        assert_eq!(refusal(&seen, StatusCode::BAD_REQUEST), error, "{form:?}");
    }
    let get = app.web.get("/w/shop/token").await;
    assert_eq!(refusal(&get, StatusCode::METHOD_NOT_ALLOWED), "invalid_request");
    let json = Request::post("/w/shop/token").header("content-type", "application/json");
    let json = app.web.send(json, "{}").await;
    assert_eq!(refusal(&json, StatusCode::BAD_REQUEST), "invalid_request");
    let nowhere = app.web.post("/w/nowhere/token", &[("grant_type", "x")]).await;
    assert_eq!(refusal(&nowhere, StatusCode::NOT_FOUND), "invalid_request");
}

#[tokio::test]
async fn a_code_is_good_for_what_it_was_asked_for() {
    let (shop, mut app, mut linus) = opened().await;
    let mut other = shop.add(on_a_server()).await;
    let short = "x".repeat(42);
    for changes in [
        vec![("redirect_uri", "https://app.example/cb/")],
        vec![("code_verifier", "")],
        vec![("code_verifier", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")],
        vec![("code_verifier", short.as_str())],
    ] {
        let code = app.code(&mut linus, &[]).await;
        invalid_grant(&app.redeem(&code, &changes).await);
        invalid_grant(&app.redeem(&code, &[]).await);
    }
    let plain = [("code_challenge", None), ("code_challenge_method", None)];
    let code = app.code(&mut linus, &plain).await;
    invalid_grant(&app.redeem(&code, &[]).await);
    let code = app.code(&mut linus, &plain).await;
    assert_eq!(app.redeem(&code, &[("code_verifier", "")]).await.status, StatusCode::OK);

    let code = app.code(&mut linus, &[]).await;
    invalid_grant(&other.redeem(&code, &[]).await);
    assert_eq!(app.redeem(&code, &[]).await.status, StatusCode::OK, "another client did not spoil it");
    let code = app.code(&mut linus, &[]).await;
    pass(&shop, 60);
    invalid_grant(&app.redeem(&code, &[]).await);
    invalid_grant(&app.redeem("never-seen", &[]).await);
}

#[tokio::test]
async fn a_code_that_comes_twice_ends_what_it_bought() {
    let (shop, mut app, mut linus) = opened().await;
    let code = app.code(&mut linus, &[]).await;
    let tokens = app.redeem(&code, &[]).await.json();
    assert_eq!(app.user_info(&tokens["access_token"]).await.status, StatusCode::OK);
    pass(&shop, 30);
    invalid_grant(&app.redeem(&code, &[]).await);
    assert_eq!(app.user_info(&tokens["access_token"]).await.status, StatusCode::UNAUTHORIZED);
    invalid_grant(&app.refresh(&tokens["refresh_token"], "").await);
}

#[tokio::test]
async fn of_fifty_at_once_one_gets_tokens_and_they_end() {
    let (shop, app, mut linus) = opened().await;
    let code = app.code(&mut linus, &[]).await;
    let calls = (0..50).map(|_| {
        let mut caller = Application {
            id: app.id.clone(),
            secret: app.secret.clone(),
            web: shop.site.browser(),
            path: app.path.clone(),
        };
        let code = code.clone();
        tokio::spawn(async move { caller.redeem(&code, &[]).await })
    });
    let mut given = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        let seen = call.await.unwrap();
        match seen.status {
            StatusCode::OK => given.push(seen.json()),
            _ => invalid_grant(&seen),
        }
    }
    assert_eq!(given.len(), 1);
    let mut app = app;
    assert_eq!(app.user_info(&given[0]["access_token"]).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn tokens_can_be_taken_back() {
    let (shop, mut app, mut linus) = opened().await;
    let mut other = shop.add(on_a_server()).await;
    let tokens = app.tokens(&mut linus).await;
    let (access, refresh) =
        (tokens["access_token"].as_str().unwrap(), tokens["refresh_token"].as_str().unwrap());
    for token in [access, refresh, "unknown"] {
        assert_eq!(other.call("revoke", &[("token", token)]).await.status, StatusCode::OK);
    }
    assert_eq!(app.user_info(&tokens["access_token"]).await.status, StatusCode::OK, "it was not theirs");
    assert_eq!(app.call("revoke", &[("token", access)]).await.status, StatusCode::OK);
    assert_eq!(app.user_info(&tokens["access_token"]).await.status, StatusCode::UNAUTHORIZED);
    let next = app.refresh(&tokens["refresh_token"], "").await.json();
    assert_eq!(app.user_info(&next["access_token"]).await.status, StatusCode::OK);
    let refresh = next["refresh_token"].as_str().unwrap();
    let form = [("token", refresh), ("token_type_hint", "access_token")];
    assert_eq!(app.call("revoke", &form).await.status, StatusCode::OK, "the hint is only a hint");
    assert_eq!(app.user_info(&next["access_token"]).await.status, StatusCode::UNAUTHORIZED);
    invalid_grant(&app.refresh(&next["refresh_token"], "").await);
    assert_eq!(refusal(&app.call("revoke", &[]).await, StatusCode::BAD_REQUEST), "invalid_request");
    let wrong = app.call("revoke", &[("token", "x"), ("client_secret", "wrong")]).await;
    assert_eq!(refusal(&wrong, StatusCode::UNAUTHORIZED), "invalid_client");
}

#[tokio::test]
async fn who_fails_too_often_waits() {
    let (shop, mut app, mut linus) = opened().await;
    for _ in 0..20 {
        let seen = app.redeem("x", &[("client_secret", "wrong")]).await;
        assert_eq!(refusal(&seen, StatusCode::UNAUTHORIZED), "invalid_client");
    }
    let late = app.redeem("x", &[]).await;
    assert_eq!(refusal(&late, StatusCode::TOO_MANY_REQUESTS), "temporarily_unavailable");
    assert!(late.header("retry-after").parse::<u32>().unwrap() > 0);
    pass(&shop, 60);
    app.tokens(&mut linus).await;
    for _ in 0..30 {
        invalid_grant(&app.redeem("what visitors bring", &[]).await);
    }
    app.tokens(&mut linus).await;
    let mut browser = shop.add(in_a_browser()).await;
    for _ in 0..20 {
        invalid_grant(&browser.redeem("a guess", &[]).await);
    }
    assert_eq!(browser.redeem("a guess", &[]).await.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn a_script_of_a_known_page_may_ask_and_no_other() {
    let shop = Shop::open().await;
    let mut app = shop.add(in_a_browser()).await;
    let mut server =
        shop.add(ClientForm { redirect_uris: "https://server.example/cb".into(), ..on_a_server() }).await;
    let origins = [
        ("https://app.example", true),
        ("https://server.example", false),
        ("https://evil.example", false),
        ("null", false),
    ];
    for (origin, is_known) in origins {
        let allowed = if is_known { origin } else { "" };
        for endpoint in ["token", "userinfo", "revoke"] {
            let path = format!("/w/shop/{endpoint}");
            let preflight = Request::builder()
                .method("OPTIONS")
                .uri(&path)
                .header("origin", origin)
                .header("access-control-request-method", "POST");
            let seen = app.web.send(preflight, "").await;
            assert_eq!(seen.header("access-control-allow-origin"), allowed, "{endpoint} {origin}");
            assert_eq!(seen.header("access-control-allow-headers").is_empty(), !is_known);
            assert!(seen.header("vary").contains("Origin"));
            let seen = server.web.send(Request::post(&path).header("origin", origin), "").await;
            assert!(seen.status.is_client_error());
            assert_eq!(seen.header("access-control-allow-origin"), allowed, "{endpoint} {origin}");
            assert_eq!(seen.header("access-control-allow-credentials"), "");
        }
    }
}

#[tokio::test]
async fn what_belongs_to_one_website_is_nothing_at_another() {
    let (shop, mut app, mut linus) = opened().await;
    shop.found("other", "Other").await;
    let mut foreign = shop.add_to("other", on_a_server()).await;
    let tokens = app.tokens(&mut linus).await;
    let code = app.code(&mut linus, &[]).await;

    let mut moved = Application {
        id: app.id.clone(),
        secret: app.secret.clone(),
        web: shop.site.browser(),
        path: "/w/other".into(),
    };
    let garbage = moved.redeem("garbage", &[("client_id", "garbage")]).await;
    let seen = moved.redeem(&code, &[]).await;
    assert_eq!((seen.status, &seen.body), (garbage.status, &garbage.body), "a client of another website");
    let garbage = foreign.redeem("garbage", &[]).await;
    let seen = foreign.redeem(&code, &[]).await;
    assert_eq!((seen.status, &seen.body), (garbage.status, &garbage.body));
    let seen = foreign.refresh(&tokens["refresh_token"], "").await;
    assert_eq!((seen.status, &seen.body), (garbage.status, &garbage.body));
    let garbage = foreign.user_info(&json!("garbage")).await;
    let seen = foreign.user_info(&tokens["access_token"]).await;
    assert_eq!((seen.status, &seen.body), (garbage.status, &garbage.body));
    for token in [&tokens["access_token"], &tokens["refresh_token"]] {
        foreign.call("revoke", &[("token", token.as_str().unwrap())]).await;
    }
    assert_eq!(app.user_info(&tokens["access_token"]).await.status, StatusCode::OK);
    assert_eq!(app.redeem(&code, &[]).await.status, StatusCode::OK);
    assert_eq!(app.refresh(&tokens["refresh_token"], "").await.status, StatusCode::OK);

    let hint = tokens["id_token"].as_str().unwrap();
    let seen = linus.get(&foreign.door(&[("id_token_hint", Some(hint)), ("prompt", Some("none"))])).await;
    assert!(seen.location.contains("error=invalid_request"), "{}", seen.location);
    let cookie = linus.cookies["stave_op_shop"].clone();
    linus.cookies.insert("stave_op_other".into(), cookie);
    let seen = linus.get(&foreign.door(&[("prompt", Some("none"))])).await;
    assert!(seen.location.contains("error=login_required"), "{}", seen.location);
}
