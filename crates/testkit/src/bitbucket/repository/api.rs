//! What the API says of repositories.

use super::RepositoryRecord;
use crate::bitbucket::{
    caller::Caller,
    collection::Listing,
    error::ApiError,
    permission::{self, Level},
    scope,
    state::{Fake, State},
    workspace,
};
use axum::{
    extract::{Path, State as Extract},
    response::Response,
};
use std::sync::Arc;

/// `GET /2.0/repositories/{workspace}`
pub(crate) async fn list(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path(id): Path<String>,
    listing: Listing,
) -> Result<Response, ApiError> {
    if caller.actor().is_some() {
        caller.require(scope::REPOSITORY)?;
    }
    let mut state = fake.state();
    let (revision, key) = (state.revision(), format!("{:?} {}", caller.actor(), listing.choice()));
    let write = |at: &usize, state: &State| state.repositories[*at].to_json(&fake, state, caller.actor());
    let kept = state.shown.find(revision, &key);
    let shown = if let Some(shown) = kept {
        shown
    } else {
        let visible = visible(&state, &caller, &id, listing.parameter("role"))?;
        let chosen = listing.chosen(visible, |at| write(at, &state))?;
        state.shown.keep(revision, key, chosen)
    };
    listing.page(&fake, &shown, |at| write(at, &state))
}

/// The repositories of a workspace in which the caller has this role, or which the caller may read, by position.
fn visible(
    state: &State,
    caller: &Caller,
    workspace: &str,
    role: Option<&str>,
) -> Result<Vec<usize>, ApiError> {
    let workspace = workspace::find(state, workspace)?;
    let needed = match role {
        None => None,
        Some("member") => Some(Level::Read),
        Some("contributor") => Some(Level::Write),
        Some("admin" | "owner") => Some(Level::Admin),
        Some(role) => return Err(ApiError::bad_request(format!("Invalid role: {role}"))),
    };
    let is_visible = |repository: &RepositoryRecord| match needed {
        None => permission::effective(state, caller.actor(), repository).is_some(),
        Some(needed) => {
            permission::explicit(state, caller.actor(), repository).is_some_and(|level| level >= needed)
        }
    };
    let all = state.repositories.iter().enumerate();
    let own = all.filter(|(_, repository)| repository.workspace == workspace.uuid && is_visible(repository));
    Ok(own.map(|(at, _)| at).collect())
}

/// `GET /2.0/repositories/{workspace}/{repository}`
pub(crate) async fn show(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path((workspace, id)): Path<(String, String)>,
    listing: Listing,
) -> Result<Response, ApiError> {
    let repository = caller.repository(&workspace, &id, scope::REPOSITORY, Level::Read)?;
    Ok(listing.object(repository.to_json(&fake, &fake.state(), caller.actor())))
}
