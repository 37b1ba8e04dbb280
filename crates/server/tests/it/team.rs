//! Packages that only teams read: on pages, and in Composer.

use crate::support::{Browser, TestStave};

/// What Composer gets for a package with a token.
async fn status(stave: &TestStave, token: &str) -> u16 {
    let address = format!("{}/repo/acme/p2/acme/secret.json", stave.url);
    let answer = reqwest::Client::new().get(address).basic_auth("token", Some(token)).send().await;
    answer.unwrap().status().as_u16()
}

async fn newcomer(stave: &TestStave, ada: &Browser, name: &str) -> Browser {
    let browser = stave.browser();
    stave.sign_in(&browser, name).await;
    browser.send("/login/register", &[("username", name), ("name", ""), ("email", "")]).await;
    ada.send("/orgs/acme/teams", &[("who", name), ("role", "member")]).await.shows(name);
    browser
}

#[tokio::test]
async fn a_package_that_is_given_to_a_team_is_read_by_its_people_only() {
    let (stave, ada) = TestStave::with_acme().await;
    let repository = stave.bitbucket.workspace("acme").repository("secret");
    repository.tag("1.0.0", r#"{"name": "acme/secret"}"#);
    let page = stave.import(&ada, &repository.clone_url(), "auto").await;
    page.shows("every member");
    let package = page.url.path().to_owned();
    let access = format!("{package}/access");
    let grace = newcomer(&stave, &ada, "grace").await;
    let linus = newcomer(&stave, &ada, "linus").await;
    let (hers, his) = (stave.token(&grace).await, stave.token(&linus).await);
    assert_eq!((status(&stave, &hers).await, status(&stave, &his).await), (200, 200));
    linus.open("/orgs/acme/packages").await.shows("acme/secret");

    ada.send(&access, &[("readers", "teams")]).await.shows("It was given to no team yet");
    assert_eq!((status(&stave, &hers).await, status(&stave, &his).await), (404, 404));
    linus.open("/orgs/acme/packages").await.shows("No packages yet").hides("acme/secret");
    for hidden in [package.as_str(), "/orgs/acme/packages/acme/secret"] {
        linus.open(hidden).await.shows("There is no such package here").hides("1.0.0");
    }
    linus.open("/orgs/acme").await.hides("acme/secret");

    let team = ada.send("/orgs/acme/teams/new", &[("name", "Keepers")]).await;
    let team = team.shows("The team was created").url.path().to_owned();
    ada.send(&format!("{team}/members"), &[("who", "grace")]).await.shows("grace");
    ada.send(&format!("{team}/packages"), &[("package", "acme/secret")]).await.shows("its teams");
    assert_eq!((status(&stave, &hers).await, status(&stave, &his).await), (200, 404));
    grace.open(&package).await.shows("1.0.0");

    let page = ada.open(&access).await;
    page.shows("2 of them can read it").shows("The team Keepers reads it.").shows("Owners read it.");
    page.shows("Only teams that it was given to read it.");
    let table = ada.open(&format!("{access}.csv")).await.body;
    assert!(table.contains("\"grace\",\"\",\"member\",\"yes\",\"The team Keepers reads it.\""), "{table}");
    assert!(table.contains("\"linus\",\"\",\"member\",\"no\""), "{table}");
    grace.open(&access).await.shows("Only owners and admins");
    ada.open("/orgs/acme/settings/access?q=secret").await.shows("Who can read acme/secret");
    ada.open("/orgs/acme/settings/log").await.shows("let only teams read acme/secret");
}

#[tokio::test]
async fn a_team_may_add_packages_with_accounts_of_its_people() {
    let (stave, ada) = TestStave::with_acme().await;
    let repository = stave.bitbucket.workspace("acme").repository("lib");
    repository.tag("1.0.0", r#"{"name": "acme/lib"}"#);
    let grace = newcomer(&stave, &ada, "grace").await;
    let url = repository.clone_url();
    let form = [("url", url.as_str()), ("credential", "auto")];
    grace.open("/orgs/acme/packages").await.hides("Add Package");
    grace
        .send("/orgs/acme/packages", &form)
        .await
        .shows("Only owners and admins of the organization add packages");

    let fields = [("name", "Adders"), ("adds_packages", "on")];
    let team = ada.send("/orgs/acme/teams/new", &fields).await.url.path().to_owned();
    ada.send(&format!("{team}/members"), &[("who", "grace")]).await.shows("grace");
    grace.open("/orgs/acme/packages").await.shows("Add Package");
    grace.open("/orgs/acme/packages/new").await.shows("My account").hides("SSH key of acme");
    let ssh = [("url", "git@git.example:acme/lib.git"), ("credential", "ssh")];
    grace.send("/orgs/acme/packages", &ssh).await.shows("Only owners and admins use the credentials");
    stave.bitbucket.workspace("acme").member("grace");
    stave.import(&grace, &url, "auto").await.shows("acme/lib").shows("1.0.0");
}
