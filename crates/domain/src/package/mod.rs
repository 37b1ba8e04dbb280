//! A followed `vendor/name` and where its code is.

pub mod document;
pub mod name;
pub mod source;

use crate::{
    Timestamp,
    id::{CredentialId, IdentityId, OrganizationId, PackageId},
};
pub use document::Document;
pub use name::PackageName;
pub use source::SourceUrl;

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
}

/// A package of an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Immutable.
    pub id: PackageId,
    /// Whose.
    pub organization_id: OrganizationId,
    /// As the default branch's composer.json says; `None` before the first good import.
    pub name: Option<PackageName>,
    /// Where the code is.
    pub source: SourceUrl,
    /// With whose rights it is read.
    pub access: SourceAccess,
    /// From composer.json; may be empty.
    pub description: String,
    /// From composer.json: `Some("")` is abandoned without replacement.
    pub abandoned: Option<String>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When its repository was last asked, whatever came of it.
    pub checked_at: Option<Timestamp>,
    /// Why it could not be read then, in a sentence; `None` if it could.
    pub last_error: Option<String>,
}

/// How often a repository without a webhook is read.
pub const CHECK_EVERY: jiff::SignedDuration = jiff::SignedDuration::from_hours(12);
