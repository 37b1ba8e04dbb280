//! How much may be asked, and how long pages are.

use crate::{CALLBACK, api, client};
use serde_json::json;
use stave_testkit::{FakeBitbucket, Fault};
use std::time::Duration;

#[tokio::test]
async fn there_are_so_many_requests_in_an_hour() {
    let bitbucket = FakeBitbucket::start().await;
    bitbucket.workspace("acme").owner("ada").member("grace");
    let consumer = bitbucket.consumer("acme", CALLBACK, &["account", "webhook", "repository"]);
    let (ada, grace) = (consumer.tokens_of("ada").access, consumer.tokens_of("grace").access);
    bitbucket.rate_limit_per_hour(2);
    let status = async |token: &str, path: &str| api(&bitbucket, token, path).await.0;
    assert_eq!(
        [status(&ada, "/user").await, status(&ada, "/user").await, status(&ada, "/user").await],
        [200, 200, 429]
    );
    let fresh = consumer.tokens_of("ada").access;
    assert_eq!(status(&fresh, "/user").await, 429, "a new token of the same person is no way out");
    assert_eq!(status(&ada, "/workspaces/acme/hooks").await, 200, "webhooks are counted on their own");
    assert_eq!(status(&grace, "/user").await, 200);
    let url = format!("{}/2.0/user", bitbucket.base_url());
    let refused = client().get(&url).bearer_auth(&ada).send().await.unwrap();
    assert_eq!(refused.headers().get("retry-after"), None);
    assert_eq!(refused.headers().get("x-ratelimit-limit"), None);
    assert_eq!(refused.text().await.unwrap(), "");
    bitbucket.advance(Duration::from_hours(1));
    assert_eq!(status(&ada, "/user").await, 200);
    let access = bitbucket.workspace("acme").access_token(&["account"]);
    let told = client().get(&url).bearer_auth(&access).send().await.unwrap();
    let header = |name: &str| told.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(
        (header("x-ratelimit-limit"), header("x-ratelimit-resource")),
        ("2".to_owned(), "api".to_owned())
    );
}

#[tokio::test]
async fn no_page_is_longer_than_the_server_likes() {
    let bitbucket = FakeBitbucket::start().await;
    let acme = bitbucket.workspace("acme");
    acme.owner("ada");
    for number in 0..25 {
        acme.sketch(&format!("r{number}"), None);
    }
    let token = bitbucket.consumer("acme", CALLBACK, &["repository"]).tokens_of("ada").access;
    let page = async |query: &str| {
        let (_, page) = api(&bitbucket, &token, &format!("/repositories/acme?{query}")).await;
        (page["values"].as_array().map(Vec::len), page["pagelen"].clone(), page.get("next").is_some())
    };
    assert_eq!(page("pagelen=100").await, (Some(25), json!(100), false));
    bitbucket.page_length_at_most(10);
    assert_eq!(page("pagelen=100").await, (Some(10), json!(10), true));
    assert_eq!(page("pagelen=3").await, (Some(3), json!(3), true));
}

#[tokio::test]
async fn trouble_can_begin_later_strike_by_chance_and_mean_one_method() {
    let bitbucket = FakeBitbucket::start().await;
    bitbucket.workspace("acme").owner("ada");
    let token = bitbucket.consumer("acme", CALLBACK, &["account", "webhook"]).tokens_of("ada").access;
    let status = async |path: &str| api(&bitbucket, &token, path).await.0;
    bitbucket.fail_after("/2.0/user", 1, Fault::status(403, ""));
    assert_eq!([status("/user").await, status("/user").await, status("/user").await], [200, 403, 403]);
    bitbucket.heal().fail("POST /2.0/*/hooks", Fault::status(500, ""));
    assert_eq!(status("/workspaces/acme/hooks").await, 200);
    let url = format!("{}/2.0/workspaces/acme/hooks", bitbucket.base_url());
    assert_eq!(client().post(url).bearer_auth(&token).send().await.unwrap().status(), 500);
    bitbucket.heal().fail_some("/2.0/user", 50, Fault::removed("CHANGE-4711"));
    let mut statuses = Vec::new();
    for _ in 0..40 {
        statuses.push(status("/user").await);
    }
    assert!(statuses.contains(&200) && statuses.contains(&410), "{statuses:?}");
    bitbucket.heal().fail_next("/2.0/user", Fault::removed("CHANGE-4711"));
    let (_, gone) = api(&bitbucket, &token, "/user").await;
    assert_eq!(gone["error"]["message"], "CHANGE-4711 - Functionality has been deprecated");
    let url = gone["error"]["data"]["announcement_url"].as_str().unwrap();
    assert!(url.ends_with("#CHANGE-4711"), "{url}");
    assert!(bitbucket.calls("/2.0/user") > 40 && bitbucket.calls("POST /2.0/*") == 1);
    assert_eq!(bitbucket.forget_requests().calls("*"), 0);
}
