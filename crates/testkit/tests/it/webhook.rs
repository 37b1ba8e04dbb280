use crate::{CALLBACK, client, receiver::Receiver};
use serde_json::{Value, json};
use stave_testkit::{FakeBitbucket, Forgery, Repository};
use std::{collections::BTreeSet, time::Duration};

async fn hang_up(bitbucket: &FakeBitbucket, of: &str, wish: &Value) {
    let token = bitbucket.consumer("acme", CALLBACK, &["webhook", "repository"]).tokens_of("ada").access;
    let url = format!("{}/2.0{of}/hooks", bitbucket.base_url());
    let answer = client().post(url).bearer_auth(token).json(wish).send().await.unwrap();
    assert_eq!(answer.status(), 201);
}

async fn story() -> (FakeBitbucket, Repository, Receiver) {
    let bitbucket = FakeBitbucket::start().await;
    let acme = bitbucket.workspace("acme");
    acme.owner("ada");
    let mailer = acme.repository("mailer");
    mailer.tag("1.0.0", "{}");
    let receiver = Receiver::default();
    let url = receiver.start().await;
    let wish = json!({"url": url, "secret": "s3cret", "events": ["repo:push", "repo:updated"]});
    hang_up(&bitbucket, "/repositories/acme/mailer", &wish).await;
    (bitbucket, mailer, receiver)
}

#[tokio::test]
async fn a_push_is_told_with_a_signature() {
    let (bitbucket, mailer, receiver) = story().await;
    mailer.push_as("ada", |git| {
        let commit = git.commit("main", &[("composer.json", "{ }")]);
        git.annotated_tag("1.1.0", &commit, "Release");
        git.reference_delete("refs/tags/1.0.0");
    });
    bitbucket.deliveries().await;
    let deliveries = receiver.take();
    let [(headers, body)] = deliveries.as_slice() else { panic!("one push is one delivery: {deliveries:?}") };
    assert_eq!(headers["x-event-key"], "repo:push");
    assert_eq!(headers["x-attempt-number"], "1");
    assert!(headers["x-hub-signature"].to_str().unwrap().starts_with("sha256="));
    assert_eq!(
        (&body["actor"]["nickname"], &body["repository"]["full_name"]),
        (&json!("ada"), &json!("acme/mailer"))
    );
    assert_eq!(body["repository"].get("slug"), None);
    let changes = body["push"]["changes"].as_array().unwrap();
    let about = |change: &Value| {
        let side = if change["new"].is_null() { &change["old"] } else { &change["new"] };
        let flags = ["created", "closed", "forced"].map(|flag| change[flag].as_bool().unwrap());
        (side["type"].as_str().unwrap().to_owned(), side["name"].as_str().unwrap().to_owned(), flags)
    };
    let seen: Vec<_> = changes.iter().map(about).collect();
    let expected = [
        ("branch".to_owned(), "main".to_owned(), [false, false, false]),
        ("tag".to_owned(), "1.0.0".to_owned(), [false, true, false]),
        ("tag".to_owned(), "1.1.0".to_owned(), [true, false, false]),
    ];
    assert_eq!(seen, expected);
    let commit = mailer.git().resolve("1.1.0^{commit}").unwrap();
    assert_eq!(changes[2]["new"]["target"]["hash"], commit.as_str());
}

#[tokio::test]
async fn a_receiver_that_is_broken_is_asked_twice_more() {
    let (bitbucket, mailer, receiver) = story().await;
    for (answers, attempts) in [(vec![500, 502], 3), (vec![500, 500, 500], 3), (vec![404], 1), (vec![], 1)] {
        receiver.answer(&answers);
        mailer.commit("main", &[("file", &format!("{answers:?}"))]);
        bitbucket.deliveries().await;
        assert_eq!(receiver.take().len(), attempts, "{answers:?}");
    }
    let statuses: Vec<_> = bitbucket.deliveries().await.iter().map(|delivery| delivery.status).collect();
    assert_eq!(statuses, [500, 502, 200, 500, 500, 500, 404, 200].map(Some));
}

#[tokio::test]
async fn a_workspace_hears_of_all_its_repositories() {
    let (bitbucket, mailer, receiver) = story().await;
    let url = receiver.start().await;
    let wish = json!({"url": url, "events": ["repo:created", "repo:deleted", "repo:push"]});
    hang_up(&bitbucket, "/workspaces/acme", &wish).await;
    let other = bitbucket.workspace("acme").repository("other");
    bitbucket.deliveries().await;
    other.tag("1.0.0", "{}");
    bitbucket.deliveries().await;
    other.delete();
    bitbucket.deliveries().await;
    mailer.rename("post");
    bitbucket.deliveries().await;
    let deliveries = receiver.take();
    let events: Vec<_> =
        deliveries.iter().map(|(headers, _)| headers["x-event-key"].to_str().unwrap()).collect();
    assert_eq!(events, ["repo:created", "repo:push", "repo:deleted", "repo:updated"]);
    assert!(!deliveries[0].0.contains_key("x-hub-signature"));
    assert_eq!(deliveries[3].1["changes"]["full_name"], json!({"old": "acme/mailer", "new": "acme/post"}));
}

#[tokio::test]
async fn deliveries_are_lost_doubled_and_late_on_demand() {
    let (bitbucket, mailer, receiver) = story().await;
    bitbucket.double_deliveries(100);
    mailer.ring();
    let made = bitbucket.deliveries().await;
    let ids: BTreeSet<&str> = made.iter().map(|delivery| delivery.id.as_str()).collect();
    assert_eq!((made.len(), ids.len(), receiver.take().len()), (2, 1, 2));
    bitbucket.heal().lose_deliveries(100);
    mailer.ring();
    bitbucket.deliveries().await;
    assert_eq!(receiver.take().len(), 0);
    bitbucket.heal().delay_deliveries(Duration::from_millis(50));
    mailer.ring();
    let last = bitbucket.deliveries().await.pop().unwrap();
    let late = receiver.take();
    assert_eq!((late.len(), &late[0].1["push"]["changes"]), (1, &json!([])));
    assert!(last.took >= Duration::from_millis(50));
    bitbucket.heal();
    for _ in 0..100 {
        mailer.ring();
    }
    bitbucket.deliveries().await;
    assert_eq!(receiver.take().len(), 100);
}

#[tokio::test]
async fn a_delivery_is_made_up_in_four_ways() {
    let (bitbucket, mailer, receiver) = story().await;
    mailer.ring();
    bitbucket.deliveries().await;
    let genuine = receiver.take().remove(0);
    let signature = |headers: &axum::http::HeaderMap| headers.get("x-hub-signature").cloned();
    let mut seen = BTreeSet::new();
    for forgery in [Forgery::Unsigned, Forgery::WrongSecret, Forgery::OtherBody, Forgery::UnknownRepository] {
        receiver.answer(&[401]);
        assert_eq!(mailer.forge(forgery).await, [401]);
        let (headers, body) = receiver.take().remove(0);
        assert_eq!(headers["x-event-key"], "repo:push");
        assert_eq!(
            body["repository"]["uuid"] == genuine.1["repository"]["uuid"],
            forgery != Forgery::UnknownRepository
        );
        assert_eq!(signature(&headers).is_none(), forgery == Forgery::Unsigned);
        seen.insert(signature(&headers).map(|value| value.to_str().unwrap().to_owned()));
    }
    seen.insert(signature(&genuine.0).map(|value| value.to_str().unwrap().to_owned()));
    assert_eq!(seen.len(), 5, "no two are signed alike");
}

#[tokio::test]
async fn a_repository_goes_to_another_workspace_and_keeps_its_uuid() {
    let (bitbucket, mailer, receiver) = story().await;
    let url = receiver.start().await;
    let wish = json!({"url": url, "events": ["repo:transfer", "repo:push"]});
    bitbucket.workspace("globex").owner("ada");
    hang_up(&bitbucket, "/workspaces/globex", &wish).await;
    let uuid = mailer.uuid().to_owned();
    mailer.transfer("globex");
    bitbucket.deliveries().await;
    let (headers, body) = receiver.take().remove(0);
    assert_eq!(headers["x-event-key"], "repo:transfer");
    assert_eq!(
        (&body["repository"]["uuid"], &body["previous_workspace"]["slug"]),
        (&json!(uuid), &json!("acme"))
    );
    assert_eq!(mailer.full_name(), "globex/mailer");
    let again = bitbucket.workspace("acme").repository("mailer");
    assert_ne!(again.uuid(), uuid, "a name that is used again is another repository");
    mailer.empty();
    bitbucket.deliveries().await;
    let pushes = receiver.take();
    // Its own webhook went with it, and hears with the one of the workspace.
    assert_eq!(pushes.len(), 2);
    let changes = pushes[0].1["push"]["changes"].as_array().unwrap();
    assert!(changes.iter().all(|change| change["closed"] == true && change["new"].is_null()), "{changes:?}");
    assert!(!mailer.has_manifest() && mailer.git().references().is_empty());
}
