//! Logging in with Bitbucket: what may go wrong on the way, and what it says.

use crate::support::{Browser, TestStave, stave::ALL_SCOPES};
use jiff::SignedDuration;
use stave_testkit::{Email, Fault};

async fn connected() -> (TestStave, Browser) {
    let stave = TestStave::start().await;
    let admin = stave.setup_browser().await;
    stave.connect(&admin, ALL_SCOPES).await;
    (stave, admin)
}

async fn register(browser: &Browser, username: &str, email: &str) -> crate::support::Answer {
    browser.send("/login/register", &[("username", username), ("name", ""), ("email", email)]).await
}

#[tokio::test]
async fn a_trip_works_once_and_only_in_the_browser_that_left() {
    let (stave, _) = connected().await;
    let browser = stave.browser();
    let departure = stave.departure(&browser).await;
    let back = stave.bitbucket.grant_access(&departure, "ada").await;
    stave.browser().open(&back).await.shows("Log in once more").hides("Create account");
    browser.open(&back).await.shows("Log in once more");

    let departure = stave.departure(&browser).await;
    let back = stave.bitbucket.grant_access(&departure, "ada").await;
    browser.open(&back).await.shows("Create account");
    browser.open(&back).await.shows("Log in once more");
}

#[tokio::test]
async fn a_trip_takes_ten_minutes_at_most() {
    let (stave, _) = connected().await;
    let browser = stave.browser();
    let departure = stave.departure(&browser).await;
    let back = stave.bitbucket.grant_access(&departure, "ada").await;
    stave.app.clock().advance(SignedDuration::from_mins(11));
    browser.open(&back).await.shows("ten minutes");
}

#[tokio::test]
async fn what_bitbucket_refuses_is_told_with_the_next_step() {
    let (stave, _) = connected().await;
    let browser = stave.browser();
    let departure = stave.departure(&browser).await;
    let back = stave.bitbucket.deny_access(&departure, "ada").await;
    browser.open(&back).await.shows("did not grant").shows("Log in");

    let departure = stave.departure(&browser).await;
    let back = stave.bitbucket.grant_access(&departure, "ada").await;
    stave
        .bitbucket
        .fail_next("/2.0/user", Fault::status(503, ""))
        .fail_next("/2.0/user", Fault::status(503, ""));
    let page = browser.open(&back).await;
    assert_eq!(page.status, 502, "{}", page.text());
    page.shows("503");
}

#[tokio::test]
async fn an_account_is_known_by_its_uuid() {
    let (stave, _) = connected().await;
    let browser = stave.browser();
    stave.sign_in(&browser, "grace").await;
    register(&browser, "grace", "").await;
    browser.send("/logout", &[]).await;
    stave.bitbucket.user("grace").rename("hopper");
    let back = stave.bitbucket.grant_access(&stave.departure(&browser).await, "hopper").await;
    browser.open(&back).await.hides("Create account");
    browser.open("/profile").await.shows("hopper").shows("grace");
}

#[tokio::test]
async fn accounts_are_never_joined_by_address() {
    let (stave, _) = connected().await;
    let grace = stave.browser();
    stave.bitbucket.user("grace").emails(&[Email::primary("team@example.com")]);
    stave.sign_in(&grace, "grace").await.shows("Create account");
    register(&grace, "grace", "team@example.com").await;

    let mallory = stave.browser();
    stave.bitbucket.user("mallory").emails(&[Email::primary("team@example.com")]);
    stave.sign_in(&mallory, "mallory").await;
    register(&mallory, "mallory", "team@example.com")
        .await
        .shows("account with this address")
        .shows("Profile");
    register(&mallory, "grace", "").await.shows("has this username already");
    register(&mallory, "mallory", "").await;
    mallory.open("/profile").await.shows("mallory").hides("team@example.com");
}

#[tokio::test]
async fn a_log_in_can_be_ended_from_another_browser() {
    let (stave, _) = connected().await;
    let (here, there) = (stave.browser(), stave.browser());
    stave.sign_in(&here, "ada").await;
    register(&here, "ada", "").await;
    stave.sign_in(&there, "ada").await;
    there.open("/profile").await.shows("Log out");
    let page = here.open("/profile").await;
    let action = page
        .body
        .split("action=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .filter(|action| action.ends_with("/end"));
    let others: Vec<_> = action.map(str::to_owned).collect();
    assert!(!others.is_empty(), "{}", page.text());
    for action in others {
        here.send(&action, &[]).await;
    }
    there.open("/profile").await.hides("Connected accounts");
}

#[tokio::test]
async fn a_box_that_was_not_ticked_is_named_on_the_integration() {
    let stave = TestStave::start().await;
    let admin = stave.setup_browser().await;
    stave.connect(&admin, &["account", "email", "team", "repository"]).await;
    stave.sign_in(&admin, "ada").await.shows("Create account");
    register(&admin, "ada", "").await;
    let page = admin.open("/admin").await;
    let link = page.link("Bitbucket").expect("a link to the integration");
    admin.open(&link).await.shows("Webhooks").shows("Read and write").shows("Pull requests");
}

#[tokio::test]
async fn without_the_account_box_nobody_gets_in_and_the_page_says_why() {
    let stave = TestStave::start().await;
    let admin = stave.setup_browser().await;
    stave.connect(&admin, &["email", "repository"]).await;
    stave.sign_in(&admin, "ada").await.shows("Account: Read");
}

#[tokio::test]
async fn a_wrong_secret_is_an_admins_matter() {
    let (stave, admin) = connected().await;
    let browser = stave.browser();
    let departure = stave.departure(&browser).await;
    let back = stave.bitbucket.grant_access(&departure, "ada").await;
    stave
        .bitbucket
        .fail_next("/site/oauth2/access_token", Fault::status(401, r#"{"error": "invalid_client"}"#));
    browser.open(&back).await.shows("Client Secret");
    let link = admin.open("/admin").await.link("Bitbucket").expect("a link");
    admin.open(&link).await.shows("does not accept the Client ID");
}

#[tokio::test]
async fn the_form_keeps_what_was_typed_but_never_the_secret() {
    let stave = TestStave::start().await;
    let admin = stave.setup_browser().await;
    let form = admin.open("/admin/integrations/new").await;
    let callback = format!("{}/oauth/callback/bitbucket", stave.url);
    form.shows("Webhooks").shows("Account");
    assert!(form.body.contains(&callback));
    let typed = [
        ("name", "Our Bitbucket"),
        ("platform", "bitbucket"),
        ("base_url", "http://127.0.0.1:1"),
        ("client_id", "the key"),
        ("client_secret", "hunter2-hunter2"),
        ("slug", "bitbucket"),
    ];
    let page = admin.send("/admin/integrations/new", &typed).await;
    page.shows("Save anyway").hides("hunter2-hunter2");
    assert!(
        page.body.contains(&callback) && page.body.contains("Our Bitbucket") && page.body.contains("the key")
    );
    let anyway = [typed.as_slice(), &[("save_anyway", "true")]].concat();
    admin
        .send("/admin/integrations/new", &anyway)
        .await
        .shows("The integration was created")
        .shows("Our Bitbucket");
}
