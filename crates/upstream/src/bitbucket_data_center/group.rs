//! Groups that have rights in a project; for its admins only.

use super::{api::Api, person::people_with, wire::GroupEntry};
use crate::UpstreamError;
use stave_domain::synchronization::{RemoteGroup, Workspace};
use std::collections::BTreeSet;

pub(super) async fn group_list(
    api: &Api<'_>,
    workspace: &Workspace,
) -> Result<Vec<RemoteGroup>, UpstreamError> {
    let url = api.at_segments(&["projects", &workspace.key, "permissions", "groups"]);
    let mut names = BTreeSet::new();
    api.page_each(&url, |page: Vec<GroupEntry>| {
        names.extend(page.into_iter().map(|entry| entry.group.name));
        Ok(())
    })
    .await?;
    let mut groups = Vec::new();
    for name in names {
        let people = people_with(api, &[("group", &name)], &|_| ()).await?;
        let people = people.into_iter().map(|person| person.external_id).collect();
        groups.push(RemoteGroup { name, people });
    }
    Ok(groups)
}
