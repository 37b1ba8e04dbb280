//! HTTP access tokens of projects and repositories, how tokens end, and how much may be asked.

use super::{api, start, text, values};
use crate::client;
use serde_json::json;
use stave_testkit::{Level, RateLimit, Version};
use std::time::Duration;

#[tokio::test]
async fn a_token_of_a_project_or_a_repository_reaches_no_further() {
    let server = start(Version::V9_4).await;
    server.seed_demo().project("OTHER").repository("secret");
    let php = server.project("PHP");
    let project = php.http_token(&["PROJECT_ADMIN"]);
    let reader = php.http_token(&["PROJECT_READ"]);
    let repository = php.repository("mailer").http_token(&["REPO_ADMIN"]);
    let rows = [
        ("/projects/PHP", [200, 200, 200]),
        ("/projects/PHP/repos/clock", [200, 200, 401]),
        ("/projects/PHP/repos/mailer", [200, 200, 200]),
        ("/projects/OTHER/repos/secret", [401, 401, 401]),
        ("/projects/PHP/permissions/users", [200, 401, 401]),
        ("/projects/PHP/webhooks", [200, 401, 401]),
        ("/projects/PHP/repos/mailer/webhooks", [200, 401, 200]),
        ("/users", [200, 200, 200]),
    ];
    for (path, expected) in rows {
        for (token, expected) in [&project, &reader, &repository].into_iter().zip(expected) {
            let (status, answer) = api(&server, token, path).await;
            assert_eq!(status, expected, "{path}: {answer}");
        }
    }
    let (_, repositories) = api(&server, &repository, "/repos?permission=REPO_READ").await;
    assert_eq!(values(&repositories, "slug"), ["mailer"]);
    let url = format!("{}/plugins/servlet/applinks/whoami", server.base_url());
    let name = client().get(url).bearer_auth(&project).send().await.unwrap().text().await.unwrap();
    assert!(name.starts_with("access-token-user/project/"), "{name}");
    let slug = name.replace('/', "_");
    assert_eq!(text(&api(&server, &project, &format!("/users/{slug}")).await.1, "type"), "SERVICE");
    let (_, users) = api(&server, &project, "/users").await;
    assert!(!users.to_string().contains("access-token-user"), "{users}");
    let url = format!("{}/info/refs?service=git-upload-pack", php.repository("mailer").clone_url());
    let git = async |user: &str, token: &str| {
        client().get(&url).basic_auth(user, Some(token)).send().await.unwrap().status().as_u16()
    };
    assert_eq!([git("x-token-auth", &reader).await, git("ada", &reader).await], [200, 401]);
}

#[tokio::test]
async fn http_tokens_end() {
    let server = start(Version::V8_19).await;
    let token = server.user("ada").http_token(&["REPO_READ"]);
    let status = async || api(&server, &token, "/users/ada").await.0;
    server.http_token_expires_in(&token, Duration::from_hours(1));
    assert_eq!(status().await, 200);
    server.advance(Duration::from_hours(1));
    assert_eq!(status().await, 401);
    let other = server.user("ada").http_token(&["REPO_READ"]);
    assert_eq!(api(&server, &other, "/users/ada").await.0, 200);
    server.revoke_http_token(&other);
    assert_eq!(api(&server, &other, "/users/ada").await.0, 401);
}

#[tokio::test]
async fn a_bucket_is_empty_and_fills_again() {
    let server = start(Version::V9_4).await;
    let (ada, grace) =
        (server.user("ada").http_token(&["REPO_READ"]), server.user("grace").http_token(&["REPO_READ"]));
    // So slow that nothing comes in while the test runs.
    server.rate_limit(2, 1, RateLimit::Announced).clock_ahead(Duration::ZERO);
    let status = async |token: &str| api(&server, token, "/users/ada").await.0;
    let mut statuses = Vec::new();
    for _ in 0..40 {
        statuses.push(status(&ada).await);
    }
    assert!(statuses.starts_with(&[200, 200]) && statuses.contains(&429), "{statuses:?}");
    assert_eq!(status(&grace).await, 200);
    server.advance(Duration::from_secs(2));
    assert_eq!(status(&ada).await, 200);
}

#[tokio::test]
async fn groups_and_defaults_count_in_the_end_and_old_versions_filter_less() {
    let server = start(Version::V7_20).await;
    let php = server.project("PHP");
    php.repository("mailer").grant_group("devs", Level::Read).archive();
    server.group("devs", &["grace"]).project("OTHER").repository("tool").grant("grace", Level::Read);
    let token = server.user("grace").http_token(&["REPO_READ"]);
    let slugs = async || {
        let path = "/repos?permission=REPO_READ&projectkey=PHP&archived=ACTIVE";
        values(&api(&server, &token, path).await.1, "slug").join(" ")
    };
    assert_eq!(slugs().await, "mailer tool", "it overlooks what it does not know");
    server.set_version(Version::V9_4);
    assert_eq!(slugs().await, "");
    php.repository("mailer").unarchive();
    assert_eq!(slugs().await, "mailer");
    let id = php.repository("mailer").id();
    let readers = async |of: &str| {
        let path = format!("/users?permission.1=REPO_READ&permission.1.{of}");
        values(&api(&server, &token, &path).await.1, "name").join(" ")
    };
    assert_eq!(readers(&format!("repositoryId={id}")).await, "grace");
    php.repository("mailer").revoke_group("devs");
    assert_eq!(readers("projectKey=PHP&permission.1.repositorySlug=mailer").await, "");
    php.default_permission(Some(Level::Read));
    server.user("linus");
    assert_eq!(readers(&format!("repositoryId={id}")).await, "grace linus");
    let old = php.id();
    php.delete();
    assert_eq!(api(&server, &token, "/projects/PHP").await.0, 404);
    assert_ne!(server.project("PHP").id(), old);
    assert_eq!(api(&server, &token, "/projects/PHP").await.1["errors"][0]["context"], json!(null));
}
