//! What goes wrong at the platform changes nothing here, and is told.

use super::acme::Acme;
use super::platform::{Followed, Platform, Rows, Token};
use super::truth::agrees;
use crate::support::TestStave;
use stave_testkit::{Fault, Level, RateLimit, Version};
use std::{collections::BTreeMap, time::Duration};

/// Tables that tell of runs, and of the person who asked for one.
const TOLD: [&str; 6] = ["job", "log", "session", "synchronization", "endpoint", "identity"];

/// `grace` may read one of two packages.
async fn open() -> Acme {
    let acme = Acme::open().await;
    let workspace = acme.stave.bitbucket.workspace("acme");
    workspace.member("grace").member("linus").member("dan");
    acme.package("acme", "mailer");
    acme.package("acme", "secret").only_for(&["ada"]);
    acme
}

/// The token of `grace`, who logs in for the first time.
async fn grace(acme: &Acme) -> Token {
    acme.token(&acme.newcomer("grace").await).await
}

/// What no failed run may change.
async fn kept(acme: &Acme) -> BTreeMap<String, Vec<String>> {
    let mut dump = acme.stave.dump().await;
    dump.retain(|table, _| !TOLD.iter().any(|told| table.starts_with(told)));
    dump
}

#[tokio::test]
async fn half_a_run_changes_nothing() {
    let acme = open().await;
    let (bitbucket, workspace) = (&acme.stave.bitbucket, acme.stave.bitbucket.workspace("acme"));
    bitbucket.page_length_at_most(1);
    let followed = acme.follow("acme").await;
    let hers = grace(&acme).await;
    assert!(hers.reads("acme/mailer").await);
    followed.succeeds().await;
    let before = kept(&acme).await;
    // Each call of a run: the first that is asked for once, the lists from their second page on.
    let calls = [
        ("/2.0/workspaces/%7B*%7D", 0),
        ("/2.0/repositories/%7B*%7D", 1),
        ("/2.0/workspaces/acme/permissions", 1),
        ("/2.0/workspaces/acme/permissions/repositories", 2),
    ];
    let faults = [
        Fault::status(401, ""),
        Fault::status(403, ""),
        Fault::status(404, ""),
        Fault::gone(),
        Fault::removed("CHANGE-4711"),
        Fault::status(200, "<html><title>Log in</title></html>"),
        Fault::status(200, r#"{"values": [{"user": {"uuid": "{1"#),
        Fault::status(200, "{}"),
        Fault::Redirect("https://id.example.com/login".into()),
    ];
    for (call, passing) in calls {
        for fault in &faults {
            bitbucket.fail_after(call, passing, fault.clone());
            let page = followed.run().await;
            assert!(page.body.contains("The last run failed"), "{call} {fault:?}: {}", page.text());
            bitbucket.heal();
            let now = kept(&acme).await;
            for (table, rows) in &before {
                assert_eq!(Some(rows), now.get(table), "{table} after {fault:?} of {call}");
            }
            assert!(hers.reads("acme/mailer").await && !hers.reads("acme/secret").await);
        }
    }
    followed.succeeds().await;
    agrees(&followed, &workspace.truth(), true).await;
}

#[tokio::test]
async fn what_may_pass_is_asked_again() {
    let acme = open().await;
    let bitbucket = &acme.stave.bitbucket;
    let followed = acme.follow("acme").await;
    bitbucket.fail_next("/2.0/repositories/%7B*%7D", Fault::status(503, "<html>"));
    bitbucket.fail_next("/2.0/workspaces/acme/permissions", Fault::status(500, ""));
    followed.succeeds().await;

    let before = kept(&acme).await;
    bitbucket.workspace("acme").remove("grace");
    bitbucket.fail("/2.0/workspaces/acme/permissions", Fault::status(502, ""));
    followed.run().await.shows("The last run failed").shows("502");
    assert_eq!(kept(&acme).await, before);
    bitbucket.heal();
    followed.succeeds().await;
    agrees(&followed, &bitbucket.workspace("acme").truth(), true).await;

    // Too many requests, and nobody says until when: the run waits, and says so.
    bitbucket.rate_limit_after(2);
    acme.ada.send(&format!("{}/run", followed.page), &[]).await;
    let mut page = acme.ada.open(&followed.page).await;
    for _ in 0..100 {
        if page.text().contains("It goes on at") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        page = acme.ada.open(&followed.page).await;
    }
    page.shows("It goes on at").hides("The last run failed");
}

#[tokio::test]
async fn an_answer_that_never_comes_is_given_up() {
    let acme = open().await;
    let bitbucket = &acme.stave.bitbucket;
    let followed = acme.follow("acme").await;
    let integration = acme.stave.app.integration_list().await.unwrap().remove(0);
    let page = acme.ada.open(&format!("/admin/integrations/{}/edit", integration.id)).await;
    let form = page.form("Save Integration").fill(&[("api_timeout", "1")]);
    acme.ada.submit(&page, form).await.shows("Saved");
    bitbucket.fail_next("/2.0/workspaces/acme/permissions/repositories", Fault::Hang);
    followed.succeeds().await;
    let before = kept(&acme).await;
    bitbucket.workspace("acme").remove("grace");
    bitbucket.fail("/2.0/workspaces/acme/permissions/repositories", Fault::Hang);
    followed.run().await.shows("The last run failed");
    assert_eq!(kept(&acme).await, before);
    bitbucket.heal();
    followed.succeeds().await;
    agrees(&followed, &bitbucket.workspace("acme").truth(), true).await;
}

#[tokio::test]
async fn a_webhook_that_cannot_be_hung_up_stops_nothing() {
    let acme = open().await;
    let bitbucket = &acme.stave.bitbucket;
    for fault in [Fault::status(403, ""), Fault::gone(), Fault::status(200, "<html>")] {
        bitbucket.fail("/2.0/*/hooks*", fault);
    }
    let followed = acme.follow("acme").await;
    followed.rest().await.shows("could not do everything").shows("2 packages");
    let hers = grace(&acme).await;
    assert!(hers.reads("acme/mailer").await);
    bitbucket.heal();
    followed.succeeds().await.hides("could not do everything");
    let hooks = bitbucket.calls("POST /2.0/workspaces/*/hooks");
    assert_eq!(hooks, 1);
}

#[tokio::test]
async fn a_key_that_ended_takes_nothing_from_anybody() {
    let acme = open().await;
    let bitbucket = &acme.stave.bitbucket;
    let workspace = bitbucket.workspace("acme");
    let followed = acme.follow("acme").await;
    let hers = grace(&acme).await;
    bitbucket.expire_access_tokens();
    followed.succeeds().await;
    bitbucket.expire_access_tokens_after(2);
    followed.succeeds().await;

    // The right is taken from the account itself.
    let before = kept(&acme).await;
    workspace.owner("root").member("ada");
    followed.run().await.shows("The last run failed");
    assert_eq!(kept(&acme).await, before);
    workspace.owner("ada");
    followed.succeeds().await;
    workspace.remove("ada");
    followed.run().await.shows("The last run failed");
    workspace.owner("ada");
    followed.succeeds().await;

    bitbucket.user("ada").revoke_grants();
    followed.run().await.shows("The last run failed");
    assert!(hers.reads("acme/mailer").await);
    acme.stave.sign_in(&acme.ada, "ada").await;
    followed.succeeds().await;
    assert!(hers.reads("acme/mailer").await);
    agrees(&followed, &workspace.truth(), true).await;
}

#[tokio::test]
async fn a_workspace_has_another_name_and_its_old_one_is_somebody_elses() {
    let acme = open().await;
    let bitbucket = &acme.stave.bitbucket;
    let workspace = bitbucket.workspace("acme");
    let followed = acme.follow("acme").await;
    let hers = grace(&acme).await;
    let adas = Token::of(&acme.ada, &acme.stave.url).await;
    workspace.rename("acme-two");
    let impostor = bitbucket.workspace("acme");
    impostor.owner("mallory").repository("secret").tag("6.6.6", r#"{"name": "acme/secret"}"#);
    followed.succeeds().await.shows("acme-two");
    workspace.repositories()[0].push(|git| git.release("1.1.0", Some(r#"{"name": "acme/mailer"}"#)));
    followed.succeeds().await;
    bitbucket.deliveries().await;
    followed.rest().await;
    assert!(hers.commit("acme/mailer", "1.1.0").await.is_some());
    assert!(adas.commit("acme/secret", "6.6.6").await.is_none());
    agrees(&followed, &workspace.truth(), true).await;
}

#[tokio::test]
async fn data_center_is_updated_and_has_limits() {
    let (stave, ada) = TestStave::with_acme().await;
    let rows = Rows { storage: stave.storage().await, clock: stave.app.clock().clone() };
    let platform = Platform::data_center(Version::V7_20).await;
    let Platform::DataCenter(server) = &platform else { unreachable!() };
    server.user("root").system_admin();
    let php = server.project("PHP");
    for name in ["a", "b", "c", "d", "e"] {
        php.repository(name).tag("1.0.0", &format!("{{\"name\": \"acme/{name}\"}}"));
    }
    server.group("devs", &["grace", "linus"]);
    php.grant_group("devs", Level::Write);
    // Before 7.21 there is no OAuth 2: the integration is one by OAuth 1, the credential a token.
    let slug = ada.open("/admin/integrations/new").await.value("slug").unwrap();
    let fields = [
        ("name", "Git"),
        ("platform", "bitbucket-data-center"),
        ("base_url", &server.base_url()),
        ("oauth", "1"),
        ("slug", &slug),
    ];
    ada.send("/admin/integrations/new", &fields).await.shows("Public Key");
    let secret = server.user("root").http_token(&["PROJECT_ADMIN", "REPO_ADMIN"]);
    let host = platform.host();
    let fields =
        [("description", "Robot"), ("kind", "http_access_token"), ("host", &host), ("secret", &secret)];
    let page = ada.send("/orgs/acme/settings/credentials", &fields).await;
    let rights = format!("credential:{}", page.url.path().rsplit('/').next().unwrap());
    let followed = Followed::start(&ada, &rows, (&slug, "PHP"), Some(&rights)).await;
    followed.rest().await.shows("5 packages");
    agrees(&followed, &php.truth(), false).await;

    server.set_version(Version::V8_19);
    php.repository("a").rename("z");
    followed.succeeds().await;
    agrees(&followed, &php.truth(), false).await;

    server.rate_limit(3, 3, RateLimit::Announced);
    followed.succeeds().await;
    server.heal();
    php.revoke_group("devs").grant("linus", Level::Read);
    server.fail_next("/rest/api/*/users", Fault::status(503, ""));
    followed.succeeds().await;
    agrees(&followed, &php.truth(), false).await;
    server.revoke_http_token(&secret);
    followed.run().await.shows("The last run failed").shows("Robot");
    agrees(&followed, &php.truth(), false).await;
}
