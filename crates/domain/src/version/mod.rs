//! One reference of a package, and Composer's rules about versions.

pub mod compare;
pub mod constraint;
pub mod normalize;
pub mod plan;
pub mod stability;

use crate::{
    Timestamp,
    id::{PackageId, VersionId},
};
pub use compare::compare;
pub use constraint::Constraint;
pub use normalize::normalize;
pub use plan::{Changes, plan};
pub use stability::Stability;

/// A version as it is published. Removed ones are remembered: their dists stay, and so does the time of publication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Immutable.
    pub id: VersionId,
    /// Whose.
    pub package_id: PackageId,
    /// Composer's pretty form: `v1.2.0`, `dev-main`, `1.x-dev`.
    pub version: String,
    /// Composer's normalized form; unique within the package.
    pub normalized: String,
    /// Whether it comes from a branch.
    pub is_dev: bool,
    /// Whether it comes from the default branch.
    pub is_default_branch: bool,
    /// The tag or branch.
    pub reference_name: String,
    /// The commit: 40 lower-case hex digits.
    pub commit: String,
    /// When the commit was made (plain git: its author date).
    pub released_at: Timestamp,
    /// When Stave first published this commit under this version.
    pub published_at: Timestamp,
    /// What of composer.json is served, as JSON text; neither version, source, dist nor time is in it.
    pub manifest: String,
    /// When its tag or branch was gone; `None` while it is there.
    pub removed_at: Option<Timestamp>,
}

impl Version {
    /// What of it is remembered for good.
    #[must_use]
    pub fn publication(&self) -> Publication {
        let (normalized, commit) = (self.normalized.clone(), self.commit.clone());
        Publication { normalized, commit, published_at: self.published_at }
    }
}

/// That a commit was published under a version. It is remembered when the version moves on or goes, so that a commit
/// which comes back keeps its first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// The version in Composer's normalized form.
    pub normalized: String,
    /// The commit: 40 lower-case hex digits.
    pub commit: String,
    /// When Stave first published this commit under this version.
    pub published_at: Timestamp,
}

/// A version as a repository offers it, before anything is known of it here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionFound {
    /// Composer's pretty form.
    pub version: String,
    /// Composer's normalized form.
    pub normalized: String,
    /// Whether it comes from a branch.
    pub is_dev: bool,
    /// Whether it comes from the default branch.
    pub is_default_branch: bool,
    /// The tag or branch.
    pub reference_name: String,
    /// The commit: 40 lower-case hex digits.
    pub commit: String,
    /// `time` of composer.json if it has a usable one, else when the commit was made.
    pub released_at: Timestamp,
    /// What of composer.json is served, as JSON text.
    pub manifest: String,
}

impl VersionFound {
    /// The version as it is published.
    #[must_use]
    pub fn published(&self, id: VersionId, package_id: PackageId, published_at: Timestamp) -> Version {
        Version {
            id,
            package_id,
            version: self.version.clone(),
            normalized: self.normalized.clone(),
            is_dev: self.is_dev,
            is_default_branch: self.is_default_branch,
            reference_name: self.reference_name.clone(),
            commit: self.commit.clone(),
            released_at: self.released_at,
            published_at,
            manifest: self.manifest.clone(),
            removed_at: None,
        }
    }
}

/// The archive of one commit. Its bytes never change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dist {
    /// Whose.
    pub package_id: PackageId,
    /// Of which commit: 40 lower-case hex digits.
    pub commit: String,
    /// SHA-256 of the bytes, 64 lower-case hex digits: the name of the blob.
    pub digest: String,
    /// SHA-1 of the bytes, 40 lower-case hex digits: what Composer calls `shasum`.
    pub shasum: String,
    /// Size in bytes.
    pub size_bytes: u64,
}
