//! The story that must work: from the setup link to `composer install`.

use crate::support::{TestStave, stave::ALL_SCOPES};
use stave_testkit::samples;

#[tokio::test]
async fn from_an_empty_folder_to_composer_install() {
    let stave = TestStave::start().await;
    stave.bitbucket.workspace("acme").owner("ada").repository("mailer").private().push(samples::mailer);
    stave.bitbucket.workspace("acme").repository("clock").private().push(samples::clock);
    let browser = stave.setup_browser().await;
    browser.open("/admin").await.shows("Setup Mode is on").shows("Add Integration");

    stave.connect(&browser, ALL_SCOPES).await;
    stave.sign_in(&browser, "ada").await.shows("Create account");
    let fields = [("username", "ada"), ("name", "Ada"), ("email", "ada@example.com")];
    browser.send("/login/register", &fields).await.shows("Admin");
    browser.send("/admin/setup/leave", &[]).await.shows("Setup Mode is over");

    browser.send("/orgs/new", &[("name", "Acme"), ("short_name", "acme")]).await.shows("Acme");
    let url = format!("{}/acme/mailer.git", stave.bitbucket.base_url());
    let page = stave.import(&browser, &url, "auto").await;
    page.shows("acme/mailer").shows("v1.0.0");
    stave
        .import(&browser, &format!("{}/acme/clock.git", stave.bitbucket.base_url()), "auto")
        .await
        .shows("acme/clock");

    let composer = stave.composer(&browser).await;
    let run = composer.require("acme/mailer").await;
    assert!(run.success(), "{run}");
    let lock = composer.file("composer.lock").expect("a lock file");
    assert!(lock.contains(&format!("{}/repo/acme/dists/acme/mailer/", stave.url)), "{lock}");
    composer.remove("vendor").forget_cache();
    let run = composer.install().await;
    assert!(run.success(), "{run}");
    assert!(composer.file("vendor/acme/mailer/composer.json").is_some());
    assert!(composer.file("vendor/acme/mailer/tests").is_none(), "export-ignore is honoured");
}

#[tokio::test]
async fn the_setup_link_works_once() {
    let stave = TestStave::start().await;
    let link = stave.app.setup_link().await.unwrap().unwrap();
    stave.browser().open("/admin").await.hides("Add Integration");
    let first = stave.browser();
    first.open(&link).await.shows("Admin Panel");
    stave.browser().open(&link).await.shows("stave setup-link").hides("Admin Panel");
    stave.browser().open("/setup/nonsense").await.shows("stave setup-link");
    first.open("/admin").await.shows("Add Integration");
    first.send("/admin/setup/leave", &[]).await.shows("Nobody could log in yet");
}

#[tokio::test]
async fn setup_mode_can_be_left_with_passwords_alone() {
    let stave = TestStave::start().await;
    let browser = stave.setup_browser().await;
    browser.send("/admin/configuration", &[("password_login", "true")]).await.shows("Saved");
    let account = [
        ("username", "ada"),
        ("name", ""),
        ("email", "ada@example.com"),
        ("password", "correct horse battery"),
    ];
    browser.send("/register", &account).await;
    browser.send("/admin/setup/leave", &[]).await.shows("Setup Mode is over");
    let again = stave.browser();
    again.send("/login", &[("email", "ada@example.com"), ("password", "wrong")]).await.shows("wrong");
    again.send("/login", &[("email", "Ada@example.com"), ("password", "correct horse battery")]).await;
    again.open("/admin").await.shows("Admin Panel");
    again.send("/admin/configuration", &[]).await.shows("nobody could reach the Admin section");
}

#[tokio::test]
async fn only_whoever_holds_the_setup_link_becomes_admin() {
    let (stave, _) = TestStave::with_acme().await;
    let grace = stave.browser();
    stave.sign_in(&grace, "grace").await.shows("Create account");
    grace.send("/login/register", &[("username", "grace"), ("name", ""), ("email", "")]).await;
    grace.open("/admin").await.shows("Only admins").hides("Add Integration");
    assert_eq!(grace.open("/orgs/acme").await.status, 404, "an organization of others does not exist");
    assert_eq!(grace.open("/orgs/acme/packages").await.status, 404);
}
