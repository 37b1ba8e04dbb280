//! Asking a platform in a long piece of work: with whose key, and with how much patience.

use crate::{App, Failure};
use async_trait::async_trait;
use jiff::SignedDuration;
use stave_domain::{
    Secret,
    credential::{CredentialKind, StoredCredential},
    id::{CredentialId, IdentityId, IntegrationId, JobId},
    identity::Identity,
    job::Progress,
    synchronization::{Synchronization, SynchronizationAccess},
};
use stave_upstream::{Asker, Key, UpstreamError};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// How long to wait after a refusal that names no time: it doubles with each.
const FIRST_WAIT: Duration = Duration::from_mins(1);
/// The longest that is waited at a time if the platform does not ask for more.
const LONGEST_WAIT: Duration = Duration::from_mins(15);
/// So long is waited in all for a platform that takes no more requests; its windows are an hour long.
const PATIENCE: Duration = Duration::from_mins(100);
/// So often a request is asked again that brought an error of the server or no answer; the waits double from a second.
const TRIES: u32 = 4;

/// Whoever asks a platform: an account or a stored credential, for a job or for somebody who waits at a page.
pub(crate) struct Caller {
    app: App,
    who: SynchronizationAccess,
    /// Where is asked.
    at: IntegrationId,
    /// The job that has time to wait; `None` has none.
    job: Option<JobId>,
    /// How long was waited so far, in seconds.
    waited: AtomicU64,
}

impl App {
    /// Asks as a synchronization does, for somebody who waits.
    pub(crate) fn caller(&self, synchronization: &Synchronization) -> Caller {
        self.caller_with(synchronization.access, synchronization.integration_id)
    }

    /// Asks as a connected account, for somebody who waits.
    pub(crate) fn caller_of_identity(&self, identity: &Identity) -> Caller {
        self.caller_with(SynchronizationAccess::Account(identity.id), identity.integration_id)
    }

    /// Asks an integration's platform with these rights, for somebody who waits.
    pub(crate) fn caller_with(&self, who: SynchronizationAccess, at: IntegrationId) -> Caller {
        Caller { app: self.clone(), who, at, job: None, waited: AtomicU64::new(0) }
    }

    /// How a platform wants to see a stored credential.
    pub(crate) fn credential_key(&self, credential: &StoredCredential) -> Result<Key, Failure> {
        let secret = self.credential_secret(credential)?;
        match credential.kind {
            CredentialKind::ApiToken => {
                Ok(Key::Basic { username: credential.username.clone(), password: secret })
            }
            CredentialKind::AccessToken | CredentialKind::HttpAccessToken => Ok(Key::Token(secret)),
            CredentialKind::Password | CredentialKind::Bearer | CredentialKind::Header => {
                Err(Failure::Denied(format!(
                    "The credential “{}” is for git and mirrors, and Bitbucket's interface cannot be asked with it. Choose an API token or an access token.",
                    credential.description
                )))
            }
        }
    }

    pub(crate) fn credential_secret(&self, credential: &StoredCredential) -> Result<Secret, Failure> {
        self.keys.open("credential", credential.id, &credential.secret).map_err(Failure::internal)
    }
}

impl Caller {
    /// The same for a job, which has time to wait and tells that it does.
    pub(crate) fn patient(self, job: JobId) -> Self {
        Self { job: Some(job), ..self }
    }

    async fn key_of_account(&self, id: IdentityId, refused: Option<&Key>) -> Result<Key, Failure> {
        let refused = match refused {
            Some(Key::Grant(token)) => Some(token.clone()),
            _ => None,
        };
        let (token, _) = self.app.access_token(id, refused).await?;
        Ok(Key::Grant(token))
    }

    async fn key_of_credential(&self, id: CredentialId, refused: Option<&Key>) -> Result<Key, Failure> {
        let credential =
            self.app.storage.credential_find(id).await?.ok_or(Failure::NotFound("credential"))?;
        // The integration may have another base URL since the credential was chosen.
        let integration = self.app.integration_of(self.at).await?;
        if credential.host != integration.base_url.authority() {
            return Err(Failure::Denied(format!(
                "The credential “{}” is for {}, but {} is at {} now. Choose another account or credential for the synchronization.",
                credential.description,
                credential.host,
                integration.name,
                integration.base_url.authority()
            )));
        }
        if refused.is_some() {
            let because = format!(
                "{} no longer accepts the credential “{}”: it expired or was revoked. Make a new one there, and enter it under Settings > Credentials.",
                credential.host, credential.description
            );
            self.app.credential_refused(id, &because).await?;
            return Err(Failure::Denied(because));
        }
        self.app.credential_key(&credential)
    }

    /// Waits if there is still patience for so long.
    async fn rest(&self, wait: Duration, job: JobId, failure: &UpstreamError) -> bool {
        let waited = Duration::from_secs(self.waited.fetch_add(wait.as_secs(), Ordering::Relaxed));
        if waited + wait > PATIENCE {
            return false;
        }
        let until = self.app.clock.now() + SignedDuration::try_from(wait).unwrap_or_default();
        let phase = format!("{failure} It goes on at {} UTC.", until.strftime("%H:%M:%S"));
        self.app.job_progress(job, &Progress { phase, done: 0, total: 0 }).await;
        tokio::time::sleep(wait).await;
        true
    }
}

#[async_trait]
impl Asker for Caller {
    async fn key(&self, refused: Option<&Key>) -> Result<Key, UpstreamError> {
        let key = match self.who {
            SynchronizationAccess::Account(id) => self.key_of_account(id, refused).await,
            SynchronizationAccess::Stored(id) => self.key_of_credential(id, refused).await,
            SynchronizationAccess::AccountGone => Err(Failure::Denied(
                "The account with whose rights this was asked is no longer connected. Choose another account or credential for the synchronization.".into(),
            )),
        };
        key.map_err(no_key)
    }

    async fn wait(&self, failure: &UpstreamError, attempt: u32) -> bool {
        let Some(job) = self.job else { return false };
        let doubled = |first: Duration| first * 2_u32.saturating_pow(attempt.saturating_sub(1).min(8));
        match failure {
            UpstreamError::RateLimited { retry_after: Some(wait), .. } => {
                self.rest((*wait).max(Duration::from_secs(1)), job, failure).await
            }
            UpstreamError::RateLimited { retry_after: None, .. } => {
                self.rest(doubled(FIRST_WAIT).min(LONGEST_WAIT), job, failure).await
            }
            _ if attempt > TRIES => false,
            _ => {
                tokio::time::sleep(doubled(Duration::from_secs(1))).await;
                true
            }
        }
    }
}

/// What a platform said while a grant was refreshed is its own error; everything else is a sentence.
fn no_key(failure: Failure) -> UpstreamError {
    match failure {
        Failure::Elsewhere { sentence, source, .. } => {
            source.downcast::<UpstreamError>().map_or_else(|_| UpstreamError::NoKey(sentence), |error| *error)
        }
        other => UpstreamError::NoKey(other.to_string()),
    }
}
