//! Logging in at a fake Bitbucket: the whole trip, and what can happen on it.

use crate::support::{
    Server, callback, connector_of, environment, http, json, now, oauth2_client, problem, query_of,
    registration,
};
use jiff::SignedDuration;
use stave_domain::{
    Secret,
    identity::{Grant, RemoteProfile},
    integration::{ApiTimeout, Permission, Platform},
};
use stave_testkit::{Consumer, Email, FakeBitbucket, Fault};
use stave_upstream::{Connector, Registration, Saw, SignIn, SignInProblem, UpstreamError, connector, probe};
use std::{collections::BTreeMap, time::Duration};
use url::Url;

const ALL_SCOPES: [&str; 6] = ["account", "email", "team", "repository", "pullrequest", "webhook"];

/// Stave's integration with a fake Bitbucket, and the consumer there.
pub(crate) struct Story {
    pub(crate) bitbucket: FakeBitbucket,
    pub(crate) consumer: Consumer,
    pub(crate) connector: Box<dyn Connector>,
}

impl Story {
    pub(crate) async fn start() -> Self {
        Self::with_scopes(&ALL_SCOPES).await
    }

    pub(crate) async fn with_scopes(scopes: &[&str]) -> Self {
        let bitbucket = FakeBitbucket::start().await;
        bitbucket.workspace("acme").owner("ada");
        let consumer = bitbucket.consumer("acme", callback().as_str(), scopes);
        let base_url = bitbucket.base_url().parse().unwrap();
        let connector = connector_of(&base_url, consumer.key(), &consumer.secret(), ApiTimeout(Some(20)));
        Self { bitbucket, consumer, connector }
    }

    fn sign_in(&self) -> &dyn SignIn {
        self.connector.sign_in().unwrap()
    }

    /// Ada goes there and agrees; what her browser brings back.
    pub(crate) async fn trip(&self) -> BTreeMap<String, String> {
        let url = self.sign_in().begin(&Secret::new("the state")).await.unwrap().url;
        query_of(&self.bitbucket.grant_access(url.as_str(), "ada").await)
    }

    pub(crate) async fn finish(
        &self,
        query: &BTreeMap<String, String>,
    ) -> Result<(RemoteProfile, Grant), UpstreamError> {
        self.sign_in().finish(&Secret::default(), query).await
    }

    pub(crate) async fn log_in(&self) -> Result<(RemoteProfile, Grant), UpstreamError> {
        self.finish(&self.trip().await).await
    }

    pub(crate) async fn refresh(&self, grant: &Grant) -> Result<Grant, UpstreamError> {
        self.sign_in().refresh(grant).await
    }
}

#[tokio::test]
async fn ada_logs_in() {
    let story = Story::start().await;
    story.bitbucket.user("ada").display_name("Ada Lovelace");
    let query = story.trip().await;
    assert_eq!(query["state"], "the state");
    let (profile, grant) = story.finish(&query).await.unwrap();
    assert_eq!(profile.external_id, story.bitbucket.user("ada").uuid());
    assert!(profile.external_id.starts_with('{') && profile.external_id.ends_with('}'));
    assert_eq!((profile.handle.as_str(), profile.display_name.as_str()), ("ada", "Ada Lovelace"));
    let email = profile.email.unwrap();
    assert_eq!((email.address.as_str(), email.confirmed), ("ada@example.com", true));
    assert_eq!(grant.expires_at, now() + SignedDuration::from_secs(7200));
    assert_eq!(Permission::missing_from(Platform::BitbucketCloud, &grant.scopes), []);
    assert!(grant.access_token.expose().len() > 2500 && grant.refresh_token.is_some());
}

#[tokio::test]
async fn what_is_sent_is_what_bitbucket_wants_since_may_2026() {
    let story = Story::start().await;
    let departure = story.sign_in().begin(&Secret::new("the state")).await.unwrap();
    assert!(departure.kept.is_empty() && departure.state == Secret::new("the state"));
    let sent: Vec<_> = departure.url.query_pairs().map(|(key, _)| key.into_owned()).collect();
    assert_eq!(sent, ["client_id", "response_type", "redirect_uri", "state"], "no scope, no PKCE");
    let (_, grant) = story.log_in().await.unwrap();
    story.refresh(&grant).await.unwrap();
    let token = grant.access_token.expose();
    for request in story.bitbucket.requests() {
        assert!(!request.query.contains(token) && !request.form.contains(token), "{}", request.path);
        if request.path.starts_with("/2.0/") {
            assert_eq!(request.header("authorization"), Some(format!("Bearer {token}").as_str()));
        }
        if request.path == "/site/oauth2/access_token" {
            assert!(request.header("authorization").unwrap().starts_with("Basic "));
            assert!(!request.form.contains("client_secret"), "{}", request.form);
        }
    }
}

#[tokio::test]
async fn the_scopes_are_read_by_their_old_name_too() {
    let story = Story::start().await;
    story.bitbucket.answer_scopes();
    let (_, grant) = story.log_in().await.unwrap();
    assert_eq!(grant.scopes.len(), ALL_SCOPES.len(), "{:?}", grant.scopes);
}

#[tokio::test]
async fn only_the_primary_address_counts_and_only_bitbucket_confirms_it() {
    let unconfirmed = Email { is_confirmed: false, ..Email::primary("ada@example.com") };
    let many = (0..30)
        .map(|n| Email::confirmed(&format!("ada{n}@example.com")))
        .chain([Email::primary("main@example.com")]);
    for (emails, expected) in [
        (
            vec![Email::unconfirmed("old@example.com"), Email::primary("ada@example.com")],
            Some(("ada@example.com", true)),
        ),
        (vec![unconfirmed], Some(("ada@example.com", false))),
        (vec![Email::confirmed("ada@example.com")], None),
        (vec![], None),
        (many.collect(), Some(("main@example.com", true))),
    ] {
        let story = Story::start().await;
        story.bitbucket.user("ada").emails(&emails);
        let (profile, _) = story.log_in().await.unwrap();
        let seen = profile.email.as_ref().map(|email| (email.address.as_str(), email.confirmed));
        assert_eq!(seen, expected, "{emails:?}");
    }
}

#[tokio::test]
async fn every_address_is_told_with_whether_it_is_confirmed_and_the_primary_one_is_first() {
    let unconfirmed = Email { is_confirmed: false, ..Email::primary("main@example.com") };
    let other = |number: usize| Email::confirmed(&format!("ada{number}@example.com"));
    let many: Vec<Email> = (0..30).map(other).chain([Email::primary("main@example.com")]).collect();
    let cases = [
        (
            vec![
                Email::confirmed("second@example.com"),
                unconfirmed.clone(),
                Email::unconfirmed("x@y.example"),
            ],
            vec![("main@example.com", false), ("second@example.com", true), ("x@y.example", false)],
        ),
        (vec![Email::unconfirmed("a@x.example")], vec![("a@x.example", false)]),
        (vec![], vec![]),
    ];
    for (emails, expected) in cases {
        let story = Story::start().await;
        story.bitbucket.user("ada").emails(&emails);
        let (profile, _) = story.log_in().await.unwrap();
        let seen: Vec<_> = profile.emails.iter().map(|it| (it.address.as_str(), it.confirmed)).collect();
        assert_eq!(seen, expected, "{emails:?}");
    }
    let story = Story::start().await;
    story.bitbucket.user("ada").emails(&many);
    let (profile, _) = story.log_in().await.unwrap();
    let seen: Vec<_> = profile.emails.iter().map(|email| email.address.as_str().to_owned()).collect();
    let in_order = [many[30].clone()].into_iter().chain(many[..30].to_vec()).map(|email| email.address);
    assert_eq!(seen, in_order.collect::<Vec<_>>());
}

#[tokio::test]
async fn the_token_is_not_carried_to_the_host_of_a_next_page() {
    let thief = Server::start(|_| {
        json(200, r#"{"values":[{"email":"mallory@example.com","is_primary":true,"is_confirmed":true}]}"#)
    })
    .await;
    let story = Story::start().await;
    let page = format!(r#"{{"values":[],"next":"{}/2.0/user/emails?page=2"}}"#, thief.base_url);
    story.bitbucket.fail_next("/2.0/user/emails", Fault::status(200, &page));
    let error = story.log_in().await.unwrap_err();
    assert!(matches!(error, UpstreamError::Redirected { .. }), "{error:?}");
    assert_eq!(thief.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn the_second_id_and_the_picture_are_told() {
    let story = Story::start().await;
    let ada = story.bitbucket.user("ada");
    let (profile, _) = story.log_in().await.unwrap();
    assert_eq!((profile.second_id, profile.picture), (Some(ada.account_id()), None), "not over plain HTTP");
    ada.avatar("https://avatars.example/ada.png");
    let (profile, _) = story.log_in().await.unwrap();
    assert_eq!(profile.picture.as_deref(), Some("https://avatars.example/ada.png"));
}

#[tokio::test]
async fn without_the_email_permission_the_log_in_goes_on() {
    let story = Story::start().await;
    story.bitbucket.fail(
        "/2.0/user/emails",
        Fault::status(403, r#"{"type":"error","error":{"message":"m","detail":{"required":["email"],"granted":["account"]}}}"#),
    );
    let (profile, _) = story.log_in().await.unwrap();
    assert_eq!((profile.email, profile.emails), (None, vec![]));
}

#[tokio::test]
async fn without_the_account_permission_the_boxes_are_named() {
    let story = Story::with_scopes(&["repository", "webhook"]).await;
    let error = story.log_in().await.unwrap_err();
    let sentence = error.to_string();
    assert!(error.needs_admin() && sentence.contains("\"Account: Read\""), "{sentence}");
    let UpstreamError::MissingPermissions { needed, missing, .. } = error else { panic!("{error:?}") };
    assert_eq!(needed, [Permission::AccountRead]);
    assert!(missing.contains(&Permission::WorkspaceMembershipRead), "{missing:?}");
    assert!(!missing.contains(&Permission::WebhooksReadWrite), "{missing:?}");
}

#[tokio::test]
async fn ada_presses_cancel() {
    let story = Story::start().await;
    let url = story.sign_in().begin(&Secret::new("s")).await.unwrap().url;
    let back = query_of(&story.bitbucket.deny_access(url.as_str(), "ada").await);
    assert_eq!(problem(story.finish(&back).await.unwrap_err()), SignInProblem::Denied);
}

#[tokio::test]
async fn a_code_works_once_and_not_for_long() {
    let story = Story::start().await;
    let query = story.trip().await;
    story.finish(&query).await.unwrap();
    assert_eq!(problem(story.finish(&query).await.unwrap_err()), SignInProblem::CodeSpent);
    let late = story.trip().await;
    story.bitbucket.advance(Duration::from_hours(24));
    assert_eq!(problem(story.finish(&late).await.unwrap_err()), SignInProblem::CodeSpent);
}

#[tokio::test]
async fn what_an_admin_did_wrong_is_told_apart() {
    let story = Story::start().await;
    let query = story.trip().await;
    story.consumer.rotate_secret();
    let error = story.finish(&query).await.unwrap_err();
    assert!(error.needs_admin());
    assert_eq!(problem(error), SignInProblem::ClientRefused);

    let story = Story::start().await;
    let query = story.trip().await;
    story.consumer.callback("");
    let callback = callback().to_string();
    assert_eq!(
        problem(story.finish(&query).await.unwrap_err()),
        SignInProblem::CallbackMissing { callback: callback.clone() }
    );

    let story = Story::start().await;
    let query = story.trip().await;
    let elsewhere: Url = "http://127.0.0.1:8080/oauth/callback/other".parse().unwrap();
    let client = oauth2_client(story.consumer.key(), &story.consumer.secret());
    let moved = registration(Platform::BitbucketCloud, &story.bitbucket.base_url(), client);
    let moved = connector(http(), Registration { callback: elsewhere.clone(), ..moved }, environment());
    let error = moved.sign_in().unwrap().finish(&Secret::default(), &query).await.unwrap_err();
    assert_eq!(problem(error), SignInProblem::CallbackMismatch { callback: elsewhere.to_string() });
}

#[tokio::test]
async fn a_refresh_token_is_replaced_and_dies_soon_after_its_use() {
    let story = Story::start().await;
    let (_, first) = story.log_in().await.unwrap();
    let second = story.refresh(&first).await.unwrap();
    assert_ne!(second.refresh_token, first.refresh_token);
    assert_eq!(second.scopes, first.scopes);
    story.refresh(&first).await.expect("Bitbucket's grace for a race");
    story.bitbucket.advance(Duration::from_mins(11));
    assert!(matches!(story.refresh(&first).await.unwrap_err(), UpstreamError::Unauthorized { .. }));
    let third = story.refresh(&second).await.unwrap();
    story.bitbucket.advance(Duration::from_hours(100 * 24));
    assert!(matches!(story.refresh(&third).await.unwrap_err(), UpstreamError::Unauthorized { .. }));
    let without = Grant { refresh_token: None, ..third };
    assert!(matches!(story.refresh(&without).await.unwrap_err(), UpstreamError::Unauthorized { .. }));
}

#[tokio::test]
async fn a_refresh_with_a_wrong_secret_does_not_blame_the_person() {
    let story = Story::start().await;
    let (_, grant) = story.log_in().await.unwrap();
    story.consumer.rotate_secret();
    assert_eq!(problem(story.refresh(&grant).await.unwrap_err()), SignInProblem::ClientRefused);
}

#[tokio::test]
async fn an_app_is_not_a_person() {
    let story = Story::start().await;
    let app = r#"{"type":"app_user","uuid":"{1}","kind":"app"}"#;
    story.bitbucket.fail_next("/2.0/user", Fault::status(200, app));
    let kind = "app_user".to_owned();
    assert_eq!(problem(story.log_in().await.unwrap_err()), SignInProblem::NotAPerson { kind });
}

#[tokio::test]
async fn trouble_at_bitbucket_passes() {
    let page = "<html><title>Bitbucket</title></html>";
    for path in ["/site/oauth2/access_token", "/2.0/user", "/2.0/user/emails"] {
        let story = Story::start().await;
        for fault in [Fault::RateLimit, Fault::status(503, page), Fault::status(500, "")] {
            let query = story.trip().await;
            story.bitbucket.fail_next(path, fault.clone());
            let error = story.finish(&query).await.unwrap_err();
            assert!(error.is_transient() && !error.needs_admin(), "{path} {fault:?}: {error:?}");
        }
        story.log_in().await.unwrap();
    }
}

#[tokio::test]
async fn a_web_page_where_json_is_due_is_no_log_in() {
    for path in ["/site/oauth2/access_token", "/2.0/user", "/2.0/user/emails"] {
        let story = Story::start().await;
        let query = story.trip().await;
        story.bitbucket.fail_next(path, Fault::status(200, "<html>Log in</html>"));
        let error = story.finish(&query).await.unwrap_err();
        assert!(matches!(error, UpstreamError::Unreadable { saw: Saw::WebPage, .. }), "{path}: {error:?}");
    }
}

#[tokio::test]
async fn what_was_removed_is_told_with_the_announcement() {
    let story = Story::start().await;
    let body = r#"{"type":"error","error":{"message":"m","data":{"announcement_url":"https://example.com/changelog#CHANGE-1"}}}"#;
    story.bitbucket.fail_next("/2.0/user", Fault::status(410, body));
    let sentence = story.log_in().await.unwrap_err().to_string();
    assert!(sentence.contains("https://example.com/changelog#CHANGE-1"), "{sentence}");
}

#[tokio::test]
async fn the_fake_is_taken_for_bitbucket() {
    let bitbucket = FakeBitbucket::start().await;
    let base_url = bitbucket.base_url().parse().unwrap();
    probe(&http(), Platform::BitbucketCloud, &base_url, now()).await.unwrap();
    bitbucket.fail("/2.0/*", Fault::Redirect("http://169.254.169.254/".to_owned()));
    probe(&http(), Platform::BitbucketCloud, &base_url, now())
        .await
        .expect("the token endpoint speaks for it");
    bitbucket.fail("/site/*", Fault::status(200, "<html>"));
    let sentence = probe(&http(), Platform::BitbucketCloud, &base_url, now()).await.unwrap_err().to_string();
    assert!(sentence.contains("169.254.169.254"), "{sentence}");
}
