//! Trying whether everything that a log-in needs is in order at Bitbucket Cloud.

use super::{
    BitbucketCloud,
    api::Api,
    wire::{Named, Page, WorkspaceEntry},
};
use crate::{
    Key, UpstreamError,
    connector::{Ability, Inspect},
    error::Boxes,
    oauth2::door_read,
};
use async_trait::async_trait;
use stave_domain::{
    identity::Grant,
    integration::{Permission, Platform},
};
use url::Url;

/// In so many workspaces a repository is looked for whose webhooks can be listed.
const WORKSPACES: usize = 5;

#[async_trait]
impl Inspect for BitbucketCloud {
    async fn knock(&self, departure: &Url) -> Result<(), UpstreamError> {
        let answer = self.http.get_page(departure, self.registration.timeout).await?;
        door_read(&answer, Platform::BitbucketCloud, &self.registration.callback)
    }

    async fn webhooks(&self, grant: &Grant) -> Result<Ability, UpstreamError> {
        let missing = Permission::missing_from(Platform::BitbucketCloud, &grant.scopes);
        if missing.contains(&Permission::WebhooksReadWrite) {
            return Ok(Ability::No(lacks(&[Permission::WebhooksReadWrite])));
        }
        match hooks_listed(&self.api(&Key::of(grant))).await {
            Err(UpstreamError::MissingPermissions { needed, .. }) => Ok(Ability::No(lacks(&needed))),
            outcome => outcome,
        }
    }
}

/// Lists the webhooks of a repository that the person administers. None is installed.
async fn hooks_listed(api: &Api<'_>) -> Result<Ability, UpstreamError> {
    let workspaces: Page<WorkspaceEntry> = api.get(&api.at("/user/workspaces")).await?.json()?;
    let workspaces = workspaces.values.iter().filter_map(|entry| entry.workspace.name());
    for workspace in workspaces.take(WORKSPACES) {
        let mut url = api.at_segments(&["repositories", workspace]);
        url.set_query(Some("role=admin&pagelen=1"));
        let repositories: Page<Named> = api.get(&url).await?.json()?;
        let Some(slug) = repositories.values.first().and_then(Named::name) else { continue };
        api.get(&api.at_segments(&["repositories", workspace, slug, "hooks"])).await?;
        return Ok(Ability::Yes(format!(
            "Stave can install webhooks with your account, for example in {workspace}/{slug}."
        )));
    }
    Ok(Ability::No(
        "Your account administers no repository, so Stave could not install webhooks with it. Log-ins work without; for new \
         versions to appear at once, somebody who administers the repositories connects their account."
            .to_owned(),
    ))
}

fn lacks(permissions: &[Permission]) -> String {
    format!(
        "The OAuth consumer lacks {}, so Stave cannot install webhooks. Log-ins work without; for new versions to appear at once, \
         tick it in the consumer, save, and check again.",
        Boxes(permissions)
    )
}
