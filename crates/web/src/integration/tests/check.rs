//! The application link by OAuth 1, and the check of both kinds.

use super::{ACME, ADMIN, CALLBACK, Form, allow, field, field_named, page_of, people};
use crate::testing::TestSite;
use stave_testkit::{FakeDataCenter, Version};

#[tokio::test]
async fn oauth1_is_two_steps_and_the_check_proves_it() {
    let site = TestSite::start().await;
    let [mut ada, mut grace, ..] = people(&site).await;
    let server = FakeDataCenter::start(Version::V7_20).await;
    server.user("ada").email("ada@example.com");
    for (browser, base) in [(&mut ada, ADMIN), (&mut grace, ACME)] {
        let slug = field_named(&browser.get(&format!("{base}/new")).await.body, "slug");
        let form = Form::data_center(&server.base_url(), "1", &slug);
        let made = form.send(browser, &format!("{base}/new")).await;
        assert!(made.location.starts_with(&format!("{base}/0")), "{}", made.body);
        assert!(made.location.ends_with("?done=integration-begun"), "{}", made.location);
        let address = made.location.split('?').next().unwrap().to_owned();
        let page = browser.get(&made.location).await.body;
        assert!(page.contains("The integration was created"), "{page}");
        let links = format!("{}/plugins/servlet/applinks/listApplicationLinks", server.base_url());
        assert!(page.contains(&format!("href=\"{links}\"")), "{page}");
        for (id, value) in [
            ("application-url", "http://127.0.0.1:8080"),
            ("application-name", "Stave"),
            ("application-type", "Generic Application"),
            ("consumer-name", "Stave"),
            ("no-callback", "Leave this field empty."),
        ] {
            assert_eq!(field(&page, id), value);
        }
        let (key, public_key) = (field(&page, "consumer-key"), field(&page, "public-key"));

        let unknown = browser.post(&format!("{address}/check"), &[]).await;
        assert_eq!(unknown.location, format!("{address}#check"), "nobody has to leave for it");
        let page = browser.get(&address).await.body;
        assert!(page.contains("class=\"failed\"") && page.contains("Something has to be mended"), "{page}");

        server.consumer(&key, &public_key);
        let away = browser.post(&format!("{address}/check"), &[]).await;
        let waiting = browser.get(&address).await.body;
        assert!(waiting.contains("Somebody is on the way") && waiting.contains("Check again"), "{waiting}");
        assert_eq!(allow(browser, &away, &server, "ada").await.location, format!("{address}#check"));
        let page = browser.get(&address).await.body;
        assert!(page.contains("Everything worked.") && page.contains("You are ada"), "{page}");
        assert!(!page.contains("class=\"failed\""), "{page}");
    }
}

#[tokio::test]
async fn a_check_names_what_is_wrong() {
    let site = TestSite::start().await;
    let mut admin = site.setup_browser().await;
    let server = FakeDataCenter::start(Version::V8_19).await;
    let link = server.link(CALLBACK, &["REPO_READ"]);
    let form = Form::data_center(&server.base_url(), "2", "bitbucket")
        .with("client_id", &link.client_id())
        .with("client_secret", "something else");
    form.send(&mut admin, "/admin/integrations/new").await;
    let page = page_of(&admin.get("/admin").await.body, ADMIN);
    let away = admin.post(&format!("{page}/check"), &[]).await;
    allow(&mut admin, &away, &server, "ada").await;
    let seen = admin.get(&page).await.body;
    assert!(
        seen.contains("class=\"failed\"><b><span class=\"hidden-text\">failed: </span>Key and secret"),
        "{seen}"
    );

    let mended = form.with("client_secret", &link.client_secret());
    mended.send(&mut admin, &format!("{page}/edit")).await;
    let away = admin.post(&format!("{page}/check"), &[]).await;
    assert_eq!(allow(&mut admin, &away, &server, "ada").await.location, format!("{page}#check"));
    assert!(admin.get(&page).await.body.contains("Everything worked."));

    link.redirect_urls(&["https://elsewhere.example/"]);
    let over = admin.post(&format!("{page}/check"), &[]).await;
    assert_eq!(over.location, format!("{page}#check"), "nobody is sent to an error page");
    let seen = admin.get(&page).await.body;
    assert!(seen.contains("failed: </span>Callback accepted"), "{seen}");
}
