//! Webhooks of Bitbucket Data Center: one of the project where its admin asks, otherwise one of each repository. No event tells
//! that a repository was made or deleted.

use super::{
    BitbucketDataCenter,
    api::Api,
    wire::{DeliveryBody, WebhookEntry},
};
use crate::{
    Asker, UpstreamError, Webhooks,
    answer::without,
    asker::Call,
    webhook::{FoundWebhook, NAME, Place},
};
use async_trait::async_trait;
use reqwest::Method;
use serde_json::{Value, json};
use stave_domain::{
    Secret,
    delivery::{Notice, NoticeKind},
};
use url::Url;

/// What every webhook rings for.
const EVENTS: [&str; 2] = ["repo:refs_changed", "repo:modified"];
/// What those of projects ring for too, if the version knows it.
const OF_PROJECT: &str = "project:modified";

#[async_trait]
impl Webhooks for BitbucketDataCenter {
    async fn webhook_find(
        &self,
        asker: &dyn Asker,
        place: &Place<'_>,
        url: &str,
    ) -> Result<Option<FoundWebhook>, UpstreamError> {
        find(&self.api_known(asker), place, url).await
    }

    async fn webhook_install(
        &self,
        asker: &dyn Asker,
        place: &Place<'_>,
        url: &str,
        secret: &Secret,
    ) -> Result<String, UpstreamError> {
        let api = self.api_known(asker);
        let there = find(&api, place, url).await?;
        let (method, at) = match &there {
            Some(there) => (Method::PUT, at(&api, place, Some(&there.id))),
            None => (Method::POST, at(&api, place, None)),
        };
        let send = async |events: &[&str]| {
            let body = wish(url, secret, events);
            api.send(&Call::with_body(method.clone(), &at, body)).await
        };
        let answer = match place {
            Place::Repository(..) => send(&EVENTS).await?,
            Place::Workspace(_) => match send(&[EVENTS[0], EVENTS[1], OF_PROJECT]).await {
                Err(UpstreamError::Declined { .. }) => send(&EVENTS).await?,
                outcome => outcome?,
            },
        };
        let made: WebhookEntry = answer.json()?;
        let id = made.id.map(|id| id.to_string()).or(there.map(|there| there.id));
        id.ok_or_else(|| without(api.host(), "the id of a webhook"))
    }

    async fn webhook_remove(
        &self,
        asker: &dyn Asker,
        place: &Place<'_>,
        id: &str,
    ) -> Result<(), UpstreamError> {
        let api = self.api_known(asker);
        match api.send(&Call::delete(&at(&api, place, Some(id)))).await {
            Ok(_) | Err(UpstreamError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn notice(&self, header: &dyn Fn(&str) -> Option<String>, body: &[u8]) -> Option<Notice> {
        let event = header("x-event-key")?;
        let body: DeliveryBody = serde_json::from_slice(body).ok()?;
        let of_repository = event.starts_with("repo:");
        let subject = body.repository.or(body.new.filter(|_| of_repository));
        Some(Notice {
            delivery_id: header("x-request-id"),
            repository: subject.and_then(|subject| subject.id).map(|id| id.to_string()),
            kind: kind(&event),
            event,
        })
    }
}

/// A change replaces the whole webhook, so all of it is said.
fn wish(url: &str, secret: &Secret, events: &[&str]) -> Value {
    json!({
        "name": NAME,
        "url": url,
        "active": true,
        "events": events,
        "configuration": {"secret": secret.expose()},
        "sslVerificationRequired": true,
    })
}

async fn find(api: &Api<'_>, place: &Place<'_>, url: &str) -> Result<Option<FoundWebhook>, UpstreamError> {
    let mut found = None;
    api.page_each(&at(api, place, None), |page: Vec<WebhookEntry>| {
        if let Some(entry) = page.into_iter().find(|entry| entry.url.as_deref() == Some(url)) {
            let rings = EVENTS.iter().all(|event| entry.events.iter().any(|has| has == event));
            let is_right = entry.active && rings && may_sign(&entry);
            let id = entry.id.ok_or_else(|| without(api.host(), "the id of a webhook"))?;
            found = Some(FoundWebhook { id: id.to_string(), is_right });
        }
        Ok(())
    })
    .await?;
    Ok(found)
}

/// Some versions show the secret, others something else in its place.
fn may_sign(entry: &WebhookEntry) -> bool {
    entry
        .configuration
        .get("secret")
        .is_none_or(|secret| secret.as_str().is_some_and(|text| !text.is_empty()))
}

fn at(api: &Api<'_>, place: &Place<'_>, id: Option<&str>) -> Url {
    let path = match place {
        Place::Workspace(workspace) => vec!["projects", workspace.key.as_str(), "webhooks"],
        Place::Repository(workspace, repository) => {
            vec!["projects", &workspace.key, "repos", &repository.slug, "webhooks"]
        }
    };
    let path: Vec<&str> = path.into_iter().chain(id).collect();
    api.at_segments(&path)
}

fn kind(event: &str) -> NoticeKind {
    match event {
        "repo:refs_changed" => NoticeKind::Push,
        "repo:modified" | "project:modified" => NoticeKind::Workspace,
        "diagnostics:ping" => NoticeKind::Ping,
        _ => NoticeKind::Other,
    }
}
