//! The routes of the API, below `/rest/api/1.0` and `/rest/api/latest`.

use super::{
    error::ApiError, identity, permission, project, reference, repository, source, state::Fake, user, webhook,
};
use axum::{Router, extract::OriginalUri, routing::get};
use std::sync::Arc;

pub(crate) fn router() -> Router<Arc<Fake>> {
    Router::new()
        .route("/application-properties", get(identity::properties))
        .route("/users", get(user::list))
        .route("/users/{slug}", get(user::show))
        .route("/users/{slug}/repos", get(repository::api::list_personal))
        .route("/groups", get(user::groups))
        .route("/admin/groups/more-members", get(user::group_members))
        .route("/repos", get(repository::api::list_all))
        .route("/projects", get(project::list))
        .nest("/projects/{key}", of_project())
        .nest("/projects/{key}/repos/{slug}", of_repository())
        .fallback(no_resource)
}

fn of_project() -> Router<Arc<Fake>> {
    Router::new()
        .route("/", get(project::show))
        .route("/repos", get(repository::api::list))
        .route("/permissions/users", get(permission::project_users))
        .route("/permissions/groups", get(permission::project_groups))
        .route("/permissions/{permission}/all", get(permission::project_default))
        .merge(webhooks())
}

fn of_repository() -> Router<Arc<Fake>> {
    Router::new()
        .route("/", get(repository::api::show))
        .route("/branches", get(reference::branches))
        .route("/branches/default", get(reference::default_with_commit))
        .route("/default-branch", get(reference::default))
        .route("/tags", get(reference::tags))
        .route("/tags/{*name}", get(reference::tag))
        .route("/raw/{*path}", get(source::raw))
        .route("/permissions/users", get(permission::repository_users))
        .route("/permissions/groups", get(permission::repository_groups))
        .merge(webhooks())
}

fn webhooks() -> Router<Arc<Fake>> {
    Router::new()
        .route("/webhooks", get(webhook::list).post(webhook::create))
        .route("/webhooks/{webhook}", get(webhook::show).put(webhook::update).delete(webhook::delete))
}

/// Every path below `/rest` that nothing is at.
pub(crate) async fn no_resource(OriginalUri(uri): OriginalUri) -> ApiError {
    ApiError::no_resource(uri.path())
}
