//! The organization's SSH key, with which repositories with an ssh address are read.

use crate::{Actor, App, Failure, entropy};
use stave_domain::{Secret, id::OrganizationId};
use stave_git::ssh_key;

impl App {
    /// The line to add to a repository's access keys, for the organization's owners and admins; made when first asked for.
    pub async fn organization_key_show(&self, actor: &Actor, short_name: &str) -> Result<String, Failure> {
        let organization = self.organization_managed(actor, short_name).await?;
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
