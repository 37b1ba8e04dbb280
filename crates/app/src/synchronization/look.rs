//! Looking which repositories of a workspace have a composer.json. Each is asked for once, and again when it has changed.

use super::run::Teller;
use crate::{App, Failure};
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use stave_domain::{
    id::{JobId, SynchronizationId},
    repository::Followed,
    synchronization::{KnownRepository, LOOK_AGAIN_EVERY, Manifest, Selection, Stage, Synchronization},
};
use stave_upstream::UpstreamError;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many repositories are looked at at the same time.
const AT_ONCE: usize = 8;
/// After so many, what was found becomes packages.
const CHUNK: usize = 100;
/// More than any workspace has.
const ALL: u64 = 1_000_000;

impl App {
    /// Looks at every repository that nobody looked at, or that may have changed. What is found becomes packages as it goes on.
    pub(crate) async fn packages_find_run(&self, id: SynchronizationId, job: JobId) -> Result<(), Failure> {
        let Some(synchronization) = self.storage.synchronization_find(id).await? else { return Ok(()) };
        let unlooked = self.unlooked(&synchronization).await?;
        let teller = Teller::new(self, job);
        let total = u32::try_from(unlooked.len()).unwrap_or(u32::MAX);
        let done = AtomicU32::new(0);
        for chunk in unlooked.chunks(CHUNK) {
            // Each tells of itself: between two looks nothing may be waited for, or the others would stand still, perhaps with what
            // is waited for.
            let look = |known| {
                let (synchronization, teller, done) = (&synchronization, &teller, &done);
                async move {
                    self.manifest_look(synchronization, known, job).await?;
                    let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                    teller.note("Looking for composer.json", done, total).await;
                    Ok::<(), Failure>(())
                }
            };
            let looks: Vec<_> = chunk.iter().map(|known| look(known).boxed()).collect();
            stream::iter(looks).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
            if !self.found_follow(id).await? {
                return Ok(());
            }
        }
        if synchronization.stage == Stage::Active {
            self.webhooks_ensure(&synchronization, job).await?;
        }
        Ok(())
    }

    /// Whether there is something to look at.
    pub(super) async fn has_unlooked(&self, id: SynchronizationId) -> Result<bool, Failure> {
        match self.storage.synchronization_find(id).await? {
            Some(synchronization) => Ok(!self.unlooked(&synchronization).await?.is_empty()),
            None => Ok(false),
        }
    }

    async fn unlooked(&self, synchronization: &Synchronization) -> Result<Vec<KnownRepository>, Failure> {
        let before = self.clock.now() - LOOK_AGAIN_EVERY;
        let mut list = self.storage.remote_repository_list_unlooked(synchronization.id, before, ALL).await?;
        // Where each is chosen by hand, people want to see all that could be.
        list.retain(|known| {
            synchronization.selection == Selection::ByHand || synchronization.selection.wants(known)
        });
        Ok(list)
    }

    /// A repository that cannot be looked at keeps what is known of it; its line says why. An end of patience ends the job.
    async fn manifest_look(
        &self,
        synchronization: &Synchronization,
        known: &KnownRepository,
        job: JobId,
    ) -> Result<(), Failure> {
        let integration = self.integration_of(synchronization.integration_id).await?;
        let connector = self.follow_connector(&integration)?;
        let follow = connector.follow().ok_or(Failure::NotFound("way to follow a workspace"))?;
        let caller = self.caller(synchronization).patient(job);
        let looked = follow.manifest_look(&caller, &synchronization.workspace, &known.remote).await;
        let (manifest, problem) = match looked {
            Ok(true) => (Manifest::Present, None),
            Ok(false) => (Manifest::Absent, None),
            Err(
                error @ (UpstreamError::RateLimited { .. }
                | UpstreamError::NoKey(_)
                | UpstreamError::Unauthorized { .. }),
            ) => {
                return Err(error.into());
            }
            Err(error) => (known.manifest, Some(error.to_string())),
        };
        let now = self.clock.now();
        let looked = Followed { synchronization_id: synchronization.id, number: known.number };
        Ok(self.storage.remote_repository_looked(looked, manifest, now, problem.as_deref()).await?)
    }

    /// What was found becomes packages, unless it is a draft; says whether the synchronization is still there.
    async fn found_follow(&self, id: SynchronizationId) -> Result<bool, Failure> {
        let txn = self.storage.begin().await?;
        let Some(synchronization) = txn.synchronization_lock(id).await? else { return Ok(false) };
        if synchronization.stage == Stage::Active {
            let afterwards = self.repositories_follow(&txn, &synchronization).await?;
            txn.commit().await?;
            self.afterwards_do(afterwards);
        }
        Ok(true)
    }
}
