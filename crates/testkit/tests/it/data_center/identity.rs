use super::{api, signer::Answer, start, text, values};
use crate::{CALLBACK, client, read};
use serde_json::json;
use stave_testkit::{FakeDataCenter, Version};

async fn whoami(server: &FakeDataCenter, token: &str) -> Answer {
    let url = format!("{}/plugins/servlet/applinks/whoami", server.base_url());
    Answer::of(client().get(url).bearer_auth(token).send().await.unwrap()).await
}

#[tokio::test]
async fn every_version_says_which_it_is() {
    let server = start(Version::V5_16).await;
    for (version, number) in Version::ALL.into_iter().zip(["5.16", "7.20", "7.21", "8.19", "9.4", "10.0"]) {
        server.set_version(version);
        let (status, properties) = api(&server, "", "/application-properties").await;
        let said = text(&properties, "version");
        assert_eq!((status, said.starts_with(number)), (200, true), "{said}");
        assert!(["buildNumber", "buildDate", "displayName"].iter().all(|key| properties[key].is_string()));
        let url = format!("{}/rest/authconfig/1.0/login-options", server.base_url());
        let (status, options) = read(client().get(url)).await;
        assert_eq!(status, if version.has_oauth2() { 200 } else { 404 }, "{options}");
    }
}

#[tokio::test]
async fn a_name_is_not_a_slug() {
    let server = start(Version::V8_19).await;
    let link = server.link(CALLBACK, &["REPO_READ"]);
    let name = "Ada@Example.com";
    let token = link.tokens_of(name).access;
    let who = whoami(&server, &token).await;
    assert_eq!((who.text.as_str(), who.user.as_deref()), (name, Some("Ada%40Example.com")));
    assert_eq!(api(&server, &token, "/users/Ada@Example.com").await.0, 404);
    let (_, found) = api(&server, &token, "/users?filter=ada%40example").await;
    assert_eq!(values(&found, "slug"), ["ada_example.com"]);
    let (status, user) = api(&server, &token, "/users/ada_example.com?avatarSize=48").await;
    assert_eq!((status, text(&user, "name"), &user["id"]), (200, name, &json!(server.user(name).id())));
    assert_eq!(text(&user, "avatarUrl"), "/bitbucket/users/ada_example.com/avatar.png?s=48");
    server.user(name).rename("ada.l");
    assert_eq!(whoami(&server, &token).await.text, "ada.l");
    assert_eq!(api(&server, &token, "/users/ada.l").await.1["id"], user["id"]);
}

#[tokio::test]
async fn people_are_as_odd_as_in_real_life() {
    let server = start(Version::V9_4).await;
    let link = server.link(CALLBACK, &["REPO_READ"]);
    let token = link.tokens_of("ada").access;
    server.user("grace").email("ada@example.com");
    server.user("linus").without_email();
    server.user("robot").service();
    let user = async |slug: &str| api(&server, &token, &format!("/users/{slug}")).await.1;
    assert_eq!(text(&user("grace").await, "emailAddress"), text(&user("ada").await, "emailAddress"));
    assert_eq!(user("linus").await.get("emailAddress"), None);
    assert_eq!(text(&user("robot").await, "type"), "SERVICE");
    let old = server.user("linus").id();
    server.user("linus").delete();
    assert_eq!(api(&server, &token, "/users/linus").await.0, 404);
    assert_ne!(server.user("linus").id(), old);
    server.user("ada").deactivate();
    assert_eq!(whoami(&server, &token).await.status, 401);
    server.user("ada").activate();
    assert_eq!(whoami(&server, &token).await.text, "ada");
}

#[tokio::test]
async fn a_wrong_token_is_refused_or_counts_for_nothing() {
    let server = start(Version::V9_4).await;
    let (status, error) = api(&server, "wrong", "/application-properties").await;
    assert_eq!(status, 401);
    let name = text(&error["errors"][0], "exceptionName");
    assert!(name.ends_with("IncorrectPasswordAuthenticationException"), "{name}");
    server.anonymous_for_wrong_credentials();
    assert_eq!(api(&server, "wrong", "/application-properties").await.0, 200);
    let who = whoami(&server, "wrong").await;
    assert_eq!((who.status, who.text.as_str(), who.user), (200, "", None));
    assert_eq!(api(&server, "wrong", "/users/ada").await.0, 401);
}

#[tokio::test]
async fn an_http_access_token_is_its_owner() {
    let server = start(Version::V5_16).await;
    let token = server.user("ada").http_token(&["REPO_READ"]);
    assert_eq!(whoami(&server, &token).await.text, "ada");
    let url = format!("{}/plugins/servlet/applinks/whoami", server.base_url());
    let basic = async |name: &str| {
        client().get(&url).basic_auth(name, Some(&token)).send().await.unwrap().status().as_u16()
    };
    assert_eq!([basic("ada").await, basic("grace").await], [200, 401]);
}

#[tokio::test]
async fn groups_are_shown_to_admins_and_since_9_4_to_everybody() {
    let server = start(Version::V8_19).await;
    server.group("devs", &["ada", "grace"]).group("ops", &["linus"]);
    let link = server.link(CALLBACK, &["SYSTEM_ADMIN"]);
    let token = link.tokens_of("ada").access;
    let path = "/admin/groups/more-members?context=devs";
    assert_eq!(api(&server, &token, "/groups?filter=d").await.1["values"], json!(["devs"]));
    let members = async |query: &str| {
        let (_, page) = api(&server, &token, &format!("/users?group={query}")).await;
        values(&page, "name").join(" ")
    };
    assert_eq!(members("devs").await, "ada grace");
    assert_eq!(members("DEVS&filter=GRA").await, "grace");
    assert_eq!(members("nobody").await, "");
    server.user("ada").groups(&["ops"]);
    assert_eq!((members("devs").await, members("ops").await), ("grace".to_owned(), "ada linus".to_owned()));
    server.user("ada").groups(&["devs"]);
    assert_eq!(api(&server, &token, path).await.0, 401);
    server.user("ada").admin();
    assert_eq!(values(&api(&server, &token, path).await.1, "name"), ["ada", "grace"]);
    server.user("ada").no_admin();
    server.set_version(Version::V9_4);
    assert_eq!(api(&server, &token, path).await.0, 200);
}
