//! What the API says of workspaces and their members.

use super::{Role, WorkspaceRecord};
use crate::bitbucket::{
    caller::Caller,
    collection::Listing,
    error::ApiError,
    scope,
    state::{Fake, State},
    token::Actor,
    user::{Email, UserRecord},
};
use axum::{
    extract::{Path, State as Extract},
    http::StatusCode,
    response::Response,
};
use serde_json::json;
use std::sync::Arc;

pub(crate) fn find(state: &State, id: &str) -> Result<WorkspaceRecord, ApiError> {
    let found = state.workspace_named(id).cloned();
    found.ok_or_else(|| ApiError::not_found(format!("No workspace with identifier '{id}'.")))
}

/// For owners, and for the access token of the workspace.
pub(crate) fn admin_needed(workspace: &WorkspaceRecord, caller: &Caller) -> Result<(), ApiError> {
    let is_own_token = matches!(caller.actor(), Some(Actor::Workspace(uuid)) if *uuid == workspace.uuid);
    if is_own_token || caller.person().is_some_and(|uuid| workspace.is_owner(uuid)) {
        Ok(())
    } else {
        Err(ApiError::forbidden("You must be an administrator of the workspace to do this."))
    }
}

/// The workspace, for a caller who is in it.
fn find_as_member(fake: &Fake, caller: &Caller, id: &str) -> Result<WorkspaceRecord, ApiError> {
    caller.require(scope::WORKSPACE)?;
    let state = fake.state();
    let workspace = find(&state, id)?;
    let is_inside = match caller.actor() {
        Some(Actor::Person(uuid)) => workspace.is_member(uuid),
        Some(Actor::App(key)) => {
            state.consumer(key).is_some_and(|consumer| consumer.workspace == workspace.uuid)
        }
        Some(Actor::Workspace(uuid)) => *uuid == workspace.uuid,
        Some(Actor::Repository(_) | Actor::Project(_)) | None => false,
    };
    if is_inside {
        Ok(workspace)
    } else {
        Err(ApiError::forbidden("You do not have access to this workspace."))
    }
}

/// `GET /2.0/user/workspaces`: without names and roles
pub(crate) async fn list_own(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    listing: Listing,
) -> Result<Response, ApiError> {
    caller.require(scope::WORKSPACE)?;
    let person = caller.person().unwrap_or_default();
    let wanted = listing.parameter("administrator").map(|text| text == "true");
    let state = fake.state();
    let own = state.workspaces.iter().filter(|workspace| workspace.is_member(person));
    let own = own.filter(|workspace| wanted.is_none_or(|wanted| wanted == workspace.is_owner(person)));
    let values = own.map(|workspace| {
        json!({
            "type": "workspace_access",
            "administrator": workspace.is_owner(person),
            "workspace": {
                "type": "workspace_base",
                "uuid": workspace.uuid,
                "slug": workspace.slug,
                "links": {
                    "self": {"href": fake.api(&format!("/workspaces/{}", workspace.slug))},
                    "avatar": {"href": fake.site(&format!("/workspaces/{}/avatar/", workspace.slug))},
                },
            },
        })
    });
    listing.with_default_pagelen(25).answer(&fake, values.collect())
}

/// `GET /2.0/user/workspaces/{workspace}/permission`
pub(crate) async fn own_permission(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path(id): Path<String>,
    listing: Listing,
) -> Result<Response, ApiError> {
    let workspace = find_as_member(&fake, &caller, &id)?;
    let state = fake.state();
    let own = workspace.memberships(&state).find(|(user, _)| Some(user.uuid.as_str()) == caller.person());
    let (user, role) = own.ok_or_else(|| ApiError::forbidden("You are not a member of this workspace."))?;
    let mut membership = workspace.membership_json(&fake, user);
    membership["permission"] = json!(role.name());
    Ok(listing.object(membership))
}

/// `GET /2.0/workspaces/{workspace}`
pub(crate) async fn show(
    Extract(fake): Extract<Arc<Fake>>,
    _caller: Caller,
    Path(id): Path<String>,
    listing: Listing,
) -> Result<Response, ApiError> {
    let workspace = find(&fake.state(), &id)?;
    Ok(listing.object(workspace.to_json(&fake)))
}

/// `GET /2.0/workspaces/{workspace}/members`: owners may filter by e-mail address, and then see the ones they named
pub(crate) async fn members(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path(id): Path<String>,
    listing: Listing,
) -> Result<Response, ApiError> {
    let workspace = find_as_member(&fake, &caller, &id)?;
    let filter = listing.filter()?;
    let asks_emails = listing.parameter("q").is_some_and(|query| query.contains("user.email"));
    if asks_emails {
        admin_needed(&workspace, &caller)?;
    }
    if filter.is_some_and(|filter| filter.longest_list() > 90) {
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "At most 90 e-mail addresses can be given."));
    }
    let state = fake.state();
    let people = workspace.memberships(&state).map(|(user, _)| user);
    let rows: Vec<(&UserRecord, Option<&Email>)> = if asks_emails {
        let emails = people.flat_map(|user| user.emails.iter().map(move |email| (user, Some(email))));
        emails.filter(|(_, email)| email.is_some_and(|email| email.is_confirmed)).collect()
    } else {
        people.map(|user| (user, None)).collect()
    };
    let write = |(user, email): &(&UserRecord, Option<&Email>)| {
        let mut membership = workspace.membership_json(&fake, user);
        if let Some(email) = email {
            membership["user"]["email"] = json!(email.address);
        }
        membership
    };
    let listing = listing.with_hidden(&["values.user.email"]);
    listing.page(&fake, &listing.chosen(rows, write)?, write)
}

/// `GET /2.0/workspaces/{workspace}/members/{account_id or {uuid}}`
pub(crate) async fn member(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path((id, user)): Path<(String, String)>,
    listing: Listing,
) -> Result<Response, ApiError> {
    let workspace = find_as_member(&fake, &caller, &id)?;
    let state = fake.state();
    let found =
        workspace.memberships(&state).find(|(member, _)| member.uuid == user || member.account_id == user);
    let (user, _) = found.ok_or_else(|| ApiError::not_found(format!("{user} is not a member.")))?;
    Ok(listing.object(workspace.membership_json(&fake, user)))
}

/// `GET /2.0/workspaces/{workspace}/permissions`: members with their roles
pub(crate) async fn permissions(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path(id): Path<String>,
    listing: Listing,
) -> Result<Response, ApiError> {
    caller.forbid_access_tokens()?;
    let workspace = find_as_member(&fake, &caller, &id)?;
    let state = fake.state();
    let write = |(user, role): &(&UserRecord, &Role)| {
        let mut membership = workspace.membership_json(&fake, user);
        membership["permission"] = json!(role.name());
        membership
    };
    let rows = listing.chosen(workspace.memberships(&state).collect(), write)?;
    listing.page(&fake, &rows, write)
}
