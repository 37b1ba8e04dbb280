//! Who may see and change integrations, and what stands in the way of their end.

use super::{ACME, ADMIN, Form, field_named, page_of, people};
use crate::testing::{Browser, Seen, TestSite};
use axum::http::StatusCode;
use stave_testkit::{FakeDataCenter, Version};

const PAGES: [&str; 4] = ["", "/edit", "/delete", "/check"];
const ACTIONS: [&str; 5] = ["/edit", "/check", "/finish", "/call-off", "/delete"];

/// Grace's own integration in acme: its page.
async fn owned(grace: &mut Browser, server: &FakeDataCenter) -> String {
    let slug = field_named(&grace.get(&format!("{ACME}/new")).await.body, "slug");
    let link = server.link(&format!("http://127.0.0.1:8080/oauth/callback/{slug}"), &["REPO_READ"]);
    let made = Form::data_center(&server.base_url(), "2", &slug)
        .with("client_id", &link.client_id())
        .with("client_secret", &link.client_secret())
        .send(grace, &format!("{ACME}/new"))
        .await;
    assert_eq!(made.location, format!("{ACME}?done=integration-created"), "{}", made.body);
    page_of(&grace.get(ACME).await.body, ACME)
}

/// Everything that can be asked of a level and one of its integrations.
async fn everything(browser: &mut Browser, base: &str, page: &str) -> Vec<(String, Seen)> {
    let mut all = Vec::new();
    for address in
        [base.to_owned(), format!("{base}/new"), format!("{base}/look?platform=bitbucket&base_url=x")]
    {
        all.push((address.clone(), browser.get(&address).await));
    }
    all.push((
        format!("POST {base}/new"),
        Form::data_center("http://127.0.0.1:1", "1", "x").send(browser, &format!("{base}/new")).await,
    ));
    for part in PAGES {
        all.push((format!("{page}{part}"), browser.get(&format!("{page}{part}")).await));
    }
    for part in ACTIONS {
        all.push((format!("POST {page}{part}"), browser.post(&format!("{page}{part}"), &[]).await));
    }
    all
}

/// An integration is not reached by the address of another level or another organization.
async fn finds_nothing(browser: &mut Browser, base: &str, page: &str) {
    let page = format!("{base}/{}", page.rsplit('/').next().unwrap());
    for part in ["", "/edit", "/delete"] {
        let address = format!("{page}{part}");
        assert_eq!(browser.get(&address).await.status, StatusCode::NOT_FOUND, "{address}");
    }
    for part in ACTIONS {
        let address = format!("{page}{part}");
        assert_eq!(browser.post(&address, &[]).await.status, StatusCode::NOT_FOUND, "{address}");
    }
}

#[tokio::test]
async fn they_are_for_those_who_manage_them() {
    let site = TestSite::start().await;
    let [mut ada, mut grace, mut linus, mut mallory] = people(&site).await;
    let server = FakeDataCenter::start(Version::V9_4).await;
    let theirs = owned(&mut grace, &server).await;
    Form::data_center(&server.base_url(), "2", "bitbucket")
        .with("client_id", "id")
        .with("client_secret", "secret")
        .send(&mut ada, &format!("{ADMIN}/new"))
        .await;
    let installations = page_of(&ada.get("/admin").await.body, ADMIN);
    assert_eq!(ada.get(&theirs).await.status, StatusCode::OK, "an admin manages every organization");

    for (address, seen) in everything(&mut linus, ACME, &theirs).await {
        assert_eq!(seen.status, StatusCode::FORBIDDEN, "a member at {address}");
    }
    for (address, seen) in everything(&mut mallory, ACME, &theirs).await {
        assert_eq!(seen.status, StatusCode::NOT_FOUND, "a stranger at {address}");
    }
    for (address, seen) in everything(&mut grace, ADMIN, &installations).await {
        assert_eq!(seen.status, StatusCode::FORBIDDEN, "an owner at {address}");
    }
    let other = "/orgs/other/settings/integrations";
    finds_nothing(&mut grace, ACME, &installations).await;
    finds_nothing(&mut mallory, other, &theirs).await;
    finds_nothing(&mut mallory, other, &installations).await;
    finds_nothing(&mut ada, ADMIN, &theirs).await;
    let mut stranger = site.browser();
    assert_eq!(stranger.get(&theirs).await.location, format!("/login?return_to={theirs}"));
    assert_eq!(grace.get(&format!("{ACME}/nonsense")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_organization_gives_up_its_rule_first() {
    let site = TestSite::start().await;
    let [mut ada, mut grace, ..] = people(&site).await;
    let server = FakeDataCenter::start(Version::V9_4).await;
    let page = owned(&mut grace, &server).await;
    let id = page.rsplit('/').next().unwrap().to_owned();
    let slug = "acme-bitbucket";
    let away = grace.post(&format!("/profile/accounts/{slug}/connect"), &[]).await;
    super::allow(&mut grace, &away, &server, "grace").await;
    let enforced = grace.post("/orgs/acme/settings/access", &[("integration", &id)]).await;
    assert_eq!(enforced.status, StatusCode::SEE_OTHER, "{}", enforced.body);

    let asked = grace.get(&format!("{page}/delete")).await.body;
    assert!(
        asked.contains("It cannot be deleted now.") && !asked.contains("Delete integration</button>"),
        "{asked}"
    );
    let refused = grace.post(&format!("{page}/delete"), &[]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("The members of Acme have to log in with Git."), "{}", refused.body);
    assert_eq!(ada.get(&page).await.status, StatusCode::OK);

    grace.post("/orgs/acme/settings/access", &[("integration", "")]).await;
    let deleted = grace.post(&format!("{page}/delete"), &[]).await;
    assert_eq!(deleted.location, format!("{ACME}?done=deleted"), "{}", deleted.body);
    assert!(grace.get(ACME).await.body.contains("No integration yet"));
}
