//! What need not be kept: dists of commits that branches have left behind, and blobs that no dist names.

use crate::{App, Failure};
use jiff::SignedDuration;
use stave_domain::{
    Timestamp,
    id::PackageId,
    job::Job,
    version::{Dist, keeping::History},
};
use std::collections::BTreeMap;

/// How often Stave collects garbage by itself.
const COLLECT_EVERY: SignedDuration = SignedDuration::from_hours(24);
/// A blob that nobody names may be one that somebody is about to name.
const SETTLED: SignedDuration = SignedDuration::from_hours(24);
/// When garbage was last collected.
const COLLECTED: &str = "garbage.collected";

/// What a collection found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Garbage {
    /// Dists of branches that are past their time, by package and commit.
    pub dists: Vec<Dist>,
    /// Bytes of blobs that no dist names: what the disk gains.
    pub blob_bytes: u64,
    /// How many blobs these are.
    pub blobs: u64,
    /// How many blobs are kept.
    pub kept: u64,
    /// Bytes of those.
    pub kept_bytes: u64,
}

impl App {
    /// Finds what need not be kept and, unless it is only to be looked at, deletes it.
    pub async fn garbage_collect(&self, is_only_looked_at: bool) -> Result<Garbage, Failure> {
        let mut garbage = Garbage::default();
        let keeping = self.configuration().await?.keeping;
        for package in self.storage.package_id_list().await? {
            for dist in self.dists_past_their_time(package, keeping).await? {
                if !is_only_looked_at {
                    self.storage.dist_delete(dist.package_id, &dist.commit).await?;
                }
                garbage.dists.push(dist);
            }
        }
        self.blobs_sweep(&mut garbage, is_only_looked_at).await?;
        Ok(garbage)
    }

    async fn dists_past_their_time(
        &self,
        package: PackageId,
        keeping: stave_domain::version::Keeping,
    ) -> Result<Vec<Dist>, Failure> {
        let dists = self.storage.dist_list(package).await?;
        if dists.is_empty() {
            return Ok(Vec::new());
        }
        let versions = self.storage.version_list(package).await?;
        let publications = self.storage.publication_list(package).await?;
        let downloads = self.storage.download_list(package).await?;
        let used: BTreeMap<String, Timestamp> =
            downloads.into_iter().map(|download| (download.commit, download.used_at)).collect();
        let history = History { versions: &versions, publications: &publications, used: &used };
        let garbage = keeping.garbage(&dists, history, self.clock.now());
        Ok(garbage.into_iter().cloned().collect())
    }

    /// Blobs have no owner: one may be the dist of several packages. So each is looked up right before it goes.
    async fn blobs_sweep(&self, garbage: &mut Garbage, is_only_looked_at: bool) -> Result<(), Failure> {
        let settled = self.clock.now() - SETTLED;
        let going: Vec<&Dist> = garbage.dists.iter().collect();
        let mut lost: BTreeMap<String, usize> = BTreeMap::new();
        for dist in going {
            *lost.entry(dist.digest.clone()).or_default() += 1;
        }
        for blob in self.blobs.list().await? {
            let owners = self.storage.dist_count_of_digest(&blob.digest).await?;
            // Those that are only looked at are there still.
            let still =
                if is_only_looked_at { lost.get(&blob.digest).copied().unwrap_or(0) as u64 } else { 0 };
            let is_garbage = owners <= still && blob.put_at <= settled;
            let is_gone =
                is_garbage && (is_only_looked_at || self.blobs.delete(&blob.digest, settled).await?);
            let (count, bytes) = if is_gone {
                (&mut garbage.blobs, &mut garbage.blob_bytes)
            } else {
                (&mut garbage.kept, &mut garbage.kept_bytes)
            };
            *count += 1;
            *bytes += blob.size_bytes;
        }
        Ok(())
    }

    /// One collection, off the request path.
    pub(crate) async fn garbage_collect_run(&self) -> Result<(), Failure> {
        let garbage = self.garbage_collect(false).await?;
        tracing::info!(
            dists = garbage.dists.len(),
            blobs = garbage.blobs,
            bytes = garbage.blob_bytes,
            "garbage was collected"
        );
        Ok(self.storage.setting_put(COLLECTED, &self.clock.now().to_string()).await?)
    }

    /// Enqueues a collection once a day.
    pub(crate) async fn garbage_check(&self) -> Result<(), Failure> {
        let collected = self.storage.setting_find(COLLECTED).await?;
        let collected = collected.and_then(|text| text.parse::<Timestamp>().ok());
        if collected.is_none_or(|at| self.clock.now().duration_since(at) >= COLLECT_EVERY) {
            self.job_enqueue(Job::CollectGarbage, None).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
