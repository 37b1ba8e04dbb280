//! Ringing the bells.

use super::{
    reference::Place,
    state::{Fake, State, uuid_new},
    token::Actor,
    user::pseudo_user,
    webhook::{Subject, WebhookRecord},
};
use crate::git::BareRepository;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

/// How long a receiver may take.
const TIME_OUT: Duration = Duration::from_secs(10);
/// The first try and at most two more.
const ATTEMPTS: u32 = 3;
/// Bitbucket's own pause is not documented; a test need not wait for it.
const PAUSE: Duration = Duration::from_millis(200);

/// One try to deliver an event.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// `repo:push`, ...
    pub event: String,
    /// Where it was sent.
    pub url: String,
    /// Counted from 1.
    pub attempt: u32,
    /// The answer; `None` if there was none in ten seconds.
    pub status: Option<u16>,
}

/// After a push: compares the references with what they were `before` and rings for what changed.
pub(crate) fn pushed(
    fake: &Arc<Fake>,
    repository: &str,
    actor: Option<&Actor>,
    before: &BTreeMap<String, String>,
) {
    let mut state = fake.state();
    let now = state.now();
    let Some(record) = state.repository_mut(repository) else { return };
    record.updated_at = now;
    let git = record.bare(fake);
    let full_name = record.clone().full_name(&state);
    drop(state);
    let place = Place { fake, full_name: &full_name };
    let changes = changes(&place, &git, before);
    if !changes.is_empty() {
        ring(fake, repository, "repo:push", actor, json!({"push": {"changes": changes}}));
    }
}

fn changes(place: &Place<'_>, git: &BareRepository, before: &BTreeMap<String, String>) -> Vec<Value> {
    let after = git.references();
    let now: BTreeMap<String, Value> =
        place.references(git, &["refs/heads", "refs/tags"]).into_iter().collect();
    let names = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name)));
    names
        .filter(|name| before.get(*name) != after.get(*name))
        .map(|name| {
            let old = before.get(name).map(|hash| old_json(place, git, name, hash));
            let forced = matches!((before.get(name), after.get(name)), (Some(old), Some(new)) if !is_ancestor(git, old, new));
            json!({
                "old": old,
                "new": now.get(name),
                "created": old.is_none(),
                "closed": !after.contains_key(name),
                "forced": forced,
                "truncated": false,
            })
        })
        .collect()
}

fn old_json(place: &Place<'_>, git: &BareRepository, name: &str, hash: &str) -> Value {
    let commit = git.resolve(&format!("{hash}^{{commit}}"));
    let target = commit.and_then(|commit| place.commits(git, &["--no-walk"], &[commit]).pop());
    let tag = name.strip_prefix("refs/tags/");
    json!({
        "type": if tag.is_some() { "tag" } else { "branch" },
        "name": tag.unwrap_or(name.trim_start_matches("refs/heads/")),
        "target": target,
        "links": {},
    })
}

fn is_ancestor(git: &BareRepository, old: &str, new: &str) -> bool {
    git.try_git(&["merge-base", "--is-ancestor", old, new]).status.success()
}

/// Sends an event to every webhook that listens, in the background.
pub(crate) fn ring(fake: &Arc<Fake>, repository: &str, event: &str, actor: Option<&Actor>, payload: Value) {
    let state = fake.state();
    let Some(record) = state.repository(repository) else { return };
    let mut payload = payload;
    payload["repository"] = record.to_payload_json(fake, &state);
    payload["actor"] = actor.map_or(Value::Null, |actor| actor_json(fake, &state, actor));
    let body = payload.to_string();
    let subjects = [Subject::Repository(record.uuid.clone()), Subject::Workspace(record.workspace.clone())];
    let listens = |webhook: &&WebhookRecord| {
        webhook.is_active
            && subjects.contains(&webhook.subject)
            && webhook.events.iter().any(|key| key == event)
    };
    for webhook in state.webhooks.iter().filter(listens) {
        fake.deliveries_open.fetch_add(1, Ordering::SeqCst);
        let (fake, webhook, event, body) =
            (Arc::clone(fake), webhook.clone(), event.to_owned(), body.clone());
        let runtime = fake.runtime.clone();
        runtime.spawn(async move {
            deliver(&fake, &webhook, &event, &body).await;
            fake.deliveries_open.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

fn actor_json(fake: &Fake, state: &State, actor: &Actor) -> Value {
    match actor {
        Actor::Person(uuid) => state.user(uuid).map_or(Value::Null, |user| user.to_json(fake)),
        Actor::App(name) | Actor::Repository(name) => pseudo_user(fake, name, "service"),
    }
}

/// A receiver that is broken or silent is asked again; one that refuses is not.
async fn deliver(fake: &Fake, webhook: &WebhookRecord, event: &str, body: &str) {
    let client =
        reqwest::Client::builder().timeout(TIME_OUT).no_proxy().redirect(reqwest::redirect::Policy::none());
    let client = client.build().expect("a client needs nothing that can be missing");
    let id = uuid_new();
    for attempt in 1..=ATTEMPTS {
        let mut request = client
            .post(&webhook.url)
            .header("Content-Type", "application/json")
            .header("User-Agent", "Bitbucket-Webhooks/2.0")
            .header("X-Event-Key", event)
            .header("X-Hook-UUID", webhook.uuid.trim_matches(['{', '}']))
            .header("X-Request-UUID", id.trim_matches(['{', '}']))
            .header("X-Attempt-Number", attempt);
        if let Some(secret) = &webhook.secret {
            request = request.header("X-Hub-Signature", signature(secret, body));
        }
        let answer = request.body(body.to_owned()).send().await;
        let status = answer.ok().map(|answer| answer.status().as_u16());
        let delivery = Delivery { event: event.to_owned(), url: webhook.url.clone(), attempt, status };
        fake.state().deliveries.push(delivery);
        if status.is_some_and(|status| status < 500) {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// `sha256=` and the lower-case hex HMAC-SHA256 of the body.
fn signature(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(body.as_bytes());
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first row is from Bitbucket's documentation of signed webhooks.
    #[test]
    fn deliveries_are_signed_as_bitbucket_signs_them() {
        let rows = [
            (
                "It's a Secret to Everybody",
                "Hello World!",
                "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9",
            ),
            (
                "stave-test-secret",
                r#"{"push":{"changes":[]}}"#,
                "sha256=a4b3c28108df26b6839ee0a2c3e532f6357254a8bcac3e5a121e5b049a9ae8f7",
            ),
        ];
        for (secret, body, expected) in rows {
            assert_eq!(signature(secret, body), expected);
        }
    }
}
