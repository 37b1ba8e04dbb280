//! Webhooks: bells that somebody hung up.

use super::{
    caller::Caller,
    collection::Listing,
    error::ApiError,
    permission::Level,
    scope::{self, Needed},
    state::{Fake, State, encoded, instant, uuid_new},
    workspace,
};
use axum::{
    Json,
    extract::{FromRequestParts, Path, State as Extract},
    http::{Method, StatusCode, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use std::{collections::HashMap, sync::Arc};

/// Event keys: subject, key, label.
const EVENTS: [(&str, &str, &str); 16] = [
    ("repository", "repo:push", "Push"),
    ("repository", "repo:fork", "Fork"),
    ("repository", "repo:updated", "Updated"),
    ("repository", "repo:transfer", "Transfer accepted"),
    ("repository", "repo:deleted", "Deleted"),
    ("repository", "repo:imported", "Imported"),
    ("workspace", "repo:created", "Created"),
    ("repository", "repo:commit_comment_created", "Commit comment created"),
    ("repository", "repo:commit_status_created", "Build status created"),
    ("repository", "repo:commit_status_updated", "Build status updated"),
    ("repository", "pullrequest:created", "Pull request created"),
    ("repository", "pullrequest:updated", "Pull request updated"),
    ("repository", "pullrequest:fulfilled", "Pull request merged"),
    ("repository", "pullrequest:rejected", "Pull request declined"),
    ("repository", "pullrequest:comment_created", "Pull request comment created"),
    ("workspace", "project:updated", "Project updated"),
];

#[derive(Clone)]
pub(crate) struct WebhookRecord {
    pub(crate) uuid: String,
    pub(crate) subject: Subject,
    pub(crate) url: String,
    pub(crate) is_active: bool,
    pub(crate) secret: Option<String>,
    /// In lexical order, each once.
    pub(crate) events: Vec<String>,
    description: String,
    created_at: Timestamp,
}

/// What a webhook listens to, by uuid.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Subject {
    Repository(String),
    Workspace(String),
}

/// What a client says of a webhook; what it leaves out stays.
#[derive(Deserialize)]
pub(crate) struct Wish {
    description: Option<String>,
    url: Option<String>,
    active: Option<bool>,
    events: Option<Vec<String>>,
    #[serde(default)]
    secret: SecretWish,
}

/// A secret that is left out stays, and `null` removes it.
#[derive(Default)]
enum SecretWish {
    #[default]
    Stays,
    Becomes(Option<String>),
}

impl<'de> Deserialize<'de> for SecretWish {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self::Becomes)
    }
}

impl Wish {
    fn apply(self, webhook: &mut WebhookRecord) -> Result<(), ApiError> {
        if let Some(url) = self.url {
            let is_http = url::Url::parse(&url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
            if !is_http {
                return Err(ApiError::bad_request("url: Enter a valid URL."));
            }
            webhook.url = url;
        }
        if let Some(mut events) = self.events {
            if let Some(unknown) = events.iter().find(|event| !EVENTS.iter().any(|(_, key, _)| key == event))
            {
                return Err(ApiError::bad_request(format!("events: {unknown} is not a valid event.")));
            }
            events.sort();
            events.dedup();
            webhook.events = events;
        }
        webhook.description = self.description.unwrap_or(std::mem::take(&mut webhook.description));
        webhook.is_active = self.active.unwrap_or(webhook.is_active);
        if let SecretWish::Becomes(secret) = self.secret {
            webhook.secret = secret.filter(|secret| !secret.is_empty());
        }
        match (webhook.url.is_empty(), webhook.events.is_empty()) {
            (true, _) => Err(ApiError::bad_request("url: This field is required.")),
            (_, true) => Err(ApiError::bad_request("events: At least one event is required.")),
            _ => Ok(()),
        }
    }
}

impl WebhookRecord {
    fn new(subject: Subject, now: Timestamp) -> Self {
        Self {
            uuid: uuid_new(),
            subject,
            url: String::new(),
            is_active: true,
            secret: None,
            events: Vec::new(),
            description: String::new(),
            created_at: now,
        }
    }

    /// Where it is found; `None` if what it listened to is gone.
    fn path(&self, state: &State) -> Option<String> {
        let id = encoded(&self.uuid);
        Some(match &self.subject {
            Subject::Repository(uuid) => {
                format!("/repositories/{}/hooks/{id}", state.repository(uuid)?.full_name(state))
            }
            Subject::Workspace(uuid) => format!("/workspaces/{}/hooks/{id}", state.workspace(uuid)?.slug),
        })
    }

    fn to_json(&self, fake: &Fake, state: &State) -> Value {
        let (kind, subject) = match &self.subject {
            Subject::Repository(uuid) => {
                ("repository", state.repository(uuid).map(|r| r.to_condensed_json(state)))
            }
            Subject::Workspace(uuid) => {
                ("workspace", state.workspace(uuid).map(|w| w.to_condensed_json(fake)))
            }
        };
        json!({
            "type": "webhook_subscription",
            "uuid": self.uuid,
            "url": self.url,
            "description": self.description,
            "subject_type": kind,
            "subject": subject,
            "active": self.is_active,
            "created_at": instant(self.created_at),
            "events": self.events,
            "secret_set": self.secret.is_some(),
            "read_only": null,
            "skip_cert_verification": false,
            "source": null,
            "history_enabled": false,
            "links": {"self": {"href": fake.api(&self.path(state).unwrap_or_default())}},
        })
    }
}

/// The repository, for its admins.
fn of_repository(caller: &Caller, workspace: &str, id: &str, needed: Needed) -> Result<Subject, ApiError> {
    let repository = caller.repository(workspace, id, needed, Level::Admin)?;
    Ok(Subject::Repository(repository.uuid))
}

fn of_workspace(fake: &Fake, caller: &Caller, id: &str) -> Result<Subject, ApiError> {
    let workspace = workspace::find(&fake.state(), id)?;
    workspace::admin_needed(&workspace, caller)?;
    Ok(Subject::Workspace(workspace.uuid))
}

fn needed(method: &Method) -> Needed {
    match *method {
        Method::POST | Method::PUT => scope::WEBHOOK_WRITE,
        Method::DELETE => scope::WEBHOOK_DELETE,
        _ => scope::WEBHOOK,
    }
}

/// What a handler below a repository or a workspace is about.
pub(crate) struct At(Subject, Option<String>);

impl FromRequestParts<Arc<Fake>> for At {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, fake: &Arc<Fake>) -> Result<Self, ApiError> {
        let caller = Caller::from_request_parts(parts, fake).await?;
        let path = Path::<HashMap<String, String>>::from_request_parts(parts, fake).await;
        let Path(path) = path.map_err(|error| ApiError::bad_request(error.to_string()))?;
        let workspace = path.get("workspace").map(String::as_str).unwrap_or_default();
        let needed = needed(&parts.method);
        caller.require(needed)?;
        // Creating needs the right to read what the events are about, too.
        if parts.method == Method::POST {
            caller.require(scope::REPOSITORY)?;
        }
        if matches!(parts.method, Method::POST | Method::PUT) {
            caller.require(scope::WEBHOOK)?;
        }
        let subject = match path.get("repository") {
            Some(repository) => of_repository(&caller, workspace, repository, needed)?,
            None => of_workspace(fake, &caller, workspace)?,
        };
        Ok(Self(subject, path.get("uid").map(|uid| format!("{{{}}}", uid.trim_matches(['{', '}'])))))
    }
}

impl At {
    /// The position of the webhook that the path names.
    fn find(&self, state: &State) -> Result<usize, ApiError> {
        let Self(subject, uid) = self;
        let uid = uid.as_deref().unwrap_or_default();
        let found =
            state.webhooks.iter().position(|webhook| webhook.uuid == uid && webhook.subject == *subject);
        found.ok_or_else(|| ApiError::not_found(format!("{uid} is not a valid hook")))
    }
}

/// `GET .../hooks`
pub(crate) async fn list(
    Extract(fake): Extract<Arc<Fake>>,
    at: At,
    listing: Listing,
) -> Result<Response, ApiError> {
    let state = fake.state();
    let own = state.webhooks.iter().filter(|webhook| webhook.subject == at.0);
    let values = own.map(|webhook| webhook.to_json(&fake, &state)).collect();
    drop(state);
    listing.answer(&fake, values)
}

/// `POST .../hooks`
pub(crate) async fn create(
    Extract(fake): Extract<Arc<Fake>>,
    at: At,
    Json(wish): Json<Wish>,
) -> Result<Response, ApiError> {
    let mut state = fake.state();
    let mut webhook = WebhookRecord::new(at.0, state.now());
    wish.apply(&mut webhook)?;
    let location = fake.api(&webhook.path(&state).unwrap_or_default());
    let body = Json(webhook.to_json(&fake, &state));
    state.webhooks.push(webhook);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], body).into_response())
}

/// `GET .../hooks/{uid}`
pub(crate) async fn show(Extract(fake): Extract<Arc<Fake>>, at: At) -> Result<Json<Value>, ApiError> {
    let state = fake.state();
    let index = at.find(&state)?;
    Ok(Json(state.webhooks[index].to_json(&fake, &state)))
}

/// `PUT .../hooks/{uid}`
pub(crate) async fn update(
    Extract(fake): Extract<Arc<Fake>>,
    at: At,
    Json(wish): Json<Wish>,
) -> Result<Json<Value>, ApiError> {
    let mut state = fake.state();
    let index = at.find(&state)?;
    let mut webhook = state.webhooks[index].clone();
    wish.apply(&mut webhook)?;
    state.webhooks[index] = webhook;
    Ok(Json(state.webhooks[index].to_json(&fake, &state)))
}

/// `DELETE .../hooks/{uid}`
pub(crate) async fn delete(Extract(fake): Extract<Arc<Fake>>, at: At) -> Result<StatusCode, ApiError> {
    let mut state = fake.state();
    let index = at.find(&state)?;
    state.webhooks.remove(index);
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /2.0/hook_events`
pub(crate) async fn subjects(Extract(fake): Extract<Arc<Fake>>) -> Json<Value> {
    let of = |subject| json!({"links": {"events": {"href": fake.api(&format!("/hook_events/{subject}"))}}});
    Json(json!({"repository": of("repository"), "workspace": of("workspace")}))
}

/// `GET /2.0/hook_events/{subject}`: a workspace hears what its repositories hear, and more
pub(crate) async fn events(
    Extract(fake): Extract<Arc<Fake>>,
    Path(subject): Path<String>,
    listing: Listing,
) -> Result<Response, ApiError> {
    if !matches!(subject.as_str(), "repository" | "workspace") {
        return Err(ApiError::not_found(format!("No such subject: {subject}")));
    }
    let heard = EVENTS.iter().filter(|(of, _, _)| subject == "workspace" || *of == "repository");
    let values = heard.map(|(_, key, label)| {
        let category = if key.starts_with("pullrequest") { "Pull Request" } else { "Repository" };
        json!({"event": key, "category": category, "label": label, "description": format!("Whenever it happens: {label}")})
    });
    listing.answer(&fake, values.collect())
}
