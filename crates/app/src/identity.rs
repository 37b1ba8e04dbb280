//! Identities: acting at a platform as somebody who is connected there.

use crate::{App, Failure, entropy};
use jiff::SignedDuration;
use stave_domain::{
    Secret, Timestamp,
    id::{IdentityId, IntegrationId, UserId},
    identity::{Grant, Identity, RemoteProfile},
    integration::{Client, Integration, OAuthVersion},
    secret::Sealed,
};
use stave_storage::Storage;
use stave_upstream::UpstreamError;
use std::{collections::BTreeSet, time::Duration};

/// A token that dies within this time is refreshed before it is used.
const REFRESH_AHEAD: SignedDuration = SignedDuration::from_mins(5);
/// How long one node has the right to refresh a grant; longer than any request takes.
const REFRESH_LEASE: SignedDuration = SignedDuration::from_secs(90);
/// How often the others look whether it is through.
const REFRESH_LOOK: Duration = Duration::from_millis(200);

/// Somebody who came back from a platform: who they are there, and the grant that they gave to a client.
pub(crate) struct Arrived<'a> {
    pub(crate) integration: &'a Integration,
    pub(crate) client: &'a Client,
    pub(crate) profile: RemoteProfile,
    pub(crate) grant: Grant,
}

/// The form in which a grant is sealed.
#[derive(serde::Serialize, serde::Deserialize)]
struct GrantText {
    access_token: String,
    #[serde(default)]
    token_secret: Option<String>,
    refresh_token: Option<String>,
    expires_at: Timestamp,
    scopes: BTreeSet<String>,
}

impl App {
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
        let waits_until = self.clock.now() + REFRESH_LEASE;
        loop {
            if let Some(token) = self.access_token_try(id, refused.as_ref()).await? {
                return Ok(token);
            }
            // Another node refreshes it: a refresh token works once, so everybody waits for what comes of it.
            if self.clock.now() > waits_until {
                return Err(Failure::TooOften {
                    sentence: "Another part of Stave has been renewing this connection for a while. Try again in a minute.".into(),
                    wait: REFRESH_LEASE,
                });
            }
            tokio::time::sleep(REFRESH_LOOK).await;
        }
    }

    /// The token, refreshed if need be; `None` if another node is about to refresh it.
    async fn access_token_try(
        &self,
        id: IdentityId,
        refused: Option<&Secret>,
    ) -> Result<Option<(Secret, Integration)>, Failure> {
        let identity = self.identity_working(id).await?;
        let integration = self.integration_of(identity.integration_id).await?;
        let Some(client) = integration.client_with(&identity.client_id) else {
            return Err(broken(&format!("{} has changed since the last log-in with it.", integration.name)));
        };
        if client.oauth() == OAuthVersion::One && integration.awaits(&identity) {
            return Err(broken(&format!(
                "{} was upgraded since {} last logged in with it.",
                integration.name, identity.handle
            )));
        }
        if client.oauth() == OAuthVersion::One {
            return Err(Failure::Denied(format!(
                "{} speaks OAuth 1, with which Bitbucket lets nobody read git repositories. Upgrade it to OAuth 2, or choose another credential for the package: the organization's SSH key or an HTTP access token.",
                integration.name
            )));
        }
        let grant = self.grant_open(&identity)?;
        let is_fresh = self.clock.now().duration_until(grant.expires_at) > REFRESH_AHEAD;
        if is_fresh && refused != Some(&grant.access_token) {
            return Ok(Some((grant.access_token, integration)));
        }
        let (revision, now) = (identity.grant_revision, self.clock.now());
        if !self.storage.identity_refresh_claim(id, revision, now, now + REFRESH_LEASE).await? {
            return Ok(None);
        }
        let connector = self.connector(&integration, client)?;
        let sign_in = connector.sign_in().ok_or(Failure::NotFound("way to log in"))?;
        match sign_in.refresh(&grant).await {
            Ok(fresh) => {
                let sealed = self.grant_seal(id, &fresh)?;
                if self.storage.identity_grant_update(id, revision, &sealed).await? {
                    return Ok(Some((fresh.access_token, integration)));
                }
            }
            Err(UpstreamError::Unauthorized { .. }) => {
                let because =
                    format!("{} no longer accepts the connection of {}.", integration.name, identity.handle);
                if self.storage.identity_broken(id, revision, &because).await? {
                    return Err(broken(&because));
                }
            }
            Err(other) => {
                self.storage.identity_refresh_release(id, revision).await?;
                return Err(other.into());
            }
        }
        // A log-in was faster. What it stored is newer than what we have.
        let stored = self.identity_working(id).await?;
        Ok(Some((self.grant_open(&stored)?.access_token, integration)))
    }

    /// A connected account that is not stored yet.
    pub(crate) fn identity_new(&self, user_id: UserId, arrived: &Arrived<'_>) -> Result<Identity, Failure> {
        let Arrived { integration, client, profile, grant } = arrived;
        let id = entropy::id();
        Ok(Identity {
            id,
            user_id,
            integration_id: integration.id,
            external_id: profile.external_id.clone(),
            handle: profile.handle.clone(),
            display_name: profile.display_name.clone(),
            grant: self.grant_seal(id, grant)?,
            client_id: client.id().to_owned(),
            grant_revision: 1,
            broken_because: None,
            connected_at: self.clock.now(),
        })
    }

    /// Stores that somebody whose account is known came back.
    pub(crate) async fn identity_renew(
        &self,
        storage: &Storage,
        id: IdentityId,
        arrived: &Arrived<'_>,
    ) -> Result<(), Failure> {
        let sealed = self.grant_seal(id, &arrived.grant)?;
        Ok(storage.identity_signed_in(id, &arrived.profile, arrived.client.id(), &sealed).await?)
    }

    async fn identity_working(&self, id: IdentityId) -> Result<Identity, Failure> {
        let identity = self.storage.identity_find(id).await?.ok_or(Failure::NotFound("connected account"))?;
        match &identity.broken_because {
            Some(because) => Err(broken(because)),
            None => Ok(identity),
        }
    }

    pub(crate) async fn integration_of(&self, id: IntegrationId) -> Result<Integration, Failure> {
        self.storage.integration_find(id).await?.ok_or(Failure::NotFound("integration"))
    }

    pub(crate) fn grant_seal(&self, id: IdentityId, grant: &Grant) -> Result<Sealed, Failure> {
        Ok(self.keys.seal("grant", id, &Secret::new(grant_text(grant)?)))
    }

    pub(crate) fn grant_open(&self, identity: &Identity) -> Result<Grant, Failure> {
        let text = self.keys.open("grant", identity.id, &identity.grant).map_err(Failure::internal)?;
        grant_read(text.expose())
    }
}

/// The text of a grant, to be sealed.
pub(crate) fn grant_text(grant: &Grant) -> Result<String, Failure> {
    let text = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.expose().to_owned());
    let text = GrantText {
        access_token: grant.access_token.expose().to_owned(),
        token_secret: text(&grant.token_secret),
        refresh_token: text(&grant.refresh_token),
        expires_at: grant.expires_at,
        scopes: grant.scopes.clone(),
    };
    serde_json::to_string(&text).map_err(Failure::internal)
}

/// The grant in such a text.
pub(crate) fn grant_read(text: &str) -> Result<Grant, Failure> {
    let text: GrantText = serde_json::from_str(text).map_err(Failure::internal)?;
    Ok(Grant {
        access_token: Secret::new(text.access_token),
        token_secret: text.token_secret.map(Secret::new),
        refresh_token: text.refresh_token.map(Secret::new),
        expires_at: text.expires_at,
        scopes: text.scopes,
    })
}

fn broken(because: &str) -> Failure {
    Failure::Denied(format!(
        "{because} Its owner logs in with it again, or connects it again on the Profile; then update the package."
    ))
}
