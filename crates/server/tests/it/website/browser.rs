//! Websites in Chromium: files and an application behind nginx and Caddy, and a page of HTML that logs its visitors in by itself.

use crate::support::{
    TestWebsite,
    echo::{Echo, WELCOME},
    judge::tool,
    person::Person,
    website::{BUTTON, LOG_OUT, Protected, Proxy},
};
use axum::{Router, response::Html, routing::get};
use std::sync::{Arc, OnceLock};

impl Person {
    /// Presses the button of the login form, and those of the fake Bitbucket, which does not know this browser yet.
    async fn sign_in_as(&self, name: &str) {
        self.press(BUTTON).await;
        self.press(&format!("Log in as {name}")).await;
        self.press("Grant access").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_behind_nginx_are_for_members() {
    let Some(person) = Person::sit_down().await else { return };
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("index.html"),
        "<!doctype html><title>Shop</title><h1>Members only</h1>",
    )
    .unwrap();
    let shop = Protected::files(Proxy::Nginx, folder.path()).await;
    shop.website.stave.bitbucket.user("ada");
    person.open(&shop.at("/?from=the-newsletter")).await;
    person.sign_in_as("ada").await;
    person.sees("Members only").await;
    assert_eq!(person.driver.current_url().await.unwrap().as_str(), shop.at("/?from=the-newsletter"));
    assert_signed_out(&person, &shop, "Members only").await;
    person.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_behind_caddy_is_for_members() {
    let Some(person) = Person::sit_down().await else { return };
    let shop = Protected::application(Proxy::Caddy).await;
    shop.website.stave.bitbucket.user("ada");
    person.open(&shop.at("/deep/page?x=1&y=2")).await;
    person.sign_in_as("ada").await;
    person.sees(WELCOME).await;
    person.sees("/deep/page?x=1&y=2").await;
    assert_signed_out(&person, &shop, WELCOME).await;
    person.leave().await;
}

/// Signs out at the site: its pages are gone, and stay so.
async fn assert_signed_out(person: &Person, shop: &Protected, secret: &str) {
    person.open(&shop.at("/.stave/logout")).await;
    person.press(LOG_OUT).await;
    person.misses(LOG_OUT).await;
    person.open(&shop.at("/")).await;
    // A click is needed, or signing out would look broken.
    person.sees(BUTTON).await;
    person.misses(secret).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn oidc_client_ts_logs_the_visitors_of_a_page_in_and_out() {
    let Some(person) = Person::sit_down().await else { return };
    let page = Arc::new(OnceLock::<String>::new());
    let site = html_site(&page).await;
    let origin = site.url.replace("127.0.0.1", "page.localhost");
    let website = TestWebsite::start_at(&origin).await;
    website.stave.bitbucket.user("ada");
    let client = website
        .client_with(&[
            ("kind", "browser"),
            ("redirect_uris", &format!("{origin}/callback")),
            ("post_logout_uris", &format!("{origin}/")),
        ])
        .await;
    assert_eq!(client.secret, "", "everybody could read it");
    let text = include_str!("judges/browser_only.html");
    page.set(text.replace("%ISSUER%", &website.issuer).replace("%CLIENT%", &client.id)).unwrap();

    person.open(&origin).await;
    person.sees("Nobody has said who they are").await;
    person.press("Sign in").await;
    person.sign_in_as("ada").await;
    person.sees("Ada Example is signed in as ada@example.com").await;
    person.press("Ask again").await;
    person.sees("Still Ada Example").await;
    person.press("Sign out").await;
    person.sees("Nobody has said who they are").await;
    let at = person.driver.current_url().await.unwrap();
    assert!(at.as_str().starts_with(&format!("{origin}/?")) && at.as_str().contains("state="), "{at}");
    person.press("Sign in").await;
    person.sees(BUTTON).await;
    person.leave().await;
}

/// A site of one page and the program that npm gave; the page is known once there is a website.
async fn html_site(page: &Arc<OnceLock<String>>) -> Echo {
    let program = tool("node/node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js");
    let program = std::fs::read_to_string(program).unwrap();
    let show = || {
        let page = page.clone();
        get(async move || Html(page.get().cloned().unwrap_or_default()))
    };
    let script = get(async move || ([("content-type", "text/javascript")], program));
    Echo::with(
        Router::new().route("/", show()).route("/callback", show()).route("/oidc-client-ts.min.js", script),
    )
    .await
}
