//! Credentials that people bring: API tokens, and access tokens of workspaces, projects and repositories.

use crate::{CALLBACK, api, client, read};
use reqwest::StatusCode;
use serde_json::{Value, json};
use stave_testkit::{FakeBitbucket, Level};
use std::time::Duration;

/// Ada owns acme, grace is a member; ada's API token reads a lot.
async fn start() -> (FakeBitbucket, String) {
    let bitbucket = FakeBitbucket::start().await;
    bitbucket.workspace("acme").owner("ada").member("grace").repository("mailer").tag("1.0.0", "{}");
    let scopes = [
        "read:user:bitbucket",
        "read:workspace:bitbucket",
        "read:repository:bitbucket",
        "read:webhook:bitbucket",
    ];
    let token = bitbucket.user("ada").api_token(&scopes);
    (bitbucket, token)
}

async fn basic(bitbucket: &FakeBitbucket, (user, password): (&str, &str), path: &str) -> (u16, Value) {
    let url = format!("{}/2.0{path}", bitbucket.base_url());
    read(client().get(url).basic_auth(user, Some(password))).await
}

#[tokio::test]
async fn an_api_token_is_the_password_of_an_address() {
    let (bitbucket, token) = start().await;
    assert!(token.starts_with("ATAT"));
    let status = async |user: &str| basic(&bitbucket, (user, &token), "/user").await.0;
    assert_eq!([status("ada@example.com").await, status("ADA@example.com").await], [200, 200]);
    assert_eq!([status("grace@example.com").await, status("ada").await], [401, 401]);
    assert_eq!(api(&bitbucket, &token, "/user").await.0, 401, "it is no bearer token");
    let scopeless = bitbucket.user("ada").api_token(&[]);
    let (status, error) = basic(&bitbucket, ("ada@example.com", &scopeless), "/user").await;
    let message = "Token is invalid, expired, or not supported for this endpoint.";
    assert_eq!((status, &error["error"]["message"]), (401, &json!(message)));
}

#[tokio::test]
async fn the_scopes_of_an_api_token_imply_nothing() {
    let (bitbucket, token) = start().await;
    let rows = [
        ("/user", 200),
        ("/user/emails", 200),
        ("/user/workspaces", 200),
        ("/workspaces/acme/permissions", 200),
        ("/workspaces/acme/permissions/repositories", 200),
        ("/repositories/acme/mailer", 200),
        ("/repositories/acme/mailer/hooks", 200),
        ("/workspaces/acme/projects", 403),
    ];
    for (path, expected) in rows {
        assert_eq!(basic(&bitbucket, ("ada@example.com", &token), path).await.0, expected, "{path}");
    }
    let narrow = bitbucket.user("ada").api_token(&["write:repository:bitbucket"]);
    let (status, error) = basic(&bitbucket, ("ada@example.com", &narrow), "/repositories/acme/mailer").await;
    let detail =
        json!({"required": ["read:repository:bitbucket"], "granted": ["write:repository:bitbucket"]});
    assert_eq!((status, &error["error"]["detail"]), (403, &detail));
    let hooks = format!("{}/2.0/workspaces/acme/hooks", bitbucket.base_url());
    let wish = json!({"url": CALLBACK, "events": ["repo:push"]});
    let install = client().post(hooks).basic_auth("ada@example.com", Some(&token)).json(&wish);
    assert_eq!(read(install).await.0, 403, "it may not write");
}

#[tokio::test]
async fn tokens_end() {
    let (bitbucket, token) = start().await;
    let status = async |token: &str| basic(&bitbucket, ("ada@example.com", token), "/user").await.0;
    bitbucket.token_expires_in(&token, Duration::from_hours(1)).advance(Duration::from_mins(59));
    assert_eq!(status(&token).await, 200);
    bitbucket.advance(Duration::from_mins(1));
    assert_eq!(status(&token).await, 401);
    let another = bitbucket.user("ada").api_token(&["read:user:bitbucket"]);
    bitbucket.advance(Duration::from_hours(24 * 364));
    assert_eq!(status(&another).await, 200);
    bitbucket.advance(Duration::from_hours(24));
    assert_eq!(status(&another).await, 401, "no API token lives longer than a year");
    let access = bitbucket.workspace("acme").access_token(&["account"]);
    assert_eq!(api(&bitbucket, &access, "/workspaces/acme/members").await.0, 200);
    bitbucket.revoke_token(&access);
    assert_eq!(api(&bitbucket, &access, "/workspaces/acme/members").await.0, 401);
}

#[tokio::test]
async fn access_tokens_reach_what_they_were_made_for_and_no_permissions() {
    let (bitbucket, _) = start().await;
    let acme = bitbucket.workspace("acme");
    acme.repository("tool").move_to_project("TOOL");
    let scopes = ["account", "project", "repository", "repository:admin", "webhook"];
    let tokens = [
        acme.access_token(&scopes),
        acme.project("TOOL").access_token(&scopes),
        acme.repository("mailer").access_token(&scopes),
    ];
    let rows = [
        ("/user", [200, 200, 200]),
        ("/repositories/acme/mailer", [200, 404, 200]),
        ("/repositories/acme/tool", [200, 200, 404]),
        ("/repositories/acme/mailer/hooks", [200, 404, 200]),
        ("/workspaces/acme", [200, 200, 200]),
        ("/workspaces/acme/hooks", [200, 403, 403]),
        ("/workspaces/acme/members", [200, 403, 403]),
        ("/workspaces/acme/permissions", [403, 403, 403]),
        ("/workspaces/acme/permissions/repositories", [403, 403, 403]),
        ("/workspaces/acme/permissions/repositories/mailer", [403, 403, 403]),
        ("/user/workspaces/acme/permissions/repositories", [403, 403, 403]),
        ("/repositories/acme/mailer/permissions-config/users", [403, 403, 403]),
    ];
    for (path, expected) in rows {
        for (token, expected) in tokens.iter().zip(expected) {
            let (status, answer) = api(&bitbucket, token, path).await;
            assert_eq!(status, expected, "{path}: {answer}");
        }
    }
    let (_, user) = api(&bitbucket, &tokens[0], "/user").await;
    assert_eq!((&user["type"], &user["kind"]), (&json!("app_user"), &json!("workspace_access_token")));
    let slugs = async |token: &str| {
        let (_, page) = api(&bitbucket, token, "/repositories/acme?role=member").await;
        page["values"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["slug"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(slugs(&tokens[0]).await, ["mailer", "tool"]);
    assert_eq!(slugs(&tokens[1]).await, ["tool"]);
    let globex = bitbucket.workspace("globex");
    globex.repository("other");
    assert_eq!(api(&bitbucket, &tokens[0], "/repositories/globex/other").await.0, 404);
}

#[tokio::test]
async fn git_takes_every_token_beside_its_own_name() {
    let (bitbucket, token) = start().await;
    let acme = bitbucket.workspace("acme");
    let mailer = acme.repository("mailer");
    let access = acme.access_token(&["repository"]);
    let project = acme.project("PHP").access_token(&["repository"]);
    let blind = bitbucket.user("ada").api_token(&["read:user:bitbucket"]);
    let rows = [
        ("x-bitbucket-api-token-auth", &token, StatusCode::OK),
        ("ada", &token, StatusCode::OK),
        ("x-token-auth", &token, StatusCode::UNAUTHORIZED),
        ("grace", &token, StatusCode::UNAUTHORIZED),
        ("x-bitbucket-api-token-auth", &blind, StatusCode::FORBIDDEN),
        ("x-token-auth", &access, StatusCode::OK),
        ("x-token-auth", &project, StatusCode::OK),
        ("x-bitbucket-api-token-auth", &access, StatusCode::UNAUTHORIZED),
    ];
    for (user, password, expected) in rows {
        let url = format!("{}/info/refs?service=git-upload-pack", mailer.clone_url());
        let answer = client().get(url).basic_auth(user, Some(password)).send().await.unwrap();
        assert_eq!(answer.status(), expected, "{user}");
    }
}

#[tokio::test]
async fn a_grant_that_is_revoked_is_worth_nothing() {
    let (bitbucket, token) = start().await;
    let consumer = bitbucket.consumer("acme", CALLBACK, &["account"]);
    let (ada, grace) = (consumer.tokens_of("ada"), consumer.tokens_of("grace"));
    bitbucket.user("ada").revoke_grants();
    assert_eq!(api(&bitbucket, &ada.access, "/user").await.0, 401);
    assert_eq!(api(&bitbucket, &grace.access, "/user").await.0, 200);
    assert_eq!(basic(&bitbucket, ("ada@example.com", &token), "/user").await.0, 200, "it is no consumer's");
    let form = [("grant_type", "refresh_token"), ("refresh_token", ada.refresh.as_str())];
    let url = format!("{}/site/oauth2/access_token", bitbucket.base_url());
    let (status, error) =
        read(client().post(url).basic_auth(consumer.key(), Some(consumer.secret())).form(&form)).await;
    assert_eq!((status, &error["error"]), (400, &json!("invalid_request")));
}

#[tokio::test]
async fn tokens_expire_in_the_middle() {
    let (bitbucket, api_token) = start().await;
    let token = bitbucket.consumer("acme", CALLBACK, &["account"]).tokens_of("ada").access;
    bitbucket.expire_access_tokens_after(2);
    let status = async || api(&bitbucket, &token, "/user").await.0;
    assert_eq!([status().await, status().await, status().await, status().await], [200, 200, 401, 401]);
    assert_eq!(basic(&bitbucket, ("ada@example.com", &api_token), "/user").await.0, 200);
}

#[tokio::test]
async fn people_do_what_groups_and_projects_let_them() {
    let (bitbucket, _) = start().await;
    let acme = bitbucket.workspace("acme");
    acme.group("php", &["linus", "grace"]).member_as("eve", "create-project");
    let mailer = acme.repository("mailer");
    mailer.members(None).grant_group("php", Level::Read);
    acme.repository("tool").members(None).move_to_project("TOOL");
    acme.project("TOOL").grant("eve", Level::Write).grant_group("php", Level::Admin);
    let consumer = bitbucket.consumer("acme", CALLBACK, &["account", "repository"]);
    let rights = async |nickname: &str| {
        let token = consumer.tokens_of(nickname).access;
        let path = "/user/workspaces/acme/permissions/repositories?sort=repository.name";
        let (_, page) = api(&bitbucket, &token, path).await;
        let right =
            |it: &Value| format!("{} {}", it["repository"]["name"], it["permission"]).replace('"', "");
        page["values"].as_array().unwrap().iter().map(right).collect::<Vec<_>>()
    };
    assert_eq!(rights("ada").await, ["mailer admin", "tool admin"]);
    assert_eq!(rights("linus").await, ["mailer read", "tool admin"]);
    assert_eq!(rights("eve").await, ["tool write"]);
    let eve = consumer.tokens_of("eve").access;
    let (_, own) = api(&bitbucket, &eve, "/user/workspaces/acme/permission").await;
    assert_eq!(own["permission"], "create-project");
    acme.project("TOOL").revoke_group("php").rename("KIT");
    mailer.revoke_group("php");
    assert_eq!(rights("linus").await, [""; 0]);
    let ada = consumer.tokens_of("ada").access;
    let (_, tool) = api(&bitbucket, &ada, "/repositories/acme?q=project.key=%22KIT%22").await;
    assert_eq!((tool["size"].as_u64(), &tool["values"][0]["slug"]), (Some(1), &json!("tool")));
    acme.remove("grace");
    assert_eq!(rights("grace").await, [""; 0]);
}
