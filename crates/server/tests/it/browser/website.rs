//! Guide 004: a website lets its visitors log in with Bitbucket, from the consumer to the first visitor, as its owner clicks through it.

use crate::support::{TestStave, person::Person};

const SETTING: &str = "Login form: open the setting";

/// Goes to a tab of the dialog; the website has tabs of the same names.
async fn turn_to(person: &Person, tab: &str) {
    person.find(format!("//dialog//button[normalize-space()='{tab}']"), tab).await.click().await.unwrap();
}

/// Creates the OAuth consumer on Bitbucket: its key and secret.
async fn create_consumer(person: &Person, link: &str, callback: &str) -> (String, String) {
    person.open(link).await;
    person.fill("Name", "Acme Shop").await;
    person.fill("Callback URL", callback).await;
    for permission in ["Account: Email", "Account: Read"] {
        person.tick(permission).await;
    }
    person.press("Save").await;
    (person.read("Key").await, person.read("Secret").await)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_sets_up_the_login_of_a_website() {
    let Some(mut ada) = Person::sit_down().await else { return };
    let Some(visitor) = Person::sit_down().await else { return };
    let (stave, _) = TestStave::with_acme().await;
    stave.bitbucket.user("grace");
    ada.calls(&stave.url, "https://stave.example.com");
    ada.calls(&stave.bitbucket.base_url(), "https://bitbucket.org");
    ada.open(&format!("{}/login?return_to=/orgs/acme", stave.url)).await;
    ada.press("Log in with Bitbucket").await;
    ada.press("Log in as ada").await;
    ada.press("Grant access").await;
    create_website(&ada).await;
    enter_keys(&ada, &stave.bitbucket.base_url()).await;
    change_the_look(&ada).await;
    publish(&ada).await;
    come_in(&visitor, &format!("{}/w/acme-shop", stave.url)).await;
    give_a_role(&ada).await;
    look_back(&ada).await;
    ada.leave().await;
    visitor.leave().await;
}

async fn create_website(ada: &Person) {
    ada.press("Websites").await;
    ada.press("New Website").await;
    ada.fill("Name", "Acme Shop").await;
    ada.fill("Slug", "acme-shop").await;
    ada.fill("Address of the site", "https://shop.example.com").await;
    ada.press("Create Website").await;
    ada.sees("Visitors see nothing yet").await;
    ada.look("20-setting-empty").await;
}

/// The Bitbucket tab: the callback goes there, App ID and App Secret come back.
async fn enter_keys(ada: &Person, base: &str) {
    ada.press(SETTING).await;
    turn_to(ada, "Bitbucket").await;
    ada.fill("Workspace", "acme").await;
    ada.look("21-setting-bitbucket").await;
    ada.fill("Base URL", base).await;
    let callback = ada.read("Bitbucket login redirect URL").await;
    let link = format!("{base}/acme/workspace/settings/oauth-consumers/new");
    ada.find(format!("//a[@href='{link}']"), "the way to Bitbucket").await;
    let (key, secret) = ada.aside(create_consumer(ada, &link, &callback)).await;
    ada.tick("Enable Bitbucket login").await;
    ada.fill("App ID", &key).await;
    ada.fill("App Secret", "nonsense").await;
    ada.press("Cancel").await;
    ada.press(SETTING).await;
    assert_eq!(ada.read("App ID").await, "", "Cancel leaves everything as it was");
    assert!(!ada.is_ticked("Enable Bitbucket login").await);
    ada.fill("Base URL", base).await;
    ada.fill("App ID", &key).await;
    assert!(ada.is_ticked("Enable Bitbucket login").await, "who enters keys wants the button");
    ada.fill("App Secret", &secret).await;
    ada.picture("website-setting", "#setting").await;
    ada.press("OK").await;
    ada.sees("Not applied yet.").await;
    ada.sees("Log in with Bitbucket").await;
    ada.press("Apply").await;
    ada.sees("Visitors do not see it yet").await;
    ada.misses("Not applied yet.").await;
    ada.picture("website-login", "main section").await;
}

/// What is typed wrong is led to; what is typed well is seen at once.
async fn change_the_look(ada: &Person) {
    ada.press(SETTING).await;
    turn_to(ada, "General").await;
    ada.fill("Title", "Welcome to a shop with quite a long name, whose title does not fit into one line")
        .await;
    ada.fill("Line at the foot", "Questions? shop@acme.example").await;
    turn_to(ada, "Members").await;
    ada.fill("Hours without a visit until visitors log in again", "0").await;
    ada.press("OK").await;
    ada.sees("Questions? shop@acme.example").await;
    ada.press("Apply").await;
    ada.sees("Nothing was saved yet.").await;
    ada.look("22-setting-refused").await;
    ada.press("Hours without a visit: Type a whole number from 1 to 720.").await;
    ada.look("23-setting-members").await;
    ada.fill("Hours without a visit until visitors log in again", "8").await;
    ada.press("OK").await;
    ada.press("Apply").await;
    ada.sees("Visitors do not see it yet").await;
    ada.look("24-setting-applied").await;
    ada.press(SETTING).await;
    for tab in ["Bitbucket Data Center", "Integration", "E-mail", "Look"] {
        turn_to(ada, tab).await;
        ada.look(&format!("25-setting-{}", tab.to_lowercase().replace(' ', "-"))).await;
    }
    ada.press("Cancel").await;
}

async fn publish(ada: &Person) {
    ada.press("Preview").await;
    ada.sees("This is the draft that ada applied").await;
    ada.look("26-preview").await;
    ada.press("Test sign-in: Log in with Bitbucket").await;
    ada.press("Grant access").await;
    ada.sees("a visitor would be in").await;
    ada.sees("Ada Example").await;
    ada.look("27-test").await;
    ada.press("Save").await;
    ada.sees("Visitors log in at").await;
    ada.sees("Visitors see revision 1, saved by ada").await;
}

/// Without a registration.
async fn come_in(visitor: &Person, issuer: &str) {
    visitor.open(&format!("{issuer}/login")).await;
    visitor.sees("Welcome to a shop").await;
    visitor.look("28-visitor").await;
    visitor.press("Log in with Bitbucket").await;
    visitor.press("Log in as grace").await;
    visitor.press("Grant access").await;
    visitor.sees("grace").await;
    visitor.press("Sign out everywhere").await;
}

async fn give_a_role(ada: &Person) {
    ada.press("Connect").await;
    ada.press("Members").await;
    ada.press("Grace Example").await;
    ada.fill("Roles", "staff").await;
    ada.press("Save roles").await;
    ada.press("Members").await;
    ada.sees("Export CSV").await;
    ada.picture("website-members", "main section").await;
}

async fn look_back(ada: &Person) {
    ada.press("Login").await;
    ada.press("History").await;
    ada.look("29-history").await;
    ada.press("Revision 1").await;
    ada.sees("visitors see it").await;
    ada.look("30-revision").await;
}
