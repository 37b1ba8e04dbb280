//! Who may read which repository. What more they may do there is not asked: it would take two more requests for each.

use super::{
    person::people_with,
    repository::Repositories,
    wire::{ProjectEntry, RepositoryEntry},
    workspace::workspace_now,
};
use crate::{
    UpstreamError,
    follow::{OwnRights, Right, Tell},
};
use stave_domain::{
    organization::Role,
    synchronization::{Level, RemotePerson, RemoteRepository},
};
use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

/// Everybody's, repository by repository, four at a time.
pub(super) async fn right_each(
    all: &Repositories<'_>,
    repositories: &[RemoteRepository],
    tell: Tell<'_>,
) -> Result<(), UpstreamError> {
    let (queue, tell) = (Mutex::new(repositories.iter()), Mutex::new(tell));
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = async || {
        while let Some(repository) = next() {
            let readers = readers(all, repository).await?;
            let mut tell = tell.lock().unwrap_or_else(PoisonError::into_inner);
            for person in &readers {
                tell(Right { person, repository: &repository.external_id, level: Level::Read });
            }
        }
        Ok(())
    };
    tokio::try_join!(work(), work(), work(), work()).map(drop)
}

/// Nobody is what Bitbucket says also of a repository that has another name by now. Of one that was deleted there are none.
async fn readers(
    all: &Repositories<'_>,
    repository: &RemoteRepository,
) -> Result<Vec<RemotePerson>, UpstreamError> {
    match readers_at(all, &repository.slug).await {
        Ok(readers) if !readers.is_empty() => Ok(readers),
        Ok(_) | Err(UpstreamError::NotFound { .. }) => match all.look(repository).await? {
            Some(now) => readers_at(all, &now.slug).await,
            None => Ok(Vec::new()),
        },
        Err(error) => Err(error),
    }
}

async fn readers_at(all: &Repositories<'_>, slug: &str) -> Result<Vec<RemotePerson>, UpstreamError> {
    let filter = [
        ("permission.1", "REPO_READ"),
        ("permission.1.projectKey", &all.workspace.key),
        ("permission.1.repositorySlug", slug),
    ];
    people_with(&all.api, &filter, &|_| ()).await
}

/// Those of the person who asks. Nothing is read of a project that has another key by now, so it is looked for before nothing is
/// believed.
pub(super) async fn own_rights(all: &Repositories<'_>) -> Result<Option<OwnRights>, UpstreamError> {
    let mut rights = own_rights_at(all, &all.workspace.key).await?;
    if rights.is_empty() {
        let Some(now) = workspace_now(&all.api, all.workspace).await? else { return Ok(None) };
        if now.key != all.workspace.key {
            rights = own_rights_at(all, &now.key).await?;
        }
    }
    let role = if administers(all).await? { Role::Owner } else { Role::Member };
    let rights = rights.into_iter().map(|id| (id, Level::Read)).collect();
    Ok(Some(OwnRights { role, rights }))
}

/// By id. Versions that do not know the filters give all repositories of all projects.
async fn own_rights_at(all: &Repositories<'_>, key: &str) -> Result<BTreeSet<String>, UpstreamError> {
    let mut url = all.api.at("/repos");
    url.query_pairs_mut()
        .append_pair("permission", "REPO_READ")
        .append_pair("projectkey", key)
        .append_pair("archived", "ALL");
    let mut rights = BTreeSet::new();
    all.api
        .page_each(&url, |page: Vec<RepositoryEntry>| {
            let own = page.into_iter().filter(|entry| !all.is_elsewhere(entry));
            rights.extend(own.filter_map(|entry| entry.id).map(|id| id.to_string()));
            Ok(())
        })
        .await?;
    Ok(rights)
}

/// Whether the person who asks administers the project. Their personal one is in no list.
async fn administers(all: &Repositories<'_>) -> Result<bool, UpstreamError> {
    let mut url = all.api.at("/projects");
    url.set_query(Some("permission=PROJECT_ADMIN"));
    let mut is_admin = false;
    all.api
        .page_each(&url, |page: Vec<ProjectEntry>| {
            let mut ids = page.into_iter().filter_map(|entry| entry.id);
            is_admin |= ids.any(|id| id.to_string() == all.workspace.external_id);
            Ok(())
        })
        .await?;
    Ok(is_admin)
}
