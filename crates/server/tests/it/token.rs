//! Tokens: what they reach, and that they stop at once.

use crate::support::{Browser, TestStave};
use jiff::SignedDuration;
use stave_testkit::Composer;

#[tokio::test]
async fn a_token_reaches_its_organizations_and_stops_at_once() {
    let (stave, ada) = TestStave::with_acme().await;
    let repository = stave.bitbucket.workspace("acme").repository("lib");
    repository.commit("main", &[("composer.json", r#"{"name": "acme/lib"}"#)]);
    stave.import(&ada, &repository.clone_url(), "auto").await.shows("acme/lib");
    let token = stave.token(&ada).await;
    let client = reqwest::Client::new();
    let get = |path: &str, token: &str| {
        let request =
            client.get(format!("{}/repo/{path}", stave.url)).basic_auth("ada", Some(token.to_owned()));
        async { request.send().await.unwrap() }
    };
    let p2 = "acme/p2/acme/lib~dev.json";
    assert_eq!(get(p2, &token).await.status(), 200);
    assert_eq!(get("acme/p2/acme/other.json", &token).await.status(), 404);
    assert_eq!(get("others/packages.json", &token).await.status(), 404);

    let fresh = stave.token(&ada).await;
    assert_eq!(get(p2, &fresh).await.status(), 200);
    let refused = get(p2, &token).await;
    assert_eq!(refused.status(), 401, "the token before stops at once");
    assert!(refused.headers().contains_key("www-authenticate"));
    assert_eq!(refused.headers()["content-type"], "application/json");
    assert!(refused.text().await.unwrap().contains("\"warning\""));

    ada.send("/profile/token/revoke", &[]).await;
    assert_eq!(get(p2, &fresh).await.status(), 401);
}

#[tokio::test]
async fn a_machines_token_reads_one_organization() {
    let (stave, ada) = TestStave::with_acme().await;
    ada.send("/orgs/new", &[("name", "Other"), ("short_name", "other")]).await.shows("Other");
    let page = ada.send("/orgs/acme/settings/tokens", &[("description", "CI")]).await;
    let at = page.body.find("stave_ort_").unwrap_or_else(|| panic!("no token on the page:\n{}", page.text()));
    let token = page.body[at..at + 78].to_owned();
    ada.open("/orgs/acme/settings/tokens").await.shows("CI").hides(&token);
    let client = reqwest::Client::new();
    for (organization, status) in [("acme", 200), ("other", 404)] {
        let root = format!("{}/repo/{organization}/packages.json", stave.url);
        let answer = client.get(root).basic_auth("token", Some(&token)).send().await.unwrap();
        assert_eq!(answer.status(), status, "{organization}");
    }
}

#[tokio::test]
async fn who_leaves_the_organization_reads_nothing_more() {
    let (stave, ada) = TestStave::with_acme().await;
    let grace = stave.browser();
    stave.sign_in(&grace, "grace").await;
    grace.send("/login/register", &[("username", "grace"), ("name", ""), ("email", "")]).await;
    let page = ada.send("/orgs/acme/teams", &[("who", "grace"), ("role", "member")]).await;
    page.shows("grace");
    let token = stave.token(&grace).await;
    let client = reqwest::Client::new();
    let root = format!("{}/repo/acme/packages.json", stave.url);
    let read = || client.get(&root).basic_auth("grace", Some(&token)).send();
    assert_eq!(read().await.unwrap().status(), 200);
    let is_removal = |text: &&str| text.starts_with("/orgs/acme/teams/") && text.ends_with("/remove");
    for action in page.body.split('"').filter(is_removal) {
        // The last owner stays, whatever is pressed.
        ada.send(action, &[]).await;
    }
    assert_eq!(read().await.unwrap().status(), 404);
}

/// A repository with one tag becomes a package.
async fn package(stave: &TestStave, owner: &Browser, name: &str) {
    let repository = stave.bitbucket.workspace("acme").repository(name);
    let manifest = format!(r#"{{"name": "acme/{name}"}}"#);
    repository.tag("v1.0.0", &manifest);
    stave.import(owner, &repository.clone_url(), "auto").await.shows("v1.0.0");
}

#[tokio::test]
async fn a_token_reads_what_was_selected_from_where_and_until_when_it_may() {
    let (stave, ada) = TestStave::with_acme().await;
    for name in ["mailer", "mail-queue", "clock"] {
        package(&stave, &ada, name).await;
    }
    let tokens = "/orgs/acme/settings/tokens";
    let selection = [
        ("description", "Pipelines"),
        ("access", "update"),
        ("reads", "selection"),
        ("selection", "acme/mail*\nacme/later"),
    ];
    let made = ada.send(tokens, &selection).await;
    let at = made.body.find("stave_out_").unwrap_or_else(|| panic!("no token on the page:\n{}", made.text()));
    let token = made.body[at..at + 78].to_owned();
    let page = made.url.path().to_owned();
    ada.open(&page).await.shows("2 of the 3 packages of your own").shows("acme/mail-queue").hides(&token);

    let composer = Composer::new();
    composer.repository(&format!("{}/repo/acme/", stave.url)).config_auth(&stave.url, "token", &token);
    let run = composer.run(&["require", "acme/mailer", "acme/mail-queue"]).await;
    assert!(run.success(), "{run}");
    assert!(composer.file("vendor/acme/mail-queue/composer.json").is_some());
    let run = composer.require("acme/clock").await;
    assert!(!run.success() && run.output.contains("Could not find"), "{run}");
    let run = composer.run(&["show", "--all", "--available", "acme/*"]).await;
    assert!(run.output.contains("acme/mailer") && !run.output.contains("acme/clock"), "{run}");

    // What comes later and fits is read.
    package(&stave, &ada, "later").await;
    let run = composer.require("acme/later").await;
    assert!(run.success(), "{run}");

    // From another address it is refused, and Composer says why.
    let elsewhere = [("description", "Pipelines"), ("addresses", "192.0.2.0/24")];
    ada.send(&page, &elsewhere).await.shows("Saved.");
    composer.remove("vendor").forget_cache();
    let run = composer.update().await;
    assert!(!run.success(), "{run}");
    assert!(run.output.contains("The token “Pipelines” may not be used from 127.0.0.1."), "{run}");
    assert!(!run.output.contains(&token), "{run}");
    let here =
        [("description", "Pipelines"), ("addresses", "127.0.0.0/8"), ("expires_on", &tomorrow(&stave))];
    ada.send(&page, &here).await.shows("Saved.");
    let run = composer.require("acme/clock").await;
    assert!(run.success(), "it reads every package now: {run}");

    // Another text, and everything else stays.
    let again = ada.send(&format!("{page}/regenerate"), &[]).await;
    let at =
        again.body.find("stave_out_").unwrap_or_else(|| panic!("no token on the page:\n{}", again.text()));
    let token = again.body[at..at + 78].to_owned();
    composer.forget_cache();
    assert!(!composer.update().await.success(), "the text before is dead");
    composer.config_auth(&stave.url, "token", &token);
    assert!(composer.update().await.success());
    ada.open(&page).await.shows("from 127.0.0.1").shows("127.0.0.0/8");

    stave.app.clock().advance(SignedDuration::from_hours(48));
    composer.remove("vendor").forget_cache();
    let run = composer.install().await;
    assert!(!run.success(), "{run}");
    ada.open(tokens).await.shows("expired");
}

/// As a form has it.
fn tomorrow(stave: &TestStave) -> String {
    stave_domain::expiry::day(stave.app.clock().now() + SignedDuration::from_hours(24))
}
