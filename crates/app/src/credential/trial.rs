//! Trying a credential at its platform.

use crate::{Actor, App, Failure, credential::CredentialView};
use stave_domain::{
    credential::{CredentialKind, CredentialSeen, StoredCredential},
    id::{CredentialId, OrganizationId},
    integration::{Integration, Platform},
    repository::SourceUrl,
};
use stave_upstream::{CredentialSight, UpstreamError};

/// What came of trying a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialTrial {
    /// It works.
    Works,
    /// The platform does not take it; why, and what to do, in a sentence.
    Refused(String),
    /// The platform could not be asked, which says nothing about the credential.
    Unasked(String),
    /// There is nobody to ask, and why.
    Untried(String),
}

impl CredentialTrial {
    /// Why it should not be stored unless somebody insists.
    pub(super) fn doubt(&self) -> Option<String> {
        match self {
            Self::Works | Self::Untried(_) => None,
            Self::Refused(sentence) => Some(sentence.clone()),
            Self::Unasked(sentence) => {
                Some(format!("{sentence} So nobody knows whether the credential is right. Try again later."))
            }
        }
    }
}

impl App {
    /// Tries a credential now, and remembers what came of it.
    pub async fn credential_test(
        &self,
        actor: &Actor,
        short_name: &str,
        id: CredentialId,
    ) -> Result<(CredentialView, CredentialTrial), Failure> {
        let before = self.credential_show(actor, short_name, id).await?;
        let mut credential = before.credential;
        let trial = self.credential_try(&mut credential).await?;
        self.credential_note(credential).await?;
        Ok((self.credential_show(actor, short_name, id).await?, trial))
    }

    /// Stores what came of trying a credential.
    async fn credential_note(&self, tried: StoredCredential) -> Result<(), Failure> {
        let txn = self.storage.begin().await?;
        let Some(stored) = txn.credential_find(tried.id).await? else { return Ok(()) };
        // Somebody may have entered another secret meanwhile, about which this says nothing.
        if stored.secret == tried.secret {
            let StoredCredential { checked_at, last_error, seen, expires_at, .. } = tried;
            let noted = StoredCredential { checked_at, last_error, seen, expires_at, ..stored };
            txn.credential_update(&noted).await?;
        }
        Ok(txn.commit().await?)
    }

    /// Tries a credential that is perhaps not stored yet, and notes in it what came of that.
    pub(super) async fn credential_try(
        &self,
        credential: &mut StoredCredential,
    ) -> Result<CredentialTrial, Failure> {
        let sight = match self.credential_ask(credential).await? {
            Ok(sight) => sight,
            Err(trial) => {
                if let CredentialTrial::Refused(because) = &trial {
                    credential.checked_at = Some(self.clock.now());
                    credential.last_error = Some(because.clone());
                }
                return Ok(trial);
            }
        };
        credential.checked_at = Some(self.clock.now());
        credential.last_error = None;
        credential.expires_at = sight.expires_at.or(credential.expires_at);
        credential.seen = Some(CredentialSeen { account: sight.account, scopes: sight.scopes });
        Ok(CredentialTrial::Works)
    }

    async fn credential_ask(
        &self,
        credential: &StoredCredential,
    ) -> Result<Result<CredentialSight, CredentialTrial>, Failure> {
        let StoredCredential { kind, host, organization_id, .. } = credential;
        let untried = |sentence: String| Ok(Err(CredentialTrial::Untried(sentence)));
        let Some(platform) = kind.platform() else {
            return untried(
                "It was not tested: no platform can be asked with a credential of this kind. Whether it works shows when a repository or a mirror is read with it."
                    .into(),
            );
        };
        let Some(integration) = self.integration_at(*organization_id, platform, host).await? else {
            return untried(format!(
                "It was not tested: there is no integration with {} at {host}, so Stave does not know where to ask. Whether it works shows when a repository is read with it.",
                platform.label()
            ));
        };
        let connector = self.connector(&integration, &integration.client)?;
        let check = connector.credential_check().ok_or(Failure::NotFound("way to test a credential"))?;
        let asked = check.credential_check(&self.credential_key(credential)?).await;
        Ok(asked.map_err(|error| match error {
            UpstreamError::Unauthorized { .. } => CredentialTrial::Refused(refusal(*kind, host)),
            error if error.is_refusal() => CredentialTrial::Refused(error.to_string()),
            other => CredentialTrial::Unasked(other.to_string()),
        }))
    }

    /// An integration of the organization, or else of the installation, with this platform at this host.
    async fn integration_at(
        &self,
        organization: OrganizationId,
        platform: Platform,
        host: &str,
    ) -> Result<Option<Integration>, Failure> {
        let mut all = self.storage.integration_list_of(Some(organization)).await?;
        all.extend(self.storage.integration_list_of(None).await?);
        let fits = |it: &Integration| it.platform == platform && it.base_url.authority() == host;
        Ok(all.into_iter().find(fits))
    }

    /// A platform refused a stored credential in the middle of some work; `because` is a sentence.
    pub(crate) async fn credential_refused(&self, id: CredentialId, because: &str) -> Result<(), Failure> {
        Ok(self.storage.credential_checked(id, self.clock.now(), Some(because)).await?)
    }

    /// A git server did not take a stored credential for a repository. That may be about the repository alone, so the platform
    /// is asked where it can be.
    pub(crate) async fn credential_doubted(
        &self,
        id: CredentialId,
        source: &SourceUrl,
    ) -> Result<(), Failure> {
        let Some(mut credential) = self.storage.credential_find(id).await? else { return Ok(()) };
        match self.credential_try(&mut credential).await? {
            CredentialTrial::Untried(_) => {
                let because = format!(
                    "{} did not accept it when {source} was read. Enter a new secret, or choose another credential there.",
                    credential.host
                );
                self.credential_refused(id, &because).await
            }
            CredentialTrial::Unasked(_) => Ok(()),
            CredentialTrial::Works | CredentialTrial::Refused(_) => self.credential_note(credential).await,
        }
    }

    /// A stored credential opened something. Written only if that is news.
    pub(crate) async fn credential_worked(&self, id: CredentialId) -> Result<(), Failure> {
        let found = self.storage.credential_find(id).await?;
        match found.filter(|it| it.last_error.is_some() || it.checked_at.is_none()) {
            Some(_) => Ok(self.storage.credential_checked(id, self.clock.now(), None).await?),
            None => Ok(()),
        }
    }
}

fn refusal(kind: CredentialKind, host: &str) -> String {
    let why = match kind {
        CredentialKind::ApiToken => {
            "it is mistyped, revoked or expired, it belongs to another e-mail address, or it was made without scopes. On Bitbucket, choose “Create API token with scopes”"
        }
        CredentialKind::AccessToken
        | CredentialKind::HttpAccessToken
        | CredentialKind::Password
        | CredentialKind::Bearer
        | CredentialKind::Header => {
            "it is mistyped, revoked or expired. Copy it once more, or make a new one"
        }
    };
    format!("{host} does not accept this token: {why}.")
}
