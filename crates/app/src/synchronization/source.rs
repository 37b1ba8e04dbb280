//! Looking whether somebody pushed, where the platform's list of repositories does not say so.

use crate::{App, Failure};
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use stave_domain::{
    id::SynchronizationId,
    repository::{Followed, Repository},
    synchronization::Synchronization,
};
use std::collections::BTreeSet;

/// How many repositories are asked at the same time; fetches have slots of their own.
const AT_ONCE: usize = 4;

impl App {
    /// Asks git for the references of each followed repository of which nobody knows when it changed: what a lost delivery did not
    /// tell is found so. Where nothing has changed, this is one round trip and writes nothing.
    pub(super) async fn sources_look(&self, synchronization: &Synchronization) -> Result<(), Failure> {
        let silent = self.silent_numbers(synchronization.id).await?;
        let mut repositories = self.storage.repository_list_followed(synchronization.id).await?;
        // One that was never read, or could not be, has a job of its own.
        repositories.retain(|repository| {
            let number = repository.followed.map(|Followed { number, .. }| number);
            number.is_some_and(|number| silent.contains(&number))
                && repository.checked_at.is_some()
                && repository.last_error.is_none()
        });
        let looks: Vec<_> = repositories.iter().map(|it| self.source_look(it).boxed()).collect();
        stream::iter(looks).buffer_unordered(AT_ONCE).try_collect().await
    }

    /// The numbers of the repositories of which the platform does not say when they changed.
    async fn silent_numbers(&self, id: SynchronizationId) -> Result<BTreeSet<u32>, Failure> {
        let known = self.storage.remote_repository_list(id).await?;
        let silent = known.into_iter().filter(|known| known.remote.changed_at.is_none());
        Ok(silent.map(|known| known.number).collect())
    }

    /// What was fetched has to be published; why nothing could be fetched, the repository's own job tells.
    async fn source_look(&self, repository: &Repository) -> Result<(), Failure> {
        match self.source_read(repository, None).await {
            Ok(fetched) if !fetched.changed => return Ok(()),
            Ok(_) => {
                // As if it had never been read, since the job will fetch nothing new.
                let txn = self.storage.begin().await?;
                if let Some(locked) = txn.repository_lock(repository.id).await? {
                    txn.repository_update(&Repository { checked_at: None, ..locked }).await?;
                }
                txn.commit().await?;
            }
            Err(Failure::Internal(source)) => return Err(Failure::Internal(source)),
            Err(_) => {}
        }
        self.update_enqueue(&self.storage, repository).await?;
        self.job_bell.notify_one();
        Ok(())
    }
}
