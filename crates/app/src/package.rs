//! Packages, as members see them and owners manage them.

use crate::{Actor, App, Failure, RepositoryView, reader::Sight};
use stave_domain::{
    id::{OrganizationId, PackageId},
    job::Job,
    organization::{Organization, Role},
    package::{Package, PackageName},
    repository::Repository,
    version::{Version, compare},
};

/// Packages on one page of the list.
const PAGE: usize = 50;

/// A package's page.
#[derive(Debug)]
pub struct PackageView {
    /// Which.
    pub package: Package,
    /// Where its code is, and how the reading of it stands.
    pub repository: RepositoryView,
    /// What is published, newest first.
    pub versions: Vec<Version>,
}

impl App {
    /// Packages that the actor sees and whose name contains a text, with their repositories; pages count from 0. The last value
    /// says whether more follow.
    pub async fn package_list(
        &self,
        actor: &Actor,
        short_name: &str,
        search: &str,
        page: usize,
    ) -> Result<(Organization, Role, Vec<(Package, Repository)>, bool), Failure> {
        let (organization, role) = self.organization_seen(actor, short_name).await?;
        let sight = self.sight_on_pages(actor, &organization, role).await?;
        let all = self.storage.package_list(organization.id, search.trim(), 0, u64::from(u32::MAX)).await?;
        let seen = all.into_iter().filter(|(package, _)| sight.has_id(package.id));
        let mut list: Vec<_> = seen.skip(page.saturating_mul(PAGE)).take(PAGE + 1).collect();
        let more = list.len() > PAGE;
        list.truncate(PAGE);
        Ok((organization, role, list, more))
    }

    /// A package's page, for the members of its organization.
    pub async fn package_show(
        &self,
        actor: &Actor,
        short_name: &str,
        id: PackageId,
    ) -> Result<PackageView, Failure> {
        let (organization, role, package) = self.package_seen(actor, short_name, id).await?;
        let mut versions = self.storage.version_list(id).await?;
        versions.retain(|version| version.removed_at.is_none());
        versions.sort_by(|a, b| {
            b.is_default_branch.cmp(&a.is_default_branch).then_with(|| compare(&b.normalized, &a.normalized))
        });
        let repository = self.repository_of(organization.id, package.repository_id).await?;
        let repository = self.repository_view(organization, role, repository).await?;
        Ok(PackageView { package, repository, versions })
    }

    /// The package that has a name, for links that people type.
    pub async fn package_named(
        &self,
        actor: &Actor,
        short_name: &str,
        name: &str,
    ) -> Result<PackageId, Failure> {
        let (organization, _) = self.organization_seen(actor, short_name).await?;
        let name: PackageName = name.parse().map_err(|_| Failure::NotFound("package"))?;
        let package = self.storage.package_find_by_name(organization.id, &name).await?;
        let id = package.ok_or(Failure::NotFound("package"))?.id;
        Ok(self.package_seen(actor, short_name, id).await?.2.id)
    }

    /// Has a package's repository read as soon as possible.
    pub async fn package_update(
        &self,
        actor: &Actor,
        short_name: &str,
        id: PackageId,
    ) -> Result<(), Failure> {
        let (organization, _, package) = self.package_seen(actor, short_name, id).await?;
        self.job_enqueue(Job::UpdateRepository { repository: package.repository_id }, Some(organization.id))
            .await
    }

    /// Deletes a package with its versions and published documents, and its repository if nothing else is in it.
    pub async fn package_delete(
        &self,
        actor: &Actor,
        short_name: &str,
        id: PackageId,
    ) -> Result<(), Failure> {
        let organization = self.organization_managed(actor, short_name).await?;
        let package = self.package_of(organization.id, id).await?;
        let txn = self.storage.begin().await?;
        let Some(repository) = txn.repository_lock(package.repository_id).await? else { return Ok(()) };
        let is_alone = txn.package_list_of_repository(repository.id).await?.len() == 1;
        if is_alone {
            self.repository_leave(&txn, &repository).await?;
        } else {
            // The next run would find it again.
            let layout = repository.layout.without(&package.path);
            txn.repository_update(&Repository { layout, ..repository.clone() }).await?;
            txn.package_delete(id).await?;
        }
        txn.commit().await?;
        if is_alone {
            self.mirror_remove(repository.id);
        }
        let action = format!("deleted the package {}", package.title(&repository.source));
        self.log_by(actor, Some(organization.id), action).await
    }

    /// A package that the actor sees; one that they may not read does not exist for them.
    async fn package_seen(
        &self,
        actor: &Actor,
        short_name: &str,
        id: PackageId,
    ) -> Result<(Organization, Role, Package), Failure> {
        let (organization, role) = self.organization_seen(actor, short_name).await?;
        let package = self.package_of(organization.id, id).await?;
        if !self.sight_on_pages(actor, &organization, role).await?.has_id(id) {
            return Err(Failure::NotFound("package"));
        }
        Ok((organization, role, package))
    }

    /// The packages that somebody sees on pages: owners and admins manage all, also those that they may not read.
    pub(crate) async fn sight_on_pages(
        &self,
        actor: &Actor,
        organization: &Organization,
        role: Role,
    ) -> Result<Sight, Failure> {
        if role >= Role::Admin {
            return Ok(Sight::All);
        }
        self.sight_of_user(organization, actor.user()?.id).await
    }

    pub(crate) async fn package_of(
        &self,
        organization: OrganizationId,
        id: PackageId,
    ) -> Result<Package, Failure> {
        let package =
            self.storage.package_find(id).await?.filter(|package| package.organization_id == organization);
        package.ok_or(Failure::NotFound("package"))
    }
}
