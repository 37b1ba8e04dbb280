//! The routes of the API, below `/2.0`.

use super::{
    error::ApiError, permission, project, reference, repository, source, state::Fake, user, webhook,
    workspace,
};
use axum::{
    Router,
    routing::{get, put},
};
use std::sync::Arc;

pub(crate) fn router() -> Router<Arc<Fake>> {
    Router::new()
        .route("/user", get(user::show))
        .route("/user/emails", get(user::emails))
        .route("/user/emails/{email}", get(user::email))
        .route("/user/workspaces", get(workspace::api::list_own))
        .route("/user/workspaces/{workspace}/permission", get(workspace::api::own_permission))
        .route("/user/workspaces/{workspace}/permissions/repositories", get(permission::own))
        .route("/users/{user}", get(user::profile))
        .route("/hook_events", get(webhook::subjects))
        .route("/hook_events/{subject}", get(webhook::events))
        .merge(removed())
        .merge(of_workspace())
        .merge(of_repository())
        .fallback(async || ApiError::not_found("Resource not found"))
}

/// Removed on 14 April 2026; still described in the published document.
fn removed() -> Router<Arc<Fake>> {
    let gone = || get(async || ApiError::gone());
    Router::new()
        .route("/workspaces", gone())
        .route("/repositories", gone())
        .route("/user/permissions/workspaces", gone())
        .route("/user/permissions/repositories", gone())
}

fn of_workspace() -> Router<Arc<Fake>> {
    let below = Router::new()
        .route("/", get(workspace::api::show))
        .route("/members", get(workspace::api::members))
        .route("/members/{user}", get(workspace::api::member))
        .route("/projects", get(project::list))
        .route("/permissions", get(workspace::api::permissions))
        .route("/permissions/repositories", get(permission::workspace))
        .route("/permissions/repositories/{repository}", get(permission::repository))
        .route("/hooks", get(webhook::list).post(webhook::create))
        .route("/hooks/{uid}", get(webhook::show).put(webhook::update).delete(webhook::delete));
    Router::new().nest("/workspaces/{workspace}", below)
}

fn of_repository() -> Router<Arc<Fake>> {
    let change = || put(permission::config_change).delete(permission::config_change);
    let below = Router::new()
        .route("/", get(repository::api::show))
        .route("/refs", get(reference::list_all))
        .route("/refs/branches", get(reference::list_branches))
        .route("/refs/branches/{*name}", get(reference::branch))
        .route("/refs/tags", get(reference::list_tags))
        .route("/refs/tags/{*name}", get(reference::tag))
        .route("/commit/{commit}", get(reference::commit))
        .route("/commits", get(reference::history))
        .route("/commits/{*revision}", get(reference::history_of))
        .route("/src", get(source::root))
        .route("/src/{commit}/", get(source::top))
        .route("/src/{commit}/{*path}", get(source::show))
        .route("/hooks", get(webhook::list).post(webhook::create))
        .route("/hooks/{uid}", get(webhook::show).put(webhook::update).delete(webhook::delete))
        .route("/permissions-config/users", get(permission::config_users))
        .route("/permissions-config/users/{id}", change())
        .route("/permissions-config/groups", get(permission::config_groups))
        .route("/permissions-config/groups/{id}", change());
    Router::new()
        .route("/repositories/{workspace}", get(repository::api::list))
        .nest("/repositories/{workspace}/{repository}", below)
}
