//! An owner looks who is here, makes a team, and asks who reads what.

use crate::support::{Answer, Browser, TestStave, person::Person};
use std::time::Duration;

const SYNCHRONIZATIONS: &str = "/orgs/acme/settings/synchronizations";

/// The organization follows the workspace acme; where that is shown.
async fn follow(ada: &Browser) {
    let form = ada.open(&format!("{SYNCHRONIZATIONS}/new")).await;
    let chosen = |name| form.value(name).unwrap_or_else(|| panic!("no {name}: {}", form.text()));
    let (integration, access) = (chosen("integration"), chosen("access"));
    let choice = [("integration", &*integration), ("access", &*access), ("workspace", "acme")];
    let begun = ada.send(&format!("{SYNCHRONIZATIONS}/new"), &choice).await;
    let path = begun.url.path().to_owned();
    let looked = when(ada, &path, "2 repositories have a composer.json").await;
    ada.press(&looked, "Start synchronization").await;
    when(ada, &path, "2 packages from 2 repositories").await;
}

/// A page as soon as it says something and nothing goes on there.
async fn when(browser: &Browser, path: &str, says: &str) -> Answer {
    for _ in 0..600 {
        let page = browser.open(path).await;
        if page.text().contains(says) && !page.body.contains("id=\"state\" data-refresh") {
            return page;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{path} never says {says}: {}", browser.open(path).await.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_asks_who_reads_what_and_why() {
    let Some(person) = Person::sit_down().await else { return };
    let (stave, ada) = TestStave::with_acme().await;
    let acme = stave.bitbucket.workspace("acme");
    acme.owner("ada").member("grace").member("linus").member("mallory");
    for slug in ["mailer", "shop"] {
        acme.repository(slug).tag("1.0.0", &format!("{{\"name\": \"acme/{slug}\"}}"));
    }
    let shop = acme.repository("shop");
    shop.only_for(&["linus", "mallory"]);
    follow(&ada).await;
    let own = stave.bitbucket.workspace("tools").owner("ada").repository("secret");
    own.tag("1.0.0", r#"{"name": "acme/secret"}"#);
    stave.import(&ada, &own.clone_url(), "auto").await.shows("acme/secret");
    for name in ["grace", "linus"] {
        let browser = stave.browser();
        stave.sign_in(&browser, name).await;
        browser.send("/login/register", &[("username", name), ("name", ""), ("email", "")]).await;
    }

    person.open(&format!("{}/login?return_to=/orgs/acme/teams", stave.url)).await;
    person.press("Log in with Bitbucket").await;
    person.press("Log in as ada").await;
    person.press("Grant access").await;
    person.sees("No teams yet").await;
    person.look("teams-empty").await;
    person.press("Create your first team").await;
    person.fill("Name", "Keepers").await;
    person.tick("May add packages").await;
    person.look("team-new").await;
    person.press("Create Team").await;
    person.fill("Username or email", "grace").await;
    person.press("Add to team").await;
    person.fill("Package", "acme/secret").await;
    person.press("Give package").await;
    person.sees("every member").await;
    person.look("team").await;
    person.press("every member").await;
    person.tick("Only teams that it is given to").await;
    person.press("Save").await;
    person.sees("The team Keepers reads it.").await;
    person.look("access-package-given").await;

    person.open(&format!("{}/orgs/acme/packages/acme/shop", stave.url)).await;
    person.press("Who can read it, and why").await;
    person.sees("lets them read its repository").await;
    person.press("Show them").await;
    person.look("access-package").await;
    person.press("grace").await;
    person.sees("does not let").await;
    person.look("access-person").await;
    person.open(&format!("{}/orgs/acme/teams", stave.url)).await;
    person.sees("Keepers").await;
    person.look("teams").await;
    person.press("View and manage all members of this organization").await;
    person.sees("Known from Bitbucket, have not logged in yet").await;
    person.look("members").await;
    person.open(&format!("{}/orgs/acme/settings/access?q=e", stave.url)).await;
    person.sees("Who can read acme/mailer").await;
    person.look("access-search").await;
    person.leave().await;
}
