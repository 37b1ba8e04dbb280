//! "Test sign-in", and what it finds out about workspaces.

use super::{Desk, PAGE};
use crate::testing::path_of;
use axum::http::StatusCode;
use stave_testkit::{Email, Fault};

#[tokio::test]
async fn a_test_leaves_nothing_but_its_sheet() {
    let mut desk = Desk::new().await;
    desk.bitbucket.workspace("acme").member("grace");
    desk.bitbucket
        .user("grace")
        .emails(&[Email::primary("grace@acme.example"), Email::unconfirmed("g@home.example")]);
    desk.send("apply", &[]).await;
    let sheet = desk.test("grace").await;
    for seen in [
        "a visitor would be in",
        "<b>Account</b><span><bdi>Grace Example</bdi>",
        "<b>User name</b><span><bdi>grace</bdi>",
        "g@home.example",
        "not verified",
        "by the draft",
        "&#34;iss&#34;",
    ] {
        assert!(sheet.contains(seen), "{seen}: {sheet}");
    }
    assert!(sheet.contains("value=\"save\""), "what was tested can be saved: {sheet}");
    assert_eq!(desk.counts().await, (0, 0));
    assert!(!desk.grace.cookies.keys().any(|name| name.contains("stave_op_")), "{:?}", desk.grace.cookies);
    assert!(desk.visitors_form().await.contains("Nobody can log in"), "and nothing is published");

    desk.consumer.rotate_secret();
    let sheet = desk.test("grace").await;
    assert!(sheet.contains("a visitor would not be in"), "{sheet}");
    assert!(!sheet.contains("value=\"save\""), "{sheet}");
    assert!(!sheet.contains("What an application would learn"));
    desk.send("apply", &[("allowed", "elsewhere.example")]).await;
    assert!(desk.test("grace").await.contains("none of yours that"), "the draft’s rules are tried");
}

#[tokio::test]
async fn a_test_is_finished_by_whoever_began_it() {
    let mut desk = Desk::new().await;
    desk.send("apply", &[]).await;
    let away = desk.grace.post("/orgs/acme/websites/shop/test/bitbucket", &[]).await;
    let back = path_of(&desk.bitbucket.grant_access(&away.location, "grace").await);
    assert_eq!(desk.site.browser().get(&back).await.status, StatusCode::BAD_REQUEST, "another browser");
    assert_eq!(desk.grace.get(&back).await.status, StatusCode::BAD_REQUEST, "it is over then");
    let away = desk.grace.post("/orgs/acme/websites/shop/test/bitbucket", &[]).await;
    let back = path_of(&desk.bitbucket.grant_access(&away.location, "grace").await);
    let login = desk.ada.cookies["stave_login"].clone();
    desk.grace.cookies.insert("stave_login".into(), login);
    let other = desk.grace.get(&back).await;
    assert_eq!(other.status, StatusCode::BAD_REQUEST);
    assert!(other.body.contains("begun by somebody else"), "{}", other.body);
}

#[tokio::test]
async fn a_workspace_is_pinned_before_visitors_depend_on_it() {
    let mut desk = Desk::new().await;
    let acme = desk.bitbucket.workspace("acme");
    acme.member("grace");
    let only = ("bitbucket_workspaces", "acme");
    let refused = desk.send("save", &[only]).await;
    assert!(refused.body.contains("did not say yet which workspace acme is"), "{}", refused.body);
    assert_eq!(desk.send("apply", &[only]).await.status, StatusCode::SEE_OTHER);
    assert!(desk.page().await.contains("Which workspace acme is, Bitbucket did not say yet"));
    let sheet = desk.test("grace").await;
    assert!(sheet.contains("a visitor would be in"), "{sheet}");
    assert!(!desk.page().await.contains("Which workspace acme is"), "the test found it out");
    let saved = desk.grace.post(PAGE, &[("action", "save")]).await;
    assert_eq!(saved.location, format!("{PAGE}?done=setting-saved"), "{}", saved.body);

    let mut stranger = desk.site.browser();
    let away = stranger.post("/w/shop/login/bitbucket", &[]).await;
    assert_eq!(stranger.grant(&away, &desk.bitbucket, "mallory").await.status, StatusCode::FORBIDDEN);
    let mut member = desk.site.browser();
    let away = member.post("/w/shop/login/bitbucket", &[]).await;
    assert_eq!(member.grant(&away, &desk.bitbucket, "grace").await.location, "/w/shop/account");
}

#[tokio::test]
async fn a_private_consumer_finds_workspaces_out_by_itself() {
    let mut desk = Desk::new().await;
    desk.bitbucket.workspace("acme").member("grace");
    desk.consumer.private();
    let saved = desk.send("save", &[("bitbucket_workspaces", "acme")]).await;
    assert_eq!(saved.location, format!("{PAGE}?done=setting-saved"), "{}", saved.body);
    desk.bitbucket.fail("/2.0/workspaces", Fault::Status { status: 500, body: String::new() });
    let kept = desk.send("save", &[("bitbucket_workspaces", "acme"), ("title", "Hello")]).await;
    assert_eq!(
        kept.location,
        format!("{PAGE}?done=setting-saved"),
        "what is known is not asked again: {}",
        kept.body
    );
}

#[tokio::test]
async fn allow_only_this_workspace() {
    let mut desk = Desk::new().await;
    let acme = desk.bitbucket.workspace("acme");
    acme.member("grace");
    desk.send("apply", &[]).await;
    let sheet = desk.test("grace").await;
    assert!(sheet.contains("Allow only this workspace"), "{sheet}");
    let allowed = desk.grace.post("/orgs/acme/websites/shop/test", &[("uuid", acme.uuid())]).await;
    assert_eq!(allowed.location, format!("{PAGE}?done=draft-applied"), "{}", allowed.body);
    assert_eq!(
        desk.grace.post(PAGE, &[("action", "save")]).await.location,
        format!("{PAGE}?done=setting-saved")
    );
    let other = desk.grace.post("/orgs/acme/websites/shop/test", &[("uuid", "{nobody’s}")]).await;
    assert_eq!(other.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_test_that_does_not_leave_tells_why() {
    let mut desk = Desk::new().await;
    let link = [
        ("action", "apply"),
        ("data_center_on", "on"),
        ("data_center_base_url", "http://127.0.0.1:9"),
        ("data_center_oauth", "1"),
    ];
    assert_eq!(desk.grace.post(PAGE, &link).await.status, StatusCode::SEE_OTHER);
    let begun = desk.grace.post("/orgs/acme/websites/shop/test/bitbucket-data-center", &[]).await;
    assert_eq!(begun.location, "/orgs/acme/websites/shop/test", "{}", begun.body);
    let sheet = desk.grace.get(&begun.location).await.body;
    assert!(sheet.contains("<b>Go to the server") && sheet.contains("class=\"failed\""), "{sheet}");
    assert!(sheet.contains("Log in with Bitbucket at 127.0.0.1:9"), "{sheet}");
}

#[tokio::test]
async fn a_consumer_that_tells_no_address_is_noted() {
    let mut desk = Desk::new().await;
    desk.consumer = desk.bitbucket.consumer("acme", super::CALLBACK, &["account"]);
    desk.bitbucket.user("grace").emails(&[Email::primary("grace@acme.example")]);
    desk.send("apply", &[]).await;
    let sheet = desk.test("grace").await;
    assert!(
        sheet.contains("lacks the permission Account: Email") && sheet.contains("a visitor would be in"),
        "{sheet}"
    );
    desk.send("apply", &[("email_required", "on")]).await;
    let sheet = desk.test("grace").await;
    assert!(sheet.contains("The setting asks for one: tick that box"), "{sheet}");
    assert!(sheet.contains("a visitor would not be in") && !sheet.contains("Who may come in"), "{sheet}");
}
