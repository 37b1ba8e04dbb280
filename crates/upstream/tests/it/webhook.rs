//! Webhooks at fake Bitbuckets: installed, mended, removed; and what is read of their deliveries.

use crate::{follow, follow_data_center};
use stave_domain::{
    Secret,
    delivery::{Notice, NoticeKind},
};
use stave_testkit::{Fault, Version};
use stave_upstream::{Asker, FoundWebhook, Place, UpstreamError, Webhooks};

const URL: &str = "https://stave.example.com/hook/1";

/// Through all that happens to a webhook in its life.
async fn life(webhooks: &dyn Webhooks, asker: &dyn Asker, place: &Place<'_>) -> String {
    let find = async || webhooks.webhook_find(asker, place, URL).await.unwrap();
    assert_eq!(find().await, None);
    for number in 0..12 {
        let other = format!("https://stave.example.com/hook/other{number}");
        webhooks.webhook_install(asker, place, &other, &Secret::new("x")).await.unwrap();
    }
    let id = webhooks.webhook_install(asker, place, URL, &Secret::new("a secret")).await.unwrap();
    assert_eq!(find().await, Some(FoundWebhook { id: id.clone(), is_right: true }), "on the second page");
    let again = webhooks.webhook_install(asker, place, URL, &Secret::new("another")).await.unwrap();
    assert_eq!(again, id, "there is one of them");
    webhooks.webhook_remove(asker, place, &id).await.unwrap();
    assert_eq!(find().await, None);
    webhooks.webhook_remove(asker, place, &id).await.unwrap();
    webhooks.webhook_install(asker, place, URL, &Secret::new("a secret")).await.unwrap()
}

#[tokio::test]
async fn of_a_workspace_and_of_a_repository() {
    let story = follow::Story::start().await;
    story.remote().sketch("mailer", None);
    let mailer = story.repository("mailer").await;
    let webhooks = story.login.connector.webhooks().unwrap();
    let grace = story.key("grace").await;
    for place in [Place::Workspace(&story.acme), Place::Repository(&story.acme, &mailer)] {
        life(webhooks, &story.ada, &place).await;
        let refusal = webhooks.webhook_install(&grace, &place, URL, &Secret::new("x")).await.unwrap_err();
        assert!(refusal.is_refusal(), "{refusal:?}");
    }
}

#[tokio::test]
async fn one_that_was_changed_is_mended() {
    let story = follow::Story::start().await;
    let webhooks = story.login.connector.webhooks().unwrap();
    let place = Place::Workspace(&story.acme);
    let find = async || webhooks.webhook_find(&story.ada, &place, URL).await.unwrap();
    let events =
        r#""repo:push","repo:created","repo:updated","repo:deleted","repo:transfer","repo:imported""#;
    for (is_right, active, secret, events) in [
        (true, true, true, events),
        (true, true, true, &format!(r#""repo:fork",{events}"#)),
        (false, false, true, events),
        (false, true, false, events),
        (false, true, true, r#""repo:push""#),
    ] {
        let entry = format!(
            r#"{{"uuid":"{{1}}","url":"{URL}","active":{active},"secret_set":{secret},"events":[{events}]}}"#
        );
        let page = format!(r#"{{"values":[{entry}]}}"#);
        story.login.bitbucket.fail_next("/2.0/workspaces/*/hooks", Fault::status(200, &page));
        let expected = FoundWebhook { id: "{1}".to_owned(), is_right };
        assert_eq!(find().await, Some(expected), "{entry}");
    }
    let id = webhooks.webhook_install(&story.ada, &place, URL, &Secret::new("x")).await.unwrap();
    story.login.bitbucket.fail_next("GET /2.0/workspaces/*/hooks", Fault::status(200, "{}"));
    let error = webhooks.webhook_find(&story.ada, &place, URL).await.unwrap_err();
    assert!(matches!(error, UpstreamError::Unreadable { .. }), "{error:?}");
    assert_eq!(find().await, Some(FoundWebhook { id, is_right: true }));
}

#[tokio::test]
async fn one_is_not_installed_twice_after_a_storm() {
    let story = follow::Story::start().await;
    let webhooks = story.login.connector.webhooks().unwrap();
    let place = Place::Workspace(&story.acme);
    let patient = crate::support::Patient::new(std::slice::from_ref(&story.ada), 5);
    let install = async || webhooks.webhook_install(&patient, &place, URL, &Secret::new("x")).await;
    story.login.bitbucket.fail_next("POST /2.0/workspaces/*/hooks", Fault::status(502, ""));
    assert!(install().await.unwrap_err().is_transient(), "it may have happened");
    story.login.bitbucket.forget_requests();
    story.login.bitbucket.fail_next("POST /2.0/workspaces/*/hooks", Fault::RateLimit);
    install().await.unwrap();
    let sent = story.login.bitbucket.requests().iter().filter(|request| request.method == "POST").count();
    assert_eq!(sent, 2, "a server that takes no requests did nothing");
}

#[tokio::test]
async fn what_is_not_accepted_is_told_in_the_words_of_bitbucket() {
    let story = follow::Story::start().await;
    let webhooks = story.login.connector.webhooks().unwrap();
    let place = Place::Workspace(&story.acme);
    let error = webhooks.webhook_install(&story.ada, &place, "no url", &Secret::new("x")).await.unwrap_err();
    let sentence = error.to_string();
    assert!(sentence.ends_with(" did not accept what Stave sent: url: Enter a valid URL."), "{sentence}");
    let story = follow_data_center::Story::start(Version::V9_4).await;
    let webhooks = story.connector.webhooks().unwrap();
    let place = Place::Workspace(&story.php);
    let error = webhooks.webhook_install(&story.ada, &place, "no url", &Secret::new("x")).await.unwrap_err();
    assert!(error.to_string().ends_with(": A valid URL is required."), "{error}");
}

#[tokio::test]
async fn of_a_project_and_of_its_repository() {
    for version in [Version::V7_20, Version::V9_4] {
        let story = follow_data_center::Story::start(version).await;
        story.remote().sketch("mailer", None);
        let mailer = story.repository("mailer").await;
        let webhooks = story.connector.webhooks().unwrap();
        for place in [Place::Workspace(&story.php), Place::Repository(&story.php, &mailer)] {
            life(webhooks, &story.ada, &place).await;
        }
        let unknown =
            r#"{"errors":[{"context":"events","message":"'project:modified' is not a valid event."}]}"#;
        let place = Place::Workspace(&story.php);
        let id = webhooks.webhook_find(&story.ada, &place, URL).await.unwrap().unwrap().id;
        webhooks.webhook_remove(&story.ada, &place, &id).await.unwrap();
        story.server.fail_next("POST /rest/api/1.0/projects/PHP/webhooks", Fault::status(400, unknown));
        webhooks.webhook_install(&story.ada, &place, URL, &Secret::new("x")).await.unwrap();
        assert!(webhooks.webhook_find(&story.ada, &place, URL).await.unwrap().unwrap().is_right);
    }
}

fn read(webhooks: &dyn Webhooks, headers: &[(&str, &str)], body: &str) -> Option<Notice> {
    let header =
        |name: &str| headers.iter().find(|(header, _)| *header == name).map(|(_, value)| (*value).to_owned());
    webhooks.notice(&header, body.as_bytes())
}

fn notice(event: &str, delivery: Option<&str>, repository: Option<&str>, kind: NoticeKind) -> Notice {
    Notice {
        delivery_id: delivery.map(str::to_owned),
        event: event.to_owned(),
        repository: repository.map(str::to_owned),
        kind,
    }
}

#[tokio::test]
async fn of_a_delivery_of_bitbucket_only_who_rang_is_read() {
    let story = follow::Story::start().await;
    let webhooks = story.login.connector.webhooks().unwrap();
    let of =
        |event: &str, body: &str| read(webhooks, &[("x-event-key", event), ("x-request-uuid", "d")], body);
    let body = r#"{"push":{"changes":"whatever"},"repository":{"uuid":"{1}","full_name":7}}"#;
    for (event, kind) in [
        ("repo:push", NoticeKind::Push),
        ("repo:created", NoticeKind::Workspace),
        ("repo:updated", NoticeKind::Workspace),
        ("repo:deleted", NoticeKind::Workspace),
        ("repo:transfer", NoticeKind::Workspace),
        ("repo:fork", NoticeKind::Other),
        ("pullrequest:created", NoticeKind::Other),
    ] {
        assert_eq!(of(event, body), Some(notice(event, Some("d"), Some("{1}"), kind)));
    }
    assert_eq!(of("repo:push", "{}"), Some(notice("repo:push", Some("d"), None, NoticeKind::Push)));
    for unreadable in ["", "[]", "7", "<html>", r#"{"repository":7}"#, "{\"repository\":"] {
        assert_eq!(of("repo:push", unreadable), None, "{unreadable}");
    }
    assert_eq!(read(webhooks, &[], body), None, "no event");
}

#[tokio::test]
async fn of_a_delivery_of_data_center_only_who_rang_is_read() {
    let story = follow_data_center::Story::start(Version::V10_0).await;
    let webhooks = story.connector.webhooks().unwrap();
    let of = |event: &str, body: &str| read(webhooks, &[("x-event-key", event), ("x-request-id", "d")], body);
    let at = |event, repository, kind| Some(notice(event, Some("d"), repository, kind));
    for (event, body, repository, kind) in [
        ("repo:refs_changed", r#"{"repository":{"id":42},"changes":[]}"#, Some("42"), NoticeKind::Push),
        ("repo:modified", r#"{"old":{"id":42},"new":{"id":42}}"#, Some("42"), NoticeKind::Workspace),
        ("project:modified", r#"{"old":{"id":7},"new":{"id":7}}"#, None, NoticeKind::Workspace),
        ("diagnostics:ping", r#"{"test":true}"#, None, NoticeKind::Ping),
        ("pr:opened", r#"{"pullRequest":{}}"#, None, NoticeKind::Other),
    ] {
        assert_eq!(of(event, body), at(event, repository, kind));
    }
    assert_eq!(of("repo:refs_changed", r#"{"repository":{"id":"42"}}"#), None);
}
