//! The upgrade from OAuth 1 to OAuth 2, there and back.

use super::{ADMIN, CALLBACK, Form, allow, field, page_of};
use crate::testing::{Browser, TestSite};
use stave_testkit::{FakeDataCenter, Version, data_center::Link};

/// A site whose people log in by OAuth 1 with a server that speaks OAuth 2 by now: the admin, who is connected, and the page of the
/// integration.
async fn outgrown(site: &TestSite) -> (FakeDataCenter, Browser, String) {
    let server = FakeDataCenter::start(Version::V7_20).await;
    let mut ada = site.setup_browser().await;
    let made = Form::data_center(&server.base_url(), "1", "bitbucket")
        .send(&mut ada, "/admin/integrations/new")
        .await;
    let page = made.location.split('?').next().unwrap().to_owned();
    let shown = ada.get(&page).await.body;
    server.consumer(&field(&shown, "consumer-key"), &field(&shown, "public-key"));
    register(&mut ada, &server, "ada").await;
    server.set_version(Version::V7_21);
    let away = ada.post(&format!("{page}/check"), &[]).await;
    allow(&mut ada, &away, &server, "ada").await;
    (server, ada, page)
}

async fn register(browser: &mut Browser, server: &FakeDataCenter, person: &str) {
    let away = browser.get("/login/bitbucket").await;
    assert_eq!(allow(browser, &away, server, person).await.location, "/login/register");
    browser.post("/login/register", &[("username", person), ("email", ""), ("name", "")]).await;
}

/// Enters id and secret of a second link.
async fn upgrade(ada: &mut Browser, server: &FakeDataCenter, page: &str) -> Link {
    let link = server.link(CALLBACK, &["REPO_READ"]);
    let form = Form::data_center(&server.base_url(), "2", "bitbucket")
        .with("client_id", &link.client_id())
        .with("client_secret", &link.client_secret());
    let saved = form.send(ada, &format!("{page}/edit")).await;
    assert_eq!(saved.location, format!("{page}?done=saved"), "{}", saved.body);
    link
}

#[tokio::test]
async fn the_hint_leads_to_the_form_and_there_is_no_way_back() {
    let site = TestSite::start().await;
    let (server, mut ada, page) = outgrown(&site).await;
    let panel = ada.get("/admin").await.body;
    let link = format!("{page}/edit?oauth=2");
    assert_eq!(page_of(&panel, ADMIN), page);
    assert!(panel.contains(&link) && ada.get(&page).await.body.contains(&link), "{panel}");
    let form = ada.get(&link).await.body;
    assert!(form.contains("name=\"oauth\" value=\"2\" checked"), "{form}");
    assert_eq!(field(&form, "callback"), CALLBACK);
    let plain = ada.get(&format!("{page}/edit")).await.body;
    assert!(plain.contains("name=\"oauth\" value=\"1\" checked"), "{plain}");

    upgrade(&mut ada, &server, &page).await;
    let form = ada.get(&format!("{page}/edit")).await.body;
    assert!(!form.contains("id=\"oauth-1\""), "{form}");
    let back = Form::data_center(&server.base_url(), "1", "bitbucket");
    let refused = back.send(&mut ada, &format!("{page}/edit")).await;
    assert!(refused.body.contains("stays with it"), "{}", refused.body);
}

#[tokio::test]
async fn an_upgrade_ends_when_everybody_has_logged_in_again() {
    let site = TestSite::start().await;
    let (server, mut ada, page) = outgrown(&site).await;
    let mut grace = site.browser();
    register(&mut grace, &server, "grace").await;
    upgrade(&mut ada, &server, &page).await;
    let shown = ada.get(&page).await.body;
    assert!(shown.contains("0 of 2 people have logged in again"), "{shown}");
    assert!(!shown.contains("speaks OAuth 2 by now"), "the hint is done with: {shown}");

    for (browser, person) in [(&mut ada, "ada"), (&mut grace, "grace")] {
        let away = browser.get("/login/bitbucket").await;
        allow(browser, &away, &server, person).await;
        let now = browser.get("/profile").await;
        assert!(now.body.contains(person), "{}", now.body);
    }
    assert!(!ada.get(&page).await.body.contains("Finish the upgrade"), "nobody is waited for");
}

#[tokio::test]
async fn an_upgrade_can_be_finished_or_called_off() {
    let site = TestSite::start().await;
    let (server, mut ada, page) = outgrown(&site).await;
    upgrade(&mut ada, &server, &page).await;
    assert_eq!(
        ada.post(&format!("{page}/call-off"), &[]).await.location,
        format!("{page}?done=changeover-called-off")
    );
    let shown = ada.get(&page).await.body;
    assert!(shown.contains("<dd>OAuth 1</dd>") && !shown.contains("id=\"changeover\""), "{shown}");

    upgrade(&mut ada, &server, &page).await;
    let shown = ada.get(&page).await.body;
    assert!(shown.contains("1 person has not logged in again"), "{shown}");
    assert_eq!(
        ada.post(&format!("{page}/finish"), &[]).await.location,
        format!("{page}?done=changeover-finished")
    );
    let shown = ada.get(&page).await.body;
    assert!(shown.contains("<dd>OAuth 2</dd>") && !shown.contains("id=\"changeover\""), "{shown}");
    let nothing = ada.post(&format!("{page}/finish"), &[]).await;
    assert!(nothing.body.contains("There is no such upgrade"), "{}", nothing.body);
}

#[tokio::test]
async fn a_new_key_pair_takes_over_without_a_gap() {
    let site = TestSite::start().await;
    let (server, mut ada, page) = outgrown(&site).await;
    let key = |page: &str| (field(page, "consumer-key"), field(page, "public-key"));
    let before = key(&ada.get(&page).await.body);
    let renewed = ada.post(&format!("{page}/key"), &[]).await;
    assert_eq!(renewed.location, format!("{page}?done=key-renewed#link"));
    let shown = ada.get(&page).await.body;
    let after = key(&shown);
    assert!(before.0 != after.0 && before.1 != after.1, "{after:?}");
    assert!(shown.contains("0 of 1 person has logged in again"), "{shown}");

    let mut phone = site.browser();
    let away = phone.get("/login/bitbucket?as=before").await;
    assert_eq!(allow(&mut phone, &away, &server, "ada").await.location, "/", "the pair before still serves");
    server.consumer(&after.0, &after.1);
    let away = phone.get("/login/bitbucket").await;
    assert_eq!(allow(&mut phone, &away, &server, "ada").await.location, "/");
    assert!(!ada.get(&page).await.body.contains("Call off"), "everybody has moved");
}
