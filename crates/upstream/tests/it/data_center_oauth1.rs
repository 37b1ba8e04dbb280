//! Logging in at a fake Bitbucket Data Center by OAuth 1: the whole trip, and the mistakes that admins make.

use crate::support::{environment_at, http, machine_time, problem, query_of, registration};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rcgen::{KeyPair, PKCS_RSA_SHA256, PublicKeyData, RsaKeySize};
use stave_domain::{
    Secret,
    identity::{Grant, RemoteProfile},
    integration::Platform,
};
use stave_testkit::{FakeDataCenter, Fault, TwoFactor, Version, data_center::Consumer};
use stave_upstream::{
    Client, Connector, Departure, SignIn, SignInProblem, UpstreamError, connector, state_in,
};
use std::{collections::BTreeMap, sync::LazyLock, time::Duration};

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

/// Making a key takes long, so all stories share theirs.
static KEYS: LazyLock<[KeyPair; 2]> = LazyLock::new(|| {
    std::array::from_fn(|_| KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap())
});

/// Stave's integration with a fake Data Center, and the consumer there.
pub(crate) struct Story {
    pub(crate) server: FakeDataCenter,
    consumer: Consumer,
    pub(crate) connector: Box<dyn Connector>,
}

impl Story {
    pub(crate) async fn start(version: Version) -> Self {
        let server = FakeDataCenter::start(version).await;
        let consumer = server.consumer("stave-key", &public_pem(&KEYS[0]));
        let connector = connector_of(&server, "stave-key");
        Self { server, consumer, connector }
    }

    fn sign_in(&self) -> &dyn SignIn {
        self.connector.sign_in().unwrap()
    }

    async fn depart(&self) -> Result<Departure, UpstreamError> {
        self.sign_in().begin(&Secret::new("a state that goes nowhere")).await
    }

    async fn trip(&self) -> (Departure, BTreeMap<String, String>) {
        let departure = self.depart().await.unwrap();
        let back = query_of(&self.server.grant_access(departure.url.as_str(), "ada").await);
        (departure, back)
    }

    pub(crate) async fn log_in(&self) -> Result<(RemoteProfile, Grant), UpstreamError> {
        let (departure, query) = self.trip().await;
        self.sign_in().finish(&departure.kept, &query).await
    }

    async fn who_am_i(&self, grant: &Grant) -> Result<RemoteProfile, UpstreamError> {
        self.sign_in().who_am_i(grant).await
    }
}

fn public_pem(key: &KeyPair) -> String {
    let base64 = STANDARD.encode(key.subject_public_key_info());
    format!("-----BEGIN PUBLIC KEY-----\n{base64}\n-----END PUBLIC KEY-----\n")
}

fn connector_of(server: &FakeDataCenter, consumer_key: &str) -> Box<dyn Connector> {
    let client = Client::OAuth1 {
        consumer_key: consumer_key.to_owned(),
        private_key: Secret::new(STANDARD.encode(KEYS[0].serialize_der())),
    };
    let registration = registration(Platform::BitbucketDataCenter, &server.base_url(), client);
    connector(http(), registration, environment_at(machine_time))
}

/// Why nobody can leave.
async fn stuck(story: &Story) -> (SignInProblem, String) {
    let error = story.depart().await.unwrap_err();
    assert!(error.needs_admin() && !error.is_transient(), "{error:?}");
    let sentence = error.to_string();
    (problem(error), sentence)
}

#[tokio::test]
async fn ada_logs_in_and_stays() {
    for version in [Version::V5_16, Version::V7_20, Version::V9_4] {
        let story = Story::start(version).await;
        story.server.user("ada").display_name("Ada Lovelace");
        let (departure, query) = story.trip().await;
        assert_eq!(state_in(&query), departure.state, "the request token takes the place of a state");
        assert!(departure.url.query().unwrap().contains(departure.state.expose()));
        let (profile, grant) = story.sign_in().finish(&departure.kept, &query).await.unwrap();
        assert_eq!(profile.external_id, story.server.user("ada").id().to_string());
        assert_eq!(profile.display_name, "Ada Lovelace");
        assert!(grant.scopes.is_empty() && grant.token_secret.is_some() && grant.refresh_token.is_some());
        assert!(grant.expires_at > machine_time() + 364 * jiff::SignedDuration::from_hours(24));
        assert_eq!(story.who_am_i(&grant).await.unwrap().handle, "ada");

        let renewed = story.sign_in().refresh(&grant).await.unwrap();
        assert_ne!(renewed.access_token, grant.access_token);
        assert_eq!(story.who_am_i(&renewed).await.unwrap().handle, "ada");
        let dead = story.who_am_i(&grant).await.unwrap_err();
        assert!(matches!(dead, UpstreamError::Unauthorized { .. }), "{dead:?}");
    }
}

#[tokio::test]
async fn ada_presses_deny_or_comes_back_with_nothing() {
    let story = Story::start(Version::V7_20).await;
    let departure = story.depart().await.unwrap();
    let denied = query_of(&story.server.deny_access(departure.url.as_str(), "ada").await);
    let error = story.sign_in().finish(&departure.kept, &denied).await.unwrap_err();
    assert!(error.to_string().contains("\"Allow\""), "{error}");
    assert_eq!(problem(error), SignInProblem::Denied);
    let error = story.sign_in().finish(&departure.kept, &BTreeMap::new()).await.unwrap_err();
    assert_eq!(problem(error), SignInProblem::NoCode);
}

#[tokio::test]
async fn a_request_token_works_once_and_not_for_long() {
    let story = Story::start(Version::V7_20).await;
    let (departure, query) = story.trip().await;
    story.sign_in().finish(&departure.kept, &query).await.unwrap();
    let error = story.sign_in().finish(&departure.kept, &query).await.unwrap_err();
    assert_eq!(problem(error), SignInProblem::CodeSpent);
    let (departure, query) = story.trip().await;
    story.server.advance(11 * MINUTE);
    let error = story.sign_in().finish(&departure.kept, &query).await.unwrap_err();
    assert_eq!(problem(error), SignInProblem::CodeSpent);
}

#[tokio::test]
async fn the_clock_is_told_with_both_times() {
    for (ahead, word) in [(true, "ahead"), (false, "behind")] {
        let story = Story::start(Version::V7_20).await;
        if ahead {
            story.server.clock_ahead(20 * MINUTE)
        } else {
            story.server.clock_behind(20 * MINUTE)
        };
        let (problem, sentence) = stuck(&story).await;
        let SignInProblem::ClockOff { here, there: Some(there) } = problem else { panic!("{problem:?}") };
        assert!((1_140..=1_260).contains(&there.duration_since(here).as_secs().abs()), "{here} {there}");
        assert!(sentence.contains(word) && sentence.matches(" UTC").count() == 2, "{sentence}");
    }
}

#[tokio::test]
async fn a_wrong_public_key_is_told_from_a_wrong_address() {
    let story = Story::start(Version::V7_20).await;
    story.consumer.public_key(&public_pem(&KEYS[1]));
    let (problem, sentence) = stuck(&story).await;
    assert!(matches!(problem, SignInProblem::SignatureRefused { .. }), "{problem:?}");
    assert!(sentence.to_lowercase().contains("public key"), "{sentence}");

    let story = Story::start(Version::V7_20).await;
    story.server.believes_base_url("http://10.0.0.7:7990");
    let (_, sentence) = stuck(&story).await;
    assert!(sentence.contains("Base URL") && sentence.contains("proxy"), "{sentence}");
}

#[tokio::test]
async fn an_unknown_consumer_key_is_told() {
    let story = Story::start(Version::V7_20).await;
    let stranger = Story { connector: connector_of(&story.server, "another-key"), ..story };
    let (problem, sentence) = stuck(&stranger).await;
    assert_eq!(problem, SignInProblem::ConsumerUnknown);
    assert!(sentence.contains("Incoming Authentication"), "{sentence}");
}

#[tokio::test]
async fn a_server_that_no_longer_takes_oauth1() {
    let story = Story::start(Version::V9_4).await;
    story.server.refuse_oauth1();
    assert_eq!(stuck(&story).await.0, SignInProblem::OAuth1Missing);
    let story = Story::start(Version::V9_4).await;
    story
        .server
        .fail("/plugins/servlet/oauth/*", Fault::status(404, "<html><title>Not found</title></html>"));
    assert_eq!(stuck(&story).await.0, SignInProblem::OAuth1Missing);
}

#[tokio::test]
async fn a_server_that_answers_the_first_step_as_it_should_not() {
    for (status, body, wanted) in [
        (200, "oauth_token=t&oauth_token_secret=s", "has not confirmed"),
        (200, "oauth_token=t", "lacks oauth_token_secret"),
        (200, "{}", "lacks oauth_token"),
        (401, "", "gave no reason"),
        (
            400,
            "oauth_problem=parameter_rejected&oauth_problem_advice=The+callback+is+odd",
            "The callback is odd.",
        ),
        (503, "<html>", "error 503"),
    ] {
        let story = Story::start(Version::V7_20).await;
        story.server.fail("/plugins/servlet/oauth/request-token", Fault::status(status, body));
        let sentence = story.depart().await.unwrap_err().to_string();
        assert!(sentence.contains(wanted), "{status} {body}: {sentence}");
    }
}

#[tokio::test]
async fn a_private_key_that_cannot_sign() {
    let server = FakeDataCenter::start(Version::V7_20).await;
    let client = Client::OAuth1 { consumer_key: "stave".to_owned(), private_key: Secret::new("no key") };
    let registration = registration(Platform::BitbucketDataCenter, &server.base_url(), client);
    let connector = connector(http(), registration, environment_at(machine_time));
    let error = connector.sign_in().unwrap().begin(&Secret::new("s")).await.unwrap_err();
    assert!(error.needs_admin() && error.to_string().contains("key pair"), "{error}");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn dead_tokens_are_noticed() {
    let story = Story::start(Version::V7_20).await;
    let (_, grant) = story.log_in().await.unwrap();
    let is_dead = |outcome: Result<RemoteProfile, UpstreamError>| {
        matches!(outcome.unwrap_err(), UpstreamError::Unauthorized { .. })
    };
    let elsewhere = Story::start(Version::V7_20).await;
    assert!(is_dead(elsewhere.who_am_i(&grant).await), "it is of another server");
    story.server.advance(1900 * DAY);
    assert!(is_dead(story.who_am_i(&grant).await), "it has expired");
    let error = story.sign_in().refresh(&grant).await.unwrap_err();
    assert!(matches!(error, UpstreamError::Unauthorized { .. }), "its renewal has expired: {error:?}");
    let (_, grant) = story.log_in().await.unwrap();
    story.server.revoke_tokens("ada");
    assert!(is_dead(story.who_am_i(&grant).await), "it was revoked");
    let without = Grant { refresh_token: None, ..grant };
    let error = story.sign_in().refresh(&without).await.unwrap_err();
    assert!(matches!(error, UpstreamError::Unauthorized { .. }), "{error:?}");
}

#[tokio::test]
async fn the_two_factor_plugin_stands_before_the_first_step() {
    for plugin in [TwoFactor::Redirect, TwoFactor::HtmlPage] {
        let story = Story::start(Version::V7_20).await;
        story.server.two_factor(plugin);
        let error = story.depart().await.unwrap_err();
        assert!(error.to_string().contains("Enable OAuth whitelist"), "{error}");
        story.server.whitelist_oauth();
        story.log_in().await.unwrap();
    }
}

/// Tokens and signatures stay out of addresses.
#[tokio::test]
async fn what_is_signed_is_in_the_header() {
    let story = Story::start(Version::V7_20).await;
    let (_, grant) = story.log_in().await.unwrap();
    story.sign_in().refresh(&grant).await.unwrap();
    let token = grant.access_token.expose();
    for request in story.server.requests() {
        assert!(!request.query.contains(token) && !request.form.contains("oauth_"), "{}", request.path);
    }
}
