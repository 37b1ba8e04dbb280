//! Guide 001: Bitbucket Data Center by OAuth 2 in the Admin section, from the setup link to the first log-in, and to its end.

use super::application_link;
use crate::support::{
    TestStave,
    person::{PLAIN_HTTP, Person},
};
use stave_testkit::{DataCenterOptions, FakeDataCenter, Version};

const NAME: &str = "Bitbucket Data Center";

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_connects_data_center_by_oauth2() {
    let Some(mut ada) = Person::sit_down().await else { return };
    let stave = TestStave::start().await;
    let options = DataCenterOptions::new(Version::V8_19).context_path("/bitbucket");
    let bitbucket = FakeDataCenter::start_with(options).await;
    bitbucket.seed_demo();
    bitbucket.user("ada").system_admin();
    ada.calls(&stave.url, "https://stave.example.com");
    ada.calls(bitbucket.base_url().trim_end_matches("/bitbucket"), "https://git.example.com");
    ada.calls_by_https();

    ada.open(&stave.app.setup_link().await.unwrap().unwrap()).await;
    add(&ada, &bitbucket.base_url()).await;
    become_first_admin(&ada, &stave.url).await;
    check(&ada).await;
    rename(&ada).await;
    delete(&ada).await;
    ada.leave().await;
}

async fn add(ada: &Person, base: &str) {
    ada.press("Add Integration").await;
    ada.choose("Platform", "Bitbucket Data Center / Server").await;
    assert_eq!(ada.read("Name").await, NAME);
    ada.fill("Base URL", base).await;
    ada.sees("Bitbucket Data Center / Server 8.19.3").await;
    assert!(ada.is_ticked("OAuth 2").await);
    ada.sees(PLAIN_HTTP).await;
    ada.picture("data-center-look", "#look .callout").await;

    let address = application_link::address(ada, base).await;
    let redirect_url = ada.read("Callback URL / Redirect URL").await;
    let link = async {
        ada.open(&address).await;
        ada.press("Log in as ada").await;
        application_link::create_incoming(ada, &address, &redirect_url).await
    };
    let (id, secret) = ada.aside(link).await;
    ada.fill("Client ID / Key", &id).await;
    ada.fill("Client Secret", &secret).await;
    ada.picture("data-center-form", "main form").await;
    ada.press("Create Integration").await;
    ada.sees("The integration was created").await;
}

async fn become_first_admin(ada: &Person, url: &str) {
    ada.open(&format!("{url}/login")).await;
    ada.press(&format!("Log in with {NAME}")).await;
    ada.press("Allow").await;
    assert_eq!(ada.read("Username").await, "ada");
    ada.press("Create account").await;
    ada.press("Leave Setup Mode").await;
    ada.sees("Setup Mode is over").await;
}

/// Every step is gone through; what is optional may say so.
async fn check(ada: &Person) {
    ada.press(NAME).await;
    ada.press("Check the connection").await;
    ada.press("Allow").await;
    ada.sees("Everything worked.").await;
    ada.sees("You are ada").await;
    ada.sees("Webhooks possible").await;
}

async fn rename(ada: &Person) {
    ada.press("Edit").await;
    ada.fill("Name", "Git").await;
    ada.press("Save Integration").await;
    ada.sees("Saved.").await;
    ada.press("Log out").await;
    ada.sees("You are logged out.").await;
    ada.press("Log in").await;
    ada.press("Log in with Git").await;
    ada.press("Allow").await;
    ada.press("Admin").await;
}

async fn delete(ada: &Person) {
    ada.press("Delete").await;
    ada.sees("It is the last way in.").await;
    ada.sees("1 connected account").await;
    ada.press("Delete integration").await;
    ada.sees("No integration yet").await;
}
