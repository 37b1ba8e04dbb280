//! Asking for long: keys that expire on the way, and servers that need a rest.

use crate::{follow::Story, support::Patient};
use stave_domain::Secret;
use stave_testkit::Fault;
use stave_upstream::{Asker, Key, UpstreamError};

#[tokio::test]
async fn whoever_is_patient_gets_an_answer() {
    let story = Story::start().await.with(25);
    let list = async |asker: &dyn Asker| story.follow().repository_list(asker, &story.acme, &|_| ()).await;
    let bitbucket = &story.login.bitbucket;
    let patient = Patient::new(std::slice::from_ref(&story.ada), 3);
    for fault in [Fault::RateLimit, Fault::status(503, ""), Fault::status(500, "<html>")] {
        bitbucket.fail_next("/2.0/repositories/*", fault);
    }
    assert_eq!(list(&patient).await.unwrap().len(), 25);
    let waits = patient.waits.lock().unwrap().clone();
    assert_eq!(waits.len(), 3);
    assert!(waits[0].starts_with("1: ") && waits[0].contains("no more requests"), "{waits:?}");
    assert!(waits[2].starts_with("3: ") && waits[2].contains("error 500"), "{waits:?}");
    let hasty = Patient::new(std::slice::from_ref(&story.ada), 1);
    bitbucket.fail("/2.0/repositories/*", Fault::RateLimit);
    assert!(matches!(list(&hasty).await.unwrap_err(), UpstreamError::RateLimited { .. }));
    assert_eq!(hasty.waits.lock().unwrap().len(), 2);
    bitbucket.heal().fail("/2.0/repositories/*", Fault::status(403, "{}"));
    assert!(list(&hasty).await.unwrap_err().is_refusal());
    assert_eq!(hasty.waits.lock().unwrap().len(), 2, "nobody waits for a right");
}

#[tokio::test]
async fn a_key_that_expires_in_the_middle_is_replaced_once() {
    let story = Story::start().await.with(25);
    let list = async |asker: &dyn Asker| story.follow().repository_list(asker, &story.acme, &|_| ()).await;
    let scopes = ["read:repository:bitbucket"];
    let token = story.login.bitbucket.user("ada").api_token(&scopes);
    let basic = Key::Basic { username: "ada@example.com".to_owned(), password: Secret::new(token) };
    story.login.bitbucket.expire_access_tokens_after(2);
    let asker = Patient::new(&[story.ada.clone(), basic], 0);
    assert_eq!(list(&asker).await.unwrap().len(), 25);
    let dead = [story.ada.clone(), Key::Token(Secret::new("dead")), Key::Token(Secret::new("as dead"))];
    story.login.bitbucket.forget_requests();
    let error = list(&Patient::new(&dead, 5)).await.unwrap_err();
    assert!(matches!(error, UpstreamError::Unauthorized { .. }), "{error:?}");
    assert_eq!(story.login.bitbucket.requests().len(), 2, "one other key is tried");
    let error = list(&Patient::new(&[], 5)).await.unwrap_err();
    assert_eq!(error.to_string(), "Nobody is there.");
}
