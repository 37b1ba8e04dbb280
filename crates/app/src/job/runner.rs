//! The runner: claim, renew the lease, finish or try again.

use crate::{App, Failure};
use stave_domain::job::{ATTEMPTS, ClaimedJob, LEASE, retry_delay};
use std::{error::Error, time::Duration};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

/// How long a worker sleeps at most: a bell that rang on another node is heard by then.
const NAP: Duration = Duration::from_secs(2);

impl App {
    /// Takes back what these workers held when they died, and has done what the new start asks for.
    pub(super) async fn jobs_adopt(&self, workers: &[String]) {
        for worker in workers {
            note(self.storage.job_release_all(worker, self.clock.now()).await);
        }
        self.data_sweep().await;
        if let Err(failure) = self.documents_follow_url().await {
            error!(
                error = &failure as &dyn Error,
                "the published documents keep the addresses that they have"
            );
        }
    }

    /// One worker: does one job after another until `stop`.
    pub(super) async fn work(&self, worker: &str, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            let now = self.clock.now();
            match self.storage.job_claim(worker, now, now + LEASE).await {
                Ok(Some(claimed)) => {
                    // Where one job was, there may be more: wake the next worker.
                    self.job_bell.notify_one();
                    self.job_attend(worker, claimed, stop).await;
                }
                Ok(None) => self.nap(stop).await,
                Err(error) => {
                    error!(error = &error as &dyn Error, "no job could be claimed");
                    self.nap(stop).await;
                }
            }
        }
    }

    async fn nap(&self, stop: &CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.job_bell.notified() => {}
            () = tokio::time::sleep(NAP) => {}
        }
    }

    /// Does a job while renewing its lease. A panic in it counts as a failure of it.
    async fn job_attend(&self, worker: &str, claimed: ClaimedJob, stop: &CancellationToken) {
        let app = self.clone();
        let (id, job) = (claimed.id, claimed.job);
        let mut task = tokio::spawn(async move { app.job_run(id, job).await });
        let mut renew = tokio::time::interval(Duration::from_secs(LEASE.unsigned_abs().as_secs() / 3));
        let outcome = loop {
            tokio::select! {
                outcome = &mut task => break outcome.unwrap_or_else(|panic| Err(Failure::internal(panic))),
                () = stop.cancelled() => {
                    task.abort();
                    let _ = task.await;
                    let handed_back = self.storage.job_release(claimed.id, worker, self.clock.now()).await;
                    return note(handed_back);
                }
                _ = renew.tick() => {
                    let renewed = self.storage.job_renew(claimed.id, worker, self.clock.now() + LEASE).await;
                    if matches!(renewed, Ok(false)) {
                        // The machine slept past the lease, and somebody else has the job now.
                        task.abort();
                        return;
                    }
                    note(renewed.map(|_| ()));
                }
            }
        };
        self.job_settle(worker, &claimed, outcome).await;
    }

    async fn job_settle(&self, worker: &str, claimed: &ClaimedJob, outcome: Result<(), Failure>) {
        let key = claimed.job.key();
        let Err(failure) = outcome else {
            info!(job = key, attempt = claimed.attempt, "job done");
            return note(self.storage.job_done(claimed.id, worker).await);
        };
        warn!(job = key, attempt = claimed.attempt, error = &failure as &dyn Error, "job failed");
        if failure.is_transient() && (claimed.attempt < ATTEMPTS || !claimed.job.comes_back()) {
            let next = self.clock.now() + retry_delay(claimed.attempt);
            note(self.storage.job_retry(claimed.id, worker, next, &failure.to_string()).await);
        } else {
            note(self.storage.job_done(claimed.id, worker).await);
        }
    }
}

/// The row stays as it was, and the lease brings the job back.
fn note(result: Result<(), stave_storage::StorageError>) {
    if let Err(error) = result {
        error!(error = &error as &dyn Error, "the state of a job could not be stored");
    }
}
