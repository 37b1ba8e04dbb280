//! Jobs: work off the request path. It survives kill -9, because a job is a row and a lease that runs out.

mod list;
mod run;
mod runner;
mod schedule;

pub use list::{JobLine, JobPage, JobSubject};

use crate::{App, Failure, entropy};
use stave_domain::{
    Timestamp,
    id::OrganizationId,
    job::{Job, NewJob, Urgency},
};
use stave_storage::Storage;
use tokio_util::sync::CancellationToken;

/// Jobs that run at the same time in one process: enough that some are left while others wait for a platform that takes no more
/// requests.
const WORKERS: usize = 12;

impl App {
    /// Runs jobs until `stop`; those that are running then are handed back.
    pub async fn run_jobs(&self, stop: CancellationToken) {
        let name = self.process_name();
        let names: Vec<String> = (0..WORKERS).map(|number| format!("{name}-{number}")).collect();
        self.jobs_adopt(&names).await;
        let workers = futures::future::join_all(names.iter().map(|worker| self.work(worker, &stop)));
        tokio::join!(workers, self.keep_schedule(&stop), self.keep_counts(&stop));
    }

    /// Has a job done as soon as possible, for an organization or for the installation.
    pub(crate) async fn job_enqueue(
        &self,
        job: Job,
        organization: Option<OrganizationId>,
    ) -> Result<(), Failure> {
        self.job_enqueue_in(&self.storage, job, organization).await?;
        self.job_bell.notify_one();
        Ok(())
    }

    /// The same within a transaction; ring `job_bell` after its commit.
    pub(crate) async fn job_enqueue_in(
        &self,
        storage: &Storage,
        job: Job,
        organization_id: Option<OrganizationId>,
    ) -> Result<(), Failure> {
        self.job_enqueue_as(storage, job.urgency(), job, organization_id).await
    }

    /// The same, as urgent as whoever asks for it says.
    pub(crate) async fn job_enqueue_as(
        &self,
        storage: &Storage,
        urgency: Urgency,
        job: Job,
        organization_id: Option<OrganizationId>,
    ) -> Result<(), Failure> {
        let now = self.clock.now();
        let new = NewJob { id: entropy::id(), job, organization_id, urgency, run_at: now, created_at: now };
        Ok(storage.job_enqueue(&new).await?)
    }

    /// Has a job done at an instant, or as soon as possible after it.
    pub(crate) async fn job_enqueue_at(
        &self,
        storage: &Storage,
        run_at: Timestamp,
        job: Job,
        organization_id: Option<OrganizationId>,
    ) -> Result<(), Failure> {
        let (id, urgency, created_at) = (entropy::id(), job.urgency(), self.clock.now());
        Ok(storage.job_enqueue(&NewJob { id, job, organization_id, urgency, run_at, created_at }).await?)
    }

    /// On SQLite there is one process, and so one name: after a crash its jobs are its own again at once.
    /// On PostgreSQL every start has its own name, and a dead node's jobs come back when their lease runs out.
    fn process_name(&self) -> String {
        match self.storage.engine_name() {
            "SQLite" => "local".into(),
            _ => hex::encode(entropy::bytes::<8>()),
        }
    }
}
