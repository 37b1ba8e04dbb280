use super::{api, start, text};
use crate::{CALLBACK, client, read};
use serde_json::{Value, json};
use stave_testkit::{FakeDataCenter, Level, Version, data_center::Link};
use std::process::Command;

struct Story {
    server: FakeDataCenter,
    link: Link,
}

impl Story {
    /// PHP has three repositories: ada is its admin, grace reads as one of the group php, linus reads mailer.
    async fn start() -> Self {
        let server = start(Version::V9_4).await;
        server.seed_demo();
        let link = server.link(CALLBACK, &["PROJECT_ADMIN"]);
        Self { server, link }
    }

    async fn get(&self, name: &str, path: &str) -> (u16, Value) {
        api(&self.server, &self.link.tokens_of(name).access, path).await
    }

    async fn slugs(&self, name: &str, path: &str) -> Vec<String> {
        let (status, page) = self.get(name, path).await;
        assert_eq!(status, 200, "{page}");
        page["values"].as_array().unwrap().iter().map(|it| text(it, "slug").to_owned()).collect()
    }
}

#[tokio::test]
async fn people_see_what_they_may_read() {
    let story = Story::start().await;
    let all = ["mailer", "clock", "oddities"];
    assert_eq!(story.slugs("ada", "/repos?permission=REPO_ADMIN").await, all);
    assert_eq!(story.slugs("root", "/projects/php/repos").await, all);
    assert_eq!(story.slugs("grace", "/repos?permission=REPO_READ").await, all);
    assert_eq!(story.slugs("grace", "/repos?permission=REPO_WRITE").await, [""; 0]);
    assert_eq!(story.slugs("linus", "/repos").await, ["mailer"]);
    assert_eq!(story.slugs("linus", "/projects/PHP/repos").await, ["mailer"]);
    assert_eq!(story.get("linus", "/projects/PHP/repos/clock").await.0, 401);
    assert_eq!(story.get("linus", "/projects/PHP/repos/nothing").await.0, 404);
    assert_eq!(story.get("eve", "/projects/PHP/repos").await.0, 401);
    assert_eq!(story.get("eve", "/projects").await.1["values"], json!([]));
    story.server.project("PHP").repository("clock").public();
    assert_eq!(story.slugs("eve", "/repos").await, ["clock"]);
    assert_eq!(story.slugs("eve", "/repos?permission=REPO_READ").await, [""; 0]);
    story.server.project("PHP").default_permission(Some(Level::Read));
    assert_eq!(story.slugs("eve", "/repos?permission=REPO_READ").await, all);
    story.server.project("~eve").repository("own");
    assert_eq!(story.slugs("eve", "/users/eve/repos").await, ["own"]);
    assert_eq!(text(&story.get("eve", "/projects/~eve").await.1, "type"), "PERSONAL");
    assert_eq!(story.get("ada", "/projects/~EVE/repos").await.0, 401);
}

#[tokio::test]
async fn a_credential_is_worth_no_more_than_its_scopes() {
    let story = Story::start().await;
    let narrow = story.server.link(CALLBACK, &["REPO_READ"]).tokens_of("ada").access;
    let status = async |path: &str| api(&story.server, &narrow, path).await.0;
    assert_eq!(status("/projects/PHP/repos/mailer").await, 200);
    assert_eq!(status("/projects/PHP/repos/mailer/webhooks").await, 401);
    assert_eq!(status("/projects/PHP/permissions/users").await, 401);
    let repository = story.server.link(CALLBACK, &["REPO_ADMIN"]).tokens_of("ada").access;
    assert_eq!(api(&story.server, &repository, "/projects/PHP/repos/mailer/webhooks").await.0, 200);
    assert_eq!(api(&story.server, &repository, "/projects/PHP/webhooks").await.0, 401);
    let nothing = story.server.link(CALLBACK, &[]).tokens_of("ada").access;
    assert_eq!(api(&story.server, &nothing, "/repos").await.1["values"], json!([]));
}

#[tokio::test]
async fn the_next_page_begins_where_the_filter_stopped() {
    let server = start(Version::V9_4).await;
    let php = server.project("PHP");
    for number in 0..6 {
        let repository = php.repository(&format!("r{number}"));
        if number % 2 == 1 {
            repository.grant("ada", Level::Read);
        }
    }
    let token = server.link(CALLBACK, &["REPO_READ"]).tokens_of("ada").access;
    let page = async |start: u64| {
        let (_, page) =
            api(&server, &token, &format!("/repos?permission=REPO_READ&limit=1&start={start}")).await;
        let slug = page["values"].as_array().unwrap().first().map(|it| text(it, "slug").to_owned());
        (slug.unwrap_or_default(), page["nextPageStart"].as_u64(), page["isLastPage"].as_bool().unwrap())
    };
    assert_eq!(page(0).await, ("r1".to_owned(), Some(2), false));
    assert_eq!(page(2).await, ("r3".to_owned(), Some(4), false));
    assert_eq!(page(4).await, ("r5".to_owned(), None, true));
    assert_eq!(api(&server, &token, "/repos?limit=x").await.0, 400);
    assert_eq!(api(&server, &token, "/repos?limit=5000").await.1["limit"], 1000);
}

#[tokio::test]
async fn permissions_are_listed_as_they_were_given_and_asked_for_as_they_are() {
    let story = Story::start().await;
    let (_, users) = story.get("ada", "/projects/PHP/permissions/users").await;
    assert_eq!((&users["size"], text(&users["values"][0], "permission")), (&json!(1), "PROJECT_ADMIN"));
    let (_, groups) = story.get("ada", "/projects/PHP/permissions/groups").await;
    assert_eq!(groups["values"], json!([{"group": {"name": "php"}, "permission": "PROJECT_READ"}]));
    let (_, users) = story.get("ada", "/projects/PHP/repos/mailer/permissions/users").await;
    assert_eq!(text(&users["values"][0]["user"], "name"), "linus");
    assert_eq!(story.get("grace", "/projects/PHP/permissions/users").await.0, 401);
    let (_, all) = story.get("ada", "/projects/PHP/permissions/PROJECT_READ/all").await;
    assert_eq!(all, json!({"permitted": false}));
    let of = "permission.1.projectKey=PHP&permission.1.repositorySlug=mailer";
    let effective =
        async |permission: &str| story.slugs("eve", &format!("/users?permission.1={permission}&{of}")).await;
    assert_eq!(effective("REPO_READ").await, ["root", "grace", "ada", "linus"]);
    assert_eq!(effective("REPO_ADMIN").await, ["root", "ada"]);
    assert_eq!(story.get("eve", "/users?permission.1=NONSENSE").await.0, 400);
}

#[tokio::test]
async fn references_and_the_default_branch_are_as_bitbucket_tells_them() {
    let story = Story::start().await;
    let mailer = "/projects/PHP/repos/mailer";
    let (_, branches) = story.get("ada", &format!("{mailer}/branches?filterText=main")).await;
    let main = &branches["values"][0];
    assert_eq!((&main["id"], &main["isDefault"]), (&json!("refs/heads/main"), &json!(true)));
    let hash = async |tag: &str| story.get("ada", &format!("{mailer}/tags/{tag}")).await.1;
    assert_eq!(hash("v1.0.0").await["hash"], json!(null));
    let annotated = hash("v1.0.1").await;
    assert_ne!(annotated["hash"], annotated["latestCommit"]);
    let default = async |slug: &str| {
        let path = format!("/projects/PHP/repos/{slug}");
        let new = story.get("ada", &format!("{path}/default-branch")).await.0;
        (new, story.get("ada", &format!("{path}/branches/default")).await.0)
    };
    assert_eq!(default("mailer").await, (200, 200));
    let php = story.server.project("PHP");
    php.repository("empty");
    assert_eq!(default("empty").await, (404, 204));
    php.repository("clock").git().head_set("gone");
    assert_eq!(default("clock").await, (404, 404));
    story.server.set_version(Version::V5_16);
    let token = story.server.user("ada").http_token(&["REPO_READ"]);
    assert_eq!(api(&story.server, &token, &format!("{mailer}/default-branch")).await.0, 404);
    let (_, old) = api(&story.server, &token, mailer).await;
    assert_eq!(old.get("archived"), None);
    assert!(text(&old["links"]["clone"][0], "href").contains("://ada@"), "{old}");
}

#[tokio::test]
async fn webhooks_come_and_go() {
    let story = Story::start().await;
    let token = story.link.tokens_of("ada").access;
    for of in ["/projects/PHP/repos/mailer", "/projects/PHP"] {
        let url = format!("{}/rest/api/latest{of}/webhooks", story.server.base_url());
        let send = async |request: reqwest::RequestBuilder, body: Value| {
            read(request.bearer_auth(&token).json(&body)).await
        };
        let wish = json!({"name": "Stave", "url": "http://127.0.0.1:1/hook", "events": ["repo:refs_changed"],
                          "active": true, "configuration": {"secret": "s"}, "sslVerificationRequired": true});
        let (status, made) = send(client().post(&url), wish.clone()).await;
        assert_eq!((status, text(&made["configuration"], "secret")), (201, "s"), "{made}");
        let one = format!("{url}/{}", made["id"]);
        assert_eq!(send(client().get(&one), json!(null)).await.1["id"], made["id"]);
        let mut other = wish.clone();
        other["events"] = json!(["repo:refs_changed", "repo:modified"]);
        other.as_object_mut().unwrap().remove("configuration");
        let (_, changed) = send(client().put(&one), other).await;
        assert_eq!((&changed["configuration"], &changed["events"][1]), (&json!({}), &json!("repo:modified")));
        let mut wrong = wish;
        wrong["events"] = json!(["repo:deleted"]);
        assert_eq!(send(client().post(&url), wrong).await.0, 400);
        assert_eq!(send(client().delete(&one), json!(null)).await.0, 204);
        assert_eq!(send(client().get(&one), json!(null)).await.0, 404);
    }
    let project = "/projects/PHP/webhooks";
    story.server.set_version(Version::V5_16);
    let token = story.server.user("ada").http_token(&["PROJECT_ADMIN"]);
    assert_eq!(api(&story.server, &token, project).await.0, 404);
}

#[tokio::test]
async fn git_takes_tokens_as_passwords() {
    let story = Story::start().await;
    let mailer = story.server.project("PHP").repository("mailer");
    let oauth = story.link.tokens_of("linus").access;
    let own = story.server.user("grace").http_token(&["REPO_READ"]);
    let stranger = story.link.tokens_of("eve").access;
    let folder = tempfile::tempdir().unwrap();
    let rows = [
        ("anything", oauth.as_str(), true),
        ("grace", own.as_str(), true),
        ("linus", own.as_str(), false),
        ("anything", stranger.as_str(), false),
        ("anything", "wrong", false),
    ];
    for (number, (user, password, expected)) in rows.into_iter().enumerate() {
        let url = mailer.clone_url().replacen("://", &format!("://{user}:{password}@"), 1);
        let target = folder.path().join(number.to_string());
        let mut git = Command::new("git");
        git.args(["clone", "--quiet", &url]).arg(&target).env("GIT_TERMINAL_PROMPT", "0");
        let cloned = tokio::task::spawn_blocking(move || git.output().unwrap()).await.unwrap();
        assert_eq!(cloned.status.success(), expected, "{user}: {cloned:?}");
    }
    let signer = super::signer::Signer::new("stave");
    let token = story.server.consumer("stave", &signer.public_key).tokens_of("ada").token;
    let url = format!("{}/info/refs?service=git-upload-pack", mailer.clone_url());
    assert_eq!(signer.get(&url, &[("oauth_token", &token)]).await.status, 401);
}
