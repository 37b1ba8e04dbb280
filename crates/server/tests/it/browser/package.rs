//! Packages: found while somebody types, looked at, and abandoned.

use crate::support::{TestStave, person::Person};
use serde_json::{Value, json};
use stave_testkit::samples;

const NEWSLETTER: &str =
    r#"{"name": "acme/newsletter", "description": "Writes to many", "require": {"acme/mailer": "^2.0"}}"#;
/// The names in the list.
const NAMES: &str =
    "return [...document.querySelectorAll('#packages td:first-child > a')].map((link) => link.textContent)";
/// How high the bar of this week is.
const LAST_BAR: &str =
    "return Number(document.querySelector('.chart rect:last-of-type').getAttribute('height'))";

/// A Stave with three packages: the newsletter requires the mailer, which requires the clock.
async fn with_packages() -> (TestStave, String) {
    let (stave, browser) = TestStave::with_acme().await;
    let acme = stave.bitbucket.workspace("acme");
    acme.repository("clock").push(samples::clock);
    acme.repository("mailer").push(samples::mailer);
    acme.repository("newsletter").tag("1.0.0", NEWSLETTER);
    for slug in ["clock", "mailer", "newsletter"] {
        let page = stave.import(&browser, &acme.repository(slug).clone_url(), "auto").await;
        page.shows(&format!("acme/{slug}"));
    }
    let token = stave.token(&browser).await;
    (stave, token)
}

#[tokio::test(flavor = "multi_thread")]
async fn packages_are_found_looked_at_and_abandoned() {
    let Some(ada) = Person::sit_down().await else { return };
    let (stave, token) = with_packages().await;
    let client = reqwest::Client::new();
    let address = |path: &str| format!("{}/repo/acme/{path}", stave.url);

    ada.open(&format!("{}/login?return_to=/orgs/acme/packages", stave.url)).await;
    ada.press("Log in with Bitbucket").await;
    ada.press("Log in as ada").await;
    ada.press("Grant access").await;
    ada.sees("acme/clock").await;
    let names = async || ada.driver.execute(NAMES, vec![]).await.unwrap().json().clone();
    assert_eq!(names().await, json!(["acme/clock", "acme/mailer", "acme/newsletter"]));
    ada.look("package-list").await;
    ada.fill("Search packages", "mail").await;
    ada.misses("acme/clock").await;
    assert_eq!(names().await, json!(["acme/mailer"]));
    ada.fill("Search packages", "nothing of that name").await;
    ada.sees("Nothing found").await;
    ada.look("package-list-none").await;
    ada.press("Show all packages").await;

    ada.press("acme/mailer").await;
    ada.sees("composer require acme/mailer").await;
    ada.find("//*[@id='readme']//h3[.='Mailer']".into(), "the README").await;
    ada.find("//*[@id='dependents']//a[.='acme/newsletter']".into(), "who requires it").await;
    ada.sees("None yet. Composer tells Stave of each install.").await;
    let told = json!({"downloads": [{"name": "acme/mailer", "version": "2.1.0.0"}]}).to_string();
    for _ in 0..3 {
        let told = client.post(address("downloads/")).basic_auth("token", Some(&token)).body(told.clone());
        assert_eq!(told.send().await.unwrap().status(), 201);
    }
    ada.driver.refresh().await.unwrap();
    ada.find("//*[@id='installs']//dt[.='Today']/following-sibling::dd[1][.='3']".into(), "3 installs").await;
    let height = ada.driver.execute(LAST_BAR, vec![]).await.unwrap().json().clone();
    assert_eq!(height, json!(96), "the best week is as high as the chart");
    ada.look("package").await;

    ada.fill("Replacement", "no name").await;
    ada.press("Abandon").await;
    ada.sees("Nothing was saved yet").await;
    assert_eq!(ada.read("Replacement").await, "no name");
    ada.look("package-refused").await;
    ada.fill("Replacement", "acme/newsletter").await;
    ada.press("Abandon").await;
    ada.sees("This package is abandoned").await;
    ada.look("package-abandoned").await;
    let read = client.get(address("p2/acme/mailer.json")).basic_auth("token", Some(&token));
    let served: Value = read.send().await.unwrap().json().await.unwrap();
    assert_eq!(served["packages"]["acme/mailer"][0]["abandoned"], "acme/newsletter", "{served}");

    ada.find("//*[@id='newest']//a[.='acme/clock']".into(), "what it requires").await;
    ada.press("acme/clock").await;
    ada.find("//*[@id='dependents']//a[.='acme/mailer']".into(), "who requires the clock").await;
    ada.leave().await;
}
