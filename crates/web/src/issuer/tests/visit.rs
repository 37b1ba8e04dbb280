//! A visitor of a page behind a proxy: to the login form and back, log-out, and what the site's own scripts learn.

use super::proxy::{Guarded, SITE, header};
use crate::testing::Browser;
use axum::http::{Request, StatusCode};
use jiff::SignedDuration;
use stave_testkit::Email;

/// S-1, S-22: the trip to the login form ends once, in the browser and at the address where it began.
#[tokio::test]
async fn a_visit_ends_once_and_in_the_browser_that_left() {
    let guarded = Guarded::open().await;
    let (mut mia, mut mallory) = (guarded.shop.visitor("mia").await, guarded.shop.visitor("mallory").await);
    // The thief is on a visit too, so that they have a cookie.
    guarded.almost(&mut mallory, "/").await;
    let back = guarded.almost(&mut mia, "/a").await;
    let stolen = guarded.get(&mut mallory, &back).await;
    assert_eq!(stolen.status, StatusCode::FORBIDDEN);
    assert!(
        stolen.body.contains("This log-in is over") && stolen.body.contains("/.stave/start?rd=/a"),
        "{}",
        stolen.body
    );
    assert!(!mallory.cookies.contains_key("__Host-stave_site"));

    let back = guarded.almost(&mut mia, "/a").await;
    let changed = back.replace("iss=http", "iss=https");
    assert_ne!(back, changed);
    assert!(guarded.get(&mut mia, &changed).await.body.contains("did not come from the login form"));
    let back = guarded.almost(&mut mia, "/a").await;
    assert_eq!(guarded.get(&mut mia, &back).await.location, format!("{SITE}/a"));
    mia.cookies.remove("__Host-stave_site");
    assert_eq!(guarded.get(&mut mia, &back).await.status, StatusCode::FORBIDDEN, "a replay");

    let back = guarded.almost(&mut mia, "/a").await;
    guarded.shop.site.app.clock().advance(SignedDuration::from_mins(10));
    assert_eq!(guarded.get(&mut mia, &back).await.status, StatusCode::FORBIDDEN, "after ten minutes");
}

#[tokio::test]
async fn two_tabs_can_be_on_their_way() {
    let guarded = Guarded::open().await;
    let mut mia = guarded.shop.visitor("mia").await;
    let (one, two) = (guarded.almost(&mut mia, "/one").await, guarded.almost(&mut mia, "/two").await);
    assert_eq!(guarded.get(&mut mia, &one).await.location, format!("{SITE}/one"));
    let pass = mia.cookies["__Host-stave_site"].clone();
    assert_eq!(guarded.get(&mut mia, &two).await.location, format!("{SITE}/two"), "already inside");
    assert_eq!(mia.cookies["__Host-stave_site"], pass);
}

#[tokio::test]
async fn whoever_does_not_log_in_sees_a_next_step() {
    let guarded = Guarded::open().await;
    let mut mia = guarded.shop.visitor("mia").await;
    let back = guarded.almost(&mut mia, "/a").await;
    let state = back.split('&').find(|part| part.contains("state=")).unwrap();
    let state = &state[state.find("state=").unwrap()..];
    let iss = "iss=http%3A%2F%2F127.0.0.1%3A8080%2Fw%2Fshop";
    let refused = guarded.get(&mut mia, &format!("/callback?error=access_denied&{state}&{iss}")).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    for part in ["You did not log in.", "/.stave/start?rd=/a", "http://127.0.0.1:8080/static/"] {
        assert!(refused.body.contains(part), "{part}: {}", refused.body);
    }
    assert_eq!(header(&refused, "referrer-policy"), Some("no-referrer"));
    assert_eq!(header(&refused, "x-frame-options"), Some("DENY"));
    assert!(
        header(&refused, "content-security-policy").unwrap().contains("style-src http://127.0.0.1:8080;")
    );
}

/// S-7
#[tokio::test]
async fn a_planted_pass_is_never_adopted() {
    let guarded = Guarded::open().await;
    let mallory = guarded.guest("mallory").await;
    let planted = mallory.cookies["__Host-stave_site"].clone();
    let mut mia = guarded.shop.visitor("mia").await;
    let back = guarded.almost(&mut mia, "/").await;
    mia.cookies.insert("__Host-stave_site".into(), planted.clone());
    guarded.get(&mut mia, &back).await;
    assert_ne!(mia.cookies["__Host-stave_site"], planted);
    let seen = guarded.check(&mut mia, "caddy").await;
    let mia_sub = guarded.shop.members().await.into_iter().find(|member| member.handle == "mia").unwrap().sub;
    assert_eq!(header(&seen, "remote-user"), Some(mia_sub.as_str()));
    let mut thief = guarded.shop.site.browser();
    thief.cookies.insert("__Host-stave_site".into(), planted);
    assert!(!guarded.is_let_in(&mut thief).await, "the planted one is dead");
}

#[tokio::test]
async fn nobody_goes_in_a_circle() {
    let guarded = Guarded::open().await;
    // The check does not see the cookie that this page sees.
    let mut mia = guarded.guest("mia").await;
    assert_eq!(guarded.get(&mut mia, "/start?rd=/").await.location, format!("{SITE}/"));
    let third = guarded.get(&mut mia, "/start?rd=/").await;
    assert_eq!((third.status, third.location.as_str()), (StatusCode::OK, ""));
    assert!(third.body.contains("does not pass the header Cookie on to the check"), "{}", third.body);
    // The cookie is never kept.
    let mut ben = guarded.shop.visitor("ben").await;
    for round in 1..=3 {
        let home = guarded.enter(&mut ben, "/").await;
        assert_eq!(home.location.is_empty(), round == 3, "{}", home.body);
        ben.cookies.remove("__Host-stave_site");
    }
    guarded.shop.site.app.clock().advance(SignedDuration::from_mins(1));
    assert_eq!(guarded.enter(&mut ben, "/").await.location, format!("{SITE}/"));
}

/// S-15, S-18
#[tokio::test]
async fn logging_out_asks_first_and_ends_everything() {
    let guarded = Guarded::open().await;
    let mut mia = guarded.guest("mia").await;
    let question = guarded.get(&mut mia, "/logout").await;
    assert!(question.body.contains("Log out?"), "{}", question.body);
    assert!(guarded.is_let_in(&mut mia).await, "an address alone does nothing");
    let stolen = mia.cookies["__Host-stave_site"].clone();
    let form = || guarded.told(Request::post("/w/shop/site/logout"));
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("x-nothing", "at all"),
    ] {
        let refused = mia.send(form().header(name, value), "").await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{name}: {value}");
    }
    assert!(guarded.is_let_in(&mut mia).await);
    let done = mia.send(form().header("origin", SITE), "").await;
    assert_eq!((done.status, done.location), (StatusCode::SEE_OTHER, format!("{SITE}/")));
    assert!(!mia.cookies.contains_key("__Host-stave_site"));
    mia.cookies.insert("__Host-stave_site".into(), stolen);
    assert!(!guarded.is_let_in(&mut mia).await);
    assert!(!super::is_in(&mut mia).await, "at the login form too");
}

#[tokio::test]
async fn scripts_of_the_site_learn_who_is_signed_in() {
    let guarded = Guarded::open().await;
    guarded.shop.bitbucket.user("mia").display_name("Mia").emails(&[Email::primary("mia@example.com")]);
    let me = async |browser: &mut Browser| {
        let seen = guarded.get(browser, "/me").await;
        assert_eq!(header(&seen, "cache-control"), Some("no-store"));
        assert!(!seen.headers.contains_key("access-control-allow-origin"));
        serde_json::from_str::<serde_json::Value>(&seen.body).unwrap()
    };
    let nobody = me(&mut guarded.shop.site.browser()).await;
    assert_eq!(nobody["signed_in"], false);
    assert_eq!(nobody["login_url"], "https://shop.example/.stave/start?rd=/");
    assert!(nobody.get("sub").is_none());
    let mia = me(&mut guarded.guest("mia").await).await;
    assert_eq!((mia["signed_in"].as_bool(), mia["name"].as_str()), (Some(true), Some("Mia")));
    assert_eq!(mia["email"], "mia@example.com");
    assert_eq!(mia["groups"], serde_json::json!([]));
    assert_eq!(mia["logout_url"], "https://shop.example/.stave/logout");
}

#[tokio::test]
async fn pictures_and_scripts_are_not_led_to_the_login_form() {
    let guarded = Guarded::open().await;
    let mut nobody = guarded.shop.site.browser();
    let picture =
        guarded.told(Request::get("/w/shop/site/start?rd=/a.png")).header("sec-fetch-mode", "no-cors");
    let seen = nobody.send(picture, "").await;
    assert_eq!(seen.status, StatusCode::UNAUTHORIZED);
    assert!(nobody.cookies.is_empty());
    for nowhere in ["/check", "/", "/starts", "/a/b"] {
        assert_eq!(guarded.get(&mut nobody, nowhere).await.status, StatusCode::NOT_FOUND, "{nowhere}");
    }
}

#[tokio::test]
async fn the_script_is_for_any_site() {
    let guarded = Guarded::open().await;
    let script = guarded.shop.site.browser().get("/w/shop/site.js").await;
    assert_eq!(header(&script, "content-type"), Some("text/javascript; charset=utf-8"));
    assert_eq!(header(&script, "access-control-allow-origin"), Some("*"));
    assert_eq!(header(&script, "cross-origin-resource-policy"), Some("cross-origin"));
    assert!(script.body.contains("window.stave"));
}
