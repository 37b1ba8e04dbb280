//! Who may do what in which repository.

use super::{
    caller::Caller,
    collection::Listing,
    error::ApiError,
    repository::RepositoryRecord,
    state::{Fake, State},
    token::Actor,
    workspace,
};
use axum::{
    extract::{Path, State as Extract},
    response::Response,
};
use serde_json::{Value, json};
use std::sync::Arc;

/// How much somebody may do with a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Clone.
    Read,
    /// Push.
    Write,
    /// Change settings, webhooks and permissions.
    Admin,
}

impl Level {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

/// What an actor may do with a repository in the end; nobody in particular is `None`.
pub(crate) fn effective(
    state: &State,
    actor: Option<&Actor>,
    repository: &RepositoryRecord,
) -> Option<Level> {
    let public = (!repository.is_private).then_some(Level::Read);
    explicit(state, actor, repository).max(public)
}

/// Without what everybody may do with a public repository.
pub(crate) fn explicit(state: &State, actor: Option<&Actor>, repository: &RepositoryRecord) -> Option<Level> {
    let workspace = state.workspace(&repository.workspace)?;
    match actor? {
        Actor::Person(uuid) if workspace.is_owner(uuid) => Some(Level::Admin),
        Actor::Person(uuid) => {
            let as_member = workspace.is_member(uuid).then_some(repository.members).flatten();
            repository.grants.get(uuid).copied().max(as_member)
        }
        Actor::App(key) => (state.consumer(key)?.workspace == workspace.uuid).then_some(Level::Admin),
        Actor::Repository(uuid) => (*uuid == repository.uuid).then_some(Level::Write),
    }
}

/// Every person and repository of `repositories` with an explicit level.
fn matrix(fake: &Fake, state: &State, repositories: &[RepositoryRecord]) -> Vec<Value> {
    let pairs =
        repositories.iter().flat_map(|repository| state.users.iter().map(move |user| (repository, user)));
    let permissions = pairs.filter_map(|(repository, user)| {
        let level = explicit(state, Some(&Actor::Person(user.uuid.clone())), repository)?;
        Some(json!({
            "type": "repository_permission",
            "permission": level.name(),
            "user": user.to_condensed_json(),
            "repository": repository.to_condensed_json(state),
            "links": {"self": {"href": fake.api(&format!("/repositories/{}", repository.full_name(state)))}},
        }))
    });
    permissions.collect()
}

fn matrix_of_workspace(fake: &Fake, id: &str) -> Result<Vec<Value>, ApiError> {
    let state = fake.state();
    let workspace = workspace::find(&state, id)?;
    let repositories: Vec<_> = state
        .repositories
        .iter()
        .filter(|repository| repository.workspace == workspace.uuid)
        .cloned()
        .collect();
    Ok(matrix(fake, &state, &repositories))
}

/// `GET /2.0/user/workspaces/{workspace}/permissions/repositories`
pub(crate) async fn own(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path(id): Path<String>,
    listing: Listing,
) -> Result<Response, ApiError> {
    caller.require("account")?;
    caller.require("repository")?;
    let mut values = matrix_of_workspace(&fake, &id)?;
    values.retain(|value| value["user"]["uuid"].as_str() == caller.person());
    listing.answer(&fake, values)
}

/// `GET /2.0/workspaces/{workspace}/permissions/repositories`: for the owners of the workspace
pub(crate) async fn workspace(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path(id): Path<String>,
    listing: Listing,
) -> Result<Response, ApiError> {
    caller.require("account")?;
    let workspace = workspace::find(&fake.state(), &id)?;
    workspace::owner_needed(&workspace, &caller)?;
    listing.answer(&fake, matrix_of_workspace(&fake, &id)?)
}

/// `GET /2.0/workspaces/{workspace}/permissions/repositories/{repository}`: for admins of the repository
pub(crate) async fn repository(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path((workspace, id)): Path<(String, String)>,
    listing: Listing,
) -> Result<Response, ApiError> {
    let repository = caller.repository(&workspace, &id, "repository", Level::Admin)?;
    let values = matrix(&fake, &fake.state(), &[repository]);
    listing.answer(&fake, values)
}

/// `GET /2.0/repositories/{workspace}/{repository}/permissions-config/users`: explicit grants only
pub(crate) async fn config_users(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path((workspace, id)): Path<(String, String)>,
    listing: Listing,
) -> Result<Response, ApiError> {
    let repository = caller.repository(&workspace, &id, "repository:admin", Level::Admin)?;
    let state = fake.state();
    let base = format!("/repositories/{workspace}/{}/permissions-config/users", repository.slug);
    let grants = repository.grants.iter().filter_map(|(uuid, level)| Some((state.user(uuid)?, level)));
    let values = grants.map(|(user, level)| {
        json!({
            "type": "repository_user_permission",
            "permission": level.name(),
            "user": user.to_json(&fake),
            "links": {"self": {"href": fake.api(&format!("{base}/{}", user.account_id))}},
        })
    });
    let values = values.collect();
    drop(state);
    listing.answer(&fake, values)
}

/// `GET /2.0/repositories/{workspace}/{repository}/permissions-config/groups`: the members of the workspace are one
/// group, "Developers"
pub(crate) async fn config_groups(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path((workspace, id)): Path<(String, String)>,
    listing: Listing,
) -> Result<Response, ApiError> {
    let repository = caller.repository(&workspace, &id, "repository:admin", Level::Admin)?;
    let base = format!("/repositories/{workspace}/{}/permissions-config/groups", repository.slug);
    let group = repository.members.map(|level| {
        json!({
            "type": "repository_group_permission",
            "permission": level.name(),
            "group": {
                "type": "group",
                "name": "Developers",
                "slug": "developers",
                "full_slug": format!("{workspace}:developers"),
            },
            "links": {"self": {"href": fake.api(&format!("{base}/developers"))}},
        })
    });
    listing.answer(&fake, group.into_iter().collect())
}

/// `PUT` and `DELETE` below `permissions-config`: not for OAuth
pub(crate) async fn config_change(caller: Caller) -> Result<Response, ApiError> {
    caller.require("repository:admin")?;
    Err(ApiError::forbidden("This API is only accessible with an API token."))
}
