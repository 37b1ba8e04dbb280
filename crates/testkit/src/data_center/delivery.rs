//! Ringing the bells.

use super::{
    reference::commit_json,
    repository::RepositoryRecord,
    state::{Fake, State},
    user::UserRecord,
    version::Version,
    webhook::{Subject, WebhookRecord},
};
use crate::{
    Delivery, Forgery,
    common::courier::{self, Parcel, signature},
    git::BareRepository,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

/// The side of a change that is missing.
const NOTHING: &str = "0000000000000000000000000000000000000000";

/// After a push of this user: compares the references with what they were `before` and rings for what changed.
pub(crate) fn pushed(
    fake: &Arc<Fake>,
    repository: u32,
    user: Option<u32>,
    before: &BTreeMap<String, String>,
) {
    let (record, version) = {
        let state = fake.state();
        let Some(record) = state.repository(repository) else { return };
        (record.clone(), state.version)
    };
    let git = record.bare(fake);
    let after = git.references();
    let names = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name)));
    let changes = names.filter_map(|name| change_json(name, before.get(name), after.get(name)));
    let changes: Vec<Value> = changes.collect();
    if !changes.is_empty() {
        refs_changed(fake, repository, user, push_json(&git, version, &changes));
    }
}

/// Rings for a push with this `changes`, and whatever comes with them.
pub(crate) fn refs_changed(fake: &Arc<Fake>, repository: u32, user: Option<u32>, mut payload: Value) {
    let state = fake.state();
    let Some(record) = state.repository(repository) else { return };
    payload["repository"] = record.to_payload_json(fake, &state);
    ring(fake, &state, (record.id, record.project), "repo:refs_changed", (user, payload));
}

fn change_json(name: &str, old: Option<&String>, new: Option<&String>) -> Option<Value> {
    let kind = match (old, new) {
        (old, new) if old == new => return None,
        (None, _) => "ADD",
        (_, None) => "DELETE",
        _ => "UPDATE",
    };
    let (kind_of_ref, short) = match name.strip_prefix("refs/tags/") {
        Some(tag) => ("TAG", tag),
        None => ("BRANCH", name.trim_start_matches("refs/heads/")),
    };
    let side = |hash: Option<&String>| hash.cloned().unwrap_or_else(|| NOTHING.to_owned());
    Some(json!({
        "ref": {"id": name, "displayId": short, "type": kind_of_ref},
        "refId": name,
        "fromHash": side(old),
        // Of an annotated tag, the tag object.
        "toHash": side(new),
        "type": kind,
    }))
}

/// Newer versions say of the first change that is no deletion which commit it leads to.
fn push_json(git: &BareRepository, version: Version, changes: &[Value]) -> Value {
    let to = changes
        .iter()
        .filter(|change| change["type"] != "DELETE")
        .find_map(|change| change["toHash"].as_str());
    let commit = to.and_then(|to| git.resolve(&format!("{to}^{{commit}}")));
    let commit = commit.filter(|_| version.tells_commits_of_pushes());
    let mut payload = json!({"changes": changes});
    if let Some(commit) = commit {
        payload["commits"] = json!([]);
        payload["toCommit"] = commit_json(git, &commit, version);
    }
    payload
}

/// After a rename or a move: rings with the repository as it was.
pub(crate) fn modified(fake: &Arc<Fake>, repository: u32, old: &Value) {
    let state = fake.state();
    let Some(record) = state.repository(repository) else { return };
    let payload = json!({"old": old, "new": record.to_payload_json(fake, &state)});
    ring(fake, &state, (record.id, record.project), "repo:modified", (None, payload));
}

/// After a project was renamed: rings with the project as it was.
pub(crate) fn project_modified(fake: &Arc<Fake>, project: u32, old: &Value) {
    let state = fake.state();
    let Some(record) = state.project(project) else { return };
    let payload = json!({"old": old, "new": record.to_json(fake, &state)});
    ring(fake, &state, (0, project), "project:modified", (None, payload));
}

/// Tells every active webhook that it works, as somebody does who presses "Test connection".
pub(crate) fn ping(fake: &Arc<Fake>) {
    let state = fake.state();
    for webhook in state.webhooks.iter().filter(|webhook| webhook.is_active()) {
        send(fake, &state, webhook, "diagnostics:ping", r#"{"test":true}"#);
    }
}

/// Sends an event to every webhook that listens to this repository or its project, in the background.
fn ring(
    fake: &Arc<Fake>,
    state: &State,
    (repository, project): (u32, u32),
    event: &str,
    (user, mut payload): (Option<u32>, Value),
) {
    let subjects = [Subject::Repository(repository), Subject::Project(project)];
    let actor = user.and_then(|user| state.user(user));
    payload["eventKey"] = json!(event);
    payload["date"] = json!(state.now().strftime("%Y-%m-%dT%H:%M:%S+0000").to_string());
    payload["actor"] = actor.map_or(Value::Null, |actor| UserRecord::to_json(actor, fake, state));
    let body = payload.to_string();
    let listens = |webhook: &&WebhookRecord| subjects.contains(&webhook.subject()) && webhook.hears(event);
    for webhook in state.webhooks.iter().filter(listens) {
        send(fake, state, webhook, event, &body);
    }
}

/// Not to a webhook that failed too often and is skipped for a while.
fn send(fake: &Arc<Fake>, state: &State, webhook: &WebhookRecord, event: &str, body: &str) {
    if webhook.breaker.is_open_at(state.now()) {
        return;
    }
    let signature = webhook.secret().map(|secret| signature(secret, body));
    let parcel = Arc::new(parcel(webhook, event, body, signature));
    let (to, id) = (Arc::clone(fake), webhook.id());
    let tell = move |delivery: Delivery| {
        let mut state = to.state();
        let now = state.now();
        if let Some(webhook) = state.webhooks.iter_mut().find(|webhook| webhook.id() == id) {
            webhook.breaker.hear(delivery.status, now);
        }
        state.deliveries.push(delivery);
    };
    fake.courier.send(&parcel, state.switches.mishaps, tell);
}

fn parcel(webhook: &WebhookRecord, event: &str, body: &str, signature: Option<String>) -> Parcel {
    let id = uuid::Builder::from_random_bytes(rand::random()).into_uuid().to_string();
    let headers = vec![
        ("Content-Type", "application/json; charset=utf-8".to_owned()),
        ("User-Agent", "Atlassian HttpClient 4.2.0 / Bitbucket".to_owned()),
        ("X-Request-Id", id.clone()),
    ];
    let (url, event, body) = (webhook.url().to_owned(), event.to_owned(), body.to_owned());
    Parcel { url, event, id, headers, signature, body, attempts: 1 }
}

/// Sends a push that nobody made; the status of each answer.
pub(crate) async fn forge(fake: &Arc<Fake>, repository: u32, forgery: Forgery) -> Vec<u16> {
    let parcels: Vec<Parcel> = {
        let state = fake.state();
        let record = state.repository(repository).expect("a repository stays until it is deleted");
        let subjects = [Subject::Repository(record.id), Subject::Project(record.project)];
        let listening = state.webhooks.iter().filter(|it| subjects.contains(&it.subject()));
        let listening = listening.filter(|it| it.hears("repo:refs_changed"));
        let body = forged_body(fake, &state, record, forgery);
        let parcel = |webhook: &WebhookRecord| {
            let signature = courier::forged(forgery, webhook.secret(), &body);
            parcel(webhook, "repo:refs_changed", &body, signature)
        };
        listening.map(parcel).collect()
    };
    let mut statuses = Vec::new();
    for parcel in parcels {
        statuses.push(fake.courier.post(&parcel).await);
    }
    statuses
}

fn forged_body(fake: &Fake, state: &State, record: &RepositoryRecord, forgery: Forgery) -> String {
    let mut repository = record.to_payload_json(fake, state);
    if forgery == Forgery::UnknownRepository {
        repository["id"] = json!(u32::MAX);
    }
    let payload =
        json!({"eventKey": "repo:refs_changed", "actor": null, "repository": repository, "changes": []});
    payload.to_string()
}

/// Who fails five times in a row is skipped for 10 seconds, then for twice as long each time, at most 10 hours.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Breaker {
    failures: u32,
    closes_at: Option<Timestamp>,
}

/// Failures in a row after which a webhook is skipped.
const PATIENCE: u32 = 5;
const SHORTEST_PAUSE: SignedDuration = SignedDuration::from_secs(10);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(10);

impl Breaker {
    pub(crate) fn is_open_at(&self, now: Timestamp) -> bool {
        self.closes_at.is_some_and(|closes_at| now < closes_at)
    }

    /// Takes note of an answer.
    pub(crate) fn hear(&mut self, status: Option<u16>, now: Timestamp) {
        if status.is_some_and(|status| status < 400) {
            *self = Self::default();
            return;
        }
        self.failures += 1;
        let Some(doublings) = self.failures.checked_sub(PATIENCE) else { return };
        let pause = SHORTEST_PAUSE * 2_i32.saturating_pow(doublings.min(20));
        self.closes_at = Some(now + pause.min(LONGEST_PAUSE));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_failures_in_a_row_open_the_breaker() {
        let mut breaker = Breaker::default();
        let second = |seconds| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds);
        for status in
            [Some(500), None, Some(404), Some(500), Some(200), Some(500), None, Some(500), Some(500)]
        {
            breaker.hear(status, second(0));
            assert!(!breaker.is_open_at(second(0)));
        }
        breaker.hear(Some(500), second(0));
        assert!(breaker.is_open_at(second(9)) && !breaker.is_open_at(second(10)));
        breaker.hear(Some(500), second(10));
        assert!(breaker.is_open_at(second(29)) && !breaker.is_open_at(second(30)));
        breaker.hear(Some(200), second(30));
        assert!(!breaker.is_open_at(second(30)));
    }
}
