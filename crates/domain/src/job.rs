//! Work that is done off the request path.

use crate::{
    Timestamp,
    id::{
        CredentialId, IdentityId, IntegrationId, JobId, MirrorId, OrganizationId, PackageId, RepositoryId,
        SynchronizationId,
    },
};
use jiff::SignedDuration;

/// A value of work to be done. Running it is one exhaustive match in `app::job::run`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Job {
    /// Read a repository and publish what it holds. Until there were repositories of several packages the job named a
    /// package; such a row still runs, for the repository of a package that was there then has the package's id.
    #[serde(alias = "update_package")]
    UpdateRepository {
        /// Which.
        #[serde(alias = "package")]
        repository: RepositoryId,
    },
    /// Make the zips of a package's tags ahead of their first download.
    BuildDists {
        /// Which.
        package: PackageId,
    },
    /// Delete what need not be kept.
    CollectGarbage,
    /// Write the published documents of all packages anew, because the addresses in them changed.
    PublishAll,
    /// Write the published documents of a package anew: a version that was held back has become old enough.
    PublishPackage {
        /// Which.
        package: PackageId,
    },
    /// Write the published documents of an organization's packages anew, because its security settings changed.
    PublishOrganization {
        /// Whose.
        organization: OrganizationId,
    },
    /// Read a mirror again, and compare the packages whose time has come.
    UpdateMirror {
        /// Which.
        mirror: MirrorId,
    },
    /// Compare one package with what its mirror has now.
    UpdateMirrored {
        /// Which.
        package: PackageId,
    },
    /// Read a workspace and follow it; of a draft, only look what would happen.
    Synchronize {
        /// Which.
        synchronization: SynchronizationId,
    },
    /// Look which repositories of a workspace have a composer.json.
    FindPackages {
        /// Of which.
        synchronization: SynchronizationId,
    },
    /// Ask what one person may read, with their own account.
    AskPerson {
        /// Whose account.
        identity: IdentityId,
    },
    /// Ask every endpoint that is used at a platform once.
    TryEndpoints {
        /// Where.
        integration: IntegrationId,
    },
    /// Write to the owners of an organization.
    Tell {
        /// Of which.
        organization: OrganizationId,
        /// What.
        news: News,
    },
}

/// What owners of an organization are told by mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum News {
    /// A credential expires soon.
    CredentialExpires {
        /// Which.
        credential: CredentialId,
    },
    /// A synchronization has been failing for a day.
    SynchronizationFails {
        /// Which.
        synchronization: SynchronizationId,
    },
}

impl Job {
    /// Whether something asks for it again by and by, so that it may be given up after [`ATTEMPTS`].
    #[must_use]
    pub fn comes_back(&self) -> bool {
        matches!(
            self,
            Self::UpdateRepository { .. }
                | Self::UpdateMirror { .. }
                | Self::UpdateMirrored { .. }
                | Self::Synchronize { .. }
                | Self::FindPackages { .. }
                | Self::AskPerson { .. }
                | Self::TryEndpoints { .. }
                | Self::CollectGarbage
        )
    }

    /// What it does, in words.
    #[must_use]
    pub fn title(&self) -> &'static str {
        match self {
            Self::UpdateRepository { .. } => "Reading a repository",
            Self::BuildDists { .. } => "Making the zips of a package",
            Self::CollectGarbage => "Deleting zips that need not be kept",
            Self::PublishAll => "Publishing all packages anew",
            Self::PublishPackage { .. } => "Publishing a package anew",
            Self::PublishOrganization { .. } => "Publishing the packages of an organization anew",
            Self::UpdateMirror { .. } => "Reading a mirror",
            Self::UpdateMirrored { .. } => "Comparing a package with its mirror",
            Self::Synchronize { .. } => "Reading a workspace",
            Self::FindPackages { .. } => "Looking for packages in a workspace",
            Self::AskPerson { .. } => "Asking what a person may read",
            Self::TryEndpoints { .. } => "Trying the endpoints of an integration",
            Self::Tell { .. } => "Writing to the owners of an organization",
        }
    }

    /// How urgent it is unless whoever asks for it knows better.
    #[must_use]
    pub fn urgency(&self) -> Urgency {
        match self {
            Self::BuildDists { .. } | Self::CollectGarbage | Self::PublishAll | Self::FindPackages { .. } => {
                Urgency::InTurn
            }
            _ => Urgency::Now,
        }
    }

    /// Per key at most one job waits and one runs, so a bell that rings during a run leads to one more run.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::UpdateRepository { repository } => format!("update-repository:{repository}"),
            Self::BuildDists { package } => format!("build-dists:{package}"),
            Self::CollectGarbage => "collect-garbage".to_owned(),
            Self::PublishAll => "publish-all".to_owned(),
            Self::PublishPackage { package } => format!("publish-package:{package}"),
            Self::PublishOrganization { organization } => format!("publish-organization:{organization}"),
            Self::UpdateMirror { mirror } => format!("update-mirror:{mirror}"),
            Self::UpdateMirrored { package } => format!("update-mirrored:{package}"),
            Self::Synchronize { synchronization } => format!("synchronize:{synchronization}"),
            Self::FindPackages { synchronization } => format!("find-packages:{synchronization}"),
            Self::AskPerson { identity } => format!("ask-person:{identity}"),
            Self::TryEndpoints { integration } => format!("try-endpoints:{integration}"),
            Self::Tell { news: News::CredentialExpires { credential }, .. } => {
                format!("tell-credential:{credential}")
            }
            Self::Tell { news: News::SynchronizationFails { synchronization }, .. } => {
                format!("tell-synchronization:{synchronization}")
            }
        }
    }
}

/// A job on its way into the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewJob {
    /// Immutable.
    pub id: JobId,
    /// What is to be done.
    pub job: Job,
    /// For whom; `None` is the installation.
    pub organization_id: Option<OrganizationId>,
    /// Whether it comes before others that are due.
    pub urgency: Urgency,
    /// When it may start.
    pub run_at: Timestamp,
    /// Now.
    pub created_at: Timestamp,
}

/// Which of the jobs that are due comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Somebody waits for it: it passes by those that nobody waits for, of which a new workspace brings thousands.
    Now,
    /// In its turn.
    InTurn,
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
    /// How far it is.
    pub progress: Progress,
}

/// How far a job is that runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Progress {
    /// What it is doing, such as "Reading people"; empty if it did not say.
    pub phase: String,
    /// Steps done.
    pub done: u32,
    /// Steps in all; 0 while nobody knows.
    pub total: u32,
}

/// Whether a job can be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum JobState {
    /// A runner has it.
    Running,
    /// It waits for a free runner.
    Due,
    /// It waits for its time.
    Later,
}

impl JobState {
    /// The name in `/metrics`.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Due => "due",
            Self::Later => "later",
        }
    }
}

impl PendingJob {
    /// Whether it can be done now.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> JobState {
        match self.is_running {
            true => JobState::Running,
            false if self.run_at <= now => JobState::Due,
            false => JobState::Later,
        }
    }
}

/// How many jobs of a kind are in a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobCount {
    /// The beginning of their [keys](Job::key): `update-repository`.
    pub kind: String,
    /// Whether they can be done now.
    pub state: JobState,
    /// How many.
    pub count: u64,
    /// When the oldest was put in the queue.
    pub oldest_at: Timestamp,
}

/// A job in the list of all jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedJob {
    /// Immutable.
    pub id: JobId,
    /// What is to be done.
    pub job: Job,
    /// For whom; `None` is the installation.
    pub organization_id: Option<OrganizationId>,
    /// How it stands.
    pub pending: PendingJob,
    /// When it was put in the queue.
    pub created_at: Timestamp,
}

/// How long a runner owns a job before another may take it. It renews the lease at a third of this.
pub const LEASE: SignedDuration = SignedDuration::from_secs(30);

/// Tries before a job that [comes back](Job::comes_back) is given up; the periodic check of its repository then takes over.
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

    #[test]
    fn a_job_of_the_version_before_still_runs() {
        let queued = r#"{"kind":"update_package","package":"00000000-0000-7000-8000-000000000001"}"#;
        let job: Job = serde_json::from_str(queued).unwrap();
        let repository = "00000000-0000-7000-8000-000000000001".parse().unwrap();
        assert_eq!(job, Job::UpdateRepository { repository });
        let now = serde_json::to_string(&job).unwrap();
        assert_eq!(now, queued.replace("package", "repository"));
    }
}
