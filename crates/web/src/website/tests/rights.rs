//! Who may manage a website, and that one website knows nothing of another (rule S-24).

use super::{LIST, SHOP, Shop, link_below};
use crate::testing::{Browser, Seen};
use axum::http::StatusCode;

/// Pages of a website, after its address.
const PAGES: [&str; 11] = [
    "",
    "/delete",
    "/connect",
    "/connect/openid",
    "/connect/proxy",
    "/connect/script",
    "/clients",
    "/clients/new",
    "/members",
    "/members.csv",
    "/log",
];
const ACTIONS: [&str; 10] = [
    "",
    "/key",
    "/delete",
    "/clients",
    "/connect/openid/test",
    "/connect/proxy/key",
    "/connect/proxy/key/retire",
    "/connect/proxy/test",
    "/connect/script/test",
    "/login",
];
const OF_CLIENT: [&str; 5] = ["", "/edit", "/secret", "/secret/retire", "/delete"];
const OF_MEMBER: [&str; 6] =
    ["", "/roles", "/status", "/log-out", "/logins/01890000-0000-7000-8000-000000000000/end", "/delete"];

/// Everything that can be asked of a website, one of its clients and one of its members.
async fn everything(browser: &mut Browser, website: &str, client: &str, member: &str) -> Vec<(String, Seen)> {
    let mut all = Vec::new();
    let below =
        |page: &str, parts: &[&str]| parts.iter().map(|part| format!("{page}{part}")).collect::<Vec<_>>();
    let (clients, members) = (below(client, &OF_CLIENT), below(member, &OF_MEMBER));
    for address in [below(website, &PAGES), clients.clone(), members.clone()].concat() {
        all.push((address.clone(), browser.get(&address).await));
    }
    for address in [below(website, &ACTIONS), clients[1..].to_vec(), members[1..].to_vec()].concat() {
        // What is typed is all right, so that only the right is missing.
        let typed =
            [("name", "X"), ("origin", "https://x.example"), ("typed", "shop"), ("status", "blocked")];
        let client = [("kind", "browser"), ("redirect_uris", "https://x.example/"), ("action", "apply")];
        let seen = browser.post(&address, &[&typed[..], &client[..]].concat()).await;
        all.push((format!("POST {address}"), seen));
    }
    all
}

#[tokio::test]
async fn a_website_is_for_the_owners_of_its_organization() {
    let mut shop = Shop::open().await;
    shop.publish().await;
    shop.visitor("linus").await;
    let member = shop.member("").await;
    let openid = shop.grace.get(&format!("{SHOP}/connect/openid")).await.body;
    let client = link_below(&openid, &format!("{SHOP}/clients/0"));

    let [mut linus, mut mallory] = [shop.site.browser(), shop.site.browser()];
    linus.register(&shop.bitbucket, "linus").await;
    mallory.register(&shop.bitbucket, "mallory").await;
    shop.grace.post("/orgs/acme/teams", &[("who", "linus"), ("role", "member")]).await;
    mallory.post("/orgs/new", &[("name", "Other"), ("short_name", "other")]).await;
    let made = [("name", "Other"), ("slug", "other"), ("origin", "https://other.example")];
    mallory.post("/orgs/other/websites", &made).await;

    for (address, seen) in everything(&mut linus, SHOP, &client, &member).await {
        assert_eq!(seen.status, StatusCode::FORBIDDEN, "a member at {address}");
    }
    for (address, seen) in everything(&mut mallory, SHOP, &client, &member).await {
        assert_eq!(seen.status, StatusCode::NOT_FOUND, "an owner of another organization at {address}");
    }
    let mut stranger = shop.site.browser();
    for (address, seen) in everything(&mut stranger, SHOP, &client, &member).await {
        assert!(seen.location.starts_with("/login"), "a stranger at {address}: {}", seen.status);
    }
    for (address, form) in [(LIST, &made[..]), ("/orgs/acme/websites/new", &[])] {
        assert_eq!(linus.get(address).await.status, StatusCode::FORBIDDEN, "{address}");
        assert_eq!(mallory.get(address).await.status, StatusCode::NOT_FOUND, "{address}");
        assert!(stranger.get(address).await.location.starts_with("/login"), "{address}");
        if !form.is_empty() {
            assert_eq!(linus.post(address, form).await.status, StatusCode::FORBIDDEN);
            assert_eq!(mallory.post(address, form).await.status, StatusCode::NOT_FOUND);
        }
    }
    assert_eq!(shop.ada.get(SHOP).await.status, StatusCode::OK, "an admin manages every organization");
    assert!(!linus.get("/orgs/acme").await.body.contains("/orgs/acme/websites"), "the tab is the owners'");
    assert!(shop.grace.get(&member).await.body.contains("Active"), "nothing was changed");
}

#[tokio::test]
async fn one_website_knows_nothing_of_another() {
    let mut shop = Shop::open().await;
    shop.publish().await;
    shop.visitor("linus").await;
    let grace = &mut shop.grace;
    let made = [("name", "Blog"), ("slug", "blog"), ("origin", "https://blog.example")];
    grace.post(LIST, &made).await;
    let openid = grace.get(&format!("{SHOP}/connect/openid")).await.body;
    let client = link_below(&openid, &format!("{SHOP}/clients/0"));
    let member = shop.member("").await;
    let grace = &mut shop.grace;
    let there = |page: &str| page.replace("/shop/", "/blog/");
    let garbage = "01890000-0000-7000-8000-000000000000";
    for page in [there(&client), there(&member)] {
        let (list, _) = page.rsplit_once('/').unwrap();
        let parts: &[&str] = if page.contains("/clients/") { &OF_CLIENT[1..] } else { &OF_MEMBER[1..] };
        let form = [("name", "X"), ("redirect_uris", "https://x.example/"), ("status", "blocked")];
        assert_eq!(grace.get(&page).await.status, StatusCode::NOT_FOUND, "{page}");
        for part in parts {
            let (theirs, nobodys) = (format!("{page}{part}"), format!("{list}/{garbage}{part}"));
            let answer = grace.post(&theirs, &form).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{theirs}");
            assert_eq!(grace.post(&nobodys, &form).await.status, answer.status, "{nobodys}");
        }
    }
    assert_eq!(grace.get("/orgs/acme/websites/blog/members.csv").await.body.lines().count(), 1);
    assert!(grace.get(&member).await.body.contains("Active"));
    assert_eq!(grace.get(&client).await.status, StatusCode::OK);
    for nowhere in
        ["/orgs/acme/websites/nonsense", "/orgs/acme/websites/No%20Slug", "/orgs/nobody/websites/shop"]
    {
        assert_eq!(grace.get(nowhere).await.status, StatusCode::NOT_FOUND, "{nowhere}");
    }
}
