//! What the API says of repositories.

use super::RepositoryRecord;
use crate::{
    Level,
    data_center::{caller::Caller, error::ApiError, listing::Listing, permission, state::Fake},
};
use axum::{
    Json,
    extract::{Path, State as Extract},
    response::Response,
};
use serde_json::Value;
use std::sync::Arc;

/// `GET /rest/api/1.0/repos?permission=&projectkey=&name=&visibility=&archived=`; old versions overlook two of them
pub(crate) async fn list_all(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    listing: Listing,
) -> Result<Response, ApiError> {
    let level = match listing.parameter("permission") {
        None => None,
        Some(text) => Some(permission::level_named("REPO", text).ok_or_else(|| {
            ApiError::invalid("permission", &format!("'{text}' is not a permission of repositories."))
        })?),
    };
    let lower = |name| listing.parameter(name).unwrap_or_default().to_lowercase();
    let state = fake.state();
    let is_new = state.version.filters_by_project();
    let (name, key) = (lower("name"), if is_new { lower("projectkey") } else { String::new() });
    let archived = if is_new { listing.parameter("archived").unwrap_or("ACTIVE") } else { "ALL" };
    let is_listed = |it: &RepositoryRecord| {
        let is_allowed = match level {
            None => permission::of_repository(&state, caller.reach(), it).is_some(),
            level => permission::explicit(&state, caller.reach(), it) >= level,
        };
        let is_visible = match listing.parameter("visibility") {
            Some("public") => it.is_public,
            Some("private") => !it.is_public,
            _ => true,
        };
        let is_kept = archived == "ALL" || it.is_archived == (archived == "ARCHIVED");
        let is_named = it.name.to_lowercase().contains(&name);
        let is_there = key.is_empty() || it.key(&state).to_lowercase() == key;
        is_allowed && is_visible && is_kept && is_named && is_there
    };
    let all = state.repositories.iter();
    listing.answer(all, |it| is_listed(it).then(|| it.to_json(&fake, &state, &caller)))
}

/// `GET /rest/api/1.0/projects/{key}/repos`, also `/users/{slug}/repos` of a personal project
pub(crate) async fn list(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path(key): Path<String>,
    listing: Listing,
) -> Result<Response, ApiError> {
    of_project(&fake, &caller, &key, &listing)
}

/// `GET /rest/api/1.0/users/{slug}/repos`
pub(crate) async fn list_personal(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path(slug): Path<String>,
    listing: Listing,
) -> Result<Response, ApiError> {
    of_project(&fake, &caller, &format!("~{slug}"), &listing)
}

fn of_project(fake: &Fake, caller: &Caller, key: &str, listing: &Listing) -> Result<Response, ApiError> {
    let state = fake.state();
    let project = caller.project(&state, key, Level::Read)?;
    let own = state.repositories.iter().filter(|repository| repository.project == project.id);
    listing.answer(own, |repository| {
        let level = permission::of_repository(&state, caller.reach(), repository);
        level.map(|_| repository.to_json(fake, &state, caller))
    })
}

/// `GET /rest/api/1.0/projects/{key}/repos/{slug}`
pub(crate) async fn show(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path((key, slug)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let state = fake.state();
    let repository = caller.repository(&state, (&key, &slug), Level::Read)?;
    Ok(Json(repository.to_json(&fake, &state, &caller)))
}
