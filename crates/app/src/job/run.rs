//! What each job does: one exhaustive match.

use crate::{App, Failure};
use stave_domain::{
    id::JobId,
    job::{Job, Progress},
};
use std::error::Error;

impl App {
    pub(super) async fn job_run(&self, id: JobId, job: Job) -> Result<(), Failure> {
        match job {
            Job::UpdateRepository { repository } => self.repository_update_run(repository).await,
            Job::BuildDists { package } => self.dists_build(package).await,
            Job::CollectGarbage => self.garbage_collect_run().await,
            Job::UpdateMirror { mirror } => self.mirror_update_run(mirror, id).await,
            Job::UpdateMirrored { package } => self.mirrored_update_run(package).await,
            Job::PublishAll => self.documents_publish_all().await,
            Job::PublishPackage { package } => self.package_publish(package).await,
            Job::PublishOrganization { organization } => self.documents_publish_of(organization, id).await,
            Job::Synchronize { synchronization } => self.synchronize_run(synchronization, id).await,
            Job::FindPackages { synchronization } => self.packages_find_run(synchronization, id).await,
            Job::AskPerson { identity } => self.person_ask_run(identity, id).await,
            Job::TryEndpoints { integration } => self.endpoints_try(integration).await,
            Job::Tell { organization, news } => self.news_tell(organization, news).await,
        }
    }

    /// Tells how far a job is. That it could not be told does not stop the job.
    pub(crate) async fn job_progress(&self, id: JobId, progress: &Progress) {
        if let Err(error) = self.storage.job_progress(id, progress).await {
            tracing::warn!(error = &error as &dyn Error, "the progress of a job could not be stored");
        }
    }
}
