//! Webhooks: bells that somebody hung up, at a repository or at a project.

use super::{
    caller::Caller,
    delivery::Breaker,
    error::ApiError,
    listing::Listing,
    state::{Fake, State},
};
use crate::Level;
use axum::{
    Json,
    extract::{FromRequestParts, OriginalUri, Path, State as Extract},
    http::{StatusCode, request::Parts},
    response::{IntoResponse as _, Response},
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{collections::HashMap, sync::Arc};

const EVENTS: [&str; 18] = [
    "repo:refs_changed",
    "repo:modified",
    "repo:forked",
    "repo:comment:added",
    "repo:comment:edited",
    "repo:comment:deleted",
    "mirror:repo_synchronized",
    "pr:opened",
    "pr:from_ref_updated",
    "pr:modified",
    "pr:reviewer:updated",
    "pr:reviewer:approved",
    "pr:reviewer:unapproved",
    "pr:reviewer:needs_work",
    "pr:merged",
    "pr:declined",
    "pr:deleted",
    "pr:comment:added",
];
/// What only projects hear.
const PROJECT_EVENT: &str = "project:modified";

/// What a webhook listens to, by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    Repository(u32),
    Project(u32),
}

#[derive(Clone)]
pub(crate) struct WebhookRecord {
    id: u32,
    subject: Subject,
    wish: Wish,
    pub(crate) breaker: Breaker,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// What a client says of a webhook; what it leaves out has its default, also when a webhook is replaced.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Wish {
    #[serde(default)]
    name: String,
    #[serde(default)]
    url: String,
    #[serde(default)]
    events: Vec<String>,
    #[serde(default = "on")]
    active: bool,
    /// With the secret, which Bitbucket gives back in clear.
    #[serde(default)]
    configuration: serde_json::Map<String, Value>,
    #[serde(default = "on")]
    ssl_verification_required: bool,
}

fn on() -> bool {
    true
}

impl Wish {
    fn check(&self, subject: Subject) -> Result<(), ApiError> {
        let is_http = url::Url::parse(&self.url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        let is_event = |event: &&String| {
            EVENTS.contains(&event.as_str())
                || (**event == PROJECT_EVENT && matches!(subject, Subject::Project(_)))
        };
        let unknown = self.events.iter().find(|event| !is_event(event));
        match unknown {
            _ if self.name.is_empty() => Err(ApiError::invalid("name", "A name is required.")),
            _ if !is_http => Err(ApiError::invalid("url", "A valid URL is required.")),
            _ if self.events.is_empty() => {
                Err(ApiError::invalid("events", "At least one event is required."))
            }
            Some(unknown) => Err(ApiError::invalid("events", &format!("'{unknown}' is not a valid event."))),
            None => Ok(()),
        }
    }
}

impl WebhookRecord {
    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    pub(crate) fn subject(&self) -> Subject {
        self.subject
    }

    pub(crate) fn url(&self) -> &str {
        &self.wish.url
    }

    pub(crate) fn is_active(&self) -> bool {
        self.wish.active
    }

    pub(crate) fn hears(&self, event: &str) -> bool {
        self.is_active() && self.wish.events.iter().any(|key| key == event)
    }

    pub(crate) fn secret(&self) -> Option<&str> {
        self.wish.configuration.get("secret")?.as_str().filter(|secret| !secret.is_empty())
    }

    fn to_json(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.wish.name,
            "createdDate": self.created_at.as_millisecond(),
            "updatedDate": self.updated_at.as_millisecond(),
            "events": self.wish.events,
            "configuration": self.wish.configuration,
            "url": self.wish.url,
            "active": self.wish.active,
            "scopeType": match self.subject {
                Subject::Repository(_) => "repository",
                Subject::Project(_) => "project",
            },
            "sslVerificationRequired": self.wish.ssl_verification_required,
        })
    }
}

/// What a handler below a repository or a project is about, for its admins.
pub(crate) struct At(Subject, Option<u32>);

impl FromRequestParts<Arc<Fake>> for At {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, fake: &Arc<Fake>) -> Result<Self, ApiError> {
        let Ok(caller) = Caller::from_request_parts(parts, fake).await;
        let Ok(OriginalUri(uri)) = OriginalUri::from_request_parts(parts, fake).await;
        let path = Path::<HashMap<String, String>>::from_request_parts(parts, fake).await;
        let Path(path) = path.map_err(|error| ApiError::invalid("path", &error.to_string()))?;
        let key = path.get("key").map(String::as_str).unwrap_or_default();
        let state = fake.state();
        let subject = match path.get("slug") {
            Some(slug) => Subject::Repository(caller.repository(&state, (key, slug), Level::Admin)?.id),
            None if !state.version.has_project_webhooks() => {
                return Err(ApiError::no_resource(uri.path()));
            }
            None => Subject::Project(caller.project(&state, key, Level::Admin)?.id),
        };
        Ok(Self(subject, path.get("webhook").map(|id| id.parse().unwrap_or_default())))
    }
}

impl At {
    /// The position of the webhook that the path names.
    fn find(&self, state: &State) -> Result<usize, ApiError> {
        let Self(subject, id) = self;
        let found = state.webhooks.iter().position(|it| it.subject == *subject && Some(it.id) == *id);
        found.ok_or_else(|| {
            let message = "The specified webhook does not exist.";
            ApiError::new(StatusCode::NOT_FOUND, message, "webhook.NoSuchWebhookException")
        })
    }
}

/// `GET .../webhooks`
pub(crate) async fn list(
    Extract(fake): Extract<Arc<Fake>>,
    at: At,
    listing: Listing,
) -> Result<Response, ApiError> {
    let state = fake.state();
    let own = state.webhooks.iter().filter(|webhook| webhook.subject == at.0);
    listing.answer(own, |webhook| Some(webhook.to_json()))
}

/// `POST .../webhooks`: 201, although it is documented as 200
pub(crate) async fn create(
    Extract(fake): Extract<Arc<Fake>>,
    At(subject, _): At,
    Json(wish): Json<Wish>,
) -> Result<Response, ApiError> {
    wish.check(subject)?;
    let mut state = fake.state();
    let now = state.now();
    let (id, breaker) = (state.id_new("webhook"), Breaker::default());
    let webhook = WebhookRecord { id, subject, wish, breaker, created_at: now, updated_at: now };
    let body = Json(webhook.to_json());
    state.webhooks.push(webhook);
    Ok((StatusCode::CREATED, body).into_response())
}

/// `GET .../webhooks/{webhook}`
pub(crate) async fn show(Extract(fake): Extract<Arc<Fake>>, at: At) -> Result<Json<Value>, ApiError> {
    let state = fake.state();
    Ok(Json(state.webhooks[at.find(&state)?].to_json()))
}

/// `PUT .../webhooks/{webhook}`: replaces everything
pub(crate) async fn update(
    Extract(fake): Extract<Arc<Fake>>,
    at: At,
    Json(wish): Json<Wish>,
) -> Result<Json<Value>, ApiError> {
    wish.check(at.0)?;
    let mut state = fake.state();
    let index = at.find(&state)?;
    let now = state.now();
    let webhook = &mut state.webhooks[index];
    webhook.wish = wish;
    webhook.updated_at = now;
    Ok(Json(webhook.to_json()))
}

/// `DELETE .../webhooks/{webhook}`
pub(crate) async fn delete(Extract(fake): Extract<Arc<Fake>>, at: At) -> Result<StatusCode, ApiError> {
    let mut state = fake.state();
    let index = at.find(&state)?;
    state.webhooks.remove(index);
    Ok(StatusCode::NO_CONTENT)
}
