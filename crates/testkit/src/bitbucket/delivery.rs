//! Ringing the bells.

use super::{
    reference::Place,
    repository::RepositoryRecord,
    state::{Fake, State, uuid_new},
    token::Actor,
    user::pseudo_user,
    webhook::{Subject, WebhookRecord},
};
use crate::{
    Forgery,
    common::courier::{self, Parcel, signature},
    git::BareRepository,
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

/// The first try and at most two more.
const ATTEMPTS: u32 = 3;

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
    let listening = listening(&state, record, event);
    if listening.is_empty() {
        return;
    }
    let mut payload = payload;
    payload["repository"] = record.to_payload_json(fake, &state);
    payload["actor"] = actor.map_or(Value::Null, |actor| actor_json(fake, &state, actor));
    let body = payload.to_string();
    for webhook in listening {
        let signature = webhook.secret.as_ref().map(|secret| signature(secret, &body));
        let parcel = Arc::new(parcel(&webhook, event, &body, signature));
        let to = Arc::clone(fake);
        let tell = move |delivery| to.state().deliveries.push(delivery);
        fake.courier.send(&parcel, state.switches.mishaps, tell);
    }
}

/// The webhooks of the repository and of its workspace that listen for this event.
fn listening(state: &State, record: &RepositoryRecord, event: &str) -> Vec<WebhookRecord> {
    let subjects = [Subject::Repository(record.uuid.clone()), Subject::Workspace(record.workspace.clone())];
    let listens = |webhook: &&WebhookRecord| {
        webhook.is_active
            && subjects.contains(&webhook.subject)
            && webhook.events.iter().any(|key| key == event)
    };
    state.webhooks.iter().filter(listens).cloned().collect()
}

fn parcel(webhook: &WebhookRecord, event: &str, body: &str, signature: Option<String>) -> Parcel {
    let id = uuid_new().trim_matches(['{', '}']).to_owned();
    let headers = vec![
        ("Content-Type", "application/json".to_owned()),
        ("User-Agent", "Bitbucket-Webhooks/2.0".to_owned()),
        ("X-Hook-UUID", webhook.uuid.trim_matches(['{', '}']).to_owned()),
        ("X-Request-UUID", id.clone()),
    ];
    let (url, event, body) = (webhook.url.clone(), event.to_owned(), body.to_owned());
    Parcel { url, event, id, headers, signature, body, attempts: ATTEMPTS }
}

/// Sends a push that nobody made; the status of each answer.
pub(crate) async fn forge(fake: &Arc<Fake>, repository: &str, forgery: Forgery) -> Vec<u16> {
    let (listening, mut payload) = {
        let state = fake.state();
        let record = state.repository(repository).expect("a repository stays until it is deleted");
        let repository = record.to_payload_json(fake, &state);
        let payload = json!({"push": {"changes": []}, "repository": repository, "actor": null});
        (listening(&state, record, "repo:push"), payload)
    };
    if forgery == Forgery::UnknownRepository {
        payload["repository"]["uuid"] = json!(uuid_new());
    }
    let body = payload.to_string();
    let mut statuses = Vec::new();
    for webhook in listening {
        let signature = courier::forged(forgery, webhook.secret.as_deref(), &body);
        statuses.push(fake.courier.post(&parcel(&webhook, "repo:push", &body, signature)).await);
    }
    statuses
}

fn actor_json(fake: &Fake, state: &State, actor: &Actor) -> Value {
    match actor {
        Actor::Person(uuid) => state.user(uuid).map_or(Value::Null, |user| user.to_json(fake)),
        Actor::App(name) | Actor::Repository(name) | Actor::Project(name) | Actor::Workspace(name) => {
            pseudo_user(fake, name, "service")
        }
    }
}
