//! Credentials tried at fake Bitbuckets: whose they are, what they may do, or that they do not work.

use crate::{follow, follow_data_center, support::Patient};
use stave_domain::Secret;
use stave_testkit::{Fault, Version};
use stave_upstream::{CredentialCheck, CredentialSight, Key, UpstreamError};

fn basic(username: &str, password: &str) -> Key {
    Key::Basic { username: username.to_owned(), password: Secret::new(password) }
}

async fn refused(check: &dyn CredentialCheck, key: &Key) {
    let error = check.credential_check(key).await.unwrap_err();
    assert!(matches!(error, UpstreamError::Unauthorized { .. }), "{key:?}: {error:?}");
}

#[tokio::test]
async fn tokens_of_bitbucket_say_whose_they_are() {
    let story = follow::Story::start().await;
    let bitbucket = &story.login.bitbucket;
    let check = story.login.connector.credential_check().unwrap();
    let sight = async |key: Key| check.credential_check(&key).await.unwrap();

    assert_eq!(sight(story.ada.clone()).await.account.as_deref(), Some("ada"));
    let scopes = ["read:user:bitbucket", "read:repository:bitbucket"];
    let token = bitbucket.user("ada").api_token(&scopes);
    assert_eq!(sight(basic("ada@example.com", &token)).await.account.as_deref(), Some("ada"));
    let narrow = bitbucket.user("ada").api_token(&["read:repository:bitbucket"]);
    assert_eq!(sight(basic("ada@example.com", &narrow)).await.account, None, "it may not say");
    let of_workspace = story.remote().access_token(&["account", "repository"]);
    let of_repository = story.remote().sketch("mailer", None).access_token(&["repository"]);
    sight(Key::Token(Secret::new(&of_workspace))).await;
    sight(Key::Token(Secret::new(&of_repository))).await;

    for wrong in
        [basic("grace@example.com", &token), basic("ada@example.com", "x"), Key::Token(Secret::new("x"))]
    {
        refused(check, &wrong).await;
    }
    bitbucket.revoke_token(&of_workspace);
    refused(check, &Key::Token(Secret::new(of_workspace))).await;
    let nothing = bitbucket.user("ada").api_token(&[]);
    refused(check, &basic("ada@example.com", &nothing)).await;
    for fault in [Fault::status(500, ""), Fault::status(200, "<html>"), Fault::RateLimit, Fault::gone()] {
        bitbucket.fail_next("/2.0/user", fault.clone());
        assert!(check.credential_check(&story.ada).await.is_err(), "{fault:?}");
    }
}

#[tokio::test]
async fn tokens_of_data_center_say_whose_they_are() {
    for version in [Version::V7_20, Version::V9_4] {
        let story = follow_data_center::Story::start(version).await;
        let check = story.connector.credential_check().unwrap();
        let ada = CredentialSight { account: Some("ada".to_owned()), ..CredentialSight::default() };
        assert_eq!(check.credential_check(&story.ada).await.unwrap(), ada);
        let Key::Token(token) = &story.ada else { panic!() };
        assert_eq!(check.credential_check(&basic("ada", token.expose())).await.unwrap(), ada);
        let wrong = Key::Token(Secret::new("x"));
        refused(check, &wrong).await;
        story.server.anonymous_for_wrong_credentials();
        refused(check, &wrong).await;
        let patient = Patient::new(&[wrong, story.ada.clone()], 0);
        assert_eq!(check.credential_check(&patient).await.unwrap(), ada);
        story.server.user("ada").deactivate();
        refused(check, &story.ada).await;
    }
}
