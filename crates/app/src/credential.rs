//! Stored credentials and the organization's SSH key: how Stave reads repositories that no connected account can.

use crate::{Actor, App, Failure, Problems, entropy};
use stave_domain::{
    Secret,
    credential::{StoredCredential, host_parse},
    id::{CredentialId, OrganizationId},
    organization::Organization,
    package::Package,
};
use stave_git::ssh_key;

/// What is typed into the form of a credential.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub struct CredentialForm {
    /// What it is for.
    pub description: String,
    /// The only host it is sent to.
    pub host: String,
    /// The user name; empty is `x-token-auth`, as Bitbucket's access tokens want it.
    pub username: String,
    /// Password or token; empty while editing keeps the one that is stored.
    pub secret: Secret,
}

/// What Bitbucket expects as user name beside an access token.
const TOKEN_USERNAME: &str = "x-token-auth";

impl App {
    /// An organization's stored credentials, for its owners.
    pub async fn credential_list(
        &self,
        actor: &Actor,
        short_name: &str,
    ) -> Result<(Organization, Vec<StoredCredential>), Failure> {
        let organization = self.organization_owned(actor, short_name).await?;
        let credentials = self.storage.credential_list(organization.id).await?;
        Ok((organization, credentials))
    }

    /// Stores a credential.
    pub async fn credential_create(
        &self,
        actor: &Actor,
        short_name: &str,
        form: &CredentialForm,
    ) -> Result<(), Failure> {
        let organization = self.organization_owned(actor, short_name).await?;
        let mut problems = Problems::default();
        if form.secret.is_empty() {
            problems.add("secret", "Paste the password or token.");
        }
        let (description, host, username) = read(form, problems)?;
        let id = entropy::id();
        let credential = StoredCredential {
            id,
            organization_id: organization.id,
            description,
            host,
            username,
            secret: self.keys.seal("credential", id, &form.secret),
            created_at: self.clock.now(),
        };
        self.storage.credential_insert(&credential).await?;
        self.log_by(
            actor,
            Some(organization.id),
            format!("stored the credential “{}”", credential.description),
        )
        .await
    }

    /// One credential and the packages that are read with it.
    pub async fn credential_show(
        &self,
        actor: &Actor,
        short_name: &str,
        id: CredentialId,
    ) -> Result<(Organization, StoredCredential, Vec<Package>), Failure> {
        let organization = self.organization_owned(actor, short_name).await?;
        let credential =
            self.storage.credential_find(id).await?.filter(|it| it.organization_id == organization.id);
        let credential = credential.ok_or(Failure::NotFound("credential"))?;
        let packages = self.storage.credential_package_list(id).await?;
        Ok((organization, credential, packages))
    }

    /// Changes a credential; packages that use it go on with the new one.
    pub async fn credential_update(
        &self,
        actor: &Actor,
        short_name: &str,
        id: CredentialId,
        form: &CredentialForm,
    ) -> Result<(), Failure> {
        let (organization, mut credential, _) = self.credential_show(actor, short_name, id).await?;
        let (description, host, username) = read(form, Problems::default())?;
        if form.secret.is_empty() && host != credential.host {
            return Err(Failure::invalid(
                "secret",
                "The host is another one now, so the secret has to be typed again.",
            ));
        }
        if !form.secret.is_empty() {
            credential.secret = self.keys.seal("credential", id, &form.secret);
        }
        let credential = StoredCredential { description, host, username, ..credential };
        self.storage.credential_update(&credential).await?;
        self.log_by(
            actor,
            Some(organization.id),
            format!("changed the credential “{}”", credential.description),
        )
        .await
    }

    /// Deletes a credential that no package uses.
    pub async fn credential_delete(
        &self,
        actor: &Actor,
        short_name: &str,
        id: CredentialId,
    ) -> Result<(), Failure> {
        let (organization, credential, packages) = self.credential_show(actor, short_name, id).await?;
        if !packages.is_empty() {
            return Err(Failure::Conflict(format!(
                "{} packages are read with this credential. Give them another one first.",
                packages.len()
            )));
        }
        self.storage.credential_delete(id).await?;
        self.log_by(
            actor,
            Some(organization.id),
            format!("deleted the credential “{}”", credential.description),
        )
        .await
    }

    /// The line to add to a repository's access keys, for the organization's owners; made when first asked for.
    pub async fn organization_key_show(&self, actor: &Actor, short_name: &str) -> Result<String, Failure> {
        let organization = self.organization_owned(actor, short_name).await?;
        if let Some((public, _)) = self.storage.organization_key_find(organization.id).await? {
            return Ok(public);
        }
        let pair = ssh_key::from_seed(&entropy::bytes(), &format!("stave-{}", organization.short_name));
        let sealed = self.keys.seal("ssh key", organization.id, &pair.private);
        // Two pages opened at once both make a key; the first one stays.
        let _ = self.storage.organization_key_insert(organization.id, &pair.public, &sealed).await;
        let stored = self.storage.organization_key_find(organization.id).await?;
        stored.map(|(public, _)| public).ok_or(Failure::NotFound("SSH key"))
    }

    pub(crate) async fn organization_key(&self, id: OrganizationId) -> Result<Secret, Failure> {
        let (_, sealed) = self.storage.organization_key_find(id).await?.ok_or_else(|| {
            Failure::Denied(
                "The organization has no SSH key yet. Open Settings > Credentials: it is made there.".into(),
            )
        })?;
        self.keys.open("ssh key", id, &sealed).map_err(Failure::internal)
    }
}

fn read(form: &CredentialForm, mut problems: Problems) -> Result<(String, String, String), Failure> {
    let description = problems.text("description", "Description", &form.description, 100);
    let host = problems.check("host", host_parse(&form.host));
    let username = match form.username.trim() {
        "" => Some(TOKEN_USERNAME.to_owned()),
        typed => problems.text("username", "Username", typed, 200),
    };
    if username.as_ref().is_some_and(|username| username.contains(':')) {
        problems.add("username", "A user name has no colon in it.");
    }
    match (description, host, username) {
        (Some(description), Some(host), Some(username)) if problems.is_empty() => {
            Ok((description, host, username))
        }
        _ => Err(problems.into_failure()),
    }
}
