//! What decides about the versions of a package, read in one go, and what follows from it.

use super::security_in;
use crate::{App, Failure, advisory::advisories_about};
use stave_domain::{
    Timestamp,
    id::{PackageId, VersionId},
    mirror::Mirror,
    package::{Origin, Package, PackageName},
    security::{Guard, KnownAgainst, SecuritySettings, Withheld},
    version::Version,
};
use stave_storage::{Storage, Transaction};
use std::collections::{BTreeMap, HashMap};

/// What decides about the versions of a package.
pub(crate) struct Grounds {
    settings: SecuritySettings,
    mirror: Option<Mirror>,
    /// What is known against them; clients are told, too.
    pub(crate) known: KnownAgainst,
}

impl Grounds {
    /// Of a package that has a name.
    pub(crate) async fn of(
        storage: &Storage,
        package: &Package,
        name: &PackageName,
    ) -> Result<Self, Failure> {
        let settings = security_in(storage, package.organization_id).await?;
        let advisories = advisories_about(storage, package.organization_id, name).await?;
        let mut grounds =
            Self { settings, mirror: None, known: KnownAgainst { advisories, ..KnownAgainst::default() } };
        if let Origin::Mirror(mirror) = package.origin {
            grounds.mirror = storage.mirror_find(mirror).await?;
            let mirrored = storage.mirrored_package_find(package.id).await?;
            grounds.known.filter = mirrored.map(|mirrored| mirrored.filter).unwrap_or_default();
        }
        Ok(grounds)
    }

    /// What is said of the package that they are of.
    pub(crate) fn guard<'a>(&'a self, name: &'a PackageName) -> Guard<'a> {
        Guard::new(&self.settings, name, self.mirror.as_ref(), &self.known)
    }
}

/// The versions that are there and not withheld, and when the next of the others is old enough.
pub(crate) fn shown(
    guard: &Guard<'_>,
    versions: Vec<Version>,
    now: Timestamp,
) -> (Vec<Version>, Option<Timestamp>) {
    let (mut shown, mut next_at): (_, Option<Timestamp>) = (Vec::new(), None);
    for version in versions.into_iter().filter(|version| version.removed_at.is_none()) {
        match guard.withholds(&version, now) {
            None => shown.push(version),
            Some(Withheld { until, .. }) => next_at = next_at.into_iter().chain(until).min(),
        }
    }
    (shown, next_at)
}

impl App {
    /// The versions of a package that are there and yet not in its metadata, and why.
    pub async fn versions_withheld(
        &self,
        package: &Package,
    ) -> Result<HashMap<VersionId, Withheld>, Failure> {
        let Some(name) = &package.name else { return Ok(HashMap::new()) };
        let grounds = Grounds::of(&self.storage, package, name).await?;
        let (guard, now) = (grounds.guard(name), self.clock.now());
        let versions = self.storage.version_list(package.id).await?.into_iter();
        let there = versions.filter(|version| version.removed_at.is_none());
        Ok(there.filter_map(|version| Some((version.id, guard.withholds(&version, now)?))).collect())
    }

    /// Stores which dists of a package are not sent: those of every commit that was ever published under a version that is refused.
    /// The same bytes are no better under another name.
    pub(crate) async fn refusals_publish(
        &self,
        txn: &Transaction,
        package: PackageId,
        (guard, versions): (&Guard<'_>, &[Version]),
    ) -> Result<(), Failure> {
        let mut refusals = BTreeMap::new();
        if guard.may_refuse() {
            let by_normalized: HashMap<&str, &Version> =
                versions.iter().map(|version| (version.normalized.as_str(), version)).collect();
            for publication in txn.publication_list(package).await? {
                let version = by_normalized.get(publication.normalized.as_str());
                if let Some(because) = version.and_then(|version| guard.refuses(version)) {
                    refusals.entry(publication.commit).or_insert(because);
                }
            }
        }
        Ok(txn.refusal_replace(package, &refusals).await?)
    }

    /// Fails with the reason if the dist of a commit is not sent.
    pub(crate) async fn dist_refused(&self, package: PackageId, commit: &str) -> Result<(), Failure> {
        match self.storage.refusal_find(package, commit).await? {
            Some(because) => Err(Failure::Gone(because)),
            None => Ok(()),
        }
    }
}
