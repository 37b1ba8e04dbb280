//! Who may do what with which repository, in the end: by a grant, by a group, by a project.

use super::{
    api::Api,
    person::{person, role},
    wire::{MembershipEntry, Page, RightEntry},
    workspace::workspace_list,
};
use crate::{
    UpstreamError,
    answer::without,
    follow::{OwnRights, Right, Tell},
};
use stave_domain::{
    organization::Role,
    synchronization::{Level, Workspace},
};
use std::collections::BTreeMap;

/// Everybody's; for owners of the workspace only. There may be millions, so each page is told and forgotten.
pub(super) async fn right_each(
    api: &Api<'_>,
    workspace: &Workspace,
    tell: Tell<'_>,
) -> Result<(), UpstreamError> {
    let fields = "next,values.permission,values.repository.uuid,values.user.type,values.user.uuid,\
                  values.user.nickname,values.user.display_name";
    let url = api.list_at(&["workspaces", &workspace.key, "permissions", "repositories"], fields);
    api.page_each(&url, |page: Page<RightEntry>| {
        for mut entry in page.values {
            let Some(user) = entry.user.take() else { continue };
            let Some(person) = person(api, user, Role::Member)? else { continue };
            if let Some((repository, level)) = right(api, entry)? {
                tell(Right { person: &person, repository: &repository, level });
            }
        }
        Ok(())
    })
    .await
}

/// Those of the person who asks. A refusal alone is no proof that they are not in the workspace: the list of their workspaces
/// is.
pub(super) async fn own_rights(
    api: &Api<'_>,
    workspace: &Workspace,
) -> Result<Option<OwnRights>, UpstreamError> {
    match own_rights_in(api, &workspace.external_id).await {
        Err(UpstreamError::Forbidden { .. } | UpstreamError::NotFound { .. }) => {}
        outcome => return outcome.map(Some),
    }
    let mut own = workspace_list(api).await?.into_iter();
    match own.find(|own| own.external_id == workspace.external_id) {
        Some(here) => own_rights_in(api, &here.key).await.map(Some),
        None => Ok(None),
    }
}

/// `name` is the uuid or the slug. Somebody who is no member may have rights all the same.
async fn own_rights_in(api: &Api<'_>, name: &str) -> Result<OwnRights, UpstreamError> {
    let mut rights = BTreeMap::new();
    let path = ["user", "workspaces", name, "permissions", "repositories"];
    let url = api.list_at(&path, "next,values.permission,values.repository.uuid");
    api.page_each(&url, |page: Page<RightEntry>| {
        for entry in page.values {
            if let Some((repository, level)) = right(api, entry)? {
                let highest = rights.entry(repository).or_insert(level);
                *highest = level.max(*highest);
            }
        }
        Ok(())
    })
    .await?;
    let role = match api.get(&api.at_segments(&["user", "workspaces", name, "permission"])).await {
        Ok(answer) => role(api, answer.json::<MembershipEntry>()?.permission.as_deref())?,
        Err(UpstreamError::Forbidden { .. } | UpstreamError::NotFound { .. }) if !rights.is_empty() => {
            Role::Member
        }
        Err(error) => return Err(error),
    };
    Ok(OwnRights { role, rights: rights.into_iter().collect() })
}

/// Which repository, and what; a level that nobody knows is none.
fn right(api: &Api<'_>, entry: RightEntry) -> Result<Option<(String, Level)>, UpstreamError> {
    let level = match entry.permission.as_deref() {
        Some("read") => Level::Read,
        Some("write") => Level::Write,
        Some("admin") => Level::Admin,
        _ => return Ok(None),
    };
    let uuid = entry.repository.and_then(|repository| repository.uuid).filter(|uuid| !uuid.is_empty());
    let uuid = uuid.ok_or_else(|| without(api.host(), "the uuid of a repository"))?;
    Ok(Some((uuid, level)))
}
