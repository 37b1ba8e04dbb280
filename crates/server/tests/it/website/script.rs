//! A site that has only HTML, with the page that its owner copies: who is signed in, in every tab.

use crate::support::{
    TestWebsite,
    echo::Echo,
    form,
    person::Person,
    website::{BUTTON, LOG_OUT},
};
use axum::{Router, response::Html, routing::get};
use std::sync::{Arc, OnceLock};

/// The site and its website.
struct HtmlSite {
    website: TestWebsite,
    /// `http://page.localhost:41234`
    origin: String,
    _files: Echo,
}

impl HtmlSite {
    async fn open() -> Self {
        let page = Arc::new(OnceLock::<String>::new());
        let show = || {
            let page = page.clone();
            get(async move || Html(page.get().cloned().unwrap_or_default()))
        };
        let files = Echo::with(Router::new().route("/", show()).route("/deep/page", show())).await;
        let origin = files.url.replace("127.0.0.1", "page.localhost");
        let website = TestWebsite::start_at(&origin).await;
        website.stave.bitbucket.user("ada");
        let owners = website.owner.open("/orgs/acme/websites/shop/connect/script").await;
        let text =
            owners.body.split_once("<pre id=\"script-page\"").and_then(|(_, rest)| rest.split_once('>'));
        let (text, _) = text.and_then(|(_, rest)| rest.split_once("</pre>")).expect("a page to copy");
        page.set(form::text(text)).unwrap();
        Self { website, origin, _files: files }
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }
}

impl Person {
    async fn runs(&self, script: &str) -> serde_json::Value {
        self.driver.execute(script, vec![]).await.unwrap().json().clone()
    }

    /// To the login form, from a page of the site.
    async fn leaves(&self, site: &HtmlSite, page: &str) {
        self.open(&site.at(page)).await;
        self.press(BUTTON).await;
        self.sees("Log in to Shop").await;
    }

    async fn signs_in_at(&self, site: &HtmlSite, page: &str) {
        self.leaves(site, page).await;
        self.press(BUTTON).await;
    }

    async fn is_greeted(&self) {
        self.sees("Hello Ada Example (ada@example.com)").await;
    }

    async fn is_not_greeted(&self) {
        self.find(format!("//button[normalize-space()='{BUTTON}']"), BUTTON).await;
        self.misses("Hello").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_html_greets_its_visitors() {
    let Some(person) = Person::sit_down().await else { return };
    let site = HtmlSite::open().await;
    person.signs_in_at(&site, "/deep/page?x=1&y=2#z").await;
    person.press("Log in as ada").await;
    person.press("Grant access").await;
    person.is_greeted().await;
    let at = person.driver.current_url().await.unwrap();
    assert_eq!(at.as_str(), site.at("/deep/page?x=1&y=2#z"), "without a code in the address");
    assert_eq!(person.runs("return window.stave.user.email").await, "ada@example.com");
    let heard = "document.addEventListener('stave:change', (event) => \
                 (document.title = event.detail ? 'in' : 'out'));";
    person.runs(heard).await;

    // The access token has ended: the refresh token buys another, and works once.
    let end = "const key = Object.keys(localStorage)[0]; const held = JSON.parse(localStorage[key]); \
               localStorage[key] = JSON.stringify({ ...held, ends: 0 }); return held.refresh_token;";
    let first = person.runs(end).await;
    person
        .aside(async {
            person.open(&site.at("/")).await;
            person.is_greeted().await;
            person.runs("return window.stave.ready").await;
            let second = person.runs("return JSON.parse(Object.values(localStorage)[0]).refresh_token").await;
            assert!(second.is_string() && first != second, "a refresh token works once");
            person.press(LOG_OUT).await;
            person.is_not_greeted().await;
            assert_eq!(person.driver.current_url().await.unwrap().as_str(), site.at("/"));
        })
        .await;
    person.is_not_greeted().await;
    assert_eq!(person.runs("return document.title").await, "out", "the first tab heard of it");
    assert_eq!(person.runs("return localStorage.length").await, 0);

    // At the login form too: it does not let them in by itself.
    person.signs_in_at(&site, "/").await;
    person.press("Grant access").await;
    person.is_greeted().await;
    person.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_signed_out_elsewhere_is_not_greeted() {
    let Some(person) = Person::sit_down().await else { return };
    let site = HtmlSite::open().await;
    person.signs_in_at(&site, "/").await;
    person.press("Log in as ada").await;
    person.press("Grant access").await;
    person.is_greeted().await;
    let members = site.website.owner.open("/orgs/acme/websites/shop/members").await;
    let member = members.link("Ada Example").expect("a member");
    let page = site.website.owner.open(&member).await;
    site.website.owner.press(&page, "Sign out everywhere").await;
    person.open(&site.at("/deep/page")).await;
    person.is_not_greeted().await;
    person.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_nobody_asked_for_is_not_taken() {
    let Some(person) = Person::sit_down().await else { return };
    let site = HtmlSite::open().await;
    person.open(&site.at("/?code=stolen&state=made-up&iss=x")).await;
    person.is_not_greeted().await;
    person.runs("return window.stave.ready").await;
    assert_eq!(person.runs("return localStorage.length").await, 0);
    person.leaves(&site, "/deep/page").await;
    // The visitor changes their mind.
    person.press("Cancel").await;
    person.is_not_greeted().await;
    person.runs("return window.stave.ready").await;
    assert_eq!(person.runs("return Boolean(window.stave.error)").await, true);
    let at = person.driver.current_url().await.unwrap();
    assert_eq!(at.as_str(), site.at("/deep/page"), "nothing of the answer stays in the address");
    person.leave().await;
}
