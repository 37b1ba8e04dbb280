//! Asking a mirror: with which credential.

use crate::{App, Failure};
use stave_domain::{
    credential::{CredentialKind, StoredCredential},
    id::CredentialId,
    mirror::{Mirror, authority},
};
use stave_upstream::{ComposerKey, ComposerRepository, ComposerSecret, ComposerSite};
use std::sync::Arc;

/// Whether a mirror can be asked with such a credential.
pub(crate) fn fits_mirrors(kind: CredentialKind) -> bool {
    matches!(kind, CredentialKind::Password | CredentialKind::Bearer | CredentialKind::Header)
}

impl App {
    /// A client for a mirror that was perhaps made for the look-up before: it remembers what it read of lists, and a client asks for
    /// hundreds of names in a row.
    pub(super) async fn mirror_client_kept(
        &self,
        mirror: &Mirror,
    ) -> Result<Arc<ComposerRepository>, Failure> {
        let now = self.clock.now();
        if let Some(client) = self.seeking.client(mirror, now) {
            return Ok(client);
        }
        let client = self.mirror_client(mirror).await?;
        self.seeking.keep_client(mirror, Arc::clone(&client), now);
        Ok(client)
    }

    /// A client for a mirror that knows nothing yet.
    pub(super) async fn mirror_client(&self, mirror: &Mirror) -> Result<Arc<ComposerRepository>, Failure> {
        let key = match mirror.credential_id {
            Some(id) => Some(self.mirror_key(mirror, id).await?),
            None => None,
        };
        let site = ComposerSite { url: mirror.url.clone(), key, timeout: mirror.timeout };
        Ok(Arc::new(ComposerRepository::new(self.http.clone(), site)))
    }

    async fn mirror_key(&self, mirror: &Mirror, id: CredentialId) -> Result<ComposerKey, Failure> {
        let credential = self.storage.credential_find(id).await?.ok_or(Failure::NotFound("credential"))?;
        let host = authority(&mirror.url);
        if credential.host != host {
            return Err(Failure::Denied(format!(
                "The credential “{}” is for {} now, and the mirror is at {host}, so nothing is read with it. Edit the mirror and \
                 choose another credential.",
                credential.description, credential.host
            )));
        }
        self.composer_key(&credential)
    }

    /// How a Composer repository wants to see a stored credential.
    pub(crate) fn composer_key(&self, credential: &StoredCredential) -> Result<ComposerKey, Failure> {
        let secret = self.credential_secret(credential)?;
        let username = credential.username.clone();
        let secret = match credential.kind {
            CredentialKind::Bearer => ComposerSecret::Bearer(secret),
            CredentialKind::Header => ComposerSecret::Header { name: username, value: secret },
            _ => ComposerSecret::Basic { username, password: secret },
        };
        Ok(ComposerKey { host: credential.host.clone(), secret })
    }
}
