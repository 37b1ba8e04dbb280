//! A `vendor/name` and where its versions come from.

pub mod definition;
pub mod document;
pub mod facet;
pub mod name;
pub mod origin;
pub mod patterns;

use crate::{
    Timestamp,
    id::{OrganizationId, PackageId, RepositoryId},
    repository::Repository,
};
pub use definition::Definition;
pub use document::Document;
pub use facet::{Facet, FacetKind};
pub use name::PackageName;
pub use origin::{Origin, OriginKind};
pub use patterns::Patterns;

/// A package of an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Immutable.
    pub id: PackageId,
    /// Whose.
    pub organization_id: OrganizationId,
    /// Where its versions come from.
    pub origin: Origin,
    /// Of a repository's: as the default branch's composer.json says, `None` before the first good import.
    pub name: Option<PackageName>,
    /// From composer.json; may be empty.
    pub description: String,
    /// As its origin says, such as composer.json: `Some("")` is abandoned without replacement.
    pub abandoned: Option<String>,
    /// The same as somebody here says: their word counts.
    pub given_up: Option<String>,
    /// Whether only owners, admins and the teams that it was given to read it. It says nothing for a package of a followed
    /// repository: who reads that, Bitbucket decides.
    pub is_restricted: bool,
    /// Why it is not served although its repository could be read, in a sentence; `None` if nothing is in the way.
    pub problem: Option<String>,
    /// When it was added.
    pub created_at: Timestamp,
}

impl Package {
    /// A package before anything is known of it.
    #[must_use]
    pub fn new(
        id: PackageId,
        organization_id: OrganizationId,
        origin: Origin,
        created_at: Timestamp,
    ) -> Self {
        Self {
            id,
            organization_id,
            origin,
            name: None,
            description: String::new(),
            abandoned: None,
            given_up: None,
            is_restricted: false,
            problem: None,
            created_at,
        }
    }

    /// The git repository that it is read from, if it is from one.
    #[must_use]
    pub fn repository_id(&self) -> Option<RepositoryId> {
        match self.origin {
            Origin::Folder { repository_id, .. } => Some(repository_id),
            Origin::Mirror(_) | Origin::Custom | Origin::Artifact => None,
        }
    }

    /// The folder in its repository; empty at the root, and of what is from no repository.
    #[must_use]
    pub fn path(&self) -> &str {
        match &self.origin {
            Origin::Folder { path, .. } => path,
            Origin::Mirror(_) | Origin::Custom | Origin::Artifact => "",
        }
    }

    /// What replaces it, if it is abandoned: `Some("")` is nothing.
    #[must_use]
    pub fn replacement(&self) -> Option<&str> {
        self.given_up.as_deref().or(self.abandoned.as_deref())
    }

    /// Whether it is somebody else's, followed by a mirror.
    #[must_use]
    pub fn is_mirrored(&self) -> bool {
        matches!(self.origin, Origin::Mirror(_))
    }

    /// The name, or where the code is while it has none.
    #[must_use]
    pub fn title(&self, repository: Option<&Repository>) -> String {
        self.name.as_ref().map_or_else(|| self.place(repository), ToString::to_string)
    }

    /// Where it comes from: the repository and, unless it is the root, the folder; of others, in words.
    #[must_use]
    pub fn place(&self, repository: Option<&Repository>) -> String {
        match (&self.origin, repository) {
            (Origin::Folder { path, .. }, Some(it)) if path.is_empty() => it.source.to_string(),
            (Origin::Folder { path, .. }, Some(it)) => format!("{}, {path}", it.source),
            (Origin::Folder { .. }, None) => "a repository".into(),
            (Origin::Mirror(_), _) => "a mirror".into(),
            (Origin::Custom, _) => "a custom package".into(),
            (Origin::Artifact, _) => "an uploaded artifact".into(),
        }
    }
}
