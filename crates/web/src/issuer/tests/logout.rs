//! An application sends its visitor to log out.

use super::{
    Shop,
    client::{Application, error, hidden, on_a_server},
    is_in,
};
use crate::testing::{Browser, Seen};
use axum::http::{Request, StatusCode};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use url::form_urlencoded::Serializer;

const BYE: &str = "https://app.example/bye";
const SIGNED_OUT: &str = "/w/shop/login?after=sign-out";

async fn leave(visitor: &mut Browser, parameters: &[(&str, &str)]) -> Seen {
    let query = Serializer::new(String::new()).extend_pairs(parameters).finish();
    visitor.get(&format!("/w/shop/logout?{query}")).await
}

async fn opened() -> (Shop, Application, Browser, String) {
    let shop = Shop::open().await;
    let mut app = shop.add(on_a_server()).await;
    let mut linus = shop.visitor("linus").await;
    let hint = app.tokens(&mut linus).await["id_token"].as_str().unwrap().to_owned();
    (shop, app, linus, hint)
}

fn asks(seen: &Seen) {
    assert_eq!((seen.status, seen.location.as_str()), (StatusCode::OK, ""));
    assert!(seen.body.contains("Log out of"), "{}", seen.body);
}

#[tokio::test]
async fn whoever_is_meant_is_not_asked() {
    let (shop, app, mut linus, hint) = opened().await;
    shop.site.app.clock().advance(jiff::SignedDuration::from_hours(1));
    let cookie = linus.cookies["stave_op_shop"].clone();
    let form = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", BYE), ("state", "s 1")];
    let seen = leave(&mut linus, &form).await;
    assert_eq!(
        (seen.status, seen.location.as_str()),
        (StatusCode::SEE_OTHER, "https://app.example/bye?state=s+1")
    );
    assert_eq!(seen.header("referrer-policy"), "no-referrer");
    assert_eq!(error(&linus.get(&app.door(&[("prompt", Some("none"))])).await), "login_required");
    linus.cookies.insert("stave_op_shop".into(), cookie);
    assert!(!is_in(&mut linus).await, "a copy of the cookie is dead too");
    let seen = leave(&mut linus, &form[..2]).await;
    assert_eq!(seen.location, BYE, "they are out already, and the application may have them back");
}

#[tokio::test]
async fn a_click_is_needed_after_it() {
    let (_shop, app, mut linus, hint) = opened().await;
    let seen = leave(&mut linus, &[("id_token_hint", &hint)]).await;
    assert_eq!(seen.location, SIGNED_OUT);
    assert!(linus.get(SIGNED_OUT).await.body.contains("You are logged out."));
    let page = linus.get(&app.door(&[("provider_hint", Some("bitbucket"))])).await;
    assert_eq!(page.status, StatusCode::OK, "no button is pressed: {}", page.location);
}

/// Somebody is asked, and says yes: where it leads.
async fn said_yes(shop: &Shop, sent: &[(&str, &str)]) -> String {
    let mut linus = shop.visitor("linus").await;
    let page = leave(&mut linus, sent).await;
    asks(&page);
    assert!(is_in(&mut linus).await, "a link only asks");
    let foreign = Request::post("/w/shop/logout/confirm")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "cross-site");
    assert_eq!(linus.send(foreign, "").await.status, StatusCode::FORBIDDEN);
    assert!(is_in(&mut linus).await);
    let request = hidden(&page.body, "request");
    let seen = linus.post("/w/shop/logout/confirm", &[("request", &request)]).await;
    assert_eq!(seen.status, StatusCode::SEE_OTHER);
    assert!(!is_in(&mut linus).await);
    seen.location
}

#[tokio::test]
async fn who_is_not_meant_for_sure_is_asked() {
    let (shop, mut app, mut linus, hint) = opened().await;
    let mut other = shop.add(on_a_server()).await;
    let others = other.tokens(&mut linus).await["id_token"].as_str().unwrap().to_owned();
    let mut elsewhere = shop.visitor("linus").await;
    let theirs = app.tokens(&mut elsewhere).await["id_token"].as_str().unwrap().to_owned();
    let parts: Vec<_> = hint.split('.').collect();
    let none = format!("{}.{}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#), parts[1]);
    let mixed = format!("{}.{}.{}", parts[0], parts[1], others.rsplit('.').next().unwrap());
    let forged = forged(&parts, &mut linus).await;
    let (bye, id) = (("post_logout_redirect_uri", BYE), ("client_id", app.id.as_str()));
    for (sent, leads_to) in [
        (vec![], SIGNED_OUT),
        (vec![("state", "s")], SIGNED_OUT),
        (vec![bye], SIGNED_OUT),
        (vec![bye, ("id_token_hint", "nonsense")], SIGNED_OUT),
        (vec![bye, ("id_token_hint", &none)], SIGNED_OUT),
        (vec![bye, ("id_token_hint", &forged)], SIGNED_OUT),
        (vec![bye, ("id_token_hint", &mixed)], SIGNED_OUT),
        (vec![bye, id, ("id_token_hint", &none)], SIGNED_OUT),
        (vec![bye, id, ("id_token_hint", &others)], SIGNED_OUT),
        (vec![bye, ("id_token_hint", &theirs)], BYE),
        (vec![bye, id], BYE),
    ] {
        assert_eq!(said_yes(&shop, &sent).await, leads_to, "{sent:?}");
    }
}

#[tokio::test]
async fn nobody_is_sent_to_an_address_that_is_not_registered() {
    let (shop, mut app, _, _) = opened().await;
    let id = app.id.clone();
    for uri in ["https://evil.example", "https://app.example/bye?foo=bar", "https://app.example/cb", "/bye"] {
        let wish = ("post_logout_redirect_uri", uri);
        assert_eq!(said_yes(&shop, &[wish, ("client_id", &id)]).await, SIGNED_OUT, "{uri}");
        let mut linus = shop.visitor("linus").await;
        let hint = app.tokens(&mut linus).await["id_token"].as_str().unwrap().to_owned();
        let seen = leave(&mut linus, &[("id_token_hint", &hint), wish]).await;
        assert_eq!(seen.location, SIGNED_OUT, "{uri}");
    }
    let mut nobody = shop.site.browser();
    let seen = leave(&mut nobody, &[("post_logout_redirect_uri", BYE), ("client_id", &id)]).await;
    assert_eq!(seen.location, SIGNED_OUT, "nobody was asked, so nobody is sent there");
}

/// The same claims under the name of our key, with our public key as the password that signed them.
async fn forged(parts: &[&str], browser: &mut Browser) -> String {
    let keys = browser.get("/w/shop/jwks").await.json();
    let kid = keys["keys"][0]["kid"].as_str().unwrap().to_owned();
    let claims: serde_json::Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
    let modulus = keys["keys"][0]["n"].as_str().unwrap();
    let header = Header { kid: Some(kid), ..Header::new(Algorithm::HS256) };
    jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(modulus.as_bytes())).unwrap()
}

#[tokio::test]
async fn a_form_is_answered_like_a_link() {
    let (_shop, _app, mut linus, hint) = opened().await;
    let sent = Request::post("/w/shop/logout")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "cross-site");
    let seen = linus.send(sent, &format!("id_token_hint={hint}")).await;
    assert_eq!(seen.status, StatusCode::SEE_OTHER);
    assert!(is_in(&mut linus).await, "the browser did not send its cookie with the form");
    linus.get(&seen.location).await;
    assert!(!is_in(&mut linus).await);
}
