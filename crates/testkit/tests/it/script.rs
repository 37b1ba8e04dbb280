//! A script changes at random, and what is so is what the API says.

use crate::{CALLBACK, api, client};
use serde_json::Value;
use stave_testkit::{FakeBitbucket, FakeDataCenter, Level, Truth, Version};
use std::collections::{BTreeMap, BTreeSet};

#[tokio::test]
async fn the_same_seed_makes_the_same_changes() {
    let runs = [7, 7, 8].map(async |seed| {
        let bitbucket = FakeBitbucket::start().await;
        bitbucket.workspace("acme").owner("ada");
        let mut script = bitbucket.script("acme", seed).sparing(&["ada"]);
        for _ in 0..60 {
            script.step();
        }
        let steps: Vec<String> = script.steps().iter().map(|step| step.what.clone()).collect();
        (steps, script.truth())
    });
    let [first, again, other] = runs;
    let (first, again, other) = (first.await, again.await, other.await);
    assert_eq!(first, again);
    assert_ne!(first.0, other.0);
}

/// Level of a word of either API.
fn level(word: &str) -> Level {
    match word {
        "read" => Level::Read,
        "write" => Level::Write,
        "admin" => Level::Admin,
        other => panic!("{other}"),
    }
}

type Rights = BTreeMap<String, BTreeMap<String, Level>>;

fn true_rights(truth: &Truth) -> Rights {
    let people = truth.people.iter().filter(|(_, person)| !person.readable.is_empty());
    people.map(|(id, person)| (id.clone(), person.readable.clone())).collect()
}

async fn told_rights(bitbucket: &FakeBitbucket, token: &str, key: &str) -> Rights {
    let mut rights = Rights::new();
    for page in 1.. {
        let path = format!("/workspaces/{key}/permissions/repositories?pagelen=100&page={page}");
        let (status, answer) = api(bitbucket, token, &path).await;
        assert_eq!(status, 200, "{answer}");
        for value in answer["values"].as_array().unwrap() {
            let of = |what: &str| value[what]["uuid"].as_str().unwrap().to_owned();
            let level = level(value["permission"].as_str().unwrap());
            rights.entry(of("user")).or_default().insert(of("repository"), level);
        }
        if answer.get("next").is_none() {
            break;
        }
    }
    rights
}

#[tokio::test]
async fn what_is_so_is_what_the_api_says() {
    let bitbucket = FakeBitbucket::start().await;
    bitbucket.workspace("acme").owner("ada").repository("first");
    let token = bitbucket.consumer("acme", CALLBACK, &["account", "repository"]).tokens_of("ada").access;
    let mut script = bitbucket.script("acme", 1).sparing(&["ada"]);
    for _ in 0..8 {
        for _ in 0..25 {
            script.step();
        }
        script.heal();
        let truth = script.truth();
        assert_eq!(told_rights(&bitbucket, &token, &truth.key).await, true_rights(&truth));
        for (id, repository) in truth.repositories.iter().take(4) {
            let id = id.replace('{', "%7B").replace('}', "%7D");
            let path = format!("/repositories/%7B%7D/{id}/src/HEAD/composer.json");
            assert_eq!(api(&bitbucket, &token, &path).await.0 == 200, repository.manifest.is_some());
        }
    }
    let kinds = [
        "joins",
        "leaves",
        "owner",
        "gets",
        "loses",
        "is made",
        "swap",
        "elsewhere",
        "back",
        "deleted",
        "emptied",
        "is pushed",
        "everything is called",
        "trouble",
        "requests",
    ];
    for kind in kinds {
        assert!(script.steps().iter().any(|step| step.what.contains(kind)), "{kind}");
    }
}

#[tokio::test]
async fn what_is_so_is_what_data_center_says() {
    let server = FakeDataCenter::start(Version::V9_4).await;
    server.user("root").system_admin();
    server.project("PHP").repository("first");
    let token = server.link(CALLBACK, &["PROJECT_ADMIN"]).tokens_of("root").access;
    let client = client();
    let get = async |path: &str| {
        let url = format!("{}/rest/api/1.0{path}", server.base_url());
        client.get(url).bearer_auth(&token).send().await.unwrap().json::<Value>().await.unwrap()
    };
    let mut script = server.script("PHP", 2).sparing(&["root"]);
    for _ in 0..5 {
        for _ in 0..25 {
            script.step();
        }
        script.heal();
        let truth = script.truth();
        for (id, repository) in &truth.repositories {
            let readers =
                get(&format!("/users?limit=1000&permission.1=REPO_READ&permission.1.repositoryId={id}"))
                    .await;
            let told: BTreeSet<String> =
                readers["values"].as_array().unwrap().iter().map(|user| user["id"].to_string()).collect();
            let people = truth.people.iter().filter(|(_, person)| person.readable.contains_key(id));
            assert_eq!(told, people.map(|(id, _)| id.clone()).collect(), "{repository:?}");
        }
    }
}
