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

    /// A run of its own fetches and publishes what came. Why nobody could be asked, it tells, too.
    async fn source_look(&self, repository: &Repository) -> Result<(), Failure> {
        match self.source_has_changed(repository).await {
            Ok(false) => return Ok(()),
            Err(failure @ (Failure::Internal(_) | Failure::Disk(_))) => return Err(failure),
            Ok(true) | Err(_) => {}
        }
        self.update_enqueue(&self.storage, repository).await?;
        self.job_bell.notify_one();
        Ok(())
    }
}
