//! The form: its fields, what it keeps, what it says.

use super::{ACME, ADMIN, CALLBACK, Form, field, field_named, page_of, people};
use crate::testing::{ALL_SCOPES, TestSite};
use axum::http::StatusCode;
use jiff::SignedDuration;
use stave_testkit::{FakeDataCenter, Version};

#[tokio::test]
async fn a_doubtful_base_url_can_be_saved_anyway_and_nothing_is_lost() {
    let site = TestSite::start().await;
    let mut admin = site.setup_browser().await;
    let shown = admin.get("/admin/integrations/new").await.body;
    assert!(shown.contains(CALLBACK) && !shown.contains("Save anyway"), "{shown}");

    let form = Form(vec![
        ("name", "Bitbucket".into()),
        ("platform", "bitbucket".into()),
        ("base_url", "http://127.0.0.1:1".into()),
        ("workspace_name", "acme".into()),
        ("client_id", "key".into()),
        ("client_secret", "hush hush".into()),
        ("slug", "bitbucket".into()),
    ]);
    // The page is left open while somebody makes the consumer; nothing on it grows old.
    site.app.clock().advance(SignedDuration::from_hours(3));
    let doubt = form.send(&mut admin, "/admin/integrations/new").await;
    assert_eq!(doubt.status, StatusCode::UNPROCESSABLE_ENTITY);
    for kept in [CALLBACK, "Save anyway", "value=\"http://127.0.0.1:1\"", "value=\"acme\"", "is kept"] {
        assert!(doubt.body.contains(kept), "{kept}: {}", doubt.body);
    }
    assert!(!doubt.body.contains("hush hush"));
    let kept = field_named(&doubt.body, "kept_secret");
    let form = form.with("client_secret", "").with("kept_secret", &kept).with("save_anyway", "on");
    let nameless = form.with("name", "");
    let refused = nameless.send(&mut admin, "/admin/integrations/new").await;
    assert!(refused.body.contains("Save anyway"), "the button stays: {}", refused.body);
    let form =
        nameless.with("name", "Bitbucket").with("kept_secret", &field_named(&refused.body, "kept_secret"));
    let made = form.send(&mut admin, "/admin/integrations/new").await;
    assert_eq!(made.location, "/admin?done=integration-created", "{}", made.body);
    let panel = admin.get("/admin").await.body;
    assert!(panel.contains("http://127.0.0.1:1") && panel.contains("not used yet"), "{panel}");

    let page = page_of(&panel, ADMIN);
    let mut form = form.with("kept_secret", "");
    for (base_url, secret, is_saved) in [
        ("http://127.0.0.1:1/", "", true),
        ("http://127.0.0.1:1/path", "", false),
        ("http://127.0.0.1:2", "", false),
        ("https://127.0.0.1:1", "", false),
        ("http://127.0.0.1:2", "another", true),
    ] {
        form = form.with("base_url", base_url).with("client_secret", secret);
        let answer = form.send(&mut admin, &format!("{page}/edit")).await;
        assert_eq!(answer.location.ends_with("done=saved"), is_saved, "{base_url} {}", answer.body);
        assert_eq!(answer.body.contains("has to be typed again."), !is_saved, "{base_url}");
    }
}

#[tokio::test]
async fn the_fields_stand_in_the_order_of_the_guides() {
    let site = TestSite::start().await;
    let [mut ada, mut grace, ..] = people(&site).await;
    let all = [
        "name",
        "platform",
        "base_url",
        "trust_email",
        "api_timeout",
        "oauth",
        "oauth-1",
        "client_id",
        "client_secret",
        "callback",
    ];
    let order = |page: &str| {
        let mut seen: Vec<_> =
            all.iter().filter_map(|id| Some((page.find(&format!(" id=\"{id}\""))?, *id))).collect();
        seen.sort_unstable();
        seen.into_iter().map(|(_, id)| id).collect::<Vec<_>>()
    };
    assert_eq!(order(&ada.get("/admin/integrations/new").await.body), all);
    let theirs = order(&grace.get(&format!("{ACME}/new")).await.body);
    assert_eq!(theirs, [&all[..3], &all[5..]].concat(), "no trust and no time-out in an organization");
}

#[tokio::test]
async fn oauth2_at_both_levels() {
    let site = TestSite::start().await;
    let [mut ada, mut grace, ..] = people(&site).await;
    let server = FakeDataCenter::start(Version::V9_4).await;
    for (browser, base, list) in [(&mut ada, ADMIN, "/admin"), (&mut grace, ACME, ACME)] {
        let new = browser.get(&format!("{base}/new")).await.body;
        let (slug, callback) = (field_named(&new, "slug"), field(&new, "callback"));
        assert!(callback.ends_with(&format!("/oauth/callback/{slug}")), "{callback}");
        let link = server.link(&callback, &["REPO_READ"]);
        let form = Form::data_center(&server.base_url(), "2", &slug)
            .with("client_id", &link.client_id())
            .with("client_secret", &link.client_secret());
        let made = form.send(browser, &format!("{base}/new")).await;
        assert_eq!(made.location, format!("{list}?done=integration-created"), "{}", made.body);
        let shown = browser.get(list).await.body;
        assert!(shown.contains("Git") && shown.contains("Bitbucket Data Center / Server"), "{shown}");
    }
    let list = grace.get(ACME).await.body;
    let page = grace.get(&page_of(&list, ACME)).await.body;
    let link = field(&page, "login-link");
    assert!(link.starts_with("http://127.0.0.1:8080/login/acme/") && list.contains(&link), "{link}");
    assert!(page.contains("version 9.4.2, with OAuth 2"), "{page}");
}

#[tokio::test]
async fn what_does_not_fit_is_said_beside_the_field() {
    let site = TestSite::start().await;
    let mut admin = site.setup_browser().await;
    let new = "/admin/integrations/new";
    let server = FakeDataCenter::start(Version::V8_19).await;
    let form = Form::data_center(&server.base_url(), "2", "bitbucket").with("client_id", "id");
    let other = form.with("client_secret", "secret").with("platform", "bitbucket");
    let doubt = other.send(&mut admin, new).await;
    assert_eq!(doubt.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        doubt.body.contains("id=\"platform-problem\"") && doubt.body.contains("Save anyway"),
        "{}",
        doubt.body
    );

    let old = other.with("platform", "bitbucket-data-center").with("oauth", "1");
    let refused = old.send(&mut admin, new).await;
    assert!(refused.body.contains("id=\"oauth-problem\""), "{}", refused.body);
    assert!(
        refused.body.contains("This server is Bitbucket 8.19.3") && !refused.body.contains("Save anyway")
    );
    let insisting = old.with("save_anyway", "on").send(&mut admin, new).await;
    assert_eq!(insisting.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", insisting.location);

    let older = FakeDataCenter::start(Version::V7_20).await;
    let doubt = Form::data_center(&older.base_url(), "2", "bitbucket")
        .with("client_id", "id")
        .with("client_secret", "secret")
        .send(&mut admin, new)
        .await;
    assert!(
        doubt.body.contains("id=\"oauth-problem\"") && doubt.body.contains("Save anyway"),
        "{}",
        doubt.body
    );
}

#[tokio::test]
async fn it_looks_for_itself() {
    let site = TestSite::start().await;
    let [mut ada, mut grace, mut linus, _] = people(&site).await;
    let server = FakeDataCenter::start(Version::V7_20).await;
    let query = format!("look?platform=bitbucket&base_url={}", server.base_url());
    for (browser, base) in [(&mut ada, ADMIN), (&mut grace, ACME)] {
        let part = browser.get(&format!("{base}/{query}")).await;
        assert_eq!(part.status, StatusCode::OK, "{}", part.body);
        assert!(
            part.body.contains("data-platform=\"bitbucket-data-center\" data-oauth=\"1\""),
            "{}",
            part.body
        );
        assert!(part.body.contains("7.20.3") && !part.body.contains("<html"), "{}", part.body);
    }
    assert_eq!(linus.get(&format!("{ACME}/{query}")).await.status, StatusCode::FORBIDDEN);
    let nothing = ada.get(&format!("{ADMIN}/look?platform=bitbucket&base_url=http://127.0.0.1:1")).await;
    assert!(
        nothing.body.contains("callout warn") && nothing.body.contains("127.0.0.1:1"),
        "{}",
        nothing.body
    );

    // Without script the whole form comes back.
    let form = Form::data_center(&server.base_url(), "2", "bitbucket").with("client_secret", "hush");
    let again = form.with("look", "on").send(&mut ada, &format!("{ADMIN}/new")).await;
    assert_eq!(again.status, StatusCode::OK);
    assert!(again.body.contains("7.20.3") && again.body.contains("is kept"), "{}", again.body);
    assert!(again.body.contains(&server.base_url()) && !again.body.contains("hush"), "{}", again.body);
}

#[tokio::test]
async fn a_callback_is_kept_by_who_copied_it_and_taken_by_nobody_else() {
    let (site, bitbucket, [mut ada, mut grace]) = TestSite::with_acme().await;
    let slug = |page: &str| super::field_named(page, "slug");
    let first = slug(&ada.get(&format!("{ADMIN}/new")).await.body);
    assert!(first.starts_with("bitbucket-"), "the plain one is taken: {first}");
    assert_eq!(slug(&ada.get(&format!("{ADMIN}/new?slug={first}")).await.body), first);
    for other in ["bitbucket", "register", "acme-bitbucket", "..", ""] {
        assert_ne!(slug(&ada.get(&format!("{ADMIN}/new?slug={other}")).await.body), other);
    }
    for (taken, address) in [("register", ACME), ("bitbucket-123abc", ACME), ("acme-bitbucket", ADMIN)] {
        let consumer = bitbucket.consumer("acme", CALLBACK, &ALL_SCOPES);
        let secret = consumer.secret();
        let form = [
            ("name", "Taken"),
            ("platform", "bitbucket"),
            ("base_url", &bitbucket.base_url()),
            ("client_id", consumer.key()),
            ("client_secret", secret.as_str()),
            ("slug", taken),
        ];
        let browser = if address == ADMIN { &mut ada } else { &mut grace };
        assert_eq!(
            browser.post(&format!("{address}/new"), &form).await.status,
            StatusCode::NOT_FOUND,
            "{taken}"
        );
    }
    assert_eq!(site.app.integration_list().await.unwrap().len(), 1);
}
