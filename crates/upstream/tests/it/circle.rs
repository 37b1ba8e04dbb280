//! Who is in which workspace or group: found out, or an error, and never less than the truth.

use crate::{
    data_center, data_center_oauth1, sign_in,
    support::{Server, answer, connector_of, environment, http, json, oauth2_client, registration},
};
use stave_domain::{
    identity::Grant,
    integration::{ApiTimeout, Permission, Platform},
    website::Circle,
};
use stave_testkit::{Fault, RateLimit, Version};
use stave_upstream::{Connector, Obstacle, Registration, UpstreamError, connector};
use std::{collections::BTreeSet, time::Duration};

const OWN: &str = "/2.0/user/workspaces";

async fn circles(connector: &dyn Connector, grant: &Grant, wanted: &[Circle]) -> Vec<Circle> {
    connector.circles().unwrap().circles(grant, wanted).await.unwrap()
}

async fn refusal(connector: &dyn Connector, grant: &Grant, wanted: &[Circle]) -> UpstreamError {
    connector.circles().unwrap().circles(grant, wanted).await.unwrap_err()
}

fn workspace(uuid: &str, slug: &str) -> Circle {
    Circle::Workspace { uuid: Some(uuid.to_owned()), slug: slug.to_owned() }
}

fn group(name: &str) -> Circle {
    Circle::Group { name: name.to_owned() }
}

fn grant() -> Grant {
    Grant {
        access_token: stave_domain::Secret::new("token"),
        token_secret: None,
        refresh_token: None,
        expires_at: crate::support::now(),
        scopes: BTreeSet::new(),
    }
}

#[tokio::test]
async fn every_workspace_of_a_person_is_told_with_its_uuid() {
    let story = sign_in::Story::start().await;
    let (_, grant) = story.log_in().await.unwrap();
    let acme = workspace(story.bitbucket.workspace("acme").uuid(), "acme");
    assert_eq!(circles(story.connector.as_ref(), &grant, &[]).await, std::slice::from_ref(&acme));
    for number in 0..250 {
        story.bitbucket.workspace(&format!("team{number}")).member("ada");
    }
    story.bitbucket.workspace("globex").owner("grace");
    let found = circles(story.connector.as_ref(), &grant, &[]).await;
    assert_eq!(found.len(), 251);
    assert!(found.contains(&acme) && !found.iter().any(|circle| circle.to_string() == "globex"));
    story.bitbucket.workspace("acme").remove("ada");
    assert!(!circles(story.connector.as_ref(), &grant, &[]).await.iter().any(|circle| circle.is(&acme)));
}

#[tokio::test]
async fn a_workspace_with_the_name_of_another_is_another() {
    let story = sign_in::Story::start().await;
    let (_, grant) = story.log_in().await.unwrap();
    let globex = story.bitbucket.workspace("globex");
    globex.owner("ada");
    let wanted = workspace(globex.uuid(), "globex");
    globex.rename("initech");
    assert!(circles(story.connector.as_ref(), &grant, &[]).await.iter().any(|circle| circle.is(&wanted)));
    globex.delete();
    story.bitbucket.workspace("globex").owner("ada");
    let found = circles(story.connector.as_ref(), &grant, &[]).await;
    assert!(found.iter().any(|circle| circle.to_string() == "globex"), "{found:?}");
    assert!(!found.iter().any(|circle| circle.is(&wanted)), "{found:?}");
}

#[tokio::test]
async fn what_cannot_be_found_out_at_bitbucket_is_an_error() {
    let story = sign_in::Story::start().await;
    let (_, grant) = story.log_in().await.unwrap();
    let lacking =
        r#"{"type":"error","error":{"message":"m","detail":{"required":["account"],"granted":["email"]}}}"#;
    for (fault, name, is_transient) in [
        (Fault::status(401, "{}"), "Unauthorized", false),
        (Fault::status(403, ""), "Forbidden", false),
        (Fault::status(403, lacking), "MissingPermissions", false),
        (Fault::status(404, "{}"), "NotFound", false),
        (Fault::gone(), "CHANGE-2770", false),
        (Fault::status(500, ""), "Unexpected", true),
        (Fault::status(503, "<html>"), "Unexpected", true),
        (Fault::RateLimit, "RateLimited", true),
        (Fault::Redirect("http://127.0.0.1:1/".to_owned()), "Redirected", false),
        (Fault::status(200, "<html>"), "Unreadable", false),
        (Fault::status(200, "{}"), "Unreadable", false),
        (Fault::status(200, r#"{"values":[{"workspace":{"slug":"acme"}}]}"#), "Unreadable", false),
        (Fault::status(200, r#"{"values":[],"next":"http://127.0.0.2:1/2.0/x"}"#), "Redirected", false),
    ] {
        story.bitbucket.fail_next(OWN, fault.clone());
        let error = refusal(story.connector.as_ref(), &grant, &[]).await;
        assert!(format!("{error:?}").contains(name), "{fault:?}: {error:?}");
        assert_eq!(error.is_transient(), is_transient, "{fault:?}");
        if let UpstreamError::MissingPermissions { missing, .. } = error {
            assert_eq!(missing, [Permission::AccountRead], "what else Stave likes to have is not asked for");
        }
    }
    let narrow = Grant { scopes: ["email".to_owned()].into(), ..grant.clone() };
    story.bitbucket.fail_next(OWN, Fault::status(403, ""));
    let sentence = refusal(story.connector.as_ref(), &narrow, &[]).await.to_string();
    assert!(sentence.contains("ticks \"Account: Read\", and saves"), "{sentence}");
}

#[tokio::test]
async fn nobody_waits_long_for_a_slow_bitbucket_or_an_endless_list() {
    let story = sign_in::Story::start().await;
    let (_, grant) = story.log_in().await.unwrap();
    let base_url = story.bitbucket.base_url().parse().unwrap();
    let hasty = connector_of(&base_url, story.consumer.key(), &story.consumer.secret(), ApiTimeout(Some(1)));
    story.bitbucket.fail(OWN, Fault::Slow(Duration::from_mins(1)));
    let error = refusal(hasty.as_ref(), &grant, &[]).await;
    assert!(matches!(error, UpstreamError::Unreachable { obstacle: Obstacle::TimedOut, .. }), "{error:?}");
    let page = r#"{"values":[],"next":"/2.0/user/workspaces?page=again"}"#;
    let server = Server::start(move |_| json(200, page)).await;
    let connector = connector_of(&server.base_url, "key", "secret", ApiTimeout(Some(20)));
    let error = refusal(connector.as_ref(), &self::grant(), &[]).await;
    assert!(error.to_string().contains("lacks an end of the list"), "{error}");
    assert_eq!(server.requests().len(), 50);
}

#[tokio::test]
async fn a_workspace_is_found_by_its_slug_if_the_consumer_may_look() {
    let story = sign_in::Story::start().await;
    let find = async |typed: &str| story.connector.circles().unwrap().circle_find(typed).await;
    let unknown = Circle::Workspace { uuid: None, slug: "acme".to_owned() };
    assert_eq!(find("acme").await.unwrap(), Some(unknown.clone()), "the consumer is not private");
    story.consumer.private();
    let uuid = story.bitbucket.workspace("acme").uuid().to_owned();
    let acme = workspace(&uuid, "acme");
    for typed in ["acme", " acme ", &uuid] {
        assert_eq!(find(typed).await.unwrap(), Some(acme.clone()), "{typed}");
    }
    for typed in ["nobody", "{a1b2c3d4-0000-4000-8000-000000000001}", "", "..", "acme/mailer"] {
        assert_eq!(find(typed).await.unwrap(), None, "{typed}");
    }
    let lacking =
        r#"{"type":"error","error":{"message":"m","detail":{"required":["account"],"granted":[]}}}"#;
    for (status, body) in [(400, "{}"), (401, "{}"), (403, ""), (403, lacking)] {
        story.bitbucket.fail_next("/2.0/workspaces/acme", Fault::status(status, body));
        assert_eq!(find("acme").await.unwrap(), Some(unknown.clone()), "{status}");
        story.bitbucket.fail_next("/site/oauth2/access_token", Fault::status(status, body));
        assert_eq!(find("acme").await.unwrap(), Some(unknown.clone()), "{status}");
    }
    story.bitbucket.fail_next("/site/oauth2/access_token", Fault::status(403, ""));
    assert_eq!(find(&uuid).await.unwrap(), Some(workspace(&uuid, "")), "a uuid is known without looking");
    for path in ["/2.0/workspaces/acme", "/site/oauth2/access_token"] {
        for fault in [Fault::status(500, ""), Fault::RateLimit, Fault::status(200, "<html>")] {
            story.bitbucket.fail_next(path, fault.clone());
            assert!(find("acme").await.is_err(), "{path} {fault:?}");
        }
    }
    for request in story.bitbucket.requests().iter().filter(|request| request.path.contains("access_token")) {
        assert_eq!(request.form, "grant_type=client_credentials");
        assert!(request.header("authorization").unwrap().starts_with("Basic "));
    }
}

#[tokio::test]
async fn of_the_wanted_groups_those_of_the_person_are_found() {
    let story = data_center::Story::start(Version::V8_19).await;
    story.server.user("grace").groups(&["devs", "php"]);
    story.server.user("ada").groups(&["ops"]);
    let (_, grant) = story.log_in("grace").await.unwrap();
    let wanted = ["DEVS", "ops", "nothing", "a b&c"].map(group);
    let found = circles(story.connector.as_ref(), &grant, &wanted).await;
    assert_eq!(found, [group("DEVS")]);
    let asked = story.server.requests();
    let asked = asked.iter().filter(|request| request.query.contains("group=")).count();
    assert_eq!(asked, wanted.len(), "a question for each");
    assert_eq!(circles(story.connector.as_ref(), &grant, &[workspace("{1}", "devs")]).await, []);
    story.server.user("grace").groups(&[]);
    assert_eq!(circles(story.connector.as_ref(), &grant, &wanted).await, []);
    let find = async |typed: &str| story.connector.circles().unwrap().circle_find(typed).await.unwrap();
    assert_eq!((find(" devs ").await, find(" ").await), (Some(group("devs")), None));
}

#[tokio::test]
async fn a_member_is_known_by_the_number_and_found_on_any_page() {
    let story = data_center::Story::start(Version::V9_4).await;
    let similar: Vec<String> = (0..120).map(|number| format!("ada{number}")).collect();
    let names: Vec<&str> = similar.iter().map(String::as_str).collect();
    story.server.group("devs", &names);
    let (_, grant) = story.log_in("ada").await.unwrap();
    assert_eq!(circles(story.connector.as_ref(), &grant, &[group("devs")]).await, []);
    story.server.user("ada").groups(&["devs"]);
    assert_eq!(circles(story.connector.as_ref(), &grant, &[group("devs")]).await, [group("devs")]);
    let namesake = r#"{"values":[{"name":"ada","id":4711}],"isLastPage":true}"#;
    story.server.fail_next("/rest/api/1.0/users", Fault::status(200, namesake));
    assert_eq!(circles(story.connector.as_ref(), &grant, &[group("devs")]).await, []);

    let story = data_center_oauth1::Story::start(Version::V7_20).await;
    let (_, grant) = story.log_in().await.unwrap();
    story.server.user("ada").groups(&["a b&c"]);
    assert_eq!(circles(story.connector.as_ref(), &grant, &[group("a b&c")]).await, [group("a b&c")]);
}

#[tokio::test]
async fn what_cannot_be_found_out_at_data_center_is_an_error() {
    let story = data_center::Story::start(Version::V9_4).await;
    let (_, grant) = story.log_in("ada").await.unwrap();
    let wanted = [group("devs")];
    for (status, body) in [
        (401, "{}"),
        (403, "{}"),
        (404, "{}"),
        (410, ""),
        (500, ""),
        (200, "<html>"),
        (200, "{}"),
        (200, r#"{"values":[{"id":1}]}"#),
    ] {
        story.server.fail_next("/rest/api/1.0/users", Fault::status(status, body));
        let error = refusal(story.connector.as_ref(), &grant, &wanted).await;
        assert!(error.to_string().ends_with('.'), "{status} {body}: {error}");
    }
    story.server.rate_limit_after(1, RateLimit::Silent);
    assert!(refusal(story.connector.as_ref(), &grant, &wanted).await.is_transient());
    story.server.heal().revoke_tokens("ada");
    let error = refusal(story.connector.as_ref(), &grant, &wanted).await;
    assert!(matches!(error, UpstreamError::Unauthorized { .. }), "{error:?}");
}

#[tokio::test]
async fn an_endless_list_of_members_ends() {
    let server = Server::start(|request| {
        let user = r#"{"name":"ada","slug":"ada","id":7,"type":"NORMAL","active":true}"#;
        match request.lines().next().unwrap_or_default() {
            line if line.contains("/application-properties") => answer(200, &["x-ausername: ada"], "{}"),
            line if line.contains("/users/ada") => json(200, user),
            _ => json(200, r#"{"values":[],"nextPageStart":0}"#),
        }
    })
    .await;
    let client = oauth2_client("id", "secret");
    let of_server = registration(Platform::BitbucketDataCenter, server.base_url.as_str(), client);
    let patient = Registration { timeout: ApiTimeout(Some(60)), ..of_server };
    let connector = connector(http(), patient, environment());
    let error = refusal(connector.as_ref(), &grant(), &[group("devs")]).await;
    assert!(error.to_string().contains("lacks an end of the list"), "{error}");
}
