//! The story in a real browser: Chromium, driven by labels and the texts of buttons and links, as a person would.
//!
//! Needs a `WebDriver` server at `STAVE_TEST_WEBDRIVER_URL`, which `scripts/test` starts. With `STAVE_TEST_SCREENSHOTS` set to a folder, every
//! page on the way is kept there, 1280 and 390 pixels wide.

use crate::support::TestStave;
use stave_domain::integration::Permission;
use stave_testkit::{Composer, samples};
use std::{
    path::PathBuf,
    time::{Duration, Instant},
};
use thirtyfour::{ChromiumLikeCapabilities, prelude::*};

/// A person at a screen.
struct Person {
    driver: WebDriver,
    screenshots: Option<PathBuf>,
}

impl Person {
    /// `None` if there is no `WebDriver` server: then nothing is tested, which `scripts/test` does not let happen.
    async fn sit_down() -> Option<Self> {
        let server = std::env::var("STAVE_TEST_WEBDRIVER_URL").ok()?;
        let mut chromium = DesiredCapabilities::chrome();
        for argument in [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-quic",
            "--no-first-run",
        ] {
            chromium.add_arg(argument).unwrap();
        }
        for argument in [
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
        ] {
            chromium.add_arg(argument).unwrap();
        }
        let driver = WebDriver::new(&server, chromium).await.expect("Chromium starts");
        let screenshots = std::env::var_os("STAVE_TEST_SCREENSHOTS").map(PathBuf::from);
        Some(Self { driver, screenshots })
    }

    /// The first of these elements that is to be seen.
    async fn find(&self, xpath: String, what: &str) -> WebElement {
        // While the browser goes from one page to the next, what was found may be gone before it is looked at.
        let patience = Instant::now() + Duration::from_secs(20);
        loop {
            let found = self.driver.find_all(By::XPath(xpath.as_str())).await.unwrap_or_default();
            for element in found {
                if element.is_displayed().await.unwrap_or(false) {
                    return element;
                }
            }
            if Instant::now() > patience {
                let text = self.driver.find(By::Tag("body")).await.unwrap().text().await.unwrap();
                panic!("{what} is not at {}:\n{text}", self.driver.current_url().await.unwrap());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Presses the button or link with this text.
    async fn press(&self, text: &str) {
        let xpath = format!("//*[self::a or self::button or self::summary][normalize-space()='{text}']");
        self.find(xpath, text).await.click().await.unwrap();
    }

    fn labelled(label: &str) -> String {
        format!(
            "//*[@id=//label[normalize-space()='{label}']/@for] | //label[normalize-space()='{label}']//input"
        )
    }

    /// Types into the field with this label, in place of what is there.
    async fn fill(&self, label: &str, text: &str) {
        let field = self.find(Self::labelled(label), label).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// What is in the field with this label.
    async fn read(&self, label: &str) -> String {
        self.find(Self::labelled(label), label).await.prop("value").await.unwrap().unwrap_or_default()
    }

    /// Waits until a text is on the page.
    async fn sees(&self, text: &str) {
        self.find(format!("//*[contains(normalize-space(.), '{text}')]"), text).await;
    }

    async fn open(&self, url: &str) {
        self.driver.goto(url).await.unwrap();
    }

    /// Keeps the page as it looks on a desk and on a phone.
    async fn look(&self, name: &str) {
        let Some(folder) = &self.screenshots else { return };
        std::fs::create_dir_all(folder).unwrap();
        for (width, kind) in [(1280, "desk"), (390, "phone")] {
            self.driver.set_window_rect(0, 0, width, 900).await.unwrap();
            let height =
                self.driver.execute("return document.documentElement.scrollHeight", vec![]).await.unwrap();
            let height = u32::try_from(height.json().as_u64().unwrap_or(900)).unwrap_or(900).clamp(600, 4000);
            self.driver.set_window_rect(0, 0, width, height + 90).await.unwrap();
            self.driver.screenshot(&folder.join(format!("{name}-{kind}.png"))).await.unwrap();
        }
        self.driver.set_window_rect(0, 0, 1280, 900).await.unwrap();
    }
}

/// Creates the OAuth consumer at the fake Bitbucket in a second tab: its key and secret.
async fn create_consumer(person: &Person, link: &str, callback: &str) -> (String, String) {
    let first = person.driver.window().await.unwrap();
    let second = person.driver.new_tab().await.unwrap();
    person.driver.switch_to_window(second).await.unwrap();
    person.open(link).await;
    person.press("Log in as ada").await;
    person.fill("Name", "Stave").await;
    person.fill("Callback URL", callback).await;
    let boxes = Permission::ALL.map(Permission::label).map(|(heading, label)| format!("{heading}: {label}"));
    for permission in boxes {
        let boxes = format!("//input[@type='checkbox'][@aria-label='{permission}']");
        let ticked = person.find(boxes, &permission).await;
        if !ticked.is_selected().await.unwrap() {
            ticked.click().await.unwrap();
        }
    }
    person.press("Save").await;
    let made = (person.read("Key").await, person.read("Secret").await);
    person.driver.close_window().await.unwrap();
    person.driver.switch_to_window(first).await.unwrap();
    made
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_gets_from_the_setup_link_to_composer_require() {
    let Some(person) = Person::sit_down().await else { return };
    let stave = TestStave::start().await;
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
    person.driver.clone().quit().await.unwrap();
}

async fn add_integration(person: &Person, base: &str) {
    person.sees("Setup Mode is on").await;
    person.look("01-admin-setup").await;
    person.press("Add Integration").await;
    person.fill("Base URL", base).await;
    person.fill("Workspace", "acme").await;
    person.look("02-integration-new").await;
    let callback = person.read("Callback URL / Redirect URL").await;
    let link = format!("{base}/acme/workspace/settings/oauth-consumers/new");
    person.find(format!("//a[@href='{link}']"), "the setup link").await;
    let (key, secret) = create_consumer(person, &link, &callback).await;
    person.fill("Client ID / Key", &key).await;
    person.fill("Client Secret", &secret).await;
    person.press("Create Integration").await;
    person.sees("The integration was created").await;
    person.look("03-admin-integration").await;
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
