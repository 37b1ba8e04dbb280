//! Workspaces.

use super::{
    api::Api,
    circle::as_typed,
    wire::{WorkspaceAnswer, WorkspaceEntry},
};
use crate::{
    UpstreamError,
    answer::{Answer, without},
    asker::Found,
};
use stave_domain::synchronization::{Workspace, name_read};

/// Those that the person who asks is in.
pub(super) async fn workspace_list(api: &Api<'_>) -> Result<Vec<Workspace>, UpstreamError> {
    let fields = "size,next,values.workspace.uuid,values.workspace.slug";
    let url = api.list_at(&["user", "workspaces"], fields);
    let read = |entry: WorkspaceEntry| {
        let (uuid, slug) = (entry.workspace.uuid, entry.workspace.slug);
        workspace(api, WorkspaceAnswer { uuid, slug, name: None }).map(Some)
    };
    api.list(&url, &|_| (), read).await
}

pub(super) async fn workspace_find(api: &Api<'_>, key: &str) -> Result<Option<Workspace>, UpstreamError> {
    let Some(typed) = as_typed(key) else { return Ok(None) };
    match api.find(&api.at_segments(&["workspaces", &typed.to_string()])).await? {
        Found::There(answer) => workspace_in(api, &answer).map(Some),
        Found::Absent(_) => Ok(None),
    }
}

/// By its uuid, since its slug may be somebody else's by now.
pub(super) async fn workspace_look(api: &Api<'_>, known: &Workspace) -> Result<Workspace, UpstreamError> {
    let answer = api.get(&api.at_segments(&["workspaces", &known.external_id])).await?;
    let found = workspace_in(api, &answer)?;
    if found.external_id == known.external_id {
        Ok(found)
    } else {
        Err(UpstreamError::NotFound { host: api.host() })
    }
}

fn workspace_in(api: &Api<'_>, answer: &Answer) -> Result<Workspace, UpstreamError> {
    workspace(api, answer.json()?)
}

/// A workspace that cannot be told from another one is a failure, and not one less.
fn workspace(api: &Api<'_>, answer: WorkspaceAnswer) -> Result<Workspace, UpstreamError> {
    let WorkspaceAnswer { uuid, slug, name } = answer;
    let is_there = |text: &String| !text.is_empty();
    let lacks = |what| without(api.host(), what);
    Ok(Workspace {
        external_id: uuid.filter(is_there).ok_or_else(|| lacks("the uuid of a workspace"))?,
        key: slug.filter(is_there).ok_or_else(|| lacks("the slug of a workspace"))?,
        name: name_read(&name.unwrap_or_default()),
    })
}
