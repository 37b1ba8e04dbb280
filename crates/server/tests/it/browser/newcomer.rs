//! Guide 000, and on to Composer: Bitbucket Cloud in the Admin section, from the setup link to `composer require`.

use crate::support::{TestStave, person::Person};
use stave_domain::integration::Permission;
use stave_testkit::{Composer, samples};
use thirtyfour::By;

/// Creates the OAuth consumer on Bitbucket: its key and secret.
async fn create_consumer(person: &Person, link: &str, callback: &str) -> (String, String) {
    person.open(link).await;
    person.press("Log in as ada").await;
    person.fill("Name", "Stave").await;
    person.fill("Callback URL", callback).await;
    for (heading, label) in Permission::ALL.map(Permission::label) {
        person.tick(&format!("{heading}: {label}")).await;
    }
    person.press("Save").await;
    (person.read("Key").await, person.read("Secret").await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_gets_from_the_setup_link_to_composer_require() {
    let Some(mut person) = Person::sit_down().await else { return };
    let stave = TestStave::start().await;
    person.calls(&stave.url, "https://stave.example.com");
    person.calls(&stave.bitbucket.base_url(), "https://bitbucket.org");
    let acme = stave.bitbucket.workspace("acme");
    acme.owner("ada").repository("mailer").private().push(samples::mailer);
    acme.repository("clock").private().push(samples::clock);

    person.open(&stave.app.setup_link().await.unwrap().unwrap()).await;
    add_integration(&person, &stave.bitbucket.base_url()).await;
    become_first_admin(&person, &stave.url).await;
    create_organization(&person, &stave.url).await;
    for (repository, version) in [("mailer", "v1.0.0"), ("clock", "1.1.0")] {
        import(&person, &format!("{}/acme/{repository}.git", stave.bitbucket.base_url()), version).await;
    }
    person.press("Overview").await;
    person.press("Create my token").await;
    person.sees("This token is shown once").await;
    person.look("11-overview").await;
    install_with(&three_lines(&person).await).await;

    for (name, path) in [
        ("12-profile", "/profile"),
        ("13-members", "/orgs/acme/teams"),
        ("14-users", "/admin/users"),
        ("15-packages", "/orgs/acme/packages"),
        ("16-credentials", "/orgs/acme/settings/credentials"),
    ] {
        person.open(&format!("{}{path}", stave.url)).await;
        person.look(name).await;
    }
    person.leave().await;
}

async fn add_integration(person: &Person, base: &str) {
    person.sees("Setup Mode is on").await;
    person.look("01-admin-setup").await;
    person.press("Add Integration").await;
    person.fill("Workspace", "acme").await;
    person.picture("bitbucket-form", "main form").await;
    person.fill("Base URL", base).await;
    person.look("02-integration-new").await;
    let callback = person.read("Callback URL / Redirect URL").await;
    let link = format!("{base}/acme/workspace/settings/oauth-consumers/new");
    person.find(format!("//a[@href='{link}']"), "the setup link").await;
    let (key, secret) = person.aside(create_consumer(person, &link, &callback)).await;
    person.fill("Client ID / Key", &key).await;
    person.fill("Client Secret", &secret).await;
    person.press("Create Integration").await;
    person.sees("The integration was created").await;
    person.look("03-admin-integration").await;
    person.picture("bitbucket-done", "main section").await;
}

async fn become_first_admin(person: &Person, url: &str) {
    person.open(&format!("{url}/login")).await;
    person.look("04-login").await;
    person.press("Log in with Bitbucket").await;
    person.press("Grant access").await;
    person.sees("Create account").await;
    person.look("05-register").await;
    assert_eq!(person.read("Username").await, "ada");
    person.press("Create account").await;
    person.sees("Admin Users").await;
    person.press("Leave Setup Mode").await;
    person.sees("Setup Mode is over").await;
    person.look("06-admin").await;
}

async fn create_organization(person: &Person, url: &str) {
    person.open(&format!("{url}/orgs/new")).await;
    person.fill("Name", "Acme").await;
    person.fill("Short name", "acme").await;
    person.look("07-organization-new").await;
    person.press("Create Organization").await;
    person.press("Packages").await;
    person.look("08-packages-empty").await;
}

async fn import(person: &Person, url: &str, version: &str) {
    person.press("Packages").await;
    person.press("Add Package").await;
    person.press("By URL").await;
    person.fill("URL", url).await;
    person.look("09-package-new").await;
    person.press("Add Package").await;
    person.sees(version).await;
    person.look("10-package").await;
}

/// The copyable lines of the Overview.
async fn three_lines(person: &Person) -> Vec<String> {
    let mut lines = Vec::new();
    for field in
        person.driver.find_all(By::XPath("//input[@readonly] | //textarea[@readonly]")).await.unwrap()
    {
        let value = field.prop("value").await.unwrap().unwrap_or_default();
        if value.contains("composer ") {
            lines.push(value);
        }
    }
    assert!(lines.len() >= 3, "{lines:?}");
    lines.truncate(3);
    lines
}

/// Runs the lines in an empty folder, then installs once more from the lock file.
async fn install_with(lines: &[String]) {
    let composer = Composer::new();
    std::fs::remove_file(composer.project().join("composer.json")).unwrap();
    for line in lines {
        let run = composer.shell(line).await;
        assert!(run.success(), "{line}\n{run}");
    }
    let run = composer.shell("composer require acme/mailer").await;
    assert!(run.success(), "{run}");
    assert!(composer.file("vendor/acme/mailer/composer.json").is_some());
    composer.remove("vendor").forget_cache();
    let run = composer.install().await;
    assert!(run.success(), "{run}");
    assert!(composer.file("vendor/acme/mailer/composer.json").is_some());
}
