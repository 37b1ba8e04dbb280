//! A large workspace is made in a moment, and can be read page by page.

use crate::{CALLBACK, api, client, read};
use serde_json::Value;
use stave_testkit::{FakeBitbucket, FakeDataCenter, Level, Size, Standing, Version};

const SIZE: Size = Size { repositories: 3000, people: 500, packages: 60, each_reads: 3000 };

/// The values of every page.
async fn pages(bitbucket: &FakeBitbucket, token: &str, path: &str) -> Vec<Value> {
    let client = client();
    let mut values = Vec::new();
    let mut url = format!("{}/2.0{path}", bitbucket.base_url());
    loop {
        let (status, page) = read(client.get(&url).bearer_auth(token)).await;
        assert_eq!(status, 200, "{page}");
        values.extend(page["values"].as_array().unwrap().iter().cloned());
        let Some(next) = page["next"].as_str() else { return values };
        next.clone_into(&mut url);
    }
}

#[tokio::test]
async fn a_workspace_of_three_thousand_repositories_and_five_hundred_people() {
    let bitbucket = FakeBitbucket::start().await;
    bitbucket.seed_large("acme", SIZE).page_length_at_most(10);
    let scopes = ["account", "repository"];
    let token = bitbucket.consumer("acme", CALLBACK, &scopes).tokens_of("p0001").access;
    let list = "/repositories/acme?pagelen=100&sort=-updated_on&q=scm=%22git%22&fields=values.uuid,values.mainbranch.name,next";
    let repositories = pages(&bitbucket, &token, list).await;
    assert_eq!((repositories.len(), repositories[0]["mainbranch"]["name"].as_str()), (3000, Some("main")));
    assert_eq!(bitbucket.calls("GET /2.0/repositories/acme"), 300);
    let people = pages(&bitbucket, &token, "/workspaces/acme/permissions?pagelen=100").await;
    assert_eq!(people.iter().filter(|it| it["permission"] == "owner").count(), 1);
    assert_eq!(people.len(), 500);
    // A million and a half rights: the pages in the middle are as near as the first.
    let (_, page) = api(&bitbucket, &token, "/workspaces/acme/permissions/repositories?page=70000").await;
    assert_eq!((page["size"].as_u64(), page["values"].as_array().unwrap().len()), (Some(1_500_000), 10));
    let has_manifest = async |slug: &str| {
        let path = format!("/repositories/acme/{slug}/src/HEAD/composer.json?format=meta&fields=type");
        api(&bitbucket, &token, &path).await.0
    };
    assert_eq!([has_manifest("r0050").await, has_manifest("r0051").await], [200, 404]);
    let routes = bitbucket.calls_by_route();
    assert_eq!(routes["GET /2.0/repositories/{workspace}/{repository}/src/{commit}/{*path}"], 2);
    assert_eq!(routes["GET /2.0/workspaces/{workspace}/permissions"], 50);
}

#[tokio::test]
async fn people_of_a_large_workspace_may_read_a_few() {
    let bitbucket = FakeBitbucket::start().await;
    bitbucket.seed_large("acme", Size { repositories: 30, people: 20, packages: 3, each_reads: 4 });
    let truth = bitbucket.workspace("acme").truth();
    assert_eq!((truth.people.len(), truth.repositories.len()), (20, 30));
    assert_eq!(truth.repositories.values().filter(|it| it.manifest.is_some()).count(), 3);
    for person in truth.people.values() {
        let expected = if person.standing == Standing::Owner { 30 } else { 4 };
        assert_eq!(person.readable.len(), expected, "{person:?}");
    }
    let token = bitbucket.consumer("acme", CALLBACK, &["account", "repository"]).tokens_of("p0002").access;
    let own = pages(&bitbucket, &token, "/user/workspaces/acme/permissions/repositories").await;
    assert_eq!(own.len(), 4);
}

#[tokio::test]
async fn a_large_project_of_data_center() {
    let server = FakeDataCenter::start(Version::V9_4).await;
    server.seed_large("PHP", SIZE).page_limit_at_most(10);
    let token = server.link(CALLBACK, &["PROJECT_ADMIN"]).tokens_of("p0001").access;
    let client = client();
    let get = async |path: &str| {
        let url = format!("{}/rest/api/1.0{path}", server.base_url());
        client.get(url).bearer_auth(&token).send().await.unwrap().json::<Value>().await.unwrap()
    };
    let (mut start, mut count) = (Some(0), 0);
    while let Some(at) = start {
        let page = get(&format!("/projects/PHP/repos?limit=1000&start={at}")).await;
        count += page["values"].as_array().unwrap().len();
        start = page["nextPageStart"].as_u64();
    }
    assert_eq!((count, server.calls("*/projects/PHP/repos")), (3000, 300));
    let of = "permission.1=REPO_READ&permission.1.repositoryId=17";
    assert_eq!(get(&format!("/users?{of}")).await["size"], 10);
    assert_eq!(server.calls_by_route()["GET /rest/api/1.0/users"], 1);
    let truth = server.project("PHP").truth();
    assert!(truth.people.values().all(|person| person.readable.len() == 3000));
    let owner = truth.people.values().find(|person| person.standing == Standing::Owner).unwrap();
    assert!(owner.readable.values().all(|level| *level == Level::Admin));
}
