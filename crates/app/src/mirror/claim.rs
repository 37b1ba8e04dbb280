//! Names: what is the organization's own comes before what mirrors have.

use crate::{App, Failure};
use stave_domain::{
    id::OrganizationId,
    package::{Package, PackageName},
};
use stave_storage::Transaction;

impl App {
    /// The organization's own package that has a name, before another one of its own takes it. One of a mirror makes room: it is
    /// no longer asked for by name, and lock files that have it still find its zips, by commit.
    pub(crate) async fn name_claim(
        &self,
        txn: &Transaction,
        organization: OrganizationId,
        name: &PackageName,
    ) -> Result<Option<Package>, Failure> {
        let Some(holder) = txn.package_find_by_name(organization, name).await? else { return Ok(None) };
        if !holder.is_mirrored() {
            return Ok(Some(holder));
        }
        let Some(package) = txn.package_lock(holder.id).await? else { return Ok(None) };
        let problem = format!(
            "The organization has a package {name} of its own now, which comes before that of the mirror. What is here serves lock \
             files from before."
        );
        txn.document_delete_of(package.id).await?;
        txn.package_update(&Package { name: None, problem: Some(problem), ..package }).await?;
        Ok(None)
    }

    /// Whether mirrors are never told that somebody asked for a name.
    pub(super) async fn is_never_asked(
        &self,
        organization: OrganizationId,
        name: &PackageName,
    ) -> Result<bool, Failure> {
        Ok(self.security_of(organization).await?.private_names.fit(name))
    }
}
