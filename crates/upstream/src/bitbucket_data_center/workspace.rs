//! Projects. Only their keys stand in addresses, so one whose key has changed is looked for among all.

use super::{
    api::Api,
    profile::{user_find, user_name},
    wire::ProjectEntry,
};
use crate::{UpstreamError, answer::without, asker::Found, follow::each_once};
use stave_domain::synchronization::{Workspace, name_read};

/// Those that whoever asks may see, and their personal one, which is in no list.
pub(super) async fn workspace_list(api: &Api<'_>) -> Result<Vec<Workspace>, UpstreamError> {
    let mut projects = project_list(api).await?;
    projects.extend(personal_project(api).await?);
    Ok(each_once(projects))
}

async fn project_list(api: &Api<'_>) -> Result<Vec<Workspace>, UpstreamError> {
    api.list(&api.at("/projects"), &|_| (), |entry| workspace(api, entry).map(Some)).await
}

/// There is one only if the person made a repository of their own.
async fn personal_project(api: &Api<'_>) -> Result<Option<Workspace>, UpstreamError> {
    let Some(name) = user_name(api).await? else { return Ok(None) };
    let user = user_find(api, &name).await?;
    let Some(slug) = user.and_then(|user| user.slug) else { return Ok(None) };
    workspace_find(api, &format!("~{slug}")).await
}

pub(super) async fn workspace_find(api: &Api<'_>, key: &str) -> Result<Option<Workspace>, UpstreamError> {
    let key = key.trim();
    if key.is_empty() || key.contains(['/', '?', '#']) {
        return Ok(None);
    }
    match api.find(&api.at_segments(&["projects", key])).await? {
        Found::There(answer) => workspace(api, answer.json()?).map(Some),
        Found::Absent(_) => Ok(None),
    }
}

pub(super) async fn workspace_look(api: &Api<'_>, known: &Workspace) -> Result<Workspace, UpstreamError> {
    let found = workspace_now(api, known).await?;
    found.ok_or_else(|| UpstreamError::NotFound { host: api.host() })
}

/// The project with this id, whatever its key is now; its old key may be that of another one, perhaps a hidden one. `None` if
/// whoever asks sees none with it.
pub(super) async fn workspace_now(
    api: &Api<'_>,
    known: &Workspace,
) -> Result<Option<Workspace>, UpstreamError> {
    let is_it = |found: &Workspace| found.external_id == known.external_id;
    match workspace_find(api, &known.key).await {
        Ok(Some(found)) if is_it(&found) => return Ok(Some(found)),
        Ok(_) | Err(UpstreamError::Forbidden { .. }) => {}
        Err(error) => return Err(error),
    }
    Ok(project_list(api).await?.into_iter().find(is_it))
}

fn workspace(api: &Api<'_>, entry: ProjectEntry) -> Result<Workspace, UpstreamError> {
    let id = entry.id.ok_or_else(|| without(api.host(), "the id of a project"))?;
    Ok(Workspace {
        external_id: id.to_string(),
        name: name_read(entry.name.as_ref().unwrap_or(&entry.key)),
        key: entry.key,
    })
}
