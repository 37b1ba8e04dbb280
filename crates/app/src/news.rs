//! What the owners and admins of an organization are told by mail: once each, and only if mail is set up.

use crate::{
    App, Failure,
    mail::{Letter, Mailer},
};
use jiff::tz::TimeZone;
use stave_domain::{
    Timestamp,
    credential::{StoredCredential, WARN_BEFORE},
    id::{CredentialId, OrganizationId, SynchronizationId},
    job::{Job, News},
    organization::{Organization, Role},
    synchronization::FAILING_TOO_LONG,
    user::User,
};
use std::error::Error;
use tracing::{info, warn};

impl App {
    /// Has the owners told of every credential that expires soon. They are told once; a new secret begins anew.
    pub(crate) async fn credentials_warn(&self) -> Result<(), Failure> {
        if self.mailer.is_none() {
            return Ok(());
        }
        let soon = self.clock.now() + WARN_BEFORE;
        for credential in self.storage.credential_list_expiring(soon).await? {
            let news = News::CredentialExpires { credential: credential.id };
            self.news_enqueue(credential.organization_id, news).await?;
        }
        Ok(())
    }

    /// Has the owners told of every synchronization that has been failing for too long. They are told once, until it works again.
    pub(crate) async fn synchronizations_tell(&self) -> Result<(), Failure> {
        if self.mailer.is_none() {
            return Ok(());
        }
        let since = self.clock.now() - FAILING_TOO_LONG;
        for (synchronization, _) in self.storage.synchronization_list_failing_since(since).await? {
            let news = News::SynchronizationFails { synchronization: synchronization.id };
            self.news_enqueue(synchronization.organization_id, news).await?;
        }
        Ok(())
    }

    /// One that waits for its next try, because the mail server is down, is not hurried.
    async fn news_enqueue(&self, organization: OrganizationId, news: News) -> Result<(), Failure> {
        let job = Job::Tell { organization, news };
        if !self.storage.job_pending(&job.key()).await?.is_empty() {
            return Ok(());
        }
        self.job_enqueue(job, Some(organization)).await
    }

    /// Writes to everybody who manages an organization and has an e-mail address that somebody confirmed. What is no news any
    /// more is told to nobody.
    pub(crate) async fn news_tell(&self, organization: OrganizationId, news: News) -> Result<(), Failure> {
        let Some(mailer) = &self.mailer else { return Ok(()) };
        let Some(organization) = self.storage.organization_find(organization).await? else { return Ok(()) };
        let letter = match news {
            News::CredentialExpires { credential } => {
                self.letter_of_credential(&organization, credential).await?
            }
            News::SynchronizationFails { synchronization } => {
                self.letter_of_synchronization(&organization, synchronization).await?
            }
        };
        let Some(letter) = letter else { return Ok(()) };
        let now = self.clock.now();
        self.letter_send(mailer, &organization, &letter).await?;
        match news {
            News::CredentialExpires { credential } => self.storage.credential_warned(credential, now).await?,
            News::SynchronizationFails { synchronization } => {
                self.storage.synchronization_told(synchronization, now).await?;
            }
        }
        Ok(())
    }

    /// It is enough that one of them has it: a second try would tell them twice.
    async fn letter_send(
        &self,
        mailer: &Mailer,
        organization: &Organization,
        letter: &Letter,
    ) -> Result<(), Failure> {
        let (mut sent, mut last_failure) = (0, None);
        for user in self.managers_with_address(organization.id).await? {
            let letter = Letter {
                subject: letter.subject.clone(),
                text: format!(
                    "Hello {},\n\n{}\nYou get this mail because you manage the organization {} on Stave, {}.\n",
                    user.display_name(),
                    letter.text,
                    organization.name,
                    self.address("/")
                ),
            };
            match mailer.send(&user, &letter, self.clock.now()).await {
                Ok(()) => sent += 1,
                Err(failure) => {
                    warn!(user = %user.username, error = &failure as &dyn Error, "a mail could not be sent");
                    last_failure = Some(failure);
                }
            }
        }
        match last_failure {
            Some(failure) if sent == 0 => Err(failure),
            _ => {
                info!(organization = %organization.short_name, sent, subject = letter.subject, "mail was sent");
                Ok(())
            }
        }
    }

    async fn managers_with_address(&self, organization: OrganizationId) -> Result<Vec<User>, Failure> {
        let members = self.storage.member_list(organization).await?;
        Ok(members
            .into_iter()
            .filter(|(user, member)| {
                member.is_active && member.role >= Role::Admin && user.email.is_some() && user.email_verified
            })
            .map(|(user, _)| user)
            .collect())
    }

    /// `None` if it no longer expires soon, or its owners know.
    async fn letter_of_credential(
        &self,
        organization: &Organization,
        id: CredentialId,
    ) -> Result<Option<Letter>, Failure> {
        let now = self.clock.now();
        let found = self.storage.credential_find(id).await?;
        let Some(credential) = found.filter(|it| it.expires_soon(now) && it.warned_at.is_none()) else {
            return Ok(None);
        };
        let Some(expires_at) = credential.expires_at else { return Ok(None) };
        let repositories = self.storage.credential_repository_list(id).await?.len();
        let synchronizations = self.storage.synchronization_list_of_credential(id).await?.len();
        let StoredCredential { description, host, .. } = &credential;
        let verb = if credential.is_expired(now) { "expired" } else { "expires" };
        let link = self
            .address(&format!("/orgs/{}/settings/credentials/{}", organization.short_name, credential.id));
        Ok(Some(Letter {
            subject: format!(
                "{}: the credential “{description}” {verb} on {}",
                organization.name,
                day(expires_at)
            ),
            text: format!(
                "the credential “{description}” for {host} {verb} on {}. {}\n\nMake a new one at {host}, and enter it here:\n{link}\n",
                day(expires_at),
                uses(repositories, synchronizations)
            ),
        }))
    }

    /// `None` if it works again, or its owners know.
    async fn letter_of_synchronization(
        &self,
        organization: &Organization,
        id: SynchronizationId,
    ) -> Result<Option<Letter>, Failure> {
        let Some(synchronization) = self.storage.synchronization_find(id).await? else { return Ok(None) };
        let Some(condition) = self.storage.synchronization_condition(id).await? else { return Ok(None) };
        let too_long = self.clock.now() - FAILING_TOO_LONG;
        let since = condition.failing_since.filter(|since| *since <= too_long && condition.told_at.is_none());
        let Some(since) = since else { return Ok(None) };
        let workspace = synchronization.workspace.title();
        let link = self.address(&format!("/orgs/{}/settings/synchronizations/{id}", organization.short_name));
        Ok(Some(Letter {
            subject: format!(
                "{}: the synchronization with {workspace} has been failing for a day",
                organization.name
            ),
            text: format!(
                "the synchronization of {} with {workspace} has been failing since {}. Until it works again, Stave does not see who joins or leaves there and which repositories are new; nobody loses anything meanwhile.\n\nWhat stands in the way:\n{}\n\nIt is tried again by itself. See how it goes, or change it:\n{link}\n",
                organization.name,
                since.strftime("%-d %b %Y, %H:%M UTC"),
                condition.last_error.as_deref().unwrap_or("The reason was not told."),
            ),
        }))
    }
}

/// A day in UTC, as people read it.
fn day(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%-d %b %Y").to_string()
}

/// What stops when a credential is dead.
fn uses(repositories: usize, synchronizations: usize) -> String {
    let count = |count: usize, one: &str, many: &str| match count {
        1 => format!("1 {one}"),
        _ => format!("{count} {many}"),
    };
    let read = count(repositories, "repository", "repositories");
    let followed = count(synchronizations, "workspace", "workspaces");
    match (repositories, synchronizations) {
        (0, 0) => "Nothing uses it.".to_owned(),
        (_, 0) => format!("Stave reads {read} with it, and cannot from then on."),
        (0, _) => format!("Stave follows {followed} with it, and cannot from then on."),
        _ => format!("Stave reads {read} and follows {followed} with it, and cannot from then on."),
    }
}

#[cfg(test)]
mod tests;
