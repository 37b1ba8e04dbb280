//! Repositories of a workspace. They are asked for by uuid, which outlives names.

use super::{
    api::Api,
    wire::{FileAnswer, RepositoryEntry},
};
use crate::{UpstreamError, answer::without, asker::Found, follow::Told};
use stave_domain::{
    Timestamp,
    integration::BaseUrl,
    synchronization::{RemoteRepository, Workspace, name_read},
};

/// What is read of each.
const FIELDS: [&str; 8] =
    ["uuid", "name", "full_name", "scm", "mainbranch.name", "updated_on", "project.key", "workspace.uuid"];
const MANIFEST: &str = "composer.json";

/// The repositories of a workspace, as one API shows them.
pub(super) struct Repositories<'a> {
    pub(super) api: Api<'a>,
    /// Below it is what git reads.
    pub(super) base_url: &'a BaseUrl,
    pub(super) workspace: &'a Workspace,
}

impl Repositories<'_> {
    pub(super) async fn list(&self, told: Told<'_>) -> Result<Vec<RemoteRepository>, UpstreamError> {
        let fields = FIELDS.map(|field| format!("values.{field}")).join(",");
        let path = ["repositories", &self.workspace.external_id];
        let url = self.api.list_at(&path, &format!("size,next,{fields}"));
        self.api.list(&url, told, |entry| self.read(entry)).await
    }

    pub(super) async fn look(
        &self,
        known: &RemoteRepository,
    ) -> Result<Option<RemoteRepository>, UpstreamError> {
        let mut url =
            self.api.at_segments(&["repositories", &self.workspace.external_id, &known.external_id]);
        url.query_pairs_mut().append_pair("fields", &FIELDS.join(","));
        match self.api.find(&url).await? {
            Found::There(answer) => self.read(answer.json()?),
            Found::Absent(_) => Ok(None),
        }
    }

    /// Branches with a slash in their name cannot stand in the address, so HEAD does: the default branch.
    pub(super) async fn has_manifest(&self, repository: &RemoteRepository) -> Result<bool, UpstreamError> {
        if repository.default_branch.is_none() {
            return Ok(false);
        }
        let (workspace, id) = (&self.workspace.external_id, &repository.external_id);
        let mut url = self.api.at_segments(&["repositories", workspace, id, "src", "HEAD", MANIFEST]);
        url.set_query(Some("format=meta&fields=type"));
        match self.api.find(&url).await? {
            Found::There(answer) => {
                let file: FileAnswer = answer.json()?;
                let kind = file.kind.ok_or_else(|| answer.without("the type of a file"))?;
                Ok(kind == "commit_file")
            }
            // The sentence may be in any language, but it names the file; others are about the repository.
            Found::Absent(sentence) if sentence.contains(MANIFEST) => Ok(false),
            Found::Absent(_) => Err(UpstreamError::NotFound { host: self.api.host() }),
        }
    }

    /// `None` if it is no git repository, or none of the workspace.
    fn read(&self, entry: RepositoryEntry) -> Result<Option<RemoteRepository>, UpstreamError> {
        let lacks = |what| without(self.api.host(), what);
        let home = entry.workspace.and_then(|workspace| workspace.uuid);
        let is_elsewhere = home.is_some_and(|uuid| uuid != self.workspace.external_id);
        if is_elsewhere || entry.scm.is_some_and(|scm| scm != "git") {
            return Ok(None);
        }
        let external_id = entry.uuid.filter(|uuid| !uuid.is_empty());
        let full_name = entry.full_name.ok_or_else(|| lacks("the name of a repository"))?;
        let (_, slug) = full_name.split_once('/').ok_or_else(|| lacks("the name of a repository"))?;
        // Not the link to clone it, which has the user's name in it and may lead to another host.
        let source = format!("{}/{full_name}.git", self.base_url).parse();
        Ok(Some(RemoteRepository {
            external_id: external_id.ok_or_else(|| lacks("the uuid of a repository"))?,
            slug: slug.to_owned(),
            name: entry
                .name
                .map(|name| name_read(&name))
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| slug.to_owned()),
            project: entry.project.and_then(|project| project.key),
            source: source.map_err(|_| lacks("a usable name of a repository"))?,
            default_branch: entry.mainbranch.and_then(|branch| branch.name),
            is_archived: false,
            changed_at: entry.updated_on.as_deref().and_then(instant),
        }))
    }
}

/// To the millisecond, as it is stored: with more, it would seem to have changed whenever it is read.
fn instant(text: &str) -> Option<Timestamp> {
    Timestamp::from_millisecond(text.parse::<Timestamp>().ok()?.as_millisecond()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_have_milliseconds() {
        for (text, read) in [
            ("2026-08-01T10:00:00.123999+00:00", Some("2026-08-01T10:00:00.123Z")),
            ("2026-08-01T12:00:00+02:00", Some("2026-08-01T10:00:00Z")),
            ("2026-08-01T10:00:00Z", Some("2026-08-01T10:00:00Z")),
            ("yesterday", None),
        ] {
            assert_eq!(instant(text), read.map(|text| text.parse().unwrap()), "{text}");
        }
    }
}
