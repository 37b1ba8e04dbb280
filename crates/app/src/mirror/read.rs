//! Reading a package of a mirror, and publishing what it has.

use crate::{App, Failure, entropy};
use stave_domain::{
    Invalid,
    composer::metadata::Keys,
    mirror::{Mirror, MirrorPackage, MirrorRoot, MirroredPackage, authority},
    package::{Origin, Package, PackageName},
};
use stave_storage::{StorageError, Transaction};
use stave_upstream::{ComposerRepository, Fetched};
use std::sync::Arc;

/// How a fault of a zip begins; it stays on the page until the zip is here.
pub(super) const ZIP_FAULT: &str = "A zip could not be fetched.";

/// A mirror that is being asked.
pub(super) struct Line<'a> {
    pub(super) mirror: &'a Mirror,
    /// What it said of itself.
    pub(super) root: &'a MirrorRoot,
    pub(super) client: Arc<ComposerRepository>,
}

/// What a mirror has of a package.
pub(super) enum Look {
    /// What it had before.
    Same,
    /// Nothing.
    Missing,
    /// This.
    Found(Box<Found>),
}

/// A package as a mirror has it now.
pub(super) struct Found {
    package: MirrorPackage,
    last_modified: Option<String>,
    dev_last_modified: Option<String>,
}

/// What came of storing a package.
pub(super) enum Stored {
    /// It is here.
    Here,
    /// The organization has one of this name from elsewhere.
    Taken,
    /// Somebody deleted the mirror meanwhile.
    Nowhere,
}

impl Line<'_> {
    /// Asks for both halves of a package, and for neither again if it is as it was `seen`.
    pub(super) async fn look(
        &self,
        name: &PackageName,
        seen: Option<&MirroredPackage>,
    ) -> Result<Look, Failure> {
        let seen = [
            seen.and_then(|seen| seen.last_modified.as_deref()),
            seen.and_then(|seen| seen.dev_last_modified.as_deref()),
        ];
        let (releases, branches) =
            tokio::try_join!(self.half(name, false, seen[0]), self.half(name, true, seen[1]))?;
        let is_news = |half: &Fetched, seen: Option<&str>| match half {
            Fetched::Found { .. } => true,
            Fetched::Missing => seen.is_some(),
            Fetched::NotModified => false,
        };
        if !is_news(&releases, seen[0]) && !is_news(&branches, seen[1]) {
            let is_missing = matches!((&releases, &branches), (Fetched::Missing, Fetched::Missing));
            return Ok(if is_missing { Look::Missing } else { Look::Same });
        }
        // What is published follows from both halves.
        let (releases, branches) =
            tokio::try_join!(self.whole(name, false, releases), self.whole(name, true, branches))?;
        let (last_modified, dev_last_modified) = (validator(&releases), validator(&branches));
        let package = self.read(name.clone(), releases, branches).await?;
        Ok(package.map_or(Look::Missing, |package| {
            Look::Found(Box::new(Found { package, last_modified, dev_last_modified }))
        }))
    }

    async fn half(&self, name: &PackageName, is_dev: bool, seen: Option<&str>) -> Result<Fetched, Failure> {
        Ok(self.client.package(self.root, name, is_dev, seen).await?)
    }

    async fn whole(&self, name: &PackageName, is_dev: bool, half: Fetched) -> Result<Fetched, Failure> {
        match half {
            Fetched::NotModified => self.half(name, is_dev, None).await,
            other => Ok(other),
        }
    }

    /// Large ones take a while to understand, during which others are served.
    async fn read(
        &self,
        name: PackageName,
        releases: Fetched,
        branches: Fetched,
    ) -> Result<Option<MirrorPackage>, Failure> {
        let host = authority(&self.mirror.url);
        let work = move || {
            let half = |half: &Fetched| match half {
                Fetched::Found { body, .. } => MirrorPackage::read(&name, body),
                Fetched::Missing | Fetched::NotModified => Ok(None),
            };
            Ok(match (half(&releases)?, half(&branches)?) {
                (Some(releases), Some(branches)) => Some(releases.and(branches)),
                (releases, branches) => releases.or(branches),
            })
        };
        let read = tokio::task::spawn_blocking(work).await.map_err(Failure::internal)?;
        read.map_err(|invalid: Invalid| Failure::Elsewhere {
            sentence: format!("What {host} answered cannot be used. {invalid}"),
            is_transient: false,
            source: invalid.into(),
        })
    }
}

fn validator(half: &Fetched) -> Option<String> {
    match half {
        Fetched::Found { last_modified, .. } => Some(last_modified.clone()),
        Fetched::Missing | Fetched::NotModified => None,
    }
}

impl App {
    /// Publishes a package as a mirror has it, in one transaction. One that the organization has from elsewhere stays as it is.
    pub(super) async fn mirrored_store(
        &self,
        line: &Line<'_>,
        name: &PackageName,
        found: Found,
    ) -> Result<Stored, Failure> {
        let txn = self.storage.begin().await?;
        let mirror = line.mirror;
        if txn.mirror_find(mirror.id).await?.is_none() {
            return Ok(Stored::Nowhere);
        }
        let origin = Origin::Mirror(mirror.id);
        let known = match txn.package_find_by_name(mirror.organization_id, name).await? {
            Some(other) if other.origin != origin => return Ok(Stored::Taken),
            Some(known) => txn.package_lock(known.id).await?,
            None => None,
        };
        let is_new = known.is_none();
        let before = known
            .unwrap_or_else(|| Package::new(entropy::id(), mirror.organization_id, origin, self.clock.now()));
        let package = Package {
            name: Some(name.clone()),
            description: found.package.description.clone(),
            abandoned: found.package.abandoned.clone(),
            problem: None,
            ..before
        };
        if is_new {
            match txn.package_insert(&package).await {
                // Another process found it at the same moment.
                Err(StorageError::Conflict) => return Ok(Stored::Taken),
                inserted => inserted?,
            }
        } else {
            txn.package_update(&package).await?;
        }
        self.mirrored_publish(&txn, line, &package, found).await?;
        txn.commit().await?;
        self.seeking.forget_names(mirror.organization_id, [name]);
        Ok(Stored::Here)
    }

    async fn mirrored_publish(
        &self,
        txn: &Transaction,
        line: &Line<'_>,
        package: &Package,
        found: Found,
    ) -> Result<(), Failure> {
        let Found { package: read, last_modified, dev_last_modified } = found;
        let filter = self.filter_kept(txn, line, package, read.filter).await?;
        let mirrored = MirroredPackage {
            last_modified,
            dev_last_modified,
            checked_at: Some(self.clock.now()),
            advisories: read.advisories.clone(),
            filter,
            left_out: read.left_out,
            ..MirroredPackage::new(package.id)
        };
        txn.mirrored_package_put(&mirrored).await?;
        if line.root.advisories.as_ref().is_some_and(|source| source.in_metadata) {
            self.warnings_store(txn, line.mirror, package, read.advisories).await?;
        }
        self.versions_store(txn, package.id, &read.found).await?;
        self.documents_publish(txn, package.id).await
    }

    /// What the lists of the mirror say now: in the file itself or, where they have an address of their own, as that was asked.
    async fn filter_kept(
        &self,
        txn: &Transaction,
        line: &Line<'_>,
        package: &Package,
        mut read: Keys,
    ) -> Result<Keys, Failure> {
        let Some(source) = &line.root.filter else { return Ok(Keys::new()) };
        if read.is_empty()
            && source.api_url.is_some()
            && let Some(before) = txn.mirrored_package_find(package.id).await?
        {
            read = before.filter;
        }
        read.retain(|list, _| source.lists.contains(list));
        Ok(read)
    }

    /// The mirror no longer has it. It stays, for those who use it, and says so.
    pub(super) async fn mirrored_gone(&self, seen: &MirroredPackage) -> Result<(), Failure> {
        let txn = self.storage.begin().await?;
        let Some(package) = txn.package_lock(seen.package_id).await? else { return Ok(()) };
        let now = self.clock.now();
        let gone = MirroredPackage {
            // It may come back as it was.
            last_modified: None,
            dev_last_modified: None,
            checked_at: Some(now),
            last_error: None,
            gone_at: seen.gone_at.or(Some(now)),
            ..seen.clone()
        };
        txn.mirrored_package_put(&gone).await?;
        if seen.gone_at.is_none() {
            let abandoned = package.abandoned.clone().or_else(|| Some(String::new()));
            txn.package_update(&Package { abandoned, ..package }).await?;
            self.documents_publish(&txn, seen.package_id).await?;
        }
        Ok(txn.commit().await?)
    }

    /// Notes that a package was asked for, and what was wrong with the answer. What is published stays.
    pub(super) async fn mirrored_checked(
        &self,
        seen: &MirroredPackage,
        because: Option<&Failure>,
    ) -> Result<(), Failure> {
        self.mirrored_note(seen, |seen| {
            seen.checked_at = Some(self.clock.now());
            // That one of its zips is missing is still true.
            let is_of_zip = seen.last_error.as_deref().is_some_and(|error| error.starts_with(ZIP_FAULT));
            if because.is_some() || !is_of_zip {
                seen.last_error = because.map(ToString::to_string);
            }
        })
        .await
    }

    /// Notes that a package could not be asked for: it still has to be.
    pub(super) async fn mirrored_failed(
        &self,
        seen: &MirroredPackage,
        because: &Failure,
    ) -> Result<(), Failure> {
        self.mirrored_note(seen, |seen| seen.last_error = Some(because.to_string())).await
    }

    /// Notes something of a package. Somebody may have noted something else meanwhile, or deleted it.
    pub(super) async fn mirrored_note(
        &self,
        seen: &MirroredPackage,
        note: impl FnOnce(&mut MirroredPackage),
    ) -> Result<(), Failure> {
        let txn = self.storage.begin().await?;
        if txn.package_lock(seen.package_id).await?.is_none() {
            return Ok(());
        }
        let mut now = txn.mirrored_package_find(seen.package_id).await?.unwrap_or_else(|| seen.clone());
        note(&mut now);
        txn.mirrored_package_put(&now).await?;
        Ok(txn.commit().await?)
    }
}
