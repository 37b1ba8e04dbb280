//! Work that is done off the request path.

use crate::{
    Timestamp,
    id::{JobId, PackageId},
};
use jiff::SignedDuration;

/// A value of work to be done. Running it is one exhaustive match in `app::job::run`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Job {
    /// Read a package's repository and publish what it holds.
    UpdatePackage {
        /// Which.
        package: PackageId,
    },
    /// Make the zips of a package's tags ahead of their first download.
    BuildDists {
        /// Which.
        package: PackageId,
    },
    /// Write the published documents of all packages anew, because the addresses in them changed.
    PublishAll,
}

impl Job {
    /// Whether something asks for it again by and by, so that it may be given up after [`ATTEMPTS`].
    #[must_use]
    pub fn comes_back(&self) -> bool {
        matches!(self, Self::UpdatePackage { .. })
    }

    /// Per key at most one job waits and one runs, so a bell that rings during a run leads to one more run.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::UpdatePackage { package } => format!("update-package:{package}"),
            Self::BuildDists { package } => format!("build-dists:{package}"),
            Self::PublishAll => "publish-all".to_owned(),
        }
    }
}

/// A job that a runner has claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedJob {
    /// Immutable.
    pub id: JobId,
    /// What to do.
    pub job: Job,
    /// Counts the tries from 1.
    pub attempt: u32,
}

/// A job that waits or runs, as pages show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingJob {
    /// Whether a runner has it.
    pub is_running: bool,
    /// When it may start.
    pub run_at: Timestamp,
    /// Tries so far.
    pub attempt: u32,
    /// Why the last try failed, in a sentence.
    pub last_error: Option<String>,
}

/// How long a runner owns a job before another may take it. It renews the lease at a third of this.
pub const LEASE: SignedDuration = SignedDuration::from_secs(30);

/// Tries before a job that [comes back](Job::comes_back) is given up; the periodic check of its package then takes over.
pub const ATTEMPTS: u32 = 6;

/// A job that was cut off by the end of its process this often is given up: it may be what ends the process.
pub const CRASHES: u32 = 60;

/// How long to wait before the try that follows number `attempt`, counted from 1: 30 s, doubling, at most 1 h.
#[must_use]
pub fn retry_delay(attempt: u32) -> SignedDuration {
    SignedDuration::from_secs(30_i64.saturating_mul(1 << attempt.saturating_sub(1).min(10)).min(3600))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_slow_down() {
        let seconds: Vec<_> = (1..=9).map(|attempt| retry_delay(attempt).as_secs()).collect();
        assert_eq!(seconds, [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
    }
}
