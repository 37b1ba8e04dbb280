//! What became of a reference, in words for the log of a run.

use super::ReferenceKind;
use crate::{
    Invalid,
    composer::{check::Problem, manifest::ManifestProblem},
    package::PackageName,
    run::{RunLevel, RunLine},
    shortened,
    version::VersionFound,
};

/// In characters: composer.json can name anything.
const LONGEST_MESSAGE: usize = 400;

/// What became of a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is a version.
    Imported {
        /// Which one.
        found: Box<VersionFound>,
        /// The name in composer.json there and the one under which it is served, if they differ.
        renamed: Option<(String, PackageName)>,
    },
    /// It is none.
    Skipped {
        /// Tag or branch.
        kind: ReferenceKind,
        /// Its name.
        reference: String,
        /// Why.
        reason: Skip,
    },
}

impl Outcome {
    /// The version, if it became one.
    #[must_use]
    pub fn found(&self) -> Option<&VersionFound> {
        match self {
            Self::Imported { found, .. } => Some(found.as_ref()),
            Self::Skipped { .. } => None,
        }
    }

    /// The line in the log of the run: `v1.2: skipped, composer.json names acme/other`.
    #[must_use]
    pub fn line(&self) -> RunLine {
        let (level, subject, message) = match self {
            Self::Imported { found, renamed } => {
                let served_as = renamed
                    .as_ref()
                    .map(|(from, to)| format!("; composer.json names {from} here, served as {to}"))
                    .unwrap_or_default();
                (RunLevel::Info, &found.reference_name, format!("imported as {}{served_as}", found.version))
            }
            Self::Skipped { reference, reason, .. } => {
                (RunLevel::Skipped, reference, format!("skipped, {reason}"))
            }
        };
        let message = shortened(&message, LONGEST_MESSAGE);
        RunLine { level, path: String::new(), subject: subject.clone(), message }
    }
}

/// Why a reference is no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Skip {
    /// A tag can point to a file or a folder.
    #[error("it points to no commit")]
    NotACommit,
    /// There is no usable composer.json.
    #[error("composer.json {0}")]
    NoManifest(ManifestProblem),
    /// The tag is called anything.
    #[error("its name is not a version")]
    NotAVersion,
    /// `1.0-dev` and the like.
    #[error("a tag cannot be a development version")]
    DevelopmentTag,
    /// The tag and composer.json contradict each other.
    #[error("composer.json says that it is version {0}")]
    OtherVersion(String),
    /// `version` is not a version.
    #[error("composer.json says that it is version “{0}”, which is not a version")]
    BadVersion(String),
    /// A branch with a comma or a bar in its name.
    #[error("its name cannot be written in a version constraint")]
    UnusableName,
    /// Another reference was read first and gave the same version.
    #[error("it is the same version as {first}")]
    SameVersion {
        /// The other one.
        first: String,
    },
    /// The default branch names no package, and here it is another one than elsewhere.
    #[error("composer.json names {0}")]
    OtherPackage(String),
    /// The default branch names no package, and neither does this.
    #[error("composer.json has no usable name")]
    Unnamed,
    /// Clients could not read it.
    #[error("composer.json has a mistake in “{}”: {}", .0.field, .0.sentence)]
    Unpublishable(Problem),
}

/// Why a repository is no package.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPackage {
    /// Nothing was pushed yet, or all was deleted.
    #[error(
        "The repository is empty. It has no branches and no tags yet: push a commit with a composer.json, then update the package."
    )]
    Empty,
    /// The name on the default branch cannot be used.
    #[error("composer.json of the branch {branch} has no usable name: {problem}")]
    BadName {
        /// The default branch.
        branch: String,
        /// What is wrong with it.
        problem: Invalid,
    },
    /// No composer.json anywhere, and so no package.
    #[error(
        "No branch and no tag has a composer.json here. Push one; if it is in another folder, edit the repository and name that folder."
    )]
    Absent,
    /// No name anywhere.
    #[error(
        "No branch and no tag has a composer.json with a name. Add \"name\": \"vendor/name\" to it on the default branch."
    )]
    NoName,
    /// A name, but no version.
    #[error("No branch and no tag could be imported. The log says for each of them why.")]
    NothingUsable,
}

impl NoPackage {
    /// Whether there is certainly nothing, so that what was published is over; otherwise it may be a slip.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        matches!(self, Self::Empty | Self::Absent)
    }
}
