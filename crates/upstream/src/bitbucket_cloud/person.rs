//! People of a workspace. Bitbucket tells no groups, but what everybody may do in the end.

use super::{
    api::Api,
    wire::{MembershipEntry, PersonEntry},
};
use crate::{UpstreamError, answer::without, follow::Told};
use stave_domain::{
    organization::Role,
    synchronization::{RemotePerson, Workspace, name_read},
};

/// The members, with their roles.
pub(super) async fn person_list(
    api: &Api<'_>,
    workspace: &Workspace,
    told: Told<'_>,
) -> Result<Vec<RemotePerson>, UpstreamError> {
    let fields = "size,next,values.permission,values.workspace.uuid,values.user.type,values.user.uuid,\
                  values.user.nickname,values.user.display_name";
    // By its slug: by its uuid, this list was seen to be missing.
    let url = api.list_at(&["workspaces", &workspace.key, "permissions"], fields);
    let read = |entry: MembershipEntry| {
        let home = entry.workspace.and_then(|workspace| workspace.uuid);
        if home.is_some_and(|uuid| uuid != workspace.external_id) {
            return Err(UpstreamError::NotFound { host: api.host() });
        }
        let role = role(api, entry.permission.as_deref())?;
        entry.user.map_or(Ok(None), |user| person(api, user, role))
    };
    api.list(&url, told, read).await
}

/// `create-project`, `collaborator` and whatever else there may be are members.
pub(super) fn role(api: &Api<'_>, permission: Option<&str>) -> Result<Role, UpstreamError> {
    match permission {
        Some("owner") => Ok(Role::Owner),
        Some(_) => Ok(Role::Member),
        None => Err(without(api.host(), "the role of a person")),
    }
}

/// `None` if it is no person but a program.
pub(super) fn person(
    api: &Api<'_>,
    entry: PersonEntry,
    role: Role,
) -> Result<Option<RemotePerson>, UpstreamError> {
    if entry.kind.is_some_and(|kind| kind != "user") {
        return Ok(None);
    }
    let uuid = entry.uuid.filter(|uuid| !uuid.is_empty());
    Ok(Some(RemotePerson {
        external_id: uuid.ok_or_else(|| without(api.host(), "the uuid of a person"))?,
        handle: name_read(&entry.nickname.unwrap_or_default()),
        name: name_read(&entry.display_name.unwrap_or_default()),
        role,
    }))
}
