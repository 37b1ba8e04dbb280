//! What each job does: one exhaustive match.

use crate::{App, Failure};
use stave_domain::job::Job;

impl App {
    pub(super) async fn job_run(&self, job: Job) -> Result<(), Failure> {
        match job {
            Job::UpdatePackage { package } => self.package_update_run(package).await,
            Job::BuildDists { package } => self.dists_build(package).await,
            Job::PublishAll => self.documents_publish_all().await,
        }
    }
}
