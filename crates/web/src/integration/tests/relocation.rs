//! A base URL that leads to another server: the ids of people mean others there.

use super::{ACME, ADMIN, CALLBACK, Form, allow, page_of};
use crate::testing::{Browser, Seen, TestSite};
use axum::http::StatusCode;
use stave_testkit::{FakeDataCenter, Version};

/// A server with a link for Stave, on which the first person has this name.
async fn server(first: &str, callback: &str) -> (FakeDataCenter, (String, String)) {
    let server = FakeDataCenter::start(Version::V8_19).await;
    server.user(first);
    let link = server.link(callback, &["REPO_READ"]);
    let client = (link.client_id(), link.client_secret());
    (server, client)
}

fn form(server: &FakeDataCenter, (id, secret): &(String, String), slug: &str) -> Form {
    Form::data_center(&server.base_url(), "2", slug).with("client_id", id).with("client_secret", secret)
}

async fn arrive(browser: &mut Browser, server: &FakeDataCenter, slug: &str, person: &str) -> Seen {
    let away = browser.get(&format!("/login/{slug}")).await;
    allow(browser, &away, server, person).await
}

#[tokio::test]
async fn people_stay_connected_but_an_id_is_worth_nothing_without_its_name() {
    let site = TestSite::start().await;
    let mut ada = site.setup_browser().await;
    let (old, client) = server("ada", CALLBACK).await;
    let made = form(&old, &client, "bitbucket").send(&mut ada, "/admin/integrations/new").await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.body);
    assert_eq!(arrive(&mut ada, &old, "bitbucket", "ada").await.location, "/login/register");
    ada.post("/login/register", &[("username", "ada"), ("email", ""), ("name", "")]).await;
    let page = page_of(&ada.get("/admin").await.body, ADMIN);

    let (new, client) = server("mallory", CALLBACK).await;
    assert_eq!(old.user("ada").id(), new.user("mallory").id());
    let doubt = form(&new, &client, "bitbucket").send(&mut ada, &format!("{page}/edit")).await;
    assert!(doubt.body.contains("1 person is connected at"), "{}", doubt.body);
    let moved = form(&new, &client, "bitbucket").with("save_anyway", "on");
    assert_eq!(moved.send(&mut ada, &format!("{page}/edit")).await.location, format!("{page}?done=saved"));
    assert!(ada.get("/profile").await.body.contains("leads to another server now"));

    let mut mallory = site.browser();
    let refused = arrive(&mut mallory, &new, "bitbucket", "mallory").await;
    assert!(refused.body.contains("who was called ada then"), "{}", refused.body);
    assert!(!mallory.cookies.contains_key("stave_login"));
    new.user("mallory").rename("ada");
    assert_eq!(arrive(&mut mallory, &new, "bitbucket", "ada").await.location, "/");
}

#[tokio::test]
async fn what_an_organizations_server_said_ends_when_it_becomes_another_one() {
    let (site, _bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    let callback = "http://127.0.0.1:8080/oauth/callback/acme-bitbucket";
    let (evil, client) = server("eve", callback).await;
    let made = form(&evil, &client, "acme-bitbucket").send(&mut grace, &format!("{ACME}/new")).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.body);
    let mut eve = site.browser();
    assert_eq!(arrive(&mut eve, &evil, "acme-bitbucket", "eve").await.location, "/login/register");
    eve.post("/login/register", &[("username", "eve"), ("email", ""), ("name", "")]).await;
    assert_eq!(eve.get("/profile").await.status, StatusCode::OK);

    let page = page_of(&grace.get(ACME).await.body, ACME);
    let (other, client) = server("eve", callback).await;
    let moved = form(&other, &client, "acme-bitbucket").with("save_anyway", "on");
    moved.send(&mut grace, &format!("{page}/edit")).await;
    assert_eq!(eve.get("/profile").await.location, "/login?return_to=/profile", "the log-in is over");
}
