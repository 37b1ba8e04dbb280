//! Guide 002 and what follows from it: a Bitbucket Server by OAuth 1 in an organization's settings, its log-in link in the hands of
//! somebody else, connected accounts, the one way in, and the upgrade to OAuth 2.

use super::application_link::{self, Entries};
use crate::support::{TestStave, person::Person};
use stave_testkit::{DataCenterOptions, FakeDataCenter, Version};

const NAME: &str = "Git";
const LOG_IN: &str = "Log in with Git";

/// Ada owns the organization Acme and came by Bitbucket Cloud, which everybody uses here; Grace is new.
struct Story {
    stave: TestStave,
    bitbucket: FakeDataCenter,
    ada: Person,
    grace: Person,
}

impl Story {
    async fn begin(mut ada: Person, mut grace: Person) -> Self {
        let (stave, _) = TestStave::with_acme().await;
        let options = DataCenterOptions::new(Version::V7_20).context_path("/bitbucket");
        let bitbucket = FakeDataCenter::start_with(options).await;
        bitbucket.seed_demo();
        bitbucket.user("ada").system_admin();
        for person in [&mut ada, &mut grace] {
            person.calls(&stave.url, "https://stave.example.com");
            person.calls(&stave.bitbucket.base_url(), "https://bitbucket.org");
            person.calls(bitbucket.base_url().trim_end_matches("/bitbucket"), "https://git.example.com");
            person.calls_by_https();
        }
        Self { stave, bitbucket, ada, grace }
    }

    /// Opens a section of the organization's settings, as Ada.
    async fn settings(&self, section: &str) {
        self.ada.press("Settings").await;
        self.ada.press(section).await;
        self.ada.find(format!("//h2[.='{section}']"), section).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_connects_a_server_by_oauth1_and_upgrades_it() {
    let Some(ada) = Person::sit_down().await else { return };
    let Some(grace) = Person::sit_down().await else { return };
    let story = Story::begin(ada, grace).await;
    log_in_by_cloud(&story).await;
    story.ada.press("Log in as ada").await;
    story.ada.press("Grant access").await;
    story.settings("Integrations").await;
    add(&story).await;
    check(&story.ada).await;
    story.ada.picture("check", "#check").await;
    let link = hand_out(&story).await;
    come_by(&story, &link).await;
    connect(&story).await;
    require(&story).await;
    upgrade(&story).await;
    log_in_once_more(&story).await;
    delete(&story).await;
    story.ada.leave().await;
    story.grace.leave().await;
}

async fn log_in_by_cloud(Story { stave, ada, .. }: &Story) {
    ada.open(&format!("{}/login?return_to=/orgs/acme/packages", stave.url)).await;
    ada.press("Log in with Bitbucket").await;
}

async fn add(Story { bitbucket, ada, .. }: &Story) {
    ada.press("Add Integration").await;
    ada.choose("Platform", "Bitbucket Data Center / Server").await;
    ada.fill("Name", NAME).await;
    ada.fill("Base URL", &bitbucket.base_url()).await;
    ada.sees("Bitbucket Data Center / Server 7.20.3").await;
    assert!(ada.is_ticked("OAuth 1 (Bitbucket Data Center / Server v7.20 or older)").await);
    ada.picture("data-center-oauth1-form", "main form").await;
    ada.press("Create Integration").await;
    ada.sees("One step is left").await;
    ada.picture("data-center-oauth1-link", "#link").await;
    let address = application_link::address(ada, &bitbucket.base_url()).await;
    let entries = Entries::on_page_of(ada).await;
    ada.aside(application_link::create_generic(ada, &address, &entries)).await;
}

/// Every step is gone through, with Ada's own account.
async fn check(ada: &Person) {
    ada.press("Check the connection").await;
    ada.press("Allow").await;
    ada.sees("Everything worked.").await;
    ada.sees("You are ada").await;
    ada.sees("Webhooks possible").await;
}

/// The organization's log-in link.
async fn hand_out(story: &Story) -> String {
    story.settings("Integrations").await;
    story.ada.picture("integration-list", "main .split").await;
    story.ada.press("Login link").await;
    story.ada.read(&format!("Login link of {NAME}")).await
}

/// Grace comes by the link, is told to ask, is added, and is in.
async fn come_by(Story { ada, grace, .. }: &Story, link: &str) {
    grace.open(link).await;
    grace.sees("Alternative login options").await;
    grace.picture("login-link", "main section").await;
    grace.press(LOG_IN).await;
    grace.press("Log in as grace").await;
    grace.press("Allow").await;
    grace.press("Create account").await;
    grace.sees("does not have you as a member yet").await;

    ada.press("Teams").await;
    ada.fill("Username or email", "grace").await;
    ada.press("Add member").await;
    ada.sees("They are a member now.").await;
    grace.press("go to Acme").await;
    grace.press("Packages").await;
}

/// Ada connects her account on the server with the one that she has.
async fn connect(Story { ada, .. }: &Story) {
    ada.press("Profile").await;
    ada.press("Connect").await;
    ada.press("Allow").await;
    ada.sees("The account is connected.").await;
    ada.picture("connected-accounts", "main section:nth-of-type(2)").await;
}

/// Everybody has to come in through the server; whoever came another way is asked, and is back where they were going.
async fn require(story: &Story) {
    let Story { stave, ada, .. } = story;
    ada.open(&format!("{}/orgs/acme", stave.url)).await;
    story.settings("Access").await;
    ada.tick(NAME).await;
    ada.press("Save").await;
    ada.sees("Saved.").await;
    ada.press("Log out").await;
    ada.sees("You are logged out.").await;
    log_in_by_cloud(story).await;
    ada.press("Grant access").await;
    ada.sees("You stay logged in here").await;
    ada.press(LOG_IN).await;
    ada.sees("You have an account there").await;
    ada.press(LOG_IN).await;
    ada.press("Allow").await;
    ada.press("Add Package").await;
    story.settings("Access").await;
    ada.sees("Every member has an account").await;
    ada.picture("access", "main section").await;
}

/// The server is updated; the next check sees what it can do now.
async fn upgrade(story: &Story) {
    let Story { stave, bitbucket, ada, .. } = story;
    bitbucket.set_version(Version::V8_19);
    story.settings("Integrations").await;
    ada.press(NAME).await;
    check(ada).await;
    ada.press("Upgrade to OAuth 2").await;
    ada.sees("The upgrade to OAuth 2 locks nobody out.").await;
    ada.picture("upgrade", "main form").await;
    let address = application_link::address(ada, &bitbucket.base_url()).await;
    let redirect_url = ada.read("Callback URL / Redirect URL").await;
    assert!(redirect_url.starts_with(&stave.url), "{redirect_url}");
    let link = application_link::create_incoming(ada, &address, &redirect_url);
    let (id, secret) = ada.aside(link).await;
    ada.fill("Client ID / Key", &id).await;
    ada.fill("Client Secret", &secret).await;
    ada.press("Save Integration").await;
    ada.sees("0 of 2 people have logged in again").await;
    check(ada).await;
}

/// Both are still in, are asked to log in once more, and when the second has done it the upgrade is over.
async fn log_in_once_more(story: &Story) {
    let Story { stave, ada, grace, .. } = story;
    for person in [grace, ada] {
        person.open(&format!("{}/orgs/acme/packages", stave.url)).await;
        person.sees("Log in once more with").await;
        person.press(LOG_IN).await;
        person.press("Allow").await;
        person.press("Packages").await;
        person.misses("Log in once more with").await;
    }
    story.settings("Integrations").await;
    ada.press(NAME).await;
    ada.sees("with OAuth 2").await;
    ada.misses("Call off the upgrade").await;
}

/// Not while members have to log in with it; then it goes, and the way in from before is there.
async fn delete(story: &Story) {
    let Story { ada, .. } = story;
    ada.press("Delete").await;
    ada.sees("It cannot be deleted now.").await;
    story.settings("Access").await;
    ada.tick("Any way they like").await;
    ada.press("Save").await;
    ada.sees("Saved.").await;
    story.settings("Integrations").await;
    ada.press("Delete").await;
    ada.sees("2 connected accounts").await;
    ada.press("Delete integration").await;
    ada.sees("Deleted.").await;
}
