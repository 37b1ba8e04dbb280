//! People, by what they may do in the end: by a grant, by a group, by a default, by a right over the whole server.

use super::{api::Api, wire::UserAnswer, workspace::workspace_now};
use crate::{UpstreamError, answer::without, follow::Told};
use stave_domain::{
    organization::Role,
    synchronization::{RemotePerson, Workspace, name_read},
};
use std::collections::HashSet;

/// Those who may read all of the project; those who administer it are owners.
pub(super) async fn person_list(
    api: &Api<'_>,
    workspace: &Workspace,
    told: Told<'_>,
) -> Result<Vec<RemotePerson>, UpstreamError> {
    let of_project =
        |permission| [("permission.1", permission), ("permission.1.projectKey", workspace.key.as_str())];
    let mut people = people_with(api, &of_project("PROJECT_READ"), told).await?;
    // Of a project that is not there nobody may read anything, either.
    if people.is_empty() && workspace_now(api, workspace).await?.as_ref() != Some(workspace) {
        return Err(UpstreamError::NotFound { host: api.host() });
    }
    let admins = people_with(api, &of_project("PROJECT_ADMIN"), &|_| ()).await?;
    let admins: HashSet<String> = admins.into_iter().map(|admin| admin.external_id).collect();
    for person in people.iter_mut().filter(|person| admins.contains(&person.external_id)) {
        person.role = Role::Owner;
    }
    Ok(people)
}

/// The people whom a filter of `/users` lets through: those with a permission, those in a group.
pub(super) async fn people_with(
    api: &Api<'_>,
    filter: &[(&str, &str)],
    told: Told<'_>,
) -> Result<Vec<RemotePerson>, UpstreamError> {
    let mut url = api.at("/users");
    url.query_pairs_mut().extend_pairs(filter);
    api.list(&url, told, |user| person(api, user)).await
}

/// `None` if it is a program, or deactivated.
fn person(api: &Api<'_>, user: UserAnswer) -> Result<Option<RemotePerson>, UpstreamError> {
    let is_program = user.kind.is_some_and(|kind| kind != "NORMAL");
    if is_program || user.active == Some(false) {
        return Ok(None);
    }
    let id = user.id.ok_or_else(|| without(api.host(), "the id of a person"))?;
    Ok(Some(RemotePerson {
        external_id: id.to_string(),
        handle: name_read(&user.name),
        name: name_read(&user.display_name.unwrap_or_default()),
        role: Role::Member,
    }))
}
