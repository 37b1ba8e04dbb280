//! Stories of synchronizations and those who manage them.

use crate::testing::{Browser, Seen, TestSite};
use axum::http::StatusCode;
use stave_testkit::{FakeBitbucket, Level};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

mod attack;
mod right;
mod webhook;

const LIST: &str = "/orgs/acme/settings/synchronizations";

/// Jobs run until it is dropped.
struct Jobs(CancellationToken);

impl Jobs {
    fn run(site: &TestSite) -> Self {
        let (app, stop) = (site.app.clone(), CancellationToken::new());
        let jobs = Self(stop.clone());
        tokio::spawn(async move { app.run_jobs(stop).await });
        jobs
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// The workspace acme: grace administers it, linus is in it, and two of three repositories are packages.
fn workspace(bitbucket: &FakeBitbucket) {
    let acme = bitbucket.workspace("acme");
    acme.owner("grace").member("linus");
    for (slug, manifest) in [
        ("mailer", Some(r#"{"name": "acme/mailer"}"#)),
        ("shop", Some(r#"{"name": "acme/shop"}"#)),
        ("notes", None),
    ] {
        acme.sketch(slug, manifest).grant("linus", Level::Read);
    }
}

/// A page as soon as it says something.
async fn when(browser: &mut Browser, page: &str, says: &str) -> String {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let seen: Seen = browser.get(page).await;
        if seen.body.contains(says) && !seen.body.contains("id=\"state\" data-refresh") {
            return seen.body;
        }
        assert!(Instant::now() < deadline, "{page} never says {says:?}: {}", seen.body);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The value of a hidden field.
fn hidden<'a>(page: &'a str, name: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("{page}"));
    rest.split('"').next().unwrap()
}

/// Chooses the workspace acme in the form; where that leads.
async fn begin(browser: &mut Browser) -> String {
    let form = browser.get(&format!("{LIST}/new")).await.body;
    let choice = [
        ("integration", hidden(&form, "integration")),
        ("access", hidden(&form, "access")),
        ("workspace", "acme"),
    ];
    let begun = browser.post(&format!("{LIST}/new"), &choice).await;
    let page = begun.location.strip_suffix("?done=synchronization-begun");
    page.unwrap_or_else(|| panic!("{}", begun.body)).to_owned()
}

/// Starts what was begun, with all repositories.
async fn start(browser: &mut Browser) -> String {
    let page = begin(browser).await;
    when(browser, &page, "2 repositories have a composer.json").await;
    let started =
        browser.post(&format!("{page}/start"), &[("selection", "all"), ("has_webhooks", "on")]).await;
    assert_eq!(started.location, format!("{page}?done=synchronization-started"), "{}", started.body);
    when(browser, &page, "2 packages from 3 repositories").await;
    page
}

#[tokio::test]
async fn what_would_happen_is_seen_before_it_does() {
    let (site, bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    workspace(&bitbucket);
    let empty = grace.get(LIST).await.body;
    assert!(empty.contains("Never manage people twice"), "{empty}");
    let page = begin(&mut grace).await;
    let list = grace.get(LIST).await.body;
    assert!(list.contains("Nothing has happened yet"), "{list}");
    let early = grace.post(&format!("{page}/start"), &[("selection", "all")]).await;
    assert_eq!(early.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(early.body.contains("Wait until the workspace is read"), "{}", early.body);
    let _jobs = Jobs::run(&site);
    let preview = when(&mut grace, &page, "2 repositories have a composer.json, of 3").await;
    assert!(preview.contains("2 people. With a connected account here: 1"), "{preview}");
    assert!(preview.contains("become owners of Acme: <bdi>"), "{preview}");
    assert!(grace.get("/orgs/acme/packages").await.body.contains("No packages"), "nothing happened yet");
    let choice = grace.get(&format!("{LIST}/new")).await.body;
    assert!(choice.contains("followed already"), "{choice}");

    let refused = grace.post(&format!("{page}/start"), &[("selection", "matching")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("Enter a project or a name"), "{}", refused.body);
    let form = [("selection", "matching"), ("names", "mail*"), ("has_webhooks", "on")];
    let started = grace.post(&format!("{page}/start"), &form).await;
    assert_eq!(started.location, format!("{page}?done=synchronization-started"), "{}", started.body);
    let active = when(&mut grace, &page, "1 package from 3 repositories").await;
    assert!(
        active.contains("primary") && active.contains("2 people. With a connected account here: 1"),
        "{active}"
    );
    let again = grace.post(&format!("{page}/start"), &form).await;
    assert!(again.body.contains("started already"), "{}", again.body);
    let log = grace.get("/orgs/acme/settings/log").await.body;
    assert!(log.contains("started the synchronization with") && log.contains("as the primary one"), "{log}");
}

#[tokio::test]
async fn repositories_are_taken_out_and_added_by_hand() {
    let (site, bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    workspace(&bitbucket);
    let _jobs = Jobs::run(&site);
    let page = start(&mut grace).await;
    let list = format!("{page}/repositories");
    let notes = grace.get(&format!("{list}?only=no-composer-json")).await.body;
    assert!(notes.contains("<bdi>notes</bdi>") && !notes.contains("<bdi>mailer</bdi>"), "{notes}");
    let found = grace.get(&format!("{list}?q=mailer")).await.body;
    let take_out = found.split('"').find(|text| text.contains("/take-out")).unwrap().replace("&amp;", "&");
    let take_out = take_out.replace("&#38;", "&");
    let gone = grace.post(&take_out, &[]).await;
    assert!(gone.location.ends_with("done=repository-taken-out"), "{} {}", gone.location, gone.body);
    let out = grace.get(&format!("{list}?only=taken-out")).await.body;
    assert!(out.contains("<bdi>mailer</bdi>") && out.contains("does not come back by itself"), "{out}");
    grace.post(&format!("{page}/run"), &[]).await;
    when(&mut grace, &page, "1 package from 3 repositories").await;
    let add = take_out.replace("/take-out", "/add");
    assert!(grace.post(&add, &[]).await.location.contains("done=repository-added"));
    when(&mut grace, &page, "2 packages from 3 repositories").await;

    let packages = grace.get(&format!("{list}?only=packages")).await.body;
    let package =
        packages.split('"').find(|text| text.starts_with("/orgs/acme/packages/")).unwrap().to_owned();
    let shown = grace.get(&package).await.body;
    assert!(shown.contains("Brought by") && shown.contains("by the synchronization"), "{shown}");
    assert_eq!(grace.post(&format!("{package}/delete"), &[]).await.status, StatusCode::SEE_OTHER);
    let excluded = grace.get(&format!("{list}?only=taken-out")).await.body;
    assert!(excluded.contains("/add?"), "a deleted package is not added again: {excluded}");

    let people = grace.get(&format!("{page}/people")).await.body;
    assert!(people.contains("linus") && people.contains("has not logged in yet"), "{people}");
    assert!(people.contains("3 repositories"), "{people}");
}

#[tokio::test]
async fn rights_settings_and_webhooks_can_be_changed() {
    let (site, bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    workspace(&bitbucket);
    let _jobs = Jobs::run(&site);
    let page = start(&mut grace).await;
    let shown = grace.get(&page).await.body;
    assert!(shown.contains("one for everything") || shown.contains("webhook"), "{shown}");
    let nothing = grace.post(&format!("{page}/access"), &[("access", "credential:x")]).await;
    assert!(nothing.body.contains("Choose an account or a credential"), "{}", nothing.body);
    let token = bitbucket.workspace("acme").access_token(&["repository", "account", "webhook"]);
    let host = bitbucket.base_url().replace("http://", "");
    let stored = grace
        .post(
            "/orgs/acme/settings/credentials",
            &[
                ("description", "Token of acme"),
                ("kind", "access_token"),
                ("host", &host),
                ("secret", &token),
                ("all_the_same", "on"),
            ],
        )
        .await;
    assert_eq!(stored.status, StatusCode::SEE_OTHER, "{}", stored.body);
    let choices = grace.get(&page).await.body;
    let value = choices.split('"').find(|text| text.starts_with("credential:")).unwrap().to_owned();
    let changed = grace.post(&format!("{page}/access"), &[("access", value.as_str())]).await;
    assert_eq!(changed.location, format!("{page}?done=rights-changed"), "{}", changed.body);
    assert!(grace.get(&page).await.body.contains("the credential “Token of acme”"));
    let repaired = grace.post(&format!("{page}/webhooks"), &[]).await;
    assert_eq!(repaired.location, format!("{page}?done=webhooks-repaired"));
    let form = [("selection", "by_hand"), ("rights_from", "each_person")];
    let saved = grace.post(&format!("{page}/settings"), &form).await;
    assert_eq!(saved.location, format!("{page}?done=saved"), "{}", saved.body);
    let settings = grace.get(&page).await.body;
    assert!(settings.contains("value=\"by_hand\" checked"), "{settings}");
    assert!(settings.contains("value=\"each_person\" selected"), "{settings}");
}

#[tokio::test]
async fn a_failure_is_told_with_what_to_do() {
    let (site, bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    workspace(&bitbucket);
    let _jobs = Jobs::run(&site);
    let page = start(&mut grace).await;
    bitbucket.workspace("acme").remove("grace");
    grace.post(&format!("{page}/run"), &[]).await;
    let failing = when(&mut grace, &page, "The last run failed").await;
    assert!(failing.contains("nobody lost anything by it"), "{failing}");
    let list = grace.get(LIST).await.body;
    assert!(list.contains("failing"), "{list}");
    assert!(list.contains("<td data-label=\"Packages\">2</td>"), "{list}");
}

#[tokio::test]
async fn what_it_brought_goes_with_it_and_its_owner_stays() {
    let (site, bitbucket, [mut ada, mut grace]) = TestSite::with_acme().await;
    workspace(&bitbucket);
    let _jobs = Jobs::run(&site);
    let page = start(&mut grace).await;
    let mut linus = site.browser();
    linus.register(&bitbucket, "linus").await;
    assert_eq!(
        linus.get("/orgs/acme").await.status,
        StatusCode::OK,
        "a member because of the synchronization"
    );
    assert_eq!(linus.get(&page).await.status, StatusCode::FORBIDDEN);
    let ask = grace.get(&format!("{page}/delete")).await.body;
    assert!(ask.contains("2 packages") && ask.contains("linus") && ask.contains("no member"), "{ask}");
    assert_eq!(linus.get("/orgs/acme").await.status, StatusCode::OK, "it was only asked");
    let wrong = grace.post(&format!("{page}/delete"), &[("name", "acm")]).await;
    assert!(wrong.body.contains("Type acme to show that you mean it"), "{}", wrong.body);
    let integrations = ada.get("/admin").await.body;
    let integration = integrations
        .split('"')
        .find(|text| text.starts_with("/admin/integrations/") && text.ends_with("/delete"));
    let effect = ada.get(integration.unwrap()).await.body;
    assert!(effect.contains("This synchronization goes"), "{effect}");
    let deleted = grace.post(&format!("{page}/delete"), &[("name", "acme")]).await;
    assert_eq!(deleted.location, format!("{LIST}?done=synchronization-deleted"), "{}", deleted.body);
    assert_eq!(linus.get("/orgs/acme").await.status, StatusCode::NOT_FOUND);
    assert!(grace.get("/orgs/acme/packages").await.body.contains("No packages"));
    assert_eq!(grace.get(LIST).await.status, StatusCode::OK, "whoever deleted it stays the owner");
    assert_eq!(grace.get(&page).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn another_one_becomes_the_primary_one() {
    let (site, bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    workspace(&bitbucket);
    let _jobs = Jobs::run(&site);
    let first = start(&mut grace).await;
    bitbucket.workspace("tools").owner("linus").member("grace");
    let mut linus = site.browser();
    linus.register(&bitbucket, "linus").await;
    let form = grace.get(&format!("{LIST}/new")).await.body;
    let choice = [
        ("integration", hidden(&form, "integration")),
        ("access", hidden(&form, "access")),
        ("workspace", "tools"),
    ];
    let begun = grace.post(&format!("{LIST}/new"), &choice).await;
    let second = begun.location.split('?').next().unwrap().to_owned();
    when(&mut grace, &second, "What would happen").await;
    grace.post(&format!("{second}/start"), &[("selection", "all"), ("rights_from", "each_person")]).await;
    when(&mut grace, &second, "Promote to primary").await;
    let blocked = grace.post(&format!("{first}/delete"), &[("name", "acme")]).await;
    assert!(blocked.body.contains("Promote another one first"), "{}", blocked.body);
    let ask = grace.get(&format!("{second}/promote")).await.body;
    assert!(ask.contains("is no longer the primary one"), "{ask}");
    assert_eq!(linus.get(&format!("{second}/promote")).await.status, StatusCode::FORBIDDEN);
    let promoted = grace.post(&format!("{second}/promote"), &[]).await;
    assert_eq!(promoted.location, format!("{second}?done=synchronization-promoted"), "{}", promoted.body);
    assert!(ask.contains("grace") && ask.contains("linus"), "who loses and who gains: {ask}");
    assert_eq!(grace.get(LIST).await.status, StatusCode::FORBIDDEN, "she is a member there only");
    let list = linus.get(LIST).await.body;
    let (primary, _) = list.split_once("primary</span>").unwrap_or_else(|| panic!("{list}"));
    assert!(primary.contains(&second) && !primary.contains(&first), "{list}");
}

#[tokio::test]
async fn an_organization_is_made_from_a_workspace() {
    let (_site, bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    bitbucket.workspace("big_tools").owner("grace");
    let choice = grace.get("/orgs/new/from").await.body;
    let (integration, access) = (hidden(&choice, "integration"), hidden(&choice, "access"));
    let query = format!("integration={integration}&access={access}&workspace=big_tools");
    let form = grace.get(&format!("/orgs/new?{query}")).await.body;
    assert!(form.contains("name=\"short_name\" value=\"big-tools\""), "{form}");
    let typed = [
        ("name", "Big tools"),
        ("short_name", "big-tools"),
        ("integration", integration),
        ("access", access),
        ("workspace", "big_tools"),
    ];
    let made = grace.post("/orgs/new", &typed).await;
    assert!(made.location.starts_with("/orgs/big-tools/settings/synchronizations/"), "{}", made.body);
    assert_eq!(grace.get(&made.location).await.status, StatusCode::OK);
    let nowhere =
        grace.get(&format!("/orgs/new?integration={integration}&access={access}&workspace=none")).await.body;
    assert!(nowhere.contains("shows nothing called “none”"), "{nowhere}");
}
