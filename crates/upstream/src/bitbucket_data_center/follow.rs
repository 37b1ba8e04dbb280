//! Following a project of Bitbucket Data Center.

use super::{
    BitbucketDataCenter,
    group::group_list,
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
impl Follow for BitbucketDataCenter {
    async fn workspace_list(&self, asker: &dyn Asker) -> Result<Vec<Workspace>, UpstreamError> {
        workspace_list(&self.api_known(asker)).await
    }

    async fn workspace_find(&self, asker: &dyn Asker, key: &str) -> Result<Option<Workspace>, UpstreamError> {
        workspace_find(&self.api_known(asker), key).await
    }

    async fn workspace_look(
        &self,
        asker: &dyn Asker,
        workspace: &Workspace,
    ) -> Result<Workspace, UpstreamError> {
        workspace_look(&self.api_known(asker), workspace).await
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
        person_list(&self.api_known(asker), workspace, told).await
    }

    /// A list for each repository.
    async fn right_each(
        &self,
        asker: &dyn Asker,
        workspace: &Workspace,
        repositories: &[RemoteRepository],
        tell: Tell<'_>,
    ) -> Result<(), UpstreamError> {
        right_each(&self.repositories(asker, workspace), repositories, tell).await
    }

    async fn own_rights(
        &self,
        asker: &dyn Asker,
        workspace: &Workspace,
    ) -> Result<Option<OwnRights>, UpstreamError> {
        own_rights(&self.repositories(asker, workspace)).await
    }

    async fn group_list(
        &self,
        asker: &dyn Asker,
        workspace: &Workspace,
    ) -> Result<Option<Vec<RemoteGroup>>, UpstreamError> {
        group_list(&self.api_known(asker), workspace).await.map(Some)
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

impl BitbucketDataCenter {
    fn repositories<'a>(&'a self, asker: &'a dyn Asker, workspace: &'a Workspace) -> Repositories<'a> {
        Repositories { api: self.api_known(asker), workspace }
    }
}
