//! A member's own page.

use super::{Shop, is_in, through};
use axum::http::StatusCode;
use jiff::SignedDuration;
use stave_testkit::FakeBitbucket;

/// The shop with a second server, and the path that connects it.
async fn with_second() -> (Shop, FakeBitbucket, String) {
    let shop = Shop::open().await;
    let second = FakeBitbucket::start().await;
    let own = shop.site.add_own(&shop.grace, "acme", &second).await;
    shop.save("shop", &[(&format!("integration_{}_on", own.slug), "on")]).await;
    (shop, second, format!("/w/shop/account/connect/integration-{}", own.slug))
}

/// S-7, S-8
#[tokio::test]
async fn a_second_server_is_connected_by_whoever_just_logged_in() {
    let (shop, second, connect) = with_second().await;
    let mut mia = shop.visitor("mia").await;
    let before = mia.cookies["stave_op_shop"].clone();
    let back = through(&mut mia, &connect, &second, "mia-there").await;
    assert_eq!(back.location, "/w/shop/account?done=connected", "{}", back.body);
    assert_ne!(mia.cookies["stave_op_shop"], before, "more leads in now");
    let page = mia.get("/w/shop/account?done=connected").await.body;
    assert!(page.contains("mia-there") && page.contains("The account is connected"), "{page}");

    let mut phone = shop.site.browser();
    let login = connect.replace("account/connect", "login");
    assert_eq!(through(&mut phone, &login, &second, "mia-there").await.location, "/w/shop/account");
    assert_eq!(shop.members().await.len(), 1);
}

/// S-8
#[tokio::test]
async fn a_stale_log_in_connects_nothing() {
    let (shop, second, connect) = with_second().await;
    let mut mia = shop.visitor("mia").await;
    let clock = shop.site.app.clock();
    clock.advance(SignedDuration::from_mins(4));
    let away = mia.post(&connect, &[]).await;
    clock.advance(SignedDuration::from_mins(1));
    let late = mia.grant(&away, &second, "mia-there").await;
    let late = mia.get(&late.location).await;
    assert!(
        late.body.contains("too long ago") && late.body.contains("still logged in as before"),
        "{}",
        late.body
    );

    assert_eq!(mia.post(&connect, &[]).await.location, "/w/shop/login?after=again");
    let form = mia.get("/w/shop/login?after=again").await.body;
    assert!(form.contains("show once more who you are") && form.contains("/w/shop/login/bitbucket"));
    assert!(mia.get("/w/shop/account").await.body.contains("Log in once more"));
    shop.log_in(&mut mia, "mia").await;
    assert_eq!(
        through(&mut mia, &connect, &second, "mia-there").await.location,
        "/w/shop/account?done=connected"
    );
}

/// S-8
#[tokio::test]
async fn only_the_browser_and_the_member_who_began_are_connected() {
    let (shop, second, connect) = with_second().await;
    let (mut mia, mut linus) = (shop.visitor("mia").await, shop.visitor("linus").await);
    let away = mia.post(&connect, &[]).await;
    let on = mia.grant(&away, &second, "somebody").await.location;
    let stolen = linus.get(&on).await;
    assert_eq!(stolen.status, StatusCode::BAD_REQUEST, "another browser");

    let away = mia.post(&connect, &[]).await;
    let on = mia.grant(&away, &second, "somebody").await.location;
    mia.cookies.insert("stave_op_shop".into(), linus.cookies["stave_op_shop"].clone());
    let other = mia.get(&on).await;
    assert!(
        other.body.contains("logged in as somebody else"),
        "the log-in of another member: {}",
        other.body
    );
    assert!(!linus.get("/w/shop/account").await.body.contains("somebody"));

    let mut mia = shop.visitor("mia").await;
    through(&mut mia, &connect, &second, "mia-there").await;
    let taken = through(&mut linus, &connect, &second, "mia-there").await;
    assert!(taken.body.contains("belongs to another member"), "{}", taken.body);
    let twice = mia.post(&connect, &[]).await;
    assert!(twice.body.contains("connected with"), "{}", twice.body);
}

#[tokio::test]
async fn a_server_is_disconnected_but_never_the_last() {
    let (shop, second, connect) = with_second().await;
    let mut mia = shop.visitor("mia").await;
    through(&mut mia, &connect, &second, "mia-there").await;
    let mut phone = shop.visitor("mia").await;
    let here = format!("bitbucket {}", shop.bitbucket.base_url());
    let gone = mia.post("/w/shop/account/disconnect", &[("place", &here)]).await;
    assert_eq!(gone.location, "/w/shop/account?done=disconnected", "{}", gone.body);
    assert!(!is_in(&mut phone).await, "who came in with it is out");
    let page = mia.get("/w/shop/account").await.body;
    assert!(page.contains("mia-there") && !page.contains("Disconnect"), "{page}");

    let there = format!("bitbucket {}", second.base_url());
    let last = mia.post("/w/shop/account/disconnect", &[("place", &there)]).await;
    assert!(
        last.body.contains("the only account") && last.body.contains("Back to your account"),
        "{}",
        last.body
    );
    assert_eq!(
        mia.post("/w/shop/account/disconnect", &[("place", "nowhere")]).await.status,
        StatusCode::NOT_FOUND
    );
    let new = shop.visitor("mia").await;
    assert_eq!(shop.members().await.len(), 2, "the account leads to nobody who was here");
    drop(new);
}

/// S-18
#[tokio::test]
async fn browsers_are_signed_out_one_by_one_and_all_together() {
    let shop = Shop::open().await;
    let (mut laptop, mut phone, mut tablet) =
        (shop.visitor("mia").await, shop.visitor("mia").await, shop.visitor("mia").await);
    let mut linus = shop.visitor("linus").await;
    let page = laptop.get("/w/shop/account").await.body;
    let ends: Vec<&str> = page
        .split("action=\"")
        .filter_map(|rest| rest.split_once('"'))
        .map(|(a, _)| a)
        .filter(|a| a.ends_with("/end"))
        .collect();
    assert_eq!(ends.len(), 3);
    assert_eq!(linus.post(ends[0], &[]).await.status, StatusCode::NOT_FOUND, "somebody else's");
    assert!(is_in(&mut tablet).await);
    assert_eq!(laptop.post(ends[0], &[]).await.location, "/w/shop/account?done=ended");
    assert!(!is_in(&mut tablet).await && is_in(&mut phone).await);

    let stolen = laptop.cookies["stave_op_shop"].clone();
    assert_eq!(
        laptop.post("/w/shop/account/sign-out-everywhere", &[]).await.location,
        "/w/shop/login?after=sign-out"
    );
    assert!(laptop.get("/w/shop/login?after=sign-out").await.body.contains("You are logged out."));
    assert!(!is_in(&mut phone).await && is_in(&mut linus).await);
    laptop.cookies.insert("stave_op_shop".into(), stolen);
    assert!(!is_in(&mut laptop).await, "a copy of the cookie is worth nothing");
}

#[tokio::test]
async fn delete_me_leaves_nothing_and_whoever_returns_is_new() {
    let shop = Shop::open().await;
    let (mut mia, mut phone) = (shop.visitor("mia").await, shop.visitor("mia").await);
    let sub = shop.members().await.remove(0).sub;
    assert_eq!(mia.post("/w/shop/account/delete", &[]).await.location, "/w/shop/login?after=delete");
    assert!(mia.get("/w/shop/login?after=delete").await.body.contains("You are deleted here"));
    assert!(shop.members().await.is_empty() && !is_in(&mut phone).await);
    shop.visitor("mia").await;
    assert_ne!(shop.members().await.remove(0).sub, sub);
}

/// S-15
#[tokio::test]
async fn pages_of_other_sites_send_no_form() {
    let shop = Shop::open().await;
    let mut mia = shop.visitor("mia").await;
    for path in [
        "login/bitbucket",
        "continue",
        "consent",
        "account/disconnect",
        "account/sign-out-everywhere",
        "account/delete",
        "account/connect/bitbucket",
    ] {
        for (header, value) in
            [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site"), ("origin", "null")]
        {
            let request = axum::http::Request::post(format!("/w/shop/{path}"))
                .header("host", "127.0.0.1:8080")
                .header(header, value);
            let refused = mia.send(request, "").await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path} {header} {value}");
            assert!(refused.body.contains("The Shop"), "in the look of the website");
        }
    }
    assert!(is_in(&mut mia).await && shop.members().await.len() == 1);
}
