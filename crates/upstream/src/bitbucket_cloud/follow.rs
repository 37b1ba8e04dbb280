//! Following a workspace of Bitbucket Cloud.

use super::{
    BitbucketCloud,
    person::person_list,
    repository::Repositories,
    right::{own_rights, right_each},
    workspace::{workspace_find, workspace_list, workspace_look},
};
use crate::{
    Asker, Follow, UpstreamError,
    follow::{OwnRights, Tell, Told},
};
use async_trait::async_trait;
use stave_domain::synchronization::{RemoteGroup, RemotePerson, RemoteRepository, Workspace};

#[async_trait]
impl Follow for BitbucketCloud {
    async fn workspace_list(&self, asker: &dyn Asker) -> Result<Vec<Workspace>, UpstreamError> {
        workspace_list(&self.api(asker)).await
    }

    async fn workspace_find(&self, asker: &dyn Asker, key: &str) -> Result<Option<Workspace>, UpstreamError> {
        workspace_find(&self.api(asker), key).await
    }

    async fn workspace_look(
        &self,
        asker: &dyn Asker,
        workspace: &Workspace,
    ) -> Result<Workspace, UpstreamError> {
        workspace_look(&self.api(asker), workspace).await
    }

    async fn repository_list(
        &self,
        asker: &dyn Asker,
        workspace: &Workspace,
        told: Told<'_>,
    ) -> Result<Vec<RemoteRepository>, UpstreamError> {
        self.repositories(asker, workspace).list(told).await
    }

    async fn repository_look(
        &self,
        asker: &dyn Asker,
        workspace: &Workspace,
        repository: &RemoteRepository,
    ) -> Result<Option<RemoteRepository>, UpstreamError> {
        self.repositories(asker, workspace).look(repository).await
    }

    async fn person_list(
        &self,
        asker: &dyn Asker,
        workspace: &Workspace,
        told: Told<'_>,
    ) -> Result<Vec<RemotePerson>, UpstreamError> {
        person_list(&self.api(asker), workspace, told).await
    }

    /// One list for all repositories.
    async fn right_each(
        &self,
        asker: &dyn Asker,
        workspace: &Workspace,
        _repositories: &[RemoteRepository],
        tell: Tell<'_>,
    ) -> Result<(), UpstreamError> {
        right_each(&self.api(asker), workspace, tell).await
    }

    async fn own_rights(
        &self,
        asker: &dyn Asker,
        workspace: &Workspace,
    ) -> Result<Option<OwnRights>, UpstreamError> {
        own_rights(&self.api(asker), workspace).await
    }

    /// Bitbucket Cloud tells no groups.
    async fn group_list(
        &self,
        _asker: &dyn Asker,
        _workspace: &Workspace,
    ) -> Result<Option<Vec<RemoteGroup>>, UpstreamError> {
        Ok(None)
    }

    async fn manifest_look(
        &self,
        asker: &dyn Asker,
        workspace: &Workspace,
        repository: &RemoteRepository,
    ) -> Result<bool, UpstreamError> {
        self.repositories(asker, workspace).has_manifest(repository).await
    }
}

impl BitbucketCloud {
    fn repositories<'a>(&'a self, asker: &'a dyn Asker, workspace: &'a Workspace) -> Repositories<'a> {
        Repositories { api: self.api(asker), base_url: &self.registration.base_url, workspace }
    }
}
