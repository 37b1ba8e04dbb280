//! Numbers for whoever watches the machine.

use crate::{App, Failure};
use stave_domain::{Timestamp, job::JobCount};

/// How much there is to do, and how much of it fails. Numbers only: everybody may know them.
#[derive(Debug)]
pub struct Metrics {
    /// When it was so.
    pub now: Timestamp,
    /// Jobs by kind and state.
    pub jobs: Vec<JobCount>,
    /// Endpoints that a platform removed.
    pub endpoints_gone: u64,
    /// Endpoints that do not answer as they should, for another reason.
    pub endpoints_silent: u64,
    /// Active synchronizations whose last run came to its end, or that wait for their first.
    pub synchronizations_good: u64,
    /// Active synchronizations whose last run did not.
    pub synchronizations_failing: u64,
}

impl App {
    /// How much there is to do, and how much of it fails.
    pub async fn metrics(&self) -> Result<Metrics, Failure> {
        let now = self.clock.now();
        let failing = self.storage.endpoint_list_failing().await?;
        let gone = failing.iter().filter(|state| state.is_gone).count() as u64;
        let active = self.storage.synchronization_list_active().await?;
        let mut failing_runs = 0;
        for synchronization in &active {
            let condition = self.storage.synchronization_condition(synchronization.id).await?;
            failing_runs += u64::from(condition.is_some_and(|condition| condition.failing_since.is_some()));
        }
        Ok(Metrics {
            now,
            jobs: self.storage.job_count_list(now).await?,
            endpoints_gone: gone,
            endpoints_silent: failing.len() as u64 - gone,
            synchronizations_good: active.len() as u64 - failing_runs,
            synchronizations_failing: failing_runs,
        })
    }
}
