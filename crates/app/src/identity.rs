//! Connected accounts, and acting at a platform as one of them.

use crate::{Actor, App, Failure, entropy};
use jiff::SignedDuration;
use stave_domain::{
    Secret, Timestamp,
    id::{IdentityId, IntegrationId, UserId},
    identity::{Grant, Identity, RemoteProfile},
    integration::Integration,
    secret::Sealed,
};
use stave_upstream::UpstreamError;
use std::collections::BTreeSet;

/// A token that dies within this time is refreshed before it is used.
const REFRESH_AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// One line of "Connected accounts" on the Profile.
#[derive(Debug)]
pub struct Account {
    /// Where.
    pub integration: Integration,
    /// The account there; `None` if none is connected.
    pub identity: Option<Identity>,
}

/// The form in which a grant is sealed.
#[derive(serde::Serialize, serde::Deserialize)]
struct GrantText {
    access_token: String,
    refresh_token: Option<String>,
    expires_at: Timestamp,
    scopes: BTreeSet<String>,
}

impl App {
    /// Every integration with the actor's account there.
    pub async fn account_list(&self, actor: &Actor) -> Result<Vec<Account>, Failure> {
        let mut identities = self.storage.identity_list_of_user(actor.user()?.id).await?;
        let accounts = self.storage.integration_list().await?.into_iter().map(|integration| {
            let at = identities.iter().position(|identity| identity.integration_id == integration.id);
            Account { identity: at.map(|at| identities.swap_remove(at)), integration }
        });
        Ok(accounts.collect())
    }

    /// Disconnects an account of the actor, unless it is their last way in.
    pub async fn account_disconnect(&self, actor: &Actor, id: IdentityId) -> Result<(), Failure> {
        let user = actor.user()?;
        let by_password = self.configuration().await?.password_login
            && self.storage.user_password_hash(user.id).await?.is_some();
        let txn = self.people_change().await?;
        let identities = txn.identity_list_of_user(user.id).await?;
        if !identities.iter().any(|identity| identity.id == id) {
            return Err(Failure::NotFound("connected account"));
        }
        if identities.len() == 1 && !by_password {
            return Err(Failure::Conflict("This is your last way in. Connect another account first.".into()));
        }
        txn.identity_delete(id).await?;
        txn.commit().await?;
        self.log_by(actor, None, "disconnected an account of their own").await
    }

    /// A living access token of a connected account; refreshed if need be or `refused` by the host, the new one stored before
    /// it is used. A refresh that began is finished, even if who asked goes away: its token works once.
    pub(crate) async fn access_token(
        &self,
        id: IdentityId,
        refused: Option<Secret>,
    ) -> Result<(Secret, Integration), Failure> {
        let app = self.clone();
        let work = tokio::spawn(async move { app.access_token_refreshed(id, refused).await });
        work.await.map_err(Failure::internal)?
    }

    async fn access_token_refreshed(
        &self,
        id: IdentityId,
        refused: Option<Secret>,
    ) -> Result<(Secret, Integration), Failure> {
        let _turn = self.refreshing.turn(id).await;
        let identity = self.identity_working(id).await?;
        let integration = self.integration_of(identity.integration_id).await?;
        let grant = self.grant_open(&identity)?;
        let now = self.clock.now();
        let is_fresh = now.duration_until(grant.expires_at) > REFRESH_AHEAD;
        if is_fresh && refused.as_ref() != Some(&grant.access_token) {
            return Ok((grant.access_token, integration));
        }
        let connector = self.connector(&integration)?;
        let sign_in = connector.sign_in().ok_or(Failure::NotFound("way to log in"))?;
        match sign_in.refresh(&grant, now).await {
            Ok(fresh) => {
                let sealed = self.grant_seal(id, &fresh)?;
                if self.storage.identity_grant_update(id, identity.grant_revision, &sealed).await? {
                    return Ok((fresh.access_token, integration));
                }
            }
            Err(UpstreamError::Unauthorized { .. }) => {
                let because =
                    format!("{} no longer accepts the connection of {}.", integration.name, identity.handle);
                if self.storage.identity_broken(id, identity.grant_revision, &because).await? {
                    return Err(broken(&because));
                }
            }
            Err(other) => return Err(other.into()),
        }
        // Another node or a log-in was faster. What it stored is newer than what we have.
        let stored = self.identity_working(id).await?;
        Ok((self.grant_open(&stored)?.access_token, integration))
    }

    /// A connected account that is not stored yet.
    pub(crate) fn identity_new(
        &self,
        integration: &Integration,
        user_id: UserId,
        profile: &RemoteProfile,
        grant: &str,
    ) -> Identity {
        let id = entropy::id();
        Identity {
            id,
            user_id,
            integration_id: integration.id,
            external_id: profile.external_id.clone(),
            handle: profile.handle.clone(),
            display_name: profile.display_name.clone(),
            grant: self.grant_text_seal(id, grant),
            grant_revision: 1,
            broken_because: None,
            connected_at: self.clock.now(),
        }
    }

    async fn identity_working(&self, id: IdentityId) -> Result<Identity, Failure> {
        let identity = self.storage.identity_find(id).await?.ok_or(Failure::NotFound("connected account"))?;
        match &identity.broken_because {
            Some(because) => Err(broken(because)),
            None => Ok(identity),
        }
    }

    async fn integration_of(&self, id: IntegrationId) -> Result<Integration, Failure> {
        self.storage.integration_find(id).await?.ok_or(Failure::NotFound("integration"))
    }

    pub(crate) fn grant_text_seal(&self, id: IdentityId, text: &str) -> Sealed {
        self.keys.seal("grant", id, &Secret::new(text))
    }

    pub(crate) fn grant_seal(&self, id: IdentityId, grant: &Grant) -> Result<Sealed, Failure> {
        Ok(self.grant_text_seal(id, &grant_text(grant)?))
    }

    fn grant_open(&self, identity: &Identity) -> Result<Grant, Failure> {
        let text = self.keys.open("grant", identity.id, &identity.grant).map_err(Failure::internal)?;
        let text: GrantText = serde_json::from_str(text.expose()).map_err(Failure::internal)?;
        Ok(Grant {
            access_token: Secret::new(text.access_token),
            refresh_token: text.refresh_token.map(Secret::new),
            expires_at: text.expires_at,
            scopes: text.scopes,
        })
    }
}

/// The text that is sealed.
pub(crate) fn grant_text(grant: &Grant) -> Result<String, Failure> {
    let text = GrantText {
        access_token: grant.access_token.expose().to_owned(),
        refresh_token: grant.refresh_token.as_ref().map(|token| token.expose().to_owned()),
        expires_at: grant.expires_at,
        scopes: grant.scopes.clone(),
    };
    serde_json::to_string(&text).map_err(Failure::internal)
}

fn broken(because: &str) -> Failure {
    Failure::Denied(format!(
        "{because} Its owner logs in with it again, or connects it again on the Profile; then update the package."
    ))
}
