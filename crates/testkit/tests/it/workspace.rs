use crate::{CALLBACK, api, client};
use serde_json::{Value, json};
use stave_testkit::{Email, FakeBitbucket, Level, samples};

const SCOPES: [&str; 5] = ["account", "email", "project", "repository", "repository:admin"];

struct Story {
    bitbucket: FakeBitbucket,
    consumer: stave_testkit::Consumer,
}

impl Story {
    async fn start() -> Self {
        let bitbucket = FakeBitbucket::start().await;
        bitbucket.workspace("acme").owner("ada").member("grace");
        let consumer = bitbucket.consumer("acme", CALLBACK, &SCOPES);
        Self { bitbucket, consumer }
    }

    async fn ask(&self, nickname: &str, path: &str) -> (u16, Value) {
        api(&self.bitbucket, &self.consumer.tokens_of(nickname).access, path).await
    }

    /// One field of every value of a list.
    async fn list(&self, nickname: &str, path: &str, field: &str) -> Vec<String> {
        let (status, answer) = self.ask(nickname, path).await;
        assert_eq!(status, 200, "{path}: {answer}");
        let values = answer["values"].as_array().unwrap();
        values.iter().map(|value| value.pointer(field).unwrap().as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test]
async fn who_may_read_what() {
    let story = Story::start().await;
    let acme = story.bitbucket.workspace("acme");
    let _ = acme.repository("mailer");
    acme.repository("secret").only_for(&["linus"]);
    acme.repository("open").public();
    let names = async |who, query| story.list(who, &format!("/repositories/acme{query}"), "/slug").await;
    assert_eq!(names("ada", "").await, ["mailer", "secret", "open"]);
    assert_eq!(names("grace", "").await, ["mailer", "open"]);
    assert_eq!(names("linus", "").await, ["secret", "open"]);
    assert_eq!(names("linus", "?role=member").await, ["secret"]);
    assert_eq!(names("grace", "?role=contributor").await, ["mailer", "open"]);
    assert_eq!(names("grace", "?role=admin").await, Vec::<String>::new());
    assert_eq!(story.ask("grace", "/repositories/acme/secret").await.0, 404);
    acme.repository("secret").revoke("linus").grant("grace", Level::Admin);
    assert_eq!(story.ask("linus", "/repositories/acme/secret").await.0, 404);
    assert_eq!(names("grace", "?role=admin").await, ["secret"]);
    acme.remove("grace");
    assert_eq!(story.ask("grace", "/repositories/acme/mailer").await.0, 404);
}

#[tokio::test]
async fn lists_are_followed_by_next() {
    let story = Story::start().await;
    let repository = story.bitbucket.workspace("acme").repository("many");
    samples::history(repository.git(), "acme/many", 250);
    let mut path =
        "/repositories/acme/many/refs/tags?pagelen=100&fields=values.name,next&sort=-name".to_owned();
    let mut names = Vec::new();
    loop {
        let (status, page) = story.ask("ada", &path).await;
        assert_eq!((status, page.get("size")), (200, None), "{path}");
        names.extend(
            page["values"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next"].as_str() else { break };
        path = next.strip_prefix(&format!("{}/2.0", story.bitbucket.base_url())).unwrap().to_owned();
    }
    assert_eq!(names.len(), 250);
    assert_eq!((names[0].as_str(), names[249].as_str()), ("2.4.9", "0.0.0"));
    for bad in ["pagelen=0", "pagelen=101", "page=x", "q=name"] {
        assert_eq!(
            story.ask("ada", &format!("/repositories/acme/many/refs/tags?{bad}")).await.0,
            400,
            "{bad}"
        );
    }
}

#[tokio::test]
async fn names_change_and_uuids_stay() {
    let story = Story::start().await;
    let acme = story.bitbucket.workspace("acme");
    let mailer = acme.repository("mailer");
    let id = mailer.uuid().replace('{', "%7B").replace('}', "%7D");
    mailer.rename("post");
    acme.rename("acme-inc");
    story.bitbucket.user("ada").rename("countess");
    let (_, by_id) = story.ask("countess", &format!("/repositories/%7B%7D/{id}")).await;
    assert_eq!((&by_id["full_name"], &by_id["uuid"]), (&json!("acme-inc/post"), &json!(mailer.uuid())));
    assert_eq!(story.ask("countess", "/repositories/acme/mailer").await.0, 404);
    let (_, user) = story.ask("countess", "/user").await;
    assert_eq!(user["uuid"], story.bitbucket.user("countess").uuid());
    let clone = by_id["links"]["clone"][0]["href"].as_str().unwrap();
    assert!(clone.contains("://countess@127.0.0.1:") && clone.ends_with("/acme-inc/post.git"), "{clone}");
    mailer.delete();
    assert_eq!(story.ask("countess", &format!("/repositories/%7B%7D/{id}")).await.0, 404);
}

#[tokio::test]
async fn workspaces_have_no_names_and_permissions_are_for_owners() {
    let story = Story::start().await;
    let (_, own) = story.ask("grace", "/user/workspaces").await;
    assert_eq!((&own["pagelen"], &own["values"][0]["administrator"]), (&json!(25), &json!(false)));
    assert_eq!(own["values"][0]["workspace"].get("name"), None);
    assert_eq!(story.ask("linus", "/user/workspaces").await.1["values"], json!([]));
    let (_, role) = story.ask("ada", "/user/workspaces/acme/permission").await;
    assert_eq!(role["permission"], "owner");
    assert_eq!(story.ask("linus", "/user/workspaces/acme/permission").await.0, 403);
    let _ = story.bitbucket.workspace("acme").repository("mailer").grant("linus", Level::Read);
    assert_eq!(story.ask("grace", "/workspaces/acme/permissions/repositories").await.0, 403);
    let all = story
        .list("ada", "/workspaces/acme/permissions/repositories?sort=user.nickname", "/permission")
        .await;
    assert_eq!(all, ["admin", "write", "read"]);
    let own =
        story.list("linus", "/user/workspaces/acme/permissions/repositories", "/repository/full_name").await;
    assert_eq!(own, ["acme/mailer"]);
    let owners =
        story.list("grace", "/workspaces/acme/permissions?q=permission=%22owner%22", "/user/nickname").await;
    assert_eq!(owners, ["ada"]);
}

#[tokio::test]
async fn addresses_are_confirmed_or_not_and_only_seen_by_owners_who_name_them() {
    let story = Story::start().await;
    let grace = story.bitbucket.user("grace");
    grace.emails(&[
        Email::primary("grace@acme.test"),
        Email::confirmed("g@acme.test"),
        Email::unconfirmed("old@acme.test"),
    ]);
    let (_, emails) = story.ask("grace", "/user/emails").await;
    let about = |i: usize| (&emails["values"][i]["is_primary"], &emails["values"][i]["is_confirmed"]);
    let (yes, no) = (&json!(true), &json!(false));
    assert_eq!([about(0), about(1), about(2)], [(yes, yes), (no, yes), (no, no)]);
    let query = "/workspaces/acme/members?q=user.email%20IN%20(%22g@acme.test%22,%22old@acme.test%22)";
    assert_eq!(story.ask("grace", query).await.0, 403);
    let (_, found) = story.ask("ada", query).await;
    assert_eq!((found["size"].as_u64(), found["values"][0]["user"].get("email")), (Some(1), None));
    let (_, found) = story.ask("ada", &format!("{query}&fields=%2Bvalues.user.email")).await;
    assert_eq!(found["values"][0]["user"]["email"], "g@acme.test");
    grace.emails(&[]);
    assert_eq!(story.ask("grace", "/user/emails").await.1["values"], json!([]));
}

#[tokio::test]
async fn files_and_references_are_read_at_a_commit() {
    let story = Story::start().await;
    let acme = story.bitbucket.workspace("acme");
    let mailer = acme.repository("mailer");
    assert_eq!(story.ask("ada", "/repositories/acme/mailer").await.1["mainbranch"], json!(null));
    mailer
        .tag("1.0.0", r#"{"name": "acme/mailer"}"#)
        .annotated_tag("1.1.0", r#"{"name": "acme/mailer", "x": 1}"#);
    mailer.branch("feature/x", "{}").commit("main", &[("src/deep/A.php", "<?php\n")]);
    assert_eq!(story.ask("ada", "/repositories/acme/mailer").await.1["mainbranch"]["name"], "main");
    let (_, tag) = story.ask("ada", "/repositories/acme/mailer/refs/tags/1.1.0").await;
    let commit = mailer.git().resolve("1.1.0^{commit}").unwrap();
    assert_eq!((&tag["target"]["hash"], &tag["message"]), (&json!(commit), &json!("Release 1.1.0\n")));
    let (_, tag) = story.ask("ada", "/repositories/acme/mailer/refs/tags/1.0.0").await;
    assert_eq!((&tag["message"], &tag["tagger"], &tag["date"]), (&json!(null), &json!(null), &json!(null)));
    for name in ["feature%2Fx", "feature/x"] {
        let (_, branch) = story.ask("ada", &format!("/repositories/acme/mailer/refs/branches/{name}")).await;
        assert_eq!(branch["name"], "feature/x");
    }
    let (_, manifest) =
        story.ask("ada", &format!("/repositories/acme/mailer/src/{commit}/composer.json")).await;
    assert_eq!(manifest, json!({"name": "acme/mailer", "x": 1}));
    let paths = story.list("ada", "/repositories/acme/mailer/src/HEAD/?max_depth=2", "/path").await;
    assert_eq!(paths, ["composer.json", "src", "src/deep"]);
    samples::oddities(acme.repository("odd").git());
    let tags = story.list("ada", "/repositories/acme/odd/refs/tags", "/name").await;
    assert!(!tags.contains(&"1.3.0".to_owned()) && tags.contains(&"not-a-version".to_owned()), "{tags:?}");
}

#[tokio::test]
async fn an_archive_for_nobody_in_particular_is_the_page_to_log_in() {
    let story = Story::start().await;
    story.bitbucket.workspace("acme").repository("mailer").tag("1.0.0", "{}");
    let url = format!("{}/acme/mailer/get/1.0.0.zip", story.bitbucket.base_url());
    let token = story.consumer.tokens_of("ada").access;
    for request in [client().get(&url), client().get(&url).bearer_auth(&token)] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
    }
    let api_token = story.bitbucket.user("ada").api_token(&["read:repository:bitbucket"]);
    let answer = client().get(&url).basic_auth("ada@example.com", Some(api_token)).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/zip");
    assert!(answer.bytes().await.unwrap().starts_with(b"PK"));
}

#[tokio::test]
async fn the_demo_has_people_and_packages() {
    let story = Story::start().await;
    story.bitbucket.seed_demo();
    let slugs = async |who| story.list(who, "/repositories/acme", "/slug").await;
    assert_eq!(slugs("ada").await, ["mailer", "clock", "oddities"]);
    assert_eq!(slugs("grace").await, ["mailer", "clock", "oddities"]);
    assert_eq!(slugs("linus").await, ["mailer"]);
    let tags = story.list("linus", "/repositories/acme/mailer/refs/tags?sort=name", "/name").await;
    assert_eq!(tags, ["v1.0.0", "v1.0.1", "v1.1.0", "v1.2.0", "v2.0.0", "v2.0.0-rc1", "v2.1.0"]);
    let page = client().get(format!("{}/acme", story.bitbucket.base_url())).send().await.unwrap();
    assert!(
        !page.text().await.unwrap().contains("mailer"),
        "private repositories are not shown to nobody in particular"
    );
}

#[tokio::test]
async fn a_workspace_of_the_same_name_is_another_one() {
    let bitbucket = FakeBitbucket::start().await;
    let ada = bitbucket.consumer("globex", CALLBACK, &SCOPES).tokens_of("ada").access;
    let uuids = async || {
        let (_, answer) = api(&bitbucket, &ada, "/user/workspaces").await;
        let own = answer["values"].as_array().unwrap().iter();
        own.map(|access| access["workspace"]["uuid"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let first = bitbucket.workspace("acme").owner("ada").uuid().to_owned();
    assert_eq!(uuids().await, [first.as_str()]);
    bitbucket.workspace("acme").delete();
    assert_eq!(uuids().await, [""; 0]);
    assert_eq!(api(&bitbucket, &ada, "/workspaces/acme").await.0, 404);
    let second = bitbucket.workspace("acme").owner("ada").uuid().to_owned();
    assert_ne!(second, first);
    assert_eq!(uuids().await, [second.as_str()]);
    assert_eq!(api(&bitbucket, &ada, "/workspaces/acme").await.1["uuid"], json!(second));
    // One that was renamed keeps its uuid.
    bitbucket.workspace("acme").rename("initech");
    assert_ne!(bitbucket.workspace("acme").uuid(), second);
}

#[tokio::test]
async fn a_picture_may_be_anywhere() {
    let story = Story::start().await;
    let (_, own) = story.ask("ada", "/user").await;
    assert!(own["links"]["avatar"]["href"].as_str().unwrap().starts_with(&story.bitbucket.base_url()));
    assert_eq!(own["account_id"], json!(story.bitbucket.user("ada").account_id()));
    story.bitbucket.user("ada").avatar("https://avatars.example/ada.png");
    let (_, own) = story.ask("ada", "/user").await;
    assert_eq!(own["links"]["avatar"]["href"], json!("https://avatars.example/ada.png"));
}
