//! Webhooks of Bitbucket Cloud: one of the workspace where its admin asks, otherwise one of each repository.

use super::{
    BitbucketCloud,
    api::Api,
    wire::{DeliveryBody, Page, WebhookEntry},
};
use crate::{
    Asker, UpstreamError, Webhooks,
    answer::without,
    asker::Call,
    webhook::{FoundWebhook, NAME, Place},
};
use async_trait::async_trait;
use reqwest::Method;
use serde_json::json;
use stave_domain::{
    Secret,
    delivery::{Notice, NoticeKind},
};
use url::Url;

/// What a webhook of a workspace rings for.
const OF_WORKSPACE: &[&str] =
    &["repo:push", "repo:created", "repo:updated", "repo:deleted", "repo:transfer", "repo:imported"];
/// What a webhook of a repository rings for.
const OF_REPOSITORY: &[&str] = &["repo:push", "repo:updated", "repo:deleted", "repo:transfer"];

#[async_trait]
impl Webhooks for BitbucketCloud {
    async fn webhook_find(
        &self,
        asker: &dyn Asker,
        place: &Place<'_>,
        url: &str,
    ) -> Result<Option<FoundWebhook>, UpstreamError> {
        find(&self.api(asker), place, url).await
    }

    async fn webhook_install(
        &self,
        asker: &dyn Asker,
        place: &Place<'_>,
        url: &str,
        secret: &Secret,
    ) -> Result<String, UpstreamError> {
        let api = self.api(asker);
        let body = json!({
            "description": NAME,
            "url": url,
            "active": true,
            "secret": secret.expose(),
            "events": events(place),
        });
        let call = match find(&api, place, url).await? {
            Some(there) => Call::with_body(Method::PUT, &at(&api, place, Some(&there.id)), body),
            None => Call::with_body(Method::POST, &at(&api, place, None), body),
        };
        let made: WebhookEntry = api.send(&call).await?.json()?;
        made.uuid.ok_or_else(|| without(api.host(), "the uuid of a webhook"))
    }

    async fn webhook_remove(
        &self,
        asker: &dyn Asker,
        place: &Place<'_>,
        id: &str,
    ) -> Result<(), UpstreamError> {
        let api = self.api(asker);
        api.send(&Call::delete(&at(&api, place, Some(id)))).await.map(drop)
    }

    fn notice(&self, header: &dyn Fn(&str) -> Option<String>, body: &[u8]) -> Option<Notice> {
        let event = header("x-event-key")?;
        let body: DeliveryBody = serde_json::from_slice(body).ok()?;
        Some(Notice {
            delivery_id: header("x-request-uuid"),
            repository: body.repository.and_then(|repository| repository.uuid),
            kind: kind(&event),
            event,
        })
    }
}

async fn find(api: &Api<'_>, place: &Place<'_>, url: &str) -> Result<Option<FoundWebhook>, UpstreamError> {
    let mut first = at(api, place, None);
    first.set_query(Some("pagelen=100"));
    let mut found = None;
    api.page_each(&first, |page: Page<WebhookEntry>| {
        if let Some(entry) = page.values.into_iter().find(|entry| entry.url.as_deref() == Some(url)) {
            let rings = events(place).iter().all(|event| entry.events.iter().any(|has| has == event));
            let is_right = entry.active && entry.secret_set && rings;
            let id = entry.uuid.ok_or_else(|| without(api.host(), "the uuid of a webhook"))?;
            found = Some(FoundWebhook { id, is_right });
        }
        Ok(())
    })
    .await?;
    Ok(found)
}

fn at(api: &Api<'_>, place: &Place<'_>, id: Option<&str>) -> Url {
    let path = match place {
        Place::Workspace(workspace) => vec!["workspaces", &workspace.external_id, "hooks"],
        Place::Repository(workspace, repository) => {
            vec!["repositories", &workspace.external_id, &repository.external_id, "hooks"]
        }
    };
    let path: Vec<&str> = path.into_iter().chain(id).collect();
    api.at_segments(&path)
}

fn events(place: &Place<'_>) -> &'static [&'static str] {
    match place {
        Place::Workspace(_) => OF_WORKSPACE,
        Place::Repository(..) => OF_REPOSITORY,
    }
}

fn kind(event: &str) -> NoticeKind {
    match event {
        "repo:push" => NoticeKind::Push,
        "repo:created" | "repo:updated" | "repo:deleted" | "repo:transfer" | "repo:imported"
        | "project:updated" => NoticeKind::Workspace,
        _ => NoticeKind::Other,
    }
}
