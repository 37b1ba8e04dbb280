//! Repositories of a project. Only their slugs stand in addresses, so what comes back is held against the id.

use super::{api::Api, wire::RepositoryEntry};
use crate::{UpstreamError, answer::without, asker::Found, follow::Told};
use reqwest::StatusCode;
use stave_domain::synchronization::{RemoteRepository, Workspace, name_read};

const MANIFEST: &str = "composer.json";
/// With these exceptions Bitbucket says that a repository has no such file: it lacks the file, or is empty.
const NO_FILE: [&str; 5] =
    ["NoSuchPath", "NoDefaultBranch", "NoSuchBranch", "NoSuchCommit", "EmptyRepository"];

/// The repositories of a project, as one API shows them.
pub(super) struct Repositories<'a> {
    pub(super) api: Api<'a>,
    pub(super) workspace: &'a Workspace,
}

impl Repositories<'_> {
    pub(super) async fn list(&self, told: Told<'_>) -> Result<Vec<RemoteRepository>, UpstreamError> {
        let url = self.api.at_segments(&["projects", &self.workspace.key, "repos"]);
        let read = |entry: RepositoryEntry| {
            if self.is_elsewhere(&entry) {
                return Err(UpstreamError::NotFound { host: self.api.host() });
            }
            self.read(entry)
        };
        self.api.list(&url, told, read).await
    }

    /// By its slug, and if that is not its any more among all of the project.
    pub(super) async fn look(
        &self,
        known: &RemoteRepository,
    ) -> Result<Option<RemoteRepository>, UpstreamError> {
        let is_it = |found: &RemoteRepository| found.external_id == known.external_id;
        let url = self.api.at_segments(&["projects", &self.workspace.key, "repos", &known.slug]);
        let found = match self.api.find(&url).await {
            Ok(Found::There(answer)) => {
                let entry: RepositoryEntry = answer.json()?;
                if self.is_elsewhere(&entry) { None } else { self.read(entry)?.filter(is_it) }
            }
            // The slug may be that of another one by now, perhaps a hidden one.
            Ok(Found::Absent(_)) | Err(UpstreamError::Forbidden { .. }) => None,
            Err(error) => return Err(error),
        };
        match found {
            Some(found) => Ok(Some(found)),
            None => Ok(self.list(&|_| ()).await?.into_iter().find(is_it)),
        }
    }

    /// Without a reference, Bitbucket looks in the default branch.
    pub(super) async fn has_manifest(&self, repository: &RemoteRepository) -> Result<bool, UpstreamError> {
        let path = ["projects", &self.workspace.key, "repos", &repository.slug, "raw", MANIFEST];
        match self.api.find(&self.api.at_segments(&path)).await? {
            Found::There(answer) => Ok(answer.status != StatusCode::NO_CONTENT),
            Found::Absent(exception) if NO_FILE.iter().any(|name| exception.contains(name)) => Ok(false),
            Found::Absent(_) => Err(UpstreamError::NotFound { host: self.api.host() }),
        }
    }

    /// Whether the key has become that of another project.
    pub(super) fn is_elsewhere(&self, entry: &RepositoryEntry) -> bool {
        entry.project.id.is_some_and(|id| id.to_string() != self.workspace.external_id)
    }

    /// `None` if it is no git repository, or still being made.
    pub(super) fn read(&self, entry: RepositoryEntry) -> Result<Option<RemoteRepository>, UpstreamError> {
        let is_unfinished = entry.state.is_some_and(|state| state.starts_with("INITIALIS"));
        if is_unfinished || entry.scm.is_some_and(|scm| scm != "git") {
            return Ok(None);
        }
        let lacks = |what| without(self.api.host(), what);
        // Not the link to clone it, which is below the address that Bitbucket believes to have. Keys are in lower case there.
        let (base_url, key) = (&self.api.server.registration.base_url, entry.project.key.to_lowercase());
        let source = format!("{base_url}/scm/{key}/{}.git", entry.slug).parse();
        Ok(Some(RemoteRepository {
            external_id: entry.id.ok_or_else(|| lacks("the id of a repository"))?.to_string(),
            name: name_read(entry.name.as_ref().unwrap_or(&entry.slug)),
            slug: entry.slug,
            project: None,
            source: source.map_err(|_| lacks("a usable name of a repository"))?,
            default_branch: None,
            is_archived: entry.archived,
            changed_at: None,
        }))
    }
}
