//! What a newcomer clicks before the first website: the browser of the tests does it, through the front door.

#[path = "../../tests/it/support/browser.rs"]
#[expect(dead_code, clippy::unwrap_used, reason = "it was made for tests, which ask it for more")]
mod browser;
#[path = "../../tests/it/support/form.rs"]
#[expect(dead_code, reason = "it was made for tests, which ask it for more")]
mod form;

pub(crate) use browser::{Answer, Browser};
pub(crate) use form::text;
use stave_testkit::FakeBitbucket;

/// The permissions that the form of an integration asks for.
const SCOPES: [&str; 6] = ["account", "email", "team", "repository", "pullrequest", "webhook"];

/// Ada's browser: she opened the setup link, connected Bitbucket, logged in and owns the organization `acme`.
pub(crate) async fn ada(stave: &str, setup_link: &str, bitbucket: &FakeBitbucket) -> Browser {
    let ada = Browser::new(stave);
    ada.open(setup_link).await.shows("Admin Panel");
    let form = ada.open("/admin/integrations/new").await;
    let slug = form.value("slug").expect("the form has a slug");
    let consumer = bitbucket.consumer("acme", &format!("{stave}/oauth/callback/{slug}"), &SCOPES);
    let fields = [
        ("name", "Bitbucket"),
        ("platform", "bitbucket"),
        ("base_url", &bitbucket.base_url()),
        ("client_id", consumer.key()),
        ("client_secret", &consumer.secret()),
        ("slug", &slug),
    ];
    ada.send("/admin/integrations/new", &fields).await.shows("The integration was created");
    log_in(&ada, bitbucket, "ada").await;
    ada.send("/admin/setup/leave", &[]).await.shows("Setup Mode is over");
    ada.send("/orgs/new", &[("name", "Acme"), ("short_name", "acme")]).await.shows("Acme");
    ada
}

/// Connects Bitbucket for the first time, as this person, and registers.
pub(crate) async fn log_in(browser: &Browser, bitbucket: &FakeBitbucket, name: &str) {
    let form = browser.open("/login").await;
    let consent = browser.press(&form, "Log in with Bitbucket").await;
    let back = bitbucket.grant_access(consent.url.as_str(), name).await;
    browser.open(&back).await.shows("Create account");
    let capital = format!("{}{}", name[..1].to_uppercase(), &name[1..]);
    let fields = [("username", name), ("name", &capital), ("email", &format!("{name}@example.com"))];
    browser.send("/login/register", &fields).await;
}
