//! Packages, as members see them and owners manage them.

use crate::{Actor, App, Failure, Problems, RepositoryView, reader::Sight};
use stave_domain::{
    access::Named,
    advisory::Advisory,
    id::{OrganizationId, PackageId, RepositoryId, VersionId},
    install::Installs,
    job::Job,
    mirror::{Mirror, MirroredPackage},
    organization::{Organization, Role},
    package::{Facet, FacetKind, Origin, OriginKind, Package, PackageName},
    repository::Repository,
    security::Withheld,
    version::{Dist, Version, compare},
};
use std::collections::{BTreeSet, HashMap};

/// Packages on one page of the list.
const PAGE: usize = 50;
/// Packages that are read at a time to find those of a page.
const READ_AT_A_TIME: usize = 500;

/// A package's page.
#[derive(Debug)]
pub struct PackageView {
    /// Whose.
    pub organization: Organization,
    /// What the actor may do there.
    pub role: Role,
    /// Which.
    pub package: Package,
    /// Where its code is and how the reading of it stands, if it is from a repository.
    pub repository: Option<RepositoryView>,
    /// Its versions, newest first, also those that are withheld.
    pub versions: Vec<Version>,
    /// Which of them are not served, and why.
    pub withheld: HashMap<VersionId, Withheld>,
    /// The dists that were made, by commit.
    pub dists: HashMap<String, Dist>,
    /// What is known against it.
    pub advisories: Vec<Advisory>,
    /// How often it was installed.
    pub installs: Installs,
    /// Who of those that the actor sees require it.
    pub dependents: Dependents,
    /// The packages here that it requires and the actor sees, by name.
    pub required: HashMap<String, PackageId>,
    /// Its README, in Markdown.
    pub readme: Option<String>,
    /// The mirror that brought it, and how it was last read there.
    pub mirror: Option<(Mirror, Option<MirroredPackage>)>,
}

/// The packages of an organization that require another one.
#[derive(Debug, Clone, Default)]
pub struct Dependents {
    /// To work.
    pub requires: Vec<Named>,
    /// For their own development only.
    pub requires_dev: Vec<Named>,
}

/// Which packages a list shows.
#[derive(Debug, Clone, Default)]
pub struct PackageFilter {
    /// Words that all have to be in the name, the description, the folder or the source.
    pub search: String,
    /// Where they come from; `None` is anywhere.
    pub origin: Option<OriginKind>,
    /// Only those that are abandoned.
    pub is_abandoned: bool,
    /// Counts from 0.
    pub page: usize,
}

impl App {
    /// A page of the packages that the actor sees and that fit a filter, with their repositories. The last value says whether
    /// more follow.
    pub async fn package_list(
        &self,
        actor: &Actor,
        short_name: &str,
        filter: &PackageFilter,
    ) -> Result<(Organization, Role, Vec<(Package, Option<Repository>)>, bool), Failure> {
        let (organization, role) = self.organization_seen(actor, short_name).await?;
        let sight = self.sight_on_pages(actor, &organization, role).await?;
        let search = filter.search.trim();
        let fits = |package: &Package| {
            filter.origin.is_none_or(|kind| package.origin.kind() == kind)
                && (!filter.is_abandoned || package.replacement().is_some())
        };
        let mut before = filter.page.saturating_mul(PAGE);
        let mut list = Vec::new();
        // Few at a time: the first pages of a hundred thousand packages are those that people look at.
        for first in (0..).step_by(READ_AT_A_TIME) {
            let read =
                self.storage.package_list(organization.id, search, first, READ_AT_A_TIME as u64).await?;
            let is_last = read.len() < READ_AT_A_TIME;
            for found in read.into_iter().filter(|(package, _)| fits(package) && sight.sees(package)) {
                if before > 0 {
                    before -= 1;
                } else {
                    list.push(found);
                }
            }
            if is_last || list.len() > PAGE {
                break;
            }
        }
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
        let repository = match package.repository_id() {
            Some(id) => {
                let repository = self.repository_of(organization.id, id).await?;
                Some(self.repository_view(organization.clone(), role, repository).await?)
            }
            None => None,
        };
        let mirror = match package.origin {
            Origin::Mirror(mirror) => match self.storage.mirror_find(mirror).await? {
                Some(mirror) => Some((mirror, self.storage.mirrored_package_find(id).await?)),
                None => None,
            },
            _ => None,
        };
        let advisories = match &package.name {
            Some(name) => self.advisories_of(organization.id, name).await?,
            None => Vec::new(),
        };
        let sight = self.sight_on_pages(actor, &organization, role).await?;
        let dists = self.storage.dist_list(id).await?;
        Ok(PackageView {
            withheld: self.versions_withheld(&package).await?,
            dists: dists.into_iter().map(|dist| (dist.commit.clone(), dist)).collect(),
            installs: self.installs_of(id).await?,
            dependents: self.dependents_of(&package, &sight).await?,
            required: self.required_by(&organization, &versions, &sight).await?,
            readme: self.storage.readme_find(id).await?,
            mirror,
            advisories,
            organization,
            role,
            package,
            repository,
            versions,
        })
    }

    /// Who requires a package, of those that somebody sees.
    async fn dependents_of(&self, package: &Package, sight: &Sight) -> Result<Dependents, Failure> {
        let Some(name) = &package.name else { return Ok(Dependents::default()) };
        let of_kind = async |kind| {
            let facet = Facet { kind, text: name.to_string() };
            let mut found = self.storage.package_search(package.organization_id, &[], &[facet]).await?;
            found.retain(|it| sight.reads(it.package_id, &it.name, it.is_mirrored));
            Ok::<_, Failure>(found)
        };
        Ok(Dependents {
            requires: of_kind(FacetKind::Requires).await?,
            requires_dev: of_kind(FacetKind::RequiresDev).await?,
        })
    }

    /// The packages here that versions name, of those that somebody sees.
    async fn required_by(
        &self,
        organization: &Organization,
        versions: &[Version],
        sight: &Sight,
    ) -> Result<HashMap<String, PackageId>, Failure> {
        let names = versions.iter().flat_map(Version::links).map(|link| link.name);
        let names: BTreeSet<PackageName> = names.filter_map(|name| name.parse().ok()).collect();
        let mut found = self.storage.package_list_named(organization.id, &names).await?;
        found.retain(|it| sight.reads(it.package_id, &it.name, it.is_mirrored));
        Ok(found.into_iter().map(|it| (it.name.to_string(), it.package_id)).collect())
    }

    /// Calls a package abandoned, with what replaces it, whatever its composer.json says; `None` takes that back.
    pub async fn package_give_up(
        &self,
        actor: &Actor,
        short_name: &str,
        id: PackageId,
        replacement: Option<&str>,
    ) -> Result<(), Failure> {
        let organization = self.organization_managed(actor, short_name).await?;
        let given_up = match replacement.map(str::trim) {
            Some("") | None => replacement.map(|_| String::new()),
            Some(name) => {
                let mut problems = Problems::default();
                let name = problems.parse::<PackageName>("replacement", name);
                Some(name.ok_or_else(|| problems.into_failure())?.to_string())
            }
        };
        let txn = self.storage.begin().await?;
        let package = txn.package_lock(id).await?.filter(|it| it.organization_id == organization.id);
        let package = package.ok_or(Failure::NotFound("package"))?;
        let title = package.title(None);
        txn.package_update(&Package { given_up: given_up.clone(), ..package }).await?;
        self.documents_publish(&txn, id).await?;
        txn.commit().await?;
        let action = match given_up.as_deref() {
            None => format!("no longer calls the package {title} abandoned"),
            Some("") => format!("called the package {title} abandoned"),
            Some(name) => format!("called the package {title} abandoned, replaced by {name}"),
        };
        self.log_by(actor, Some(organization.id), action).await
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

    /// Has what a package comes from read as soon as possible.
    pub async fn package_update(
        &self,
        actor: &Actor,
        short_name: &str,
        id: PackageId,
    ) -> Result<(), Failure> {
        let (organization, _, package) = self.package_seen(actor, short_name, id).await?;
        let job = match package.origin {
            Origin::Folder { repository_id, .. } => Job::UpdateRepository { repository: repository_id },
            Origin::Mirror(_) => Job::UpdateMirrored { package: id },
            Origin::Custom | Origin::Artifact => return Ok(()),
        };
        self.job_enqueue(job, Some(organization.id)).await
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
        let title = package.title(self.source_of(&package).await?.as_ref());
        match package.repository_id() {
            Some(repository) => self.folder_delete(&package, repository).await?,
            None => self.storage.package_delete(id).await?,
        }
        self.log_by(actor, Some(organization.id), format!("deleted the package {title}")).await
    }

    /// Deletes a package of a repository, and the repository if nothing else is in it.
    async fn folder_delete(&self, package: &Package, repository: RepositoryId) -> Result<(), Failure> {
        let txn = self.storage.begin().await?;
        let Some(repository) = txn.repository_lock(repository).await? else { return Ok(()) };
        let is_alone = txn.package_list_of_repository(repository.id).await?.len() == 1;
        if is_alone {
            self.repository_leave(&txn, &repository).await?;
        } else {
            // The next run would find it again.
            let layout = repository.layout.without(package.path());
            txn.repository_update(&Repository { layout, ..repository.clone() }).await?;
            txn.package_delete(package.id).await?;
        }
        txn.commit().await?;
        if is_alone {
            self.mirror_remove(repository.id);
        }
        Ok(())
    }

    /// The repository that a package is read from, if it is from one.
    pub(crate) async fn source_of(&self, package: &Package) -> Result<Option<Repository>, Failure> {
        match package.repository_id() {
            Some(id) => Ok(self.storage.repository_find(id).await?),
            None => Ok(None),
        }
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
        if !self.sight_on_pages(actor, &organization, role).await?.sees(&package) {
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
