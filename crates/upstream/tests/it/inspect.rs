//! What can be seen before anybody leaves, and whether bells can be installed.

use crate::{
    data_center, data_center_oauth1, sign_in,
    support::{callback, environment, http, oauth2_client, problem, registration},
};
use stave_domain::integration::Platform;
use stave_testkit::{Fault, Level, Version};
use stave_upstream::{Ability, Connector, Registration, SignInProblem, UpstreamError, connector};

async fn knock(connector: &dyn Connector) -> Result<(), UpstreamError> {
    let departure = connector.sign_in().unwrap().begin(&stave_domain::Secret::new("s")).await.unwrap();
    connector.inspect().unwrap().knock(&departure.url).await
}

fn registered(registration: Registration) -> Box<dyn Connector> {
    connector(http(), registration, environment())
}

#[tokio::test]
async fn the_door_of_bitbucket_cloud() {
    let story = sign_in::Story::start().await;
    knock(story.connector.as_ref()).await.unwrap();
    let of = |key: &str| {
        registration(Platform::BitbucketCloud, &story.bitbucket.base_url(), oauth2_client(key, "secret"))
    };
    let unknown = knock(registered(of("nobody")).as_ref()).await.unwrap_err();
    assert!(unknown.needs_admin());
    assert_eq!(problem(unknown), SignInProblem::ClientUnknown);
    let elsewhere: url::Url = "https://stave.example.com/oauth/callback/other".parse().unwrap();
    let moved = Registration { callback: elsewhere.clone(), ..of(story.consumer.key()) };
    let mismatch = knock(registered(moved).as_ref()).await.unwrap_err();
    assert_eq!(problem(mismatch), SignInProblem::CallbackMismatch { callback: elsewhere.to_string() });
}

#[tokio::test]
async fn the_door_of_data_center() {
    let story = data_center::Story::start(Version::V8_19).await;
    knock(story.connector.as_ref()).await.unwrap();
    story.link.redirect_urls(&["https://stave.example.com/oauth/callback/other"]);
    let error = knock(story.connector.as_ref()).await.unwrap_err();
    assert_eq!(problem(error), SignInProblem::CallbackMismatch { callback: callback().to_string() });
    story.link.redirect_urls(&[callback().as_str()]).scopes(&["ACCOUNT_WRITE"]);
    let error = knock(story.connector.as_ref()).await.unwrap_err();
    assert!(error.to_string().contains("\"Repositories: Read\""), "{error}");
    story.server.fail("/plugins/servlet/oauth2/consent", Fault::status(500, ""));
    story.link.scopes(&["REPO_READ"]);
    assert!(knock(story.connector.as_ref()).await.unwrap_err().is_transient());
    story.server.heal();
    story.link.delete();
    let error = knock(story.connector.as_ref()).await.unwrap_err();
    assert_eq!(problem(error), SignInProblem::ClientUnknown);
    for request in story.server.requests() {
        assert_eq!(request.header("authorization"), None, "nobody is logged in at the door");
    }
}

#[tokio::test]
async fn the_door_of_a_data_center_that_has_none() {
    let old = data_center::Story::start(Version::V7_20).await;
    assert_eq!(problem(knock(old.connector.as_ref()).await.unwrap_err()), SignInProblem::OAuth2Missing);
    let plain = data_center::Story::start(Version::V9_4).await;
    plain.server.insist_on_https();
    let error = knock(plain.connector.as_ref()).await.unwrap_err();
    assert!(error.to_string().contains("Server settings > Base URL"), "{error}");
}

#[tokio::test]
async fn an_http_callback_is_explained() {
    let story = data_center::Story::start(Version::V9_4).await;
    story
        .server
        .fail("/rest/oauth2/latest/authorize", Fault::status(400, "<p>The redirect_uri must be https.</p>"));
    let error = knock(story.connector.as_ref()).await.unwrap_err();
    assert!(error.to_string().contains("only addresses that start with https://"), "{error}");
}

#[tokio::test]
async fn webhooks_of_bitbucket_cloud() {
    let story = sign_in::Story::start().await;
    let hooks = async |grant: &stave_domain::identity::Grant| {
        story.connector.inspect().unwrap().webhooks(grant).await.unwrap()
    };
    let (_, grant) = story.log_in().await.unwrap();
    let Ability::No(sentence) = hooks(&grant).await else { panic!("there is no repository yet") };
    assert!(sentence.contains("administers no repository"), "{sentence}");
    story.bitbucket.workspace("acme").repository("mailer");
    let Ability::Yes(sentence) = hooks(&grant).await else { panic!("ada owns the workspace") };
    assert!(sentence.contains("acme/mailer"), "{sentence}");

    let story = sign_in::Story::with_scopes(&["account", "email", "team", "repository"]).await;
    let (_, grant) = story.log_in().await.unwrap();
    let silent = stave_domain::identity::Grant { scopes: std::collections::BTreeSet::new(), ..grant.clone() };
    story.bitbucket.workspace("acme").repository("mailer");
    for grant in [&grant, &silent] {
        let ability = story.connector.inspect().unwrap().webhooks(grant).await.unwrap();
        let Ability::No(sentence) = ability else { panic!("{ability:?}") };
        assert!(sentence.contains("\"Webhooks: Read and write\""), "{sentence}");
    }
}

#[tokio::test]
async fn webhooks_of_data_center() {
    let story = data_center::Story::start(Version::V8_19).await;
    let (_, grant) = story.log_in("ada").await.unwrap();
    let ability = story.connector.inspect().unwrap().webhooks(&grant).await.unwrap();
    let Ability::No(sentence) = ability else { panic!("{ability:?}") };
    assert!(sentence.contains("\"Repositories: Admin\"") && sentence.contains("optional"), "{sentence}");

    // A grant of OAuth 1 may do whatever the person may.
    let story = data_center_oauth1::Story::start(Version::V7_20).await;
    let (_, grant) = story.log_in().await.unwrap();
    let inspect = story.connector.inspect().unwrap();
    let Ability::No(sentence) = inspect.webhooks(&grant).await.unwrap() else { panic!() };
    assert!(sentence.contains("right \"Admin\""), "{sentence}");
    story.server.project("PHP").grant("ada", Level::Admin).repository("mailer");
    let Ability::Yes(sentence) = inspect.webhooks(&grant).await.unwrap() else { panic!() };
    assert!(sentence.contains("PHP/mailer"), "{sentence}");
    let old = r#"{"version":"5.3.7","buildNumber":"5003007","displayName":"Bitbucket"}"#;
    story.server.fail("/rest/api/1.0/application-properties", Fault::status(200, old));
    let Ability::No(sentence) = inspect.webhooks(&grant).await.unwrap() else { panic!() };
    assert!(sentence.contains("5.3.7"), "{sentence}");
}
