//! Logging in at a fake Bitbucket Data Center by OAuth 2: the whole trip, and what can happen on it.

use crate::support::{
    Server, answer, callback, environment, http, now, oauth2_client, problem, query_of, registration,
};
use jiff::SignedDuration;
use stave_domain::{
    Secret,
    identity::{Grant, RemoteProfile},
    integration::{Permission, Platform},
};
use stave_testkit::{
    DataCenterOptions, FakeDataCenter, Fault, RateLimit, TwoFactor, Version, data_center::Link,
};
use stave_upstream::{Connector, Departure, Interception, SignIn, SignInProblem, UpstreamError, connector};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

const HUMAN: &str = r#"{"name":"ada","slug":"ada","id":7,"type":"NORMAL","active":false}"#;

/// Stave's integration with a fake Data Center, and the application link there.
pub(crate) struct Story {
    pub(crate) server: FakeDataCenter,
    pub(crate) link: Link,
    pub(crate) connector: Box<dyn Connector>,
}

impl Story {
    pub(crate) async fn start(version: Version) -> Self {
        Self::with(version, "REPO_READ", callback().as_str()).await
    }

    pub(crate) async fn with(version: Version, permission: &str, redirect_url: &str) -> Self {
        let options = DataCenterOptions::new(version).context_path("/bitbucket");
        let server = FakeDataCenter::start_with(options).await;
        let link = server.link(redirect_url, &[permission]);
        let client = oauth2_client(&link.client_id(), &link.client_secret());
        let registration = registration(Platform::BitbucketDataCenter, &server.base_url(), client);
        let connector = connector(http(), registration, environment());
        Self { server, link, connector }
    }

    pub(crate) fn sign_in(&self) -> &dyn SignIn {
        self.connector.sign_in().unwrap()
    }

    pub(crate) async fn depart(&self) -> Departure {
        self.sign_in().begin(&Secret::new("the-state")).await.unwrap()
    }

    /// The person goes there and agrees; what the connector kept, and what the browser brings back.
    async fn trip(&self, name: &str) -> (Secret, BTreeMap<String, String>) {
        let Departure { url, kept, .. } = self.depart().await;
        (kept, query_of(&self.server.grant_access(url.as_str(), name).await))
    }

    pub(crate) async fn log_in(&self, name: &str) -> Result<(RemoteProfile, Grant), UpstreamError> {
        let (kept, query) = self.trip(name).await;
        self.sign_in().finish(&kept, &query).await
    }
}

#[tokio::test]
async fn ada_logs_in_at_every_version_that_speaks_oauth2() {
    for version in Version::ALL.into_iter().filter(|version| version.has_oauth2()) {
        let story = Story::start(version).await;
        story.server.user("ada").display_name("Ada Lovelace").email("Ada@example.com");
        let (profile, grant) = story.log_in("ada").await.unwrap();
        assert_eq!(profile.external_id, story.server.user("ada").id().to_string(), "{version:?}");
        assert_eq!((profile.handle.as_str(), profile.display_name.as_str()), ("ada", "Ada Lovelace"));
        let email = profile.email.unwrap();
        assert_eq!((email.address.as_str(), email.confirmed), ("ada@example.com", false));
        assert_eq!((profile.emails, profile.second_id, profile.picture), (vec![email], None, None));
        assert_eq!(grant.expires_at, now() + SignedDuration::from_secs(3600));
        assert_eq!(Permission::missing_from(Platform::BitbucketDataCenter, &grant.scopes), []);
        assert_eq!(story.sign_in().who_am_i(&grant).await.unwrap().handle, "ada");
    }
}

#[tokio::test]
async fn what_is_sent_is_what_data_center_wants() {
    let story = Story::start(Version::V8_19).await;
    let departure = story.depart().await;
    let sent = query_of(departure.url.as_str());
    assert_eq!((sent["scope"].as_str(), sent["code_challenge_method"].as_str()), ("REPO_READ", "S256"));
    assert_eq!(sent["code_challenge"].len(), 43);
    assert_ne!(sent["code_challenge"], departure.kept.expose());
    assert!((43..=127).contains(&departure.kept.expose().len()), "{}", departure.kept.expose().len());
    let (_, grant) = story.log_in("ada").await.unwrap();
    story.sign_in().refresh(&grant).await.unwrap();
    let token = grant.access_token.expose();
    for request in story.server.requests() {
        assert!(!request.query.contains(token) && !request.form.contains(token), "{}", request.path);
        if request.path.ends_with("/rest/oauth2/latest/token") {
            assert_eq!(request.header("authorization"), None);
            assert!(request.form.contains("client_secret=") && request.form.contains("redirect_uri="));
        }
    }
}

#[tokio::test]
async fn a_refresh_token_dies_with_its_use() {
    let story = Story::start(Version::V9_4).await;
    let (_, first) = story.log_in("ada").await.unwrap();
    let second = story.sign_in().refresh(&first).await.unwrap();
    assert_eq!(second.scopes, first.scopes);
    for dead in [&first, &Grant { refresh_token: None, ..second.clone() }] {
        let error = story.sign_in().refresh(dead).await.unwrap_err();
        assert!(matches!(error, UpstreamError::Unauthorized { .. }), "{error:?}");
    }
    story.server.advance(Duration::from_hours(91 * 24));
    let error = story.sign_in().refresh(&second).await.unwrap_err();
    assert!(matches!(error, UpstreamError::Unauthorized { .. }), "{error:?}");
}

#[tokio::test]
async fn people_are_found_whatever_they_are_called() {
    let story = Story::start(Version::V8_19).await;
    for name in ["ada@example.com", "Grace.Hopper", "böb", "a b/c?d#e%2F"] {
        story.server.user(name);
        let (profile, _) = story.log_in(name).await.unwrap();
        assert_eq!(profile.external_id, story.server.user(name).id().to_string(), "{name}");
    }
    // The slug of one is the name of another.
    story.server.user("mallory").with_slug("alice");
    story.server.user("alice").with_slug("alice2");
    let (profile, _) = story.log_in("alice").await.unwrap();
    assert_eq!(profile.external_id, story.server.user("alice").id().to_string());
}

#[tokio::test]
async fn who_is_no_person_and_who_is_deactivated() {
    let story = Story::start(Version::V8_19).await;
    story.server.user("robot").service();
    let kind = "SERVICE".to_owned();
    assert_eq!(problem(story.log_in("robot").await.unwrap_err()), SignInProblem::NotAPerson { kind });
    story.server.fail_next("/rest/api/1.0/users/ada", Fault::status(200, HUMAN));
    assert_eq!(problem(story.log_in("ada").await.unwrap_err()), SignInProblem::Inactive);
    story.server.user("eve").without_email();
    assert_eq!(story.log_in("eve").await.unwrap().0.email, None);
    // Bitbucket knows the person, who may not look at people.
    story.server.fail_next("/rest/api/1.0/users/ada", Fault::status(404, "{}"));
    story.server.fail_next("/rest/api/1.0/users", Fault::status(200, r#"{"values":[]}"#));
    assert!(matches!(story.log_in("ada").await.unwrap_err(), UpstreamError::NotFound { .. }));
}

#[tokio::test]
async fn what_the_person_and_the_admin_did_is_told_apart() {
    let story = Story::start(Version::V8_19).await;
    let Departure { url, kept, .. } = story.depart().await;
    let denied = query_of(&story.server.deny_access(url.as_str(), "ada").await);
    let error = story.sign_in().finish(&kept, &denied).await.unwrap_err();
    assert_eq!(problem(error), SignInProblem::Denied);

    let (kept, query) = story.trip("ada").await;
    story.sign_in().finish(&kept, &query).await.unwrap();
    let error = story.sign_in().finish(&kept, &query).await.unwrap_err();
    assert_eq!(problem(error), SignInProblem::CodeSpent);

    let (_, query) = story.trip("ada").await;
    let other = Secret::new("the verifier of another trip, long enough for it");
    story.sign_in().finish(&other, &query).await.expect_err("a code is of use only to who asked for it");

    let (kept, query) = story.trip("ada").await;
    story.link.rotate_secret();
    let error = story.sign_in().finish(&kept, &query).await.unwrap_err();
    assert!(error.needs_admin());
    assert_eq!(problem(error), SignInProblem::ClientRefused);

    let scope = BTreeMap::from([("error".to_owned(), "invalid_scope".to_owned())]);
    let error = story.sign_in().finish(&kept, &scope).await.unwrap_err();
    assert!(error.to_string().contains("application link") && error.needs_admin(), "{error}");
    assert!(matches!(error, UpstreamError::MissingPermissions { .. }), "{error:?}");

    let too_old = Story::start(Version::V7_20).await;
    let code = BTreeMap::from([("code".to_owned(), "1".to_owned())]);
    let error = too_old.sign_in().finish(&kept, &code).await.unwrap_err();
    assert_eq!(problem(error), SignInProblem::OAuth2Missing);
}

#[tokio::test]
async fn a_dead_token_is_noticed_even_if_bitbucket_answers() {
    let story = Story::start(Version::V8_19).await;
    let (_, grant) = story.log_in("ada").await.unwrap();
    let (_, foreign) = Story::start(Version::V8_19).await.log_in("ada").await.unwrap();
    story.server.revoke_tokens("ada");
    for grant in [&grant, &foreign] {
        let error = story.sign_in().who_am_i(grant).await.unwrap_err();
        assert!(matches!(error, UpstreamError::Unauthorized { .. }), "{error:?}");
    }
    story.server.anonymous_for_wrong_credentials();
    let error = story.sign_in().who_am_i(&grant).await.unwrap_err();
    assert!(matches!(error, UpstreamError::Unauthorized { .. }), "{error:?}");
}

#[tokio::test]
async fn a_fresh_token_that_nobody_knows_is_lost_on_the_way() {
    let story = Story::start(Version::V8_19).await;
    let (kept, query) = story.trip("ada").await;
    let properties = r#"{"version":"8.19.3","buildNumber":"8019003","displayName":"Bitbucket"}"#;
    story.server.fail("/rest/api/1.0/application-properties", Fault::status(200, properties));
    story.server.fail("/plugins/servlet/applinks/whoami", Fault::status(200, ""));
    let error = story.sign_in().finish(&kept, &query).await.unwrap_err();
    assert!(error.needs_admin() && error.to_string().contains("Authorization"), "{error}");
    assert_eq!(problem(error), SignInProblem::TokenIgnored);
}

#[tokio::test]
async fn the_two_factor_plugin_is_recognised_and_let_through_by_its_whitelist() {
    for plugin in [TwoFactor::Redirect, TwoFactor::HtmlPage] {
        let story = Story::start(Version::V8_19).await;
        story.server.two_factor(plugin);
        let error = story.log_in("ada").await.unwrap_err();
        assert!(error.needs_admin() && error.to_string().contains("Enable OAuth whitelist"), "{error}");
        assert!(error.to_string().starts_with("A two-factor plugin"), "{error}");
        story.server.whitelist_oauth();
        story.log_in("ada").await.unwrap();
    }
    let story = Story::start(Version::V8_19).await;
    story.server.fail("/rest/api/1.0/application-properties", Fault::status(403, ""));
    let error = story.log_in("ada").await.unwrap_err();
    assert!(matches!(error, UpstreamError::Intercepted { by: Interception::Refusal, .. }), "{error:?}");
}

#[tokio::test]
async fn single_sign_on_in_front_is_recognised() {
    let story = Story::start(Version::V8_19).await;
    let (kept, query) = story.trip("ada").await;
    story.server.single_sign_on();
    let error = story.sign_in().finish(&kept, &query).await.unwrap_err();
    assert!(matches!(error, UpstreamError::Intercepted { .. }), "{error:?}");
    assert!(error.needs_admin() && error.to_string().contains("/rest/*"), "{error}");
}

#[tokio::test]
async fn trouble_passes() {
    let story = Story::start(Version::V8_19).await;
    let (_, grant) = story.log_in("ada").await.unwrap();
    for kind in [RateLimit::Announced, RateLimit::Silent] {
        story.server.rate_limit_after(0, kind);
        let error = story.sign_in().who_am_i(&grant).await.unwrap_err();
        assert!(error.is_transient() && !error.needs_admin(), "{error:?}");
        story.server.heal();
    }
    for (status, body) in [(503, "<html><title>Starting</title></html>"), (500, ""), (502, "{}")] {
        for path in
            ["/rest/oauth2/latest/token", "/rest/api/1.0/application-properties", "/rest/api/1.0/users/*"]
        {
            let (kept, query) = story.trip("ada").await;
            story.server.fail_next(path, Fault::status(status, body));
            let error = story.sign_in().finish(&kept, &query).await.unwrap_err();
            assert!(error.is_transient() && !error.needs_admin(), "{path} {status}: {error:?}");
        }
    }
    story.sign_in().who_am_i(&grant).await.unwrap();
}

#[tokio::test]
async fn a_401_to_somebody_who_is_known_is_about_rights() {
    for (headers, is_known) in
        [(vec!["x-ausername: ada"], true), (vec!["x-ausername: anonymous"], false), (vec![], false)]
    {
        let properties = r#"{"version":"8.19.3","buildNumber":"8019003"}"#;
        let refusal = answer(401, &headers, r#"{"errors":[{"message":"You are not permitted"}]}"#);
        let server = Server::start(move |request| {
            let is_open = request.contains("/application-properties ");
            if is_open { answer(200, &["x-ausername: ada"], properties) } else { refusal.clone() }
        });
        let client = oauth2_client("id", "secret");
        let registration =
            registration(Platform::BitbucketDataCenter, server.await.base_url.as_str(), client);
        let connector = connector(http(), registration, environment());
        let grant = Grant {
            access_token: Secret::new("token"),
            token_secret: None,
            refresh_token: None,
            expires_at: now(),
            scopes: BTreeSet::new(),
        };
        let error = connector.sign_in().unwrap().who_am_i(&grant).await.unwrap_err();
        assert_eq!(matches!(error, UpstreamError::Forbidden { .. }), is_known, "{error:?}");
        assert_eq!(matches!(error, UpstreamError::Unauthorized { .. }), !is_known, "{error:?}");
    }
}

#[tokio::test]
async fn a_refusal_in_words_that_are_not_bitbuckets_is_somebody_elses() {
    let story = Story::start(Version::V9_4).await;
    story.server.fail_next("/rest/oauth2/latest/token", Fault::status(403, "Access denied. Incident 123."));
    let error = story.log_in("ada").await.unwrap_err();
    assert!(matches!(error, UpstreamError::Intercepted { by: Interception::Refusal, .. }), "{error:?}");
    story.log_in("ada").await.unwrap();
}
