//! The authorization endpoint: every row of its table, and what it never does.

use super::{
    Shop,
    client::{
        Application, CALLBACK, answer, claims, error, hidden, in_a_browser, log_in_through, on_a_server,
    },
};
use crate::testing::{Browser, Seen};
use axum::http::{Request, StatusCode};
use jiff::SignedDuration;
use stave_app::ClientForm;

async fn opened() -> (Shop, Application, Browser) {
    let shop = Shop::open().await;
    let app = shop.add(on_a_server()).await;
    let visitor = shop.visitor("linus").await;
    (shop, app, visitor)
}

/// A page in the website's look, and nothing that leads away.
fn is_page(seen: &Seen, status: StatusCode, words: &str) {
    assert_eq!((seen.status, seen.location.as_str()), (status, ""), "{}", seen.body);
    assert!(seen.body.contains(words), "{words}: {}", seen.body);
    assert!(!seen.body.contains("evil.example"), "{}", seen.body);
}

#[tokio::test]
async fn a_visitor_is_asked_to_log_in_and_goes_on_where_they_began() {
    let shop = Shop::open().await;
    let mut app = shop.add(on_a_server()).await;
    let mut linus = shop.site.browser();
    assert_eq!(error(&linus.get(&app.door(&[("prompt", Some("none"))])).await), "login_required");
    let page = linus.get(&app.door(&[])).await;
    let back = log_in_through(&shop, &mut linus, &page, "linus").await;
    let told = answer(&back);
    assert_eq!(told["state"], "st&a te");
    let tokens = app.redeem(&told["code"], &[]).await;
    assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.body);
    let tokens = tokens.json();
    assert_eq!(claims(&tokens["id_token"])["nonce"], "n-1");

    let again = answer(&linus.get(&app.door(&[("prompt", Some("none")), ("state", None)])).await);
    assert!(again.contains_key("code") && !again.contains_key("state"), "no state came, so none goes back");
}

#[tokio::test]
async fn what_the_application_wants_to_see_is_seen() {
    let (shop, mut app, mut linus) = opened().await;
    shop.site.app.clock().advance(SignedDuration::from_secs(100));
    let silent = ("prompt", Some("none"));
    for (changes, expected) in [
        (vec![silent], "code"),
        (vec![("max_age", Some("10000"))], "code"),
        (vec![("max_age", Some("10000")), silent], "code"),
        (vec![("max_age", Some("50")), silent], "login_required"),
        (vec![("max_age", Some("0")), silent], "login_required"),
        (vec![("display", Some("popup")), ("ui_locales", Some("se")), ("acr_values", Some("1 2"))], "code"),
        (vec![("login_hint", Some("x")), ("claims_locales", Some("se")), ("extra", Some("foobar"))], "code"),
        (vec![("claims", Some(r#"{"userinfo":{"name":{"essential":true}}}"#))], "code"),
        (vec![("scope", Some("openid profile email address phone"))], "code"),
        (vec![("nonce", None)], "code"),
        (vec![("prompt", Some("none login"))], "invalid_request"),
        (vec![("prompt", Some("create"))], "invalid_request"),
        (vec![("max_age", Some("-1"))], "invalid_request"),
        (vec![("response_type", None)], "invalid_request"),
        (vec![("response_type", Some("token"))], "unsupported_response_type"),
        (vec![("scope", Some("email"))], "invalid_scope"),
        (vec![("request", Some("e30."))], "request_not_supported"),
        (vec![("request_uri", Some("https://app.example/r"))], "request_uri_not_supported"),
        (vec![("registration", Some("{}"))], "registration_not_supported"),
        (vec![("code_challenge_method", Some("plain"))], "invalid_request"),
        (vec![("code_challenge_method", None)], "invalid_request"),
        (vec![("id_token_hint", Some("nonsense"))], "invalid_request"),
    ] {
        let told = answer(&linus.get(&app.door(&changes)).await);
        let got = told.get("error").map_or("code", String::as_str);
        assert_eq!(got, expected, "{changes:?}");
        assert_eq!(told["state"], "st&a te", "{changes:?}");
    }
    for (changes, sentence) in [
        ([("prompt", Some("login"))], "asks you to log in once more."),
        ([("max_age", Some("50"))], "once more: it has been a while"),
        ([("max_age", Some("0"))], "once more: it has been a while"),
    ] {
        let page = linus.get(&app.door(&changes)).await;
        is_page(&page, StatusCode::OK, sentence);
        let before = claims(&app.tokens(&mut linus).await["id_token"]);
        shop.site.app.clock().advance(SignedDuration::from_secs(2));
        let back = log_in_through(&shop, &mut linus, &page, "linus").await;
        let after = app.redeem(&answer(&back)["code"], &[]).await.json();
        let after = claims(&after["id_token"]);
        assert!(after["auth_time"].as_i64() > before["auth_time"].as_i64(), "{changes:?}");
        assert_eq!(after["sub"], before["sub"]);
        shop.site.app.clock().advance(SignedDuration::from_secs(100));
    }
}

#[tokio::test]
async fn a_fresh_sign_in_cannot_be_left_out() {
    let shop = Shop::open().await;
    let app = shop.add(ClientForm { is_own: None, ..on_a_server() }).await;
    let mut linus = shop.visitor("linus").await;
    let consent = linus.get(&app.door(&[])).await;
    let proof = hidden(&consent.body, "proof");
    let door = app.door(&[("prompt", Some("login"))]);
    let request = door.split_once('?').unwrap().1.to_owned();
    for (path, form) in [
        ("/w/shop/continue", vec![("request", request.as_str())]),
        ("/w/shop/consent", vec![("request", request.as_str()), ("answer", "yes"), ("proof", "")]),
        (
            "/w/shop/consent",
            vec![("request", request.as_str()), ("answer", "yes"), ("proof", proof.as_str())],
        ),
    ] {
        let page = linus.post(path, &form).await;
        is_page(&page, StatusCode::OK, "asks you to log in once more");
    }
}

#[tokio::test]
async fn whom_they_go_on_as_is_asked() {
    let (shop, mut app, mut linus) = opened().await;
    let page = linus.get(&app.door(&[("prompt", Some("select_account"))])).await;
    is_page(&page, StatusCode::OK, "Continue as");
    let request = hidden(&page.body, "request");
    let back = linus.post("/w/shop/continue", &[("request", &request)]).await;
    assert!(answer(&back).contains_key("code"));
    let back = log_in_through(&shop, &mut linus, &page, "mallory").await;
    let tokens = app.redeem(&answer(&back)["code"], &[]).await.json();
    assert_eq!(claims(&tokens["id_token"])["nickname"], "mallory");
    let mut nobody = shop.site.browser();
    let page = nobody.post("/w/shop/continue", &[("request", &request)]).await;
    is_page(&page, StatusCode::OK, "Log in with Bitbucket");
}

#[tokio::test]
async fn consent_is_asked_once_for_each_thing() {
    let shop = Shop::open().await;
    let mut app = shop.add(ClientForm { is_own: None, ..on_a_server() }).await;
    let mut linus = shop.visitor("linus").await;
    let (little, more) = ([("scope", Some("openid"))], [("scope", Some("openid email"))]);
    let silent = |scope| [("scope", Some(scope)), ("prompt", Some("none"))];
    assert_eq!(error(&linus.get(&app.door(&silent("openid"))).await), "consent_required");
    let page = linus.get(&app.door(&little)).await;
    is_page(&page, StatusCode::OK, "May App know you?");
    let (request, proof) = (hidden(&page.body, "request"), hidden(&page.body, "proof"));
    let answered = |answer| [("request", request.as_str()), ("proof", proof.as_str()), ("answer", answer)];
    let refused = linus.post("/w/shop/consent", &answered("no")).await;
    assert_eq!(error(&refused), "access_denied");
    let mut other = shop.visitor("mallory").await;
    let asked = other.post("/w/shop/consent", &answered("yes")).await;
    is_page(&asked, StatusCode::OK, "May App know you?");

    let given = linus.post("/w/shop/consent", &answered("yes")).await;
    let tokens = app.redeem(&answer(&given)["code"], &[]).await.json();
    assert_eq!(tokens["scope"], "openid");
    assert!(answer(&linus.get(&app.door(&little)).await).contains_key("code"), "not asked again");
    is_page(&linus.get(&app.door(&more)).await, StatusCode::OK, "know your e-mail address");
    let asked = [("scope", Some("openid")), ("prompt", Some("consent"))];
    is_page(&linus.get(&app.door(&asked)).await, StatusCode::OK, "May App know you?");
    let mut own = shop.add(on_a_server()).await;
    own.tokens(&mut linus).await;
    is_page(&linus.get(&own.door(&asked)).await, StatusCode::OK, "May App know you?");
}

#[tokio::test]
async fn nobody_is_sent_to_an_address_that_is_not_registered() {
    let (shop, app, mut linus) = opened().await;
    shop.found("other", "Other").await;
    let foreign = shop.add_to("other", on_a_server()).await;
    for changes in [
        vec![("redirect_uri", None)],
        vec![("redirect_uri", Some("https://evil.example/cb"))],
        vec![("redirect_uri", Some("https://app.example/cb/"))],
        vec![("redirect_uri", Some("https://app.example/cb?foo=bar"))],
        vec![("redirect_uri", Some("https://app.example/cb#x"))],
        vec![("redirect_uri", Some("https://app.example:443/cb"))],
        vec![("redirect_uri", Some("https://app.example.evil.example/cb"))],
        vec![("redirect_uri", Some("//app.example/cb"))],
        vec![("client_id", None)],
        vec![("client_id", Some("nobody"))],
        vec![("client_id", Some(foreign.id.as_str()))],
        vec![("client_id", Some("nobody")), ("prompt", Some("none"))],
    ] {
        let seen = linus.get(&app.door(&changes)).await;
        is_page(&seen, StatusCode::BAD_REQUEST, "This application cannot log you in");
    }
    let twice = format!("{}&redirect_uri=https://evil.example", app.door(&[]));
    is_page(&linus.get(&twice).await, StatusCode::BAD_REQUEST, "names its application twice");
    let twice = format!("{}&state=2", app.door(&[]));
    assert_eq!(error(&linus.get(&twice).await), "invalid_request");
}

#[tokio::test]
async fn an_application_in_a_browser_has_to_use_pkce() {
    let shop = Shop::open().await;
    let (browser, server) = (shop.add(in_a_browser()).await, shop.add(on_a_server()).await);
    let strict = shop.add(ClientForm { pkce_required: Some("on".into()), ..on_a_server() }).await;
    let mut linus = shop.visitor("linus").await;
    let without = [("code_challenge", None), ("code_challenge_method", None)];
    for app in [&browser, &strict] {
        assert_eq!(error(&linus.get(&app.door(&without)).await), "invalid_request");
    }
    server.code(&mut linus, &without).await;
}

#[tokio::test]
async fn the_one_who_is_expected_is_the_one_who_comes() {
    let (shop, mut app, mut linus) = opened().await;
    let hint = app.tokens(&mut linus).await["id_token"].as_str().unwrap().to_owned();
    shop.site.app.clock().advance(SignedDuration::from_hours(1));
    let with_hint = |prompt| [("id_token_hint", Some(hint.as_str())), ("prompt", prompt)];
    let told = answer(&linus.get(&app.door(&with_hint(Some("none")))).await);
    assert!(told.contains_key("code"), "an ID token that is over is as good a hint: {told:?}");
    let mut mallory = shop.visitor("mallory").await;
    assert_eq!(error(&mallory.get(&app.door(&with_hint(Some("none")))).await), "login_required");
    let page = mallory.get(&app.door(&with_hint(None))).await;
    is_page(&page, StatusCode::OK, "expects somebody else");
    let back = log_in_through(&shop, &mut mallory, &page, "mallory").await;
    assert_eq!(error(&back), "login_required");
    let page = mallory.get(&app.door(&with_hint(None))).await;
    let back = log_in_through(&shop, &mut mallory, &page, "linus").await;
    assert!(answer(&back).contains_key("code"));
}

#[tokio::test]
async fn a_form_is_answered_like_a_link() {
    let (_shop, app, mut linus) = opened().await;
    let door = app.door(&[]);
    let (path, query) = door.split_once('?').unwrap();
    let sent = Request::post(path)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("origin", "https://app.example")
        .header("sec-fetch-site", "cross-site");
    let seen = linus.send(sent, query).await;
    assert_eq!((seen.status, seen.header("access-control-allow-origin")), (StatusCode::SEE_OTHER, ""));
    assert_eq!(seen.location, door);
    assert!(answer(&linus.get(&seen.location).await).contains_key("code"));
}

#[tokio::test]
async fn the_answer_can_be_a_form() {
    let (_shop, mut app, mut linus) = opened().await;
    let page = linus.get(&app.door(&[("response_mode", Some("form_post"))])).await;
    is_page(&page, StatusCode::OK, &format!("action=\"{CALLBACK}\""));
    assert_eq!((page.header("cache-control"), page.header("referrer-policy")), ("no-store", "no-referrer"));
    assert!(!page.body.contains("<script>"), "nothing is written inline");
    assert_eq!(hidden(&page.body, "iss"), "http://127.0.0.1:8080/w/shop");
    assert_eq!(hidden(&page.body, "state"), "st&a te");
    assert_eq!(app.redeem(&hidden(&page.body, "code"), &[]).await.status, StatusCode::OK);
    let refused = [("response_mode", Some("form_post")), ("scope", Some("email"))];
    let page = linus.get(&app.door(&refused)).await;
    assert_eq!(hidden(&page.body, "error"), "invalid_scope");
    let refused = [("response_mode", Some("fragment"))];
    assert_eq!(error(&linus.get(&app.door(&refused)).await), "invalid_request");
}

#[tokio::test]
async fn no_page_of_another_site_may_read_the_answer() {
    let shop = Shop::open().await;
    let app = shop.add(in_a_browser()).await;
    let mut linus = shop.visitor("linus").await;
    let asked =
        |method| Request::builder().method(method).uri(app.door(&[])).header("origin", "https://app.example");
    for method in ["GET", "OPTIONS"] {
        let seen = linus.send(asked(method), "").await;
        assert_eq!(seen.header("access-control-allow-origin"), "", "{method}");
    }
}
