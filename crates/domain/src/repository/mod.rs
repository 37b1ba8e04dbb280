//! A git repository that is mirrored here, with one or more packages in it.

pub mod layout;
pub mod source;

use crate::{
    Timestamp,
    id::{CredentialId, IdentityId, OrganizationId, RepositoryId, SynchronizationId},
};
pub use layout::{Layout, PathPattern};
pub use source::SourceUrl;

/// A git repository of an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// Immutable.
    pub id: RepositoryId,
    /// Whose.
    pub organization_id: OrganizationId,
    /// Where the code is.
    pub source: SourceUrl,
    /// With whose rights it is read.
    pub access: SourceAccess,
    /// Where in it the packages are.
    pub layout: Layout,
    /// The synchronization that brought it; `None` if somebody added it by its URL.
    pub followed: Option<Followed>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was last asked, whatever came of it.
    pub checked_at: Option<Timestamp>,
    /// Why it could not be read then, in a sentence; `None` if it could.
    pub last_error: Option<String>,
}

/// The place of a repository in the synchronization that brought it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Followed {
    /// Which synchronization.
    pub synchronization_id: SynchronizationId,
    /// The repository's number there; it is never used again.
    pub number: u32,
}

/// With whose rights a repository is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceAccess {
    /// Nobody's: the repository is public.
    Public,
    /// Those of a connected account.
    Account(IdentityId),
    /// Those of a connected account that was deleted since: it can no longer be read until somebody chooses another way.
    AccountGone,
    /// A stored user name and password.
    Stored(CredentialId),
    /// The organization's SSH key.
    OrganizationKey,
    /// Those of the synchronization that brought it.
    Synchronization,
}

/// How often a repository without a webhook is read.
pub const CHECK_EVERY: jiff::SignedDuration = jiff::SignedDuration::from_hours(12);
