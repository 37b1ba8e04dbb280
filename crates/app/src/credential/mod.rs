//! Stored credentials and the organization's SSH key: with what Stave reads repositories and follows workspaces for which
//! nobody lends their own account.

mod form;
mod ssh_key;
mod trial;

pub use form::CredentialForm;
pub use trial::CredentialTrial;

use crate::{Actor, App, Failure, Problems, entropy, mirror::fits_mirrors};
use form::Typed;
use stave_domain::{
    credential::{CredentialKind, StoredCredential, WARN_BEFORE},
    id::CredentialId,
    job::Job,
    mirror::Mirror,
    organization::{Organization, Role},
    package::Package,
    repository::Repository,
    secret::Sealed,
    synchronization::Synchronization,
};

/// What came of a form that was sent.
#[derive(Debug)]
pub enum CredentialSaved {
    /// It is stored, and this came of trying it.
    Saved(CredentialId),
    /// Nothing is stored, because something does not look right. It can be stored all the same.
    Doubtful {
        /// What, beside the field.
        problems: Problems,
        /// The kind that the secret shows, if another one was chosen.
        kind: Option<CredentialKind>,
    },
}

/// A credential in the list.
#[derive(Debug)]
pub struct CredentialLine {
    /// It.
    pub credential: StoredCredential,
    /// How many repositories are read with it.
    pub repositories: usize,
    /// How many synchronizations ask with it.
    pub synchronizations: usize,
    /// How many mirrors are asked with it.
    pub mirrors: usize,
}

/// A credential and what hangs on it.
#[derive(Debug)]
pub struct CredentialView {
    /// Whose.
    pub organization: Organization,
    /// It.
    pub credential: StoredCredential,
    /// What is read with it, by name.
    pub packages: Vec<(Package, Option<Repository>)>,
    /// What asks with it.
    pub synchronizations: Vec<Synchronization>,
    /// Mirrors that are asked with it.
    pub mirrors: Vec<Mirror>,
    /// Those that can take its place.
    pub replacements: Vec<StoredCredential>,
}

impl CredentialView {
    /// Whether anything would stop if it were gone.
    #[must_use]
    pub fn is_used(&self) -> bool {
        !self.packages.is_empty() || !self.synchronizations.is_empty() || !self.mirrors.is_empty()
    }
}

impl App {
    /// An organization's stored credentials, for its owners and admins.
    pub async fn credential_list(
        &self,
        actor: &Actor,
        short_name: &str,
    ) -> Result<(Organization, Vec<CredentialLine>), Failure> {
        let organization = self.organization_managed(actor, short_name).await?;
        let mut lines = Vec::new();
        for credential in self.storage.credential_list(organization.id).await? {
            lines.push(CredentialLine {
                repositories: self.storage.credential_repository_list(credential.id).await?.len(),
                synchronizations: self.storage.synchronization_list_of_credential(credential.id).await?.len(),
                mirrors: self.storage.mirror_list_of_credential(credential.id).await?.len(),
                credential,
            });
        }
        Ok((organization, lines))
    }

    /// The organization for which a new credential is entered.
    pub async fn credential_owner(&self, actor: &Actor, short_name: &str) -> Result<Organization, Failure> {
        self.organization_managed(actor, short_name).await
    }

    /// One credential and what hangs on it.
    pub async fn credential_show(
        &self,
        actor: &Actor,
        short_name: &str,
        id: CredentialId,
    ) -> Result<CredentialView, Failure> {
        let organization = self.organization_managed(actor, short_name).await?;
        let (found, others): (Vec<_>, Vec<_>) = self
            .storage
            .credential_list(organization.id)
            .await?
            .into_iter()
            .partition(|credential| credential.id == id);
        let credential = found.into_iter().next().ok_or(Failure::NotFound("credential"))?;
        let packages = self.storage.package_list_of_credential(id).await?;
        let synchronizations = self.storage.synchronization_list_of_credential(id).await?;
        let mirrors = self.storage.mirror_list_of_credential(id).await?;
        let platform = credential.kind.platform();
        let can_replace = |other: &StoredCredential| {
            other.host == credential.host
                && (synchronizations.is_empty() || other.kind.platform() == platform)
                && (mirrors.is_empty() || fits_mirrors(other.kind))
        };
        let replacements = others.into_iter().filter(can_replace).collect();
        Ok(CredentialView { organization, credential, packages, synchronizations, mirrors, replacements })
    }

    /// The credentials of an organization that die soon or are dead, for a banner: shown to owners and admins only.
    pub async fn credential_warnings(
        &self,
        organization: &Organization,
        role: Role,
    ) -> Result<Vec<StoredCredential>, Failure> {
        if role < Role::Admin {
            return Ok(Vec::new());
        }
        let soon = self.clock.now() + WARN_BEFORE;
        Ok(self.storage.credential_list_dying(organization.id, soon).await?)
    }

    /// Stores a credential, if it works.
    pub async fn credential_create(
        &self,
        actor: &Actor,
        short_name: &str,
        form: &CredentialForm,
    ) -> Result<CredentialSaved, Failure> {
        let organization = self.organization_managed(actor, short_name).await?;
        let typed = self.credential_typed(&organization, None, form)?;
        let blank = StoredCredential {
            id: entropy::id(),
            organization_id: organization.id,
            description: String::new(),
            host: String::new(),
            kind: typed.kind,
            username: String::new(),
            secret: Sealed(Vec::new()),
            created_at: self.clock.now(),
            expires_at: None,
            checked_at: None,
            last_error: None,
            warned_at: None,
            seen: None,
        };
        let credential = match self.credential_tried(blank, typed, form.is_insisted()).await? {
            Ok(credential) => credential,
            Err(doubtful) => return Ok(doubtful),
        };
        self.storage.credential_insert(&credential).await?;
        let action = format!("stored the credential “{}”", credential.description);
        self.log_by(actor, Some(organization.id), action).await?;
        Ok(CredentialSaved::Saved(credential.id))
    }

    /// Changes a credential, if it works then. What is used goes on with the old secret until there is a right one; what failed
    /// for the old one is done again.
    pub async fn credential_update(
        &self,
        actor: &Actor,
        short_name: &str,
        id: CredentialId,
        form: &CredentialForm,
    ) -> Result<CredentialSaved, Failure> {
        let CredentialView { organization, credential: before, .. } =
            self.credential_show(actor, short_name, id).await?;
        let typed = self.credential_typed(&organization, Some(&before), form)?;
        let is_rotated = typed.secret.is_some();
        let credential = match self.credential_tried(before.clone(), typed, form.is_insisted()).await? {
            Ok(credential) => credential,
            Err(doubtful) => return Ok(doubtful),
        };
        self.storage.credential_update(&credential).await?;
        let what = if is_rotated { "entered a new secret for" } else { "changed" };
        let action = format!("{what} the credential “{}”", credential.description);
        self.log_by(actor, Some(organization.id), action).await?;
        if is_rotated {
            self.credential_users_run(id, |repository| repository.last_error.is_some()).await?;
        }
        Ok(CredentialSaved::Saved(id))
    }

    /// Deletes a credential. What uses it needs another one, `replacement`, with which it is done again.
    pub async fn credential_delete(
        &self,
        actor: &Actor,
        short_name: &str,
        id: CredentialId,
        replacement: &str,
    ) -> Result<(), Failure> {
        let view = self.credential_show(actor, short_name, id).await?;
        let description = &view.credential.description;
        let txn = self.storage.begin().await?;
        let (successor, action) = if view.is_used() {
            let chosen = view.replacements.iter().find(|other| other.id.to_string() == replacement);
            let chosen = chosen.ok_or_else(|| {
                Failure::invalid("replacement", "Choose the credential that takes its place.")
            })?;
            txn.credential_replace(id, chosen.id).await?;
            let action =
                format!("deleted the credential “{description}”, whose place “{}” takes", chosen.description);
            (Some(chosen.id), action)
        } else {
            (None, format!("deleted the credential “{description}”"))
        };
        txn.credential_delete(id).await?;
        txn.commit().await?;
        self.log_by(actor, Some(view.organization.id), action).await?;
        match successor {
            Some(successor) => self.credential_users_run(successor, |_| true).await,
            None => Ok(()),
        }
    }

    /// Has everything done that uses a credential: repositories that are `wanted`, and all synchronizations and mirrors.
    async fn credential_users_run(
        &self,
        id: CredentialId,
        wanted: impl Fn(&Repository) -> bool,
    ) -> Result<(), Failure> {
        for synchronization in self.storage.synchronization_list_of_credential(id).await? {
            let job = Job::Synchronize { synchronization: synchronization.id };
            self.job_enqueue(job, Some(synchronization.organization_id)).await?;
        }
        for mirror in self.storage.mirror_list_of_credential(id).await? {
            self.job_enqueue(Job::UpdateMirror { mirror: mirror.id }, Some(mirror.organization_id)).await?;
        }
        let repositories = self.storage.credential_repository_list(id).await?;
        for repository in repositories.iter().filter(|repository| wanted(repository)) {
            let job = Job::UpdateRepository { repository: repository.id };
            self.job_enqueue(job, Some(repository.organization_id)).await?;
        }
        Ok(())
    }

    /// The credential as it shall be, tried if there is anything new to try; or why it should not be.
    async fn credential_tried(
        &self,
        before: StoredCredential,
        typed: Typed,
        is_insisted: bool,
    ) -> Result<Result<StoredCredential, CredentialSaved>, Failure> {
        let doubt = doubt(&before, &typed).filter(|_| !is_insisted);
        if let Some((field, sentence, kind)) = doubt {
            let mut problems = Problems::default();
            problems.add(field, sentence);
            return Ok(Err(CredentialSaved::Doubtful { problems, kind }));
        }
        let speaks_anew = typed.secret.is_some()
            || (before.kind, before.username.as_str()) != (typed.kind, typed.username.as_str());
        let is_warned = before.expires_at == typed.expires_at && typed.secret.is_none();
        let mut credential = StoredCredential {
            description: typed.description,
            kind: typed.kind,
            host: typed.host,
            username: typed.username,
            expires_at: typed.expires_at,
            warned_at: before.warned_at.filter(|_| is_warned),
            ..before
        };
        if let Some(secret) = &typed.secret {
            credential.secret = self.keys.seal("credential", credential.id, secret);
        }
        if !speaks_anew {
            return Ok(Ok(credential));
        }
        // What was known is about something else.
        (credential.checked_at, credential.last_error, credential.seen) = (None, None, None);
        let trial = self.credential_try(&mut credential).await?;
        match trial.doubt().filter(|_| !is_insisted) {
            Some(sentence) => {
                let mut problems = Problems::default();
                problems.add("secret", sentence);
                Ok(Err(CredentialSaved::Doubtful { problems, kind: None }))
            }
            None => Ok(Ok(credential)),
        }
    }
}

/// A field that does not fit the secret, why, and the kind that fits better.
fn doubt(before: &StoredCredential, typed: &Typed) -> Option<(&'static str, String, Option<CredentialKind>)> {
    let secret = typed.secret.as_ref()?;
    let shown = CredentialKind::of_secret(secret).filter(|kind| *kind != typed.kind);
    if let Some(kind) = shown {
        let sentence = format!(
            "The secret begins as a {} does, so that is what is chosen now. Look at the fields again, then save.",
            kind.label()
        );
        return Some(("kind", sentence, Some(kind)));
    }
    let is_old_day = before.expires_at.is_some() && before.expires_at == typed.expires_at;
    is_old_day.then(|| {
        let sentence = "This is the day on which the secret before expires. Enter that of the new one.";
        ("expires_on", sentence.into(), None)
    })
}
