//! What mirrors warn of: advisories, and lists of versions that must not be installed.

use super::read::Line;
use crate::{App, Failure};
use jiff::SignedDuration;
use stave_domain::{
    Timestamp,
    advisory::{Advisory, Affected, Report, Severity, Source},
    composer::metadata::Keys,
    mirror::{Mirror, MirrorAdvisory, MirroredPackage},
    package::{Package, PackageName},
};
use stave_storage::Transaction;
use std::sync::PoisonError;

/// How often a mirror is asked for warnings, besides those in the files of its packages.
const ASK_EVERY: SignedDuration = SignedDuration::from_hours(1);
/// Packages that are asked about at a time.
const CHUNK: u64 = 500;

impl App {
    /// Asks for what is not in the files of the packages, from time to time.
    pub(super) async fn warnings_update(&self, line: &Line<'_>) -> Result<(), Failure> {
        let advises = line.root.advisories.as_ref().is_some_and(|source| source.api_url.is_some());
        let filters = line
            .root
            .filter
            .as_ref()
            .is_some_and(|source| source.api_url.is_some() || source.summary_url.is_some());
        if !(advises || filters) || !self.warnings_are_due(line.mirror, self.clock.now()) {
            return Ok(());
        }
        let mut after: Option<PackageName> = None;
        loop {
            let packages = self.storage.package_list_of_mirror(line.mirror.id, after.as_ref(), CHUNK).await?;
            let names: Vec<PackageName> =
                packages.iter().filter_map(|package| package.name.clone()).collect();
            let Some(last) = names.last().cloned() else { break };
            if advises {
                let mut told = line.client.advisories(line.root, &names).await?;
                for package in &packages {
                    let Some(name) = &package.name else { continue };
                    self.warnings_change(line.mirror, package, told.remove(name).unwrap_or_default()).await?;
                }
            }
            if filters {
                let mut told = line.client.filters(line.root, &names).await?;
                for package in &packages {
                    let Some(name) = &package.name else { continue };
                    self.filter_change(line, package, told.remove(name).unwrap_or_default()).await?;
                }
            }
            after = Some(last);
        }
        self.warned(line.mirror, self.clock.now());
        Ok(())
    }

    fn warnings_are_due(&self, mirror: &Mirror, now: Timestamp) -> bool {
        let warned_at = self.seeking.warned_at.lock().unwrap_or_else(PoisonError::into_inner);
        warned_at.get(&mirror.id).is_none_or(|at| now.duration_since(*at) >= ASK_EVERY)
    }

    fn warned(&self, mirror: &Mirror, now: Timestamp) {
        self.seeking.warned_at.lock().unwrap_or_else(PoisonError::into_inner).insert(mirror.id, now);
    }

    async fn warnings_change(
        &self,
        mirror: &Mirror,
        package: &Package,
        told: Vec<MirrorAdvisory>,
    ) -> Result<(), Failure> {
        let txn = self.storage.begin().await?;
        if txn.package_find(package.id).await?.is_none() {
            return Ok(());
        }
        if self.warnings_store(&txn, mirror, package, told).await? {
            self.documents_publish(&txn, package.id).await?;
        }
        Ok(txn.commit().await?)
    }

    /// Stores what a mirror warns of; whether that is news.
    pub(super) async fn warnings_store(
        &self,
        txn: &Transaction,
        mirror: &Mirror,
        package: &Package,
        told: Vec<MirrorAdvisory>,
    ) -> Result<bool, Failure> {
        let Some(name) = &package.name else { return Ok(false) };
        let advisories = told.into_iter().filter_map(|it| advisory(name, it)).collect();
        self.advisory_replace_of_mirror(txn, (mirror.organization_id, mirror.id), name, advisories).await
    }

    async fn filter_change(&self, line: &Line<'_>, package: &Package, mut told: Keys) -> Result<(), Failure> {
        let txn = self.storage.begin().await?;
        let Some(before) = txn.mirrored_package_find(package.id).await? else { return Ok(()) };
        told.retain(|list, _| line.root.filter.as_ref().is_some_and(|source| source.lists.contains(list)));
        if before.filter == told {
            return Ok(());
        }
        txn.mirrored_package_put(&MirroredPackage { filter: told, ..before }).await?;
        self.documents_publish(&txn, package.id).await?;
        Ok(txn.commit().await?)
    }
}

/// A warning of a mirror in the words of this house.
fn advisory(package: &PackageName, told: MirrorAdvisory) -> Option<Advisory> {
    let affected = Affected::lenient(&told.affected).ok()?;
    let sources =
        told.sources.into_iter().map(|(name, remote_id)| Source { name, remote_id }).collect::<Vec<_>>();
    let severity = told.severity.as_deref().and_then(Severity::of_key);
    let report = match (told.title, told.reported_at) {
        (Some(title), Some(reported_at)) if !sources.is_empty() => {
            Some(Report { title, cve: told.cve, link: told.link, severity, sources, reported_at })
        }
        _ => None,
    };
    Some(Advisory { id: told.id, package: package.clone(), affected, report })
}
