//! A changeover: another client takes over, and the one before serves whoever has not logged in again.

use super::form::TypedClient;
use crate::{Actor, App, Failure, Level};
use stave_domain::{
    id::IntegrationId,
    integration::{Client, Integration, OAuthVersion},
};
use stave_storage::Transaction;

/// How far a changeover is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changeover {
    /// What the client before spoke.
    pub from: OAuthVersion,
    /// What the new one speaks.
    pub to: OAuthVersion,
    /// How many people have logged in with the new one.
    pub moved: u64,
    /// How many have not yet.
    pub waiting: u64,
}

impl App {
    /// How far the changeover of an integration is; `None` if none is under way.
    pub async fn changeover_show(&self, integration: &Integration) -> Result<Option<Changeover>, Failure> {
        let Some(previous) = &integration.previous else { return Ok(None) };
        Ok(Some(Changeover {
            from: previous.oauth(),
            to: integration.client.oauth(),
            moved: self.storage.identity_count_by_client(integration.id, integration.client.id()).await?,
            waiting: self.storage.identity_count_by_client(integration.id, previous.id()).await?,
        }))
    }

    /// Forgets the client before. Whoever has not logged in again stays connected, but has to before Stave acts for them.
    pub async fn changeover_finish(
        &self,
        actor: &Actor,
        level: &Level,
        id: IntegrationId,
    ) -> Result<(), Failure> {
        self.integration_show(actor, level, id).await?;
        let (txn, integration) = self.integration_change(id).await?;
        let previous = integration.previous.as_ref().ok_or(Failure::NotFound("upgrade"))?;
        let because = format!("{} has changed since the last log-in with it.", integration.name);
        txn.integration_client_update(id, &integration.client, None).await?;
        txn.identity_break(id, previous.id(), &because).await?;
        txn.commit().await?;
        let action = format!("finished the {} of the integration {}", word(&integration), integration.name);
        self.log_by(actor, integration.organization_id, action).await
    }

    /// Goes back to the client before. Whoever logged in with the new one meanwhile is asked to log in once more.
    pub async fn changeover_call_off(
        &self,
        actor: &Actor,
        level: &Level,
        id: IntegrationId,
    ) -> Result<(), Failure> {
        self.integration_show(actor, level, id).await?;
        let (txn, integration) = self.integration_change(id).await?;
        let previous = integration.previous.as_ref().ok_or(Failure::NotFound("upgrade"))?;
        let moved = txn.identity_count_by_client(id, integration.client.id()).await?;
        let left = Some(&integration.client).filter(|_| moved > 0);
        txn.integration_client_update(id, previous, left).await?;
        txn.integration_condition_update(id, None, None).await?;
        txn.check_delete(id).await?;
        txn.commit().await?;
        let action = format!("called off the {} of the integration {}", word(&integration), integration.name);
        self.log_by(actor, integration.organization_id, action).await
    }

    /// Gives an OAuth 1 integration another key pair; the one before serves whoever is connected until they log in again.
    pub async fn integration_key_renew(
        &self,
        actor: &Actor,
        level: &Level,
        id: IntegrationId,
    ) -> Result<(), Failure> {
        let before = self.integration_show(actor, level, id).await?;
        if before.client.oauth() != OAuthVersion::One {
            return Err(Failure::NotFound("key pair"));
        }
        let client = self.client_new(id, &TypedClient::OAuth1).await?;
        let previous = self.previous_client(&before, client.id()).await?;
        let (txn, integration) = self.integration_change(id).await?;
        unchanged(&before, &integration)?;
        txn.integration_client_update(id, &client, previous.as_ref()).await?;
        txn.integration_condition_update(id, None, None).await?;
        txn.check_delete(id).await?;
        txn.commit().await?;
        let action = format!("made a new key pair for the integration {}", integration.name);
        self.log_by(actor, integration.organization_id, action).await
    }

    /// Ends a changeover that nobody waits for any more. What an admin changed since `integration` was read stays.
    pub(crate) async fn changeover_settle(&self, integration: &Integration) -> Result<(), Failure> {
        if integration.previous.is_none() {
            return Ok(());
        }
        let (txn, now) = self.integration_change(integration.id).await?;
        let Some(previous) = &now.previous else { return Ok(()) };
        if txn.identity_count_by_client(now.id, previous.id()).await? == 0 {
            txn.integration_client_update(now.id, &now.client, None).await?;
            txn.commit().await?;
        }
        Ok(())
    }

    /// An integration as it is now, in a transaction in which nobody else changes one.
    pub(super) async fn integration_change(
        &self,
        id: IntegrationId,
    ) -> Result<(Transaction, Integration), Failure> {
        let txn = self.storage.begin().await?;
        txn.lock("integration").await?;
        let integration = txn.integration_find(id).await?.ok_or(Failure::NotFound("integration"))?;
        Ok((txn, integration))
    }

    /// The integrations at which the actor should log in once more: the client that serves them will be gone.
    pub async fn changeover_list_of(&self, actor: &Actor) -> Result<Vec<Integration>, Failure> {
        let Some(user) = &actor.user else { return Ok(Vec::new()) };
        let mut accounts = self.storage.identity_list_with_integration(user.id).await?;
        accounts.retain(|(identity, integration)| integration.awaits(identity));
        Ok(accounts.into_iter().map(|(_, integration)| integration).collect())
    }
}

/// Whether nobody has changed an integration since it was read.
pub(super) fn unchanged(before: &Integration, now: &Integration) -> Result<(), Failure> {
    let parts = |it: &Integration| (it.client.clone(), it.previous.clone(), it.base_url.clone());
    if parts(before) == parts(now) {
        return Ok(());
    }
    Err(Failure::Conflict(
        "Somebody else changed this integration at this moment. Look at it again, then repeat.".into(),
    ))
}

/// What people call it.
fn word(integration: &Integration) -> &'static str {
    let previous = integration.previous.as_ref().map(Client::oauth);
    if previous == Some(integration.client.oauth()) { "change" } else { "upgrade" }
}
