//! Every kind of request that Stave makes, tried at fake Bitbuckets: one that was removed is seen.

use crate::{follow, follow_data_center};
use stave_testkit::{Fault, Version};
use stave_upstream::UpstreamError;
use std::collections::BTreeSet;

#[tokio::test]
async fn bitbucket_has_everything_that_stave_uses() {
    let story = follow::Story::start().await;
    story.remote().sketch("mailer", None);
    let mailer = story.repository("mailer").await;
    let endpoints = story.login.connector.endpoints().unwrap();
    let all = endpoints.endpoint_list();
    let paths: BTreeSet<_> = all.iter().map(|endpoint| endpoint.path).collect();
    assert_eq!(paths.len(), all.len());
    for endpoint in all {
        story.login.bitbucket.forget_requests();
        let asked =
            endpoints.endpoint_try(&story.ada, Some(&story.acme), Some(&mailer), endpoint).await.unwrap();
        assert!(asked, "{}", endpoint.path);
        let requests = story.login.bitbucket.requests();
        assert_eq!(requests.len(), 1, "{}", endpoint.path);
        assert_eq!(
            requests[0].path.split('/').count(),
            endpoint.path.split('/').count(),
            "{}",
            endpoint.path
        );
        let of_nothing = endpoints.endpoint_try(&story.ada, None, None, endpoint).await.unwrap();
        assert_eq!(of_nothing, !endpoint.path.contains("{workspace}"), "{}", endpoint.path);

        story.login.bitbucket.fail_next("/2.0/*", Fault::gone());
        let tried = endpoints.endpoint_try(&story.ada, Some(&story.acme), Some(&mailer), endpoint).await;
        let error = tried.unwrap_err();
        let UpstreamError::Gone { path, announcement, .. } = &error else { panic!("{error:?}") };
        assert_eq!(path, &requests[0].path);
        assert!(announcement.as_ref().is_some_and(|address| address.ends_with("#CHANGE-2770")));
        assert!(error.to_string().contains(path.as_str()) && error.needs_admin(), "{error}");
    }
}

#[tokio::test]
async fn data_center_has_everything_that_stave_uses() {
    for version in [Version::V7_20, Version::V8_19, Version::V9_4, Version::V10_0] {
        let story = follow_data_center::Story::start(version).await;
        story.remote().sketch("mailer", None);
        let mailer = story.repository("mailer").await;
        let endpoints = story.connector.endpoints().unwrap();
        for endpoint in endpoints.endpoint_list() {
            let asked = endpoints.endpoint_try(&story.ada, Some(&story.php), Some(&mailer), endpoint).await;
            assert!(asked.unwrap(), "{version:?} {}", endpoint.path);
            let of_nothing = endpoints.endpoint_try(&story.ada, None, None, endpoint).await.unwrap();
            assert_eq!(of_nothing, !endpoint.path.contains("{project}"), "{}", endpoint.path);
            story.server.fail_next("*", Fault::status(410, ""));
            let tried = endpoints.endpoint_try(&story.ada, Some(&story.php), Some(&mailer), endpoint).await;
            assert!(matches!(tried.unwrap_err(), UpstreamError::Gone { .. }), "{}", endpoint.path);
        }
    }
}
