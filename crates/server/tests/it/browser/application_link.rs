//! What an admin does on the pages of Bitbucket Data Center, as the guides say it, label by label.

use crate::support::person::Person;

/// What Stave's page says to enter for a link by OAuth 1.
pub(super) struct Entries {
    application_url: String,
    application_name: String,
    application_type: String,
    consumer_key: String,
    consumer_name: String,
    public_key: String,
}

impl Entries {
    /// Reads them off the page.
    pub(super) async fn on_page_of(person: &Person) -> Self {
        Self {
            application_url: person.read("Application URL for Link").await,
            application_name: person.read("Application Name").await,
            application_type: person.read("Application Type").await,
            consumer_key: person.read("Client ID / Key").await,
            consumer_name: person.read("Consumer Name").await,
            public_key: person.read("Public Key").await,
        }
    }
}

/// Where Stave's form sends people to make the link: its address is what is shown.
pub(super) async fn address(person: &Person, base_url: &str) -> String {
    let address = format!("{base_url}/plugins/servlet/applinks/listApplicationLinks");
    person.find(format!("//a[@href='{address}'][.='{address}']"), "the link to Bitbucket").await;
    address
}

/// Makes an incoming link of OAuth 2: its Client ID and Client secret.
pub(super) async fn create_incoming(person: &Person, address: &str, redirect_url: &str) -> (String, String) {
    person.open(address).await;
    person.press("Create link").await;
    person.tick("External application").await;
    person.tick("Incoming").await;
    person.press("Continue").await;
    person.fill("Name", "Stave").await;
    person.fill("Redirect URL", redirect_url).await;
    person.tick("Repositories: Read").await;
    person.press("Save").await;
    (person.read("Client ID").await, person.read("Client secret").await)
}

/// Makes a link of OAuth 1, on a version that knows no other.
pub(super) async fn create_generic(person: &Person, address: &str, entries: &Entries) {
    person.open(address).await;
    person.press("Log in as ada").await;
    person.fill("Application URL", &entries.application_url).await;
    person.press("Create new link").await;
    person.sees("No response was received").await;
    person.press("Continue").await;
    person.fill("Application Name", &entries.application_name).await;
    person.choose("Application Type", &entries.application_type).await;
    person.press("Continue").await;
    person.press("✎ Edit").await;
    person.sees("Incoming Authentication").await;
    person.fill("Consumer Key", &entries.consumer_key).await;
    person.fill("Consumer Name", &entries.consumer_name).await;
    person.fill("Public Key", &entries.public_key).await;
    assert_eq!(person.read("Consumer Callback URL").await, "");
    person.press("Save").await;
    person.sees("Application links").await;
}
