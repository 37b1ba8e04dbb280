//! Servers are looked at once a day: one that was updated can do more, and a grant by OAuth 1 dies without anybody noticing.

use crate::{App, Failure};
use jiff::SignedDuration;
use stave_domain::{
    Timestamp,
    identity::Identity,
    integration::{Client, Integration, OAuthVersion, Platform},
};
use stave_upstream::{UpstreamError, probe};
use std::error::Error;

const LOOK_EVERY: SignedDuration = SignedDuration::from_hours(24);

impl App {
    /// Begins to look at every server that was not looked at for a day. One that does not answer is tried again the next day.
    pub(crate) async fn servers_watch(&self) -> Result<(), Failure> {
        for integration in self.storage.integration_list().await? {
            if integration.platform == Platform::BitbucketDataCenter && self.watch_begins(&integration) {
                let app = self.clone();
                // A server that is slow holds up nothing else.
                tokio::spawn(async move { app.server_watched(&integration).await });
            }
        }
        Ok(())
    }

    /// Whether a look is due; it counts as taken from now on.
    fn watch_begins(&self, integration: &Integration) -> bool {
        let now = self.clock.now();
        let seen_at = integration.seen.as_ref().map_or(integration.created_at, |seen| seen.seen_at);
        let mut watched = self.watched.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let last: &mut Timestamp = watched.entry(integration.id).or_insert(seen_at);
        let is_due = now.duration_since((*last).max(seen_at)) >= LOOK_EVERY;
        if is_due {
            *last = now;
        }
        is_due
    }

    async fn server_watched(&self, integration: &Integration) {
        if let Err(failure) = self.server_watch(integration).await {
            tracing::warn!(
                integration = %integration.slug,
                error = &failure as &dyn Error,
                "a server could not be looked at"
            );
        }
    }

    async fn server_watch(&self, integration: &Integration) -> Result<(), Failure> {
        let now = self.clock.now();
        if let Ok(sight) = probe(&self.http, integration.platform, &integration.base_url, now).await
            && let Some(seen) = sight.seen(now)
        {
            self.storage.integration_seen_update(integration.id, Some(&seen)).await?;
        }
        for client in [Some(&integration.client), integration.previous.as_ref()].into_iter().flatten() {
            if client.oauth() == OAuthVersion::One {
                self.accounts_watch(integration, client).await?;
            }
        }
        Ok(())
    }

    /// Asks with every grant whose it is. OAuth 2 grants need no look: they are refreshed all the time.
    async fn accounts_watch(&self, integration: &Integration, client: &Client) -> Result<(), Failure> {
        let connector = self.connector(integration, client)?;
        let Some(sign_in) = connector.sign_in() else { return Ok(()) };
        for identity in self.storage.identity_list_by_client(integration.id, client.id()).await? {
            let because = match sign_in.who_am_i(&self.grant_open(&identity)?).await {
                Ok(profile) if profile.external_id == identity.external_id => continue,
                Ok(_) => "belongs to somebody else now",
                Err(UpstreamError::Unauthorized { .. }) => "is no longer accepted",
                // The server, not the grant.
                Err(error) => return Err(error.into()),
            };
            self.account_died(integration, &identity, because).await?;
        }
        Ok(())
    }

    async fn account_died(
        &self,
        integration: &Integration,
        identity: &Identity,
        because: &str,
    ) -> Result<(), Failure> {
        let because = format!("The connection of {} to {} {because}.", identity.handle, integration.name);
        self.storage.identity_broken(identity.id, identity.grant_revision, &because).await?;
        Ok(())
    }
}
