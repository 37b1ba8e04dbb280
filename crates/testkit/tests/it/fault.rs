use crate::{CALLBACK, api, client};
use stave_testkit::{FakeBitbucket, Fault};
use std::time::Duration;

#[tokio::test]
async fn trouble_strikes_once_or_until_it_is_healed() {
    let bitbucket = FakeBitbucket::start().await;
    bitbucket.workspace("acme").owner("ada");
    let token = bitbucket.consumer("acme", CALLBACK, &["account"]).tokens_of("ada").access;
    let status = async || api(&bitbucket, &token, "/user").await.0;
    bitbucket.fail_next("/2.0/user", Fault::status(500, "<html>")).fail_next("/2.0/user", Fault::RateLimit);
    assert_eq!([status().await, status().await, status().await], [500, 429, 200]);
    bitbucket.fail("/2.0/*", Fault::status(503, ""));
    assert_eq!([status().await, status().await], [503, 503]);
    bitbucket.heal().rate_limit_after(1);
    assert_eq!([status().await, status().await, status().await], [200, 429, 429]);
    bitbucket.heal();
    assert_eq!(status().await, 200);
}

#[tokio::test]
async fn answers_can_lead_elsewhere_or_never_come() {
    let bitbucket = FakeBitbucket::start().await;
    bitbucket.fail_next("/2.0/user", Fault::Redirect("http://127.0.0.1:1/trap".into()));
    let url = format!("{}/2.0/user", bitbucket.base_url());
    let answer = client().get(&url).send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), answer.headers()["location"].to_str().unwrap()),
        (302, "http://127.0.0.1:1/trap")
    );
    bitbucket.fail_next("/2.0/user", Fault::Hang);
    let hanging = client().get(&url).timeout(Duration::from_millis(50)).send().await;
    assert!(hanging.unwrap_err().is_timeout());
    bitbucket.fail_next("/2.0/user", Fault::Slow(Duration::from_millis(1)));
    assert_eq!(client().get(&url).send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn requests_are_written_down_as_they_came() {
    let bitbucket = FakeBitbucket::start().await;
    let url = format!("{}/site/oauth2/access_token?a=b%20c", bitbucket.base_url());
    client().post(url).basic_auth("key", Some("secret")).form(&[("grant_type", "x")]).send().await.unwrap();
    let requests = bitbucket.requests();
    let [request] = requests.as_slice() else { panic!("one request was sent: {requests:?}") };
    let seen =
        (request.method.as_str(), request.path.as_str(), request.query.as_str(), request.form.as_str());
    assert_eq!(seen, ("POST", "/site/oauth2/access_token", "a=b%20c", "grant_type=x"));
    assert!(request.header("authorization").unwrap().starts_with("Basic "));
    assert!(bitbucket.forget_requests().requests().is_empty());
}
