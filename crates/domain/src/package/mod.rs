//! A `vendor/name` and where in which repository its composer.json is.

pub mod document;
pub mod name;

use crate::{
    Timestamp,
    id::{OrganizationId, PackageId, RepositoryId},
    repository::{Repository, SourceUrl},
};
pub use document::Document;
pub use name::PackageName;

/// A package of an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Immutable.
    pub id: PackageId,
    /// Whose.
    pub organization_id: OrganizationId,
    /// Where its code is.
    pub repository_id: RepositoryId,
    /// The folder of its composer.json in the repository, such as `packages/mailer`; empty at the root.
    pub path: String,
    /// As the default branch's composer.json says; `None` before the first good import.
    pub name: Option<PackageName>,
    /// From composer.json; may be empty.
    pub description: String,
    /// From composer.json: `Some("")` is abandoned without replacement.
    pub abandoned: Option<String>,
    /// Whether only owners, admins and the teams that it was given to read it. It says nothing for a package of a followed
    /// repository: who reads that, Bitbucket decides.
    pub is_restricted: bool,
    /// Why it is not served although its repository could be read, in a sentence; `None` if nothing is in the way.
    pub problem: Option<String>,
    /// When it was added.
    pub created_at: Timestamp,
}

impl Package {
    /// A package in a folder of a repository, before anything is known of it.
    #[must_use]
    pub fn new(id: PackageId, repository: &Repository, path: &str, created_at: Timestamp) -> Self {
        Self {
            id,
            organization_id: repository.organization_id,
            repository_id: repository.id,
            path: path.to_owned(),
            name: None,
            description: String::new(),
            abandoned: None,
            is_restricted: false,
            problem: None,
            created_at,
        }
    }

    /// The name, or where the code is while it has none.
    #[must_use]
    pub fn title(&self, source: &SourceUrl) -> String {
        self.name.as_ref().map_or_else(|| self.place(source), ToString::to_string)
    }

    /// Where the code is: the repository and, unless it is the root, the folder.
    #[must_use]
    pub fn place(&self, source: &SourceUrl) -> String {
        if self.path.is_empty() { source.to_string() } else { format!("{source}, {}", self.path) }
    }
}
