//! Installs and downloads: counted in memory, written every few seconds, so that no request waits for a row.

use crate::{App, Failure, composer::Reader};
use stave_domain::{
    Timestamp,
    id::PackageId,
    install::{Day, DownloadCount, InstallCount, Installs},
    package::PackageName,
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    error::Error,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// How often what was counted is written.
const WRITE_EVERY: Duration = Duration::from_secs(5);
/// How many different counts wait at most, while the database does not answer; what comes on top is not counted.
const MOST_WAITING: usize = 50_000;
/// How many installs one request may tell: more than any project has packages.
const MOST_TOLD: usize = 10_000;

/// What was counted and is not written yet.
#[derive(Default)]
pub(crate) struct Counter {
    counted: Mutex<Counted>,
    /// One writes at a time, so that whoever comes after it finds all that was counted before in the rows.
    writing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Counted {
    installs: HashMap<(PackageId, Day, String), u64>,
    downloads: HashMap<(PackageId, String), (u64, Timestamp)>,
}

impl Counted {
    fn is_full(&self) -> bool {
        self.installs.len() + self.downloads.len() >= MOST_WAITING
    }

    fn add_install(&mut self, key: (PackageId, Day, String), count: u64) {
        if !self.is_full() || self.installs.contains_key(&key) {
            *self.installs.entry(key).or_default() += count;
        }
    }

    fn add_download(&mut self, key: (PackageId, String), count: u64, at: Timestamp) {
        if !self.is_full() || self.downloads.contains_key(&key) {
            let (sum, used_at) = self.downloads.entry(key).or_insert((0, at));
            *sum += count;
            *used_at = at.max(*used_at);
        }
    }
}

impl Counter {
    fn lock(&self) -> std::sync::MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything that waits, which waits no more.
    fn take(&self) -> (Vec<InstallCount>, Vec<DownloadCount>) {
        let Counted { installs, downloads } = std::mem::take(&mut *self.lock());
        let install = |((package_id, day, version), count)| InstallCount { package_id, day, version, count };
        let download =
            |((package_id, commit), (count, used_at))| DownloadCount { package_id, commit, count, used_at };
        (installs.into_iter().map(install).collect(), downloads.into_iter().map(download).collect())
    }

    /// What could not be written waits again.
    fn put_back(&self, installs: Vec<InstallCount>, downloads: Vec<DownloadCount>) {
        let mut counted = self.lock();
        for it in installs {
            counted.add_install((it.package_id, it.day, it.version), it.count);
        }
        for it in downloads {
            counted.add_download((it.package_id, it.commit), it.count, it.used_at);
        }
    }
}

/// What a client says that it installed.
#[derive(Debug, Clone, serde::Deserialize)]
pub struct Told {
    /// The package, as it writes its name.
    pub name: String,
    /// The version in Composer's normalized form.
    pub version: String,
}

impl App {
    /// Counts what a client says that it installed. Returns how many of them are here for the reader to see; others may be from
    /// lock files of elsewhere, and nobody is told which.
    pub async fn composer_installed(&self, reader: &Reader, told: &[Told]) -> Result<usize, Failure> {
        let read =
            |it: &'_ Told| Some((it.name.to_lowercase().parse::<PackageName>().ok()?, it.version.clone()));
        let told: Vec<(PackageName, String)> = told.iter().take(MOST_TOLD).filter_map(read).collect();
        let names: BTreeSet<PackageName> = told.iter().map(|(name, _)| name.clone()).collect();
        let mut packages = self.storage.package_list_named(reader.organization.id, &names).await?;
        packages.retain(|it| reader.sight.reads(it.package_id, &it.name, it.is_mirrored));
        let packages: BTreeMap<PackageName, PackageId> =
            packages.into_iter().map(|it| (it.name, it.package_id)).collect();
        let ids = packages.values().copied().collect();
        let versions = told.iter().map(|(_, version)| version.as_str()).collect();
        let there = self.storage.version_list_there(&ids, &versions).await?;
        let today = Day::of(self.clock.now());
        let known = told.into_iter().filter_map(|(name, version)| Some((*packages.get(&name)?, version)));
        let known: Vec<_> = known.filter(|it| there.contains(it)).collect();
        let mut counted = self.counter.lock();
        for (id, version) in &known {
            counted.add_install((*id, today, version.clone()), 1);
        }
        Ok(known.len())
    }

    /// A dist was sent.
    pub(crate) fn dist_used(&self, package: PackageId, commit: &str) {
        self.counter.lock().add_download((package, commit.to_owned()), 1, self.clock.now());
    }

    /// How often a package was installed; what was counted here a moment ago is in it.
    pub async fn installs_of(&self, package: PackageId) -> Result<Installs, Failure> {
        self.counts_write().await?;
        let today = Day::of(self.clock.now());
        let by_day = self.storage.install_list_by_day(package, today.chart_begin()).await?;
        Ok(Installs::of(today, &by_day, self.storage.install_list_by_version(package).await?))
    }

    /// Writes what was counted every few seconds until `stop`; [`App::close`] writes the rest.
    pub(crate) async fn keep_counts(&self, stop: &CancellationToken) {
        let mut tick = tokio::time::interval(WRITE_EVERY);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = tick.tick() => {}
            }
            if let Err(failure) = self.counts_write().await {
                tracing::error!(
                    error = &failure as &dyn Error,
                    "installs could not be written; they are kept for the next time"
                );
            }
        }
    }

    /// Writes what was counted, in one transaction.
    pub(crate) async fn counts_write(&self) -> Result<(), Failure> {
        let _turn = self.counter.writing.lock().await;
        let (installs, downloads) = self.counter.take();
        if installs.is_empty() && downloads.is_empty() {
            return Ok(());
        }
        let written = self.storage.install_add(&installs, &downloads).await;
        Ok(written.inspect_err(|_| self.counter.put_back(installs, downloads))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn id(number: u128) -> PackageId {
        Uuid::from_u128(number).into()
    }

    #[test]
    fn what_waits_is_added_up_and_bounded() {
        let counter = Counter::default();
        let (early, late) = (Timestamp::UNIX_EPOCH, Timestamp::from_second(9).unwrap());
        let key = (id(1), "c".repeat(40));
        counter.lock().add_download(key.clone(), 1, late);
        counter.lock().add_download(key, 1, early);
        let (installs, downloads) = counter.take();
        assert_eq!((installs.len(), downloads.len()), (0, 1));
        assert_eq!((downloads[0].count, downloads[0].used_at), (2, late));
        assert_eq!(counter.take().1, [], "it waits no more");

        let version = |number: usize| (id(1), Day(0), number.to_string());
        for number in 0..=MOST_WAITING {
            counter.lock().add_install(version(number), 1);
        }
        counter.lock().add_install(version(0), 1);
        counter.put_back(vec![], downloads);
        let (installs, downloads) = counter.take();
        assert_eq!((installs.len(), downloads.len()), (MOST_WAITING, 0));
        assert_eq!(installs.iter().map(|it| it.count).max(), Some(2), "what is known still counts");
    }
}
