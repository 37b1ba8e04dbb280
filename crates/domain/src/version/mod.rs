//! One reference of a package, and Composer's rules about versions.

pub mod archive;
pub mod compare;
pub mod constraint;
pub mod keeping;
pub mod normalize;
pub mod plan;
pub mod stability;

use crate::{
    Timestamp,
    id::{PackageId, VersionId},
};
pub use archive::{Archive, RemoteArchive};
pub use compare::compare;
pub use constraint::Constraint;
pub use keeping::Keeping;
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
    /// The commit, or of a version that has none the SHA-1 of what identifies its bytes: 40 lower-case hex digits.
    pub commit: String,
    /// Where the bytes of its dist come from.
    pub archive: Archive,
    /// When the commit was made (plain git: its author date); [`Timestamp::UNIX_EPOCH`] if nobody says.
    pub released_at: Timestamp,
    /// When Stave first published this commit under this version.
    pub published_at: Timestamp,
    /// What of composer.json is served, as JSON text; neither version, source, dist nor time is in it.
    pub manifest: String,
    /// When its tag or branch was gone; `None` while it is there.
    pub removed_at: Option<Timestamp>,
}

/// Another package that a version names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// In which section of composer.json: `require`, `require-dev`, `suggest`, `provide`, `conflict` or `replace`.
    pub section: &'static str,
    /// Which package, or part of the platform.
    pub name: String,
    /// Which of its versions; of a suggestion, why.
    pub text: String,
}

/// The sections of composer.json that name other packages, in the order in which they are shown.
const SECTIONS: [&str; 6] = ["require", "require-dev", "suggest", "provide", "conflict", "replace"];

impl Version {
    /// The packages that it names, section by section.
    #[must_use]
    pub fn links(&self) -> Vec<Link> {
        let manifest: serde_json::Value = serde_json::from_str(&self.manifest).unwrap_or_default();
        let of = |section: &'static str| {
            let links = manifest[section].as_object().into_iter().flatten();
            let links = links.map(move |(name, text)| Link {
                section,
                name: name.clone(),
                text: text.as_str().unwrap_or_default().to_owned(),
            });
            links.collect::<Vec<_>>()
        };
        SECTIONS.into_iter().flat_map(of).collect()
    }

    /// When it was released; `None` if the repository that it comes from does not say.
    #[must_use]
    pub fn released_at(&self) -> Option<Timestamp> {
        (self.released_at != Timestamp::UNIX_EPOCH).then_some(self.released_at)
    }

    /// What of it is remembered for good.
    #[must_use]
    pub fn publication(&self) -> Publication {
        Publication {
            normalized: self.normalized.clone(),
            commit: self.commit.clone(),
            archive: self.archive.clone(),
            published_at: self.published_at,
        }
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
    /// Where the bytes of its dist come from.
    pub archive: Archive,
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
    /// As of a [`Version`].
    pub commit: String,
    /// Where the bytes of its dist come from.
    pub archive: Archive,
    /// `time` of composer.json if it has a usable one, else when the commit was made.
    pub released_at: Timestamp,
    /// When the registry that it comes from published it, as that says; `None` of what comes from no other registry.
    pub published_at: Option<Timestamp>,
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
            archive: self.archive.clone(),
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
    /// When it was made; `None` of those from before this was kept.
    pub created_at: Option<Timestamp>,
}
