//! Where the versions of a package come from.

use crate::id::{MirrorId, RepositoryId};

/// Where the versions of a package come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A folder of a git repository.
    Folder {
        /// Which repository.
        repository_id: RepositoryId,
        /// The folder of its composer.json there, such as `packages/mailer`; empty at the root.
        path: String,
    },
    /// A mirror.
    Mirror(MirrorId),
    /// People typed them, as JSON.
    Custom,
    /// People uploaded them, as archives.
    Artifact,
}

impl Origin {
    /// The root of a git repository.
    #[must_use]
    pub fn root_of(repository_id: RepositoryId) -> Self {
        Self::Folder { repository_id, path: String::new() }
    }
}

/// The kinds of origins, as lists are filtered by them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OriginKind {
    /// Git repositories.
    Folder,
    /// Mirrors.
    Mirror,
    /// JSON.
    Custom,
    /// Archives.
    Artifact,
}

impl OriginKind {
    /// All of them, in the order of lists.
    pub const ALL: [Self; 4] = [Self::Folder, Self::Mirror, Self::Custom, Self::Artifact];

    /// The name in the database and in addresses.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Folder => "folder",
            Self::Mirror => "mirror",
            Self::Custom => "custom",
            Self::Artifact => "artifact",
        }
    }

    /// What people read.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Folder => "Repository",
            Self::Mirror => "Mirror",
            Self::Custom => "Custom package",
            Self::Artifact => "Artifact",
        }
    }
}

impl Origin {
    /// Of which kind it is.
    #[must_use]
    pub fn kind(&self) -> OriginKind {
        match self {
            Self::Folder { .. } => OriginKind::Folder,
            Self::Mirror(_) => OriginKind::Mirror,
            Self::Custom => OriginKind::Custom,
            Self::Artifact => OriginKind::Artifact,
        }
    }
}
