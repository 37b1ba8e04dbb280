//! Synchronizations: the standing arrangements by which an organization follows a workspace.

pub mod access_set;
pub mod person;
pub mod plan;
pub mod preview;
pub mod remote;
pub mod selection;

pub use access_set::{AccessSet, Level};
pub use person::{KnownPerson, RemoteGroup, RemotePerson};
pub use plan::{Known, Numbers, Plan, Seen, plan};
pub use preview::Preview;
pub use remote::{Choice, KnownRepository, Manifest, RemoteRepository, name_read};
pub use selection::Selection;

use crate::{
    Timestamp,
    id::{CredentialId, IdentityId, IntegrationId, OrganizationId, SynchronizationId},
};
use jiff::SignedDuration;

/// A platform's outer container: a workspace of Bitbucket Cloud, a project of Bitbucket Data Center.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Workspace {
    /// The platform's immutable id, as delivered: Cloud's uuid with its braces, Data Center's number.
    pub external_id: String,
    /// Its name in addresses: Cloud's slug, Data Center's project key. May change, and may then be somebody else's.
    pub key: String,
    /// As people write it; empty if the platform did not say.
    pub name: String,
}

impl Workspace {
    /// What to call it: its name, or else its key.
    #[must_use]
    pub fn title(&self) -> &str {
        if self.name.is_empty() { &self.key } else { &self.name }
    }
}

/// With whose rights a synchronization asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SynchronizationAccess {
    /// Those of a connected account.
    Account(IdentityId),
    /// Those of a connected account that was deleted since.
    AccountGone,
    /// Those of a stored credential.
    Stored(CredentialId),
}

/// Who is asked what people may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RightsFrom {
    /// The synchronization's own credential sees everybody's rights.
    Everybody,
    /// It may not: each person's rights are asked for with that person's own account, at log-in and on a schedule.
    EachPerson,
}

/// Whether a synchronization does something yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It was only looked what would happen: no member, team, package or webhook came of it.
    Draft,
    /// It follows its workspace.
    Active,
}

/// The standing arrangement to follow a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Synchronization {
    /// Immutable.
    pub id: SynchronizationId,
    /// Who follows.
    pub organization_id: OrganizationId,
    /// At which integration its people are known.
    pub integration_id: IntegrationId,
    /// What is followed.
    pub workspace: Workspace,
    /// With whose rights.
    pub access: SynchronizationAccess,
    /// Who is asked what people may read.
    pub rights_from: RightsFrom,
    /// Whether the workspace's owners are the organization's.
    pub is_primary: bool,
    /// Which of its repositories become packages.
    pub selection: Selection,
    /// Whether webhooks are installed and repaired.
    pub has_webhooks: bool,
    /// Whether it does something yet.
    pub stage: Stage,
    /// The highest [number](KnownRepository::number) ever given.
    pub numbers_used: u32,
    /// When it was made.
    pub created_at: Timestamp,
}

/// How a synchronization fares.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Condition {
    /// When a run last came to its end.
    pub succeeded_at: Option<Timestamp>,
    /// Since when no run did: the first failure after it.
    pub failing_since: Option<Timestamp>,
    /// Why the last one did not, in a sentence.
    pub last_error: Option<String>,
    /// What the last run that succeeded could not read or do, each in a sentence.
    pub notes: Vec<String>,
    /// When the next one is due.
    pub next_at: Option<Timestamp>,
    /// When the owners were told of the failure by mail.
    pub told_at: Option<Timestamp>,
}

/// A webhook that a synchronization installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledWebhook {
    /// The [number](KnownRepository::number) of the repository whose it is; `None` if it is the workspace's.
    pub number: Option<u32>,
    /// Its id at the platform.
    pub external_id: String,
    /// When it was installed, or (of a repository) last found in order.
    pub installed_at: Timestamp,
}

/// How old an answer of a person's own account may become before it no longer counts. The rights of [`RightsFrom::Everybody`]
/// have no such bound: a run that fails takes nothing from anybody.
pub const OLDEST_ANSWER: SignedDuration = SignedDuration::from_hours(24);

/// A repository that is missing for so long counts as gone, if those who look may not see everything. To those who may, it is gone
/// at once.
pub const MISSING_TOO_LONG: SignedDuration = SignedDuration::from_hours(24);

/// A synchronization that fails for so long is told to the owners by mail.
pub const FAILING_TOO_LONG: SignedDuration = SignedDuration::from_hours(24);

/// How often repositories without a composer.json are looked at again where the platform does not say when they changed.
pub const LOOK_AGAIN_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// Minutes between two runs unless an admin chose otherwise; webhooks tell of most changes before.
pub const MINUTES_BETWEEN_RUNS: u32 = 60;
