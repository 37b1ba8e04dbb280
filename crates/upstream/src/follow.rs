//! Following a workspace: its repositories, its people, and what they may read.

use crate::{Asker, UpstreamError};
use async_trait::async_trait;
use stave_domain::{
    organization::Role,
    synchronization::{Level, RemoteGroup, RemotePerson, RemoteRepository, Workspace},
};
use std::collections::HashSet;

/// Is told how many entries of a list were read so far.
pub type Told<'a> = &'a (dyn Fn(u32) + Send + Sync);

/// Is told each right.
pub type Tell<'a> = &'a mut (dyn FnMut(Right<'_>) + Send);

/// Following a workspace. A list is whole, each entry once, or it is an error.
#[async_trait]
pub trait Follow: Send + Sync {
    /// The workspaces that whoever asks is in. Bitbucket Cloud does not tell their names here.
    async fn workspace_list(&self, asker: &dyn Asker) -> Result<Vec<Workspace>, UpstreamError>;

    /// The workspace that somebody means who typed its name in addresses; `None` if there is none, or none that is shown to
    /// whoever asks.
    async fn workspace_find(&self, asker: &dyn Asker, key: &str) -> Result<Option<Workspace>, UpstreamError>;

    /// What a workspace is called now, by its immutable id; [`UpstreamError::NotFound`] if it is gone or hidden.
    async fn workspace_look(
        &self,
        asker: &dyn Asker,
        workspace: &Workspace,
    ) -> Result<Workspace, UpstreamError>;

    /// All repositories of the workspace that whoever asks may see.
    async fn repository_list(
        &self,
        asker: &dyn Asker,
        workspace: &Workspace,
        told: Told<'_>,
    ) -> Result<Vec<RemoteRepository>, UpstreamError>;

    /// One repository as it is now, by its immutable id; `None` only if the platform says that the workspace has none with it:
    /// a list that changes while it is read may miss one that is there.
    async fn repository_look(
        &self,
        asker: &dyn Asker,
        workspace: &Workspace,
        repository: &RemoteRepository,
    ) -> Result<Option<RemoteRepository>, UpstreamError>;

    /// The people of the workspace. Those who are deactivated, and accounts of programs, are none.
    async fn person_list(
        &self,
        asker: &dyn Asker,
        workspace: &Workspace,
        told: Told<'_>,
    ) -> Result<Vec<RemotePerson>, UpstreamError>;

    /// Everybody's effective rights, in no order, perhaps one twice: there may be millions, so they are told one by one. Among
    /// them are people who are not of the workspace. Data Center is asked who may read, and no more: every level is
    /// [`Level::Read`].
    async fn right_each(
        &self,
        asker: &dyn Asker,
        workspace: &Workspace,
        repositories: &[RemoteRepository],
        tell: Tell<'_>,
    ) -> Result<(), UpstreamError>;

    /// What the person who asks may do. `None` only if it is certain that they are not in the workspace and may read nothing
    /// there.
    async fn own_rights(
        &self,
        asker: &dyn Asker,
        workspace: &Workspace,
    ) -> Result<Option<OwnRights>, UpstreamError>;

    /// The groups that have rights in the workspace, and who is in them; `None` if the platform does not tell groups.
    async fn group_list(
        &self,
        asker: &dyn Asker,
        workspace: &Workspace,
    ) -> Result<Option<Vec<RemoteGroup>>, UpstreamError>;

    /// Whether there is a composer.json in the root of the default branch. One request; none for a repository that is known to
    /// be empty.
    async fn manifest_look(
        &self,
        asker: &dyn Asker,
        workspace: &Workspace,
        repository: &RemoteRepository,
    ) -> Result<bool, UpstreamError>;
}

/// What somebody may do with a repository.
#[derive(Debug, Clone, Copy)]
pub struct Right<'a> {
    /// Who; as to their role, [`Follow::person_list`] knows better.
    pub person: &'a RemotePerson,
    /// Which, by the platform's immutable id.
    pub repository: &'a str,
    /// What.
    pub level: Level,
}

/// What the person who asks may do in a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnRights {
    /// What they are in the organization if the workspace is the primary one.
    pub role: Role,
    /// Repositories by the platform's immutable id, each once.
    pub rights: Vec<(String, Level)>,
}

/// What a list has entries of.
pub(crate) trait Listed {
    /// The platform's immutable id.
    fn external_id(&self) -> &str;
}

impl Listed for Workspace {
    fn external_id(&self) -> &str {
        &self.external_id
    }
}

impl Listed for RemoteRepository {
    fn external_id(&self) -> &str {
        &self.external_id
    }
}

impl Listed for RemotePerson {
    fn external_id(&self) -> &str {
        &self.external_id
    }
}

/// A list that grows while it is read has entries twice.
pub(crate) fn each_once<T: Listed>(mut entries: Vec<T>) -> Vec<T> {
    let mut seen = HashSet::new();
    entries.retain(|entry| seen.insert(entry.external_id().to_owned()));
    entries
}

/// How many entries were read, for those who are told.
pub(crate) fn count<T>(entries: &[T]) -> u32 {
    u32::try_from(entries.len()).unwrap_or(u32::MAX)
}
