use crate::{CALLBACK, client};
use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
};
use serde_json::{Value, json};
use stave_testkit::{FakeBitbucket, Repository};
use std::sync::{Arc, Mutex};

/// Takes deliveries and answers with the next of these statuses, then 200.
#[derive(Clone, Default)]
struct Receiver {
    statuses: Arc<Mutex<Vec<u16>>>,
    received: Arc<Mutex<Vec<(HeaderMap, Value)>>>,
}

impl Receiver {
    async fn start(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(receive).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}/hook")
    }

    fn take(&self) -> Vec<(HeaderMap, Value)> {
        std::mem::take(&mut self.received.lock().unwrap())
    }
}

async fn receive(State(receiver): State<Receiver>, request: Request) -> StatusCode {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    receiver.received.lock().unwrap().push((parts.headers, serde_json::from_slice(&body).unwrap()));
    let mut statuses = receiver.statuses.lock().unwrap();
    StatusCode::from_u16(if statuses.is_empty() { 200 } else { statuses.remove(0) }).unwrap()
}

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
        *receiver.statuses.lock().unwrap() = answers.clone();
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
