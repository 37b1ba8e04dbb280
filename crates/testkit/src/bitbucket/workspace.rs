//! Workspaces and their members.

use super::{
    caller::Caller,
    collection::Listing,
    error::ApiError,
    repository::Repository,
    state::{Fake, State, encoded, instant, uuid_of},
    token::Actor,
    user::{User, UserRecord},
};
use axum::{
    extract::{Path, State as Extract},
    http::StatusCode,
    response::Response,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;

/// A workspace of the fake.
pub struct Workspace {
    fake: Arc<Fake>,
    uuid: String,
}

#[derive(Clone)]
pub(crate) struct WorkspaceRecord {
    pub(crate) uuid: String,
    pub(crate) slug: String,
    pub(crate) name: String,
    /// Uuids of people.
    members: Vec<(String, Role)>,
    created_at: Timestamp,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Owner,
    Member,
}

impl Workspace {
    pub(super) fn named(fake: &Arc<Fake>, slug: &str) -> Self {
        let mut state = fake.state();
        let known = state.workspace_named(slug).map(|workspace| workspace.uuid.clone());
        let uuid = known.unwrap_or_else(|| {
            let workspace = WorkspaceRecord::new(slug, state.workspace_uuid_new(slug), state.now());
            let uuid = workspace.uuid.clone();
            state.workspaces.push(workspace);
            uuid
        });
        Self { fake: Arc::clone(fake), uuid }
    }

    /// The immutable id, in braces.
    pub fn uuid(&self) -> &str {
        &self.uuid
    }

    /// Takes this person in as an owner, who is admin of everything. A new person is made.
    pub fn owner(&self, nickname: &str) -> &Self {
        self.put(nickname, Role::Owner)
    }

    /// Takes this person in as a plain member, who may do in a repository what its members may. A new person is made.
    pub fn member(&self, nickname: &str) -> &Self {
        self.put(nickname, Role::Member)
    }

    /// Takes this person out; grants on single repositories stay.
    pub fn remove(&self, nickname: &str) -> &Self {
        let user = User::named(&self.fake, nickname);
        self.change(|workspace| workspace.members.retain(|(uuid, _)| uuid != user.uuid()))
    }

    /// Changes slug and name; the uuid stays.
    pub fn rename(&self, slug: &str) -> &Self {
        self.change(|workspace| {
            slug.clone_into(&mut workspace.slug);
            slug.clone_into(&mut workspace.name);
        })
    }

    /// Deletes the workspace with its repositories and consumers. Whoever makes one with the same slug makes another one, with
    /// another uuid.
    pub fn delete(self) {
        let mut state = self.fake.state();
        state.workspaces.retain(|workspace| workspace.uuid != self.uuid);
        state.repositories.retain(|repository| repository.workspace != self.uuid);
        state.consumers.retain(|consumer| consumer.workspace != self.uuid);
    }

    /// The repository with this slug; a new one is private, empty, and its members may push.
    pub fn repository(&self, slug: &str) -> Repository {
        Repository::named(&self.fake, &self.uuid, slug)
    }

    fn put(&self, nickname: &str, role: Role) -> &Self {
        let user = User::named(&self.fake, nickname);
        self.change(|workspace| {
            workspace.members.retain(|(uuid, _)| uuid != user.uuid());
            workspace.members.push((user.uuid().to_owned(), role));
        })
    }

    fn change(&self, change: impl FnOnce(&mut WorkspaceRecord)) -> &Self {
        let mut state = self.fake.state();
        change(state.workspace_mut(&self.uuid).expect("a workspace stays"));
        drop(state);
        self
    }
}

impl WorkspaceRecord {
    fn new(slug: &str, uuid: String, now: Timestamp) -> Self {
        let capital: String = slug.chars().take(1).flat_map(char::to_uppercase).collect();
        let rest: String = slug.chars().skip(1).collect();
        let name = format!("{capital}{rest}");
        Self { uuid, slug: slug.to_owned(), name, members: Vec::new(), created_at: now }
    }

    pub(crate) fn is_owner(&self, user: &str) -> bool {
        self.members.iter().any(|(uuid, role)| uuid == user && *role == Role::Owner)
    }

    pub(crate) fn is_member(&self, user: &str) -> bool {
        self.members.iter().any(|(uuid, _)| uuid == user)
    }

    /// As it stands inside other objects.
    pub(crate) fn to_condensed_json(&self, fake: &Fake) -> Value {
        json!({
            "type": "workspace",
            "uuid": self.uuid,
            "slug": self.slug,
            "name": self.name,
            "links": {
                "self": {"href": fake.api(&format!("/workspaces/{}", self.slug))},
                "html": {"href": fake.site(&format!("/{}/", self.slug))},
                "avatar": {"href": fake.site(&format!("/workspaces/{}/avatar/", self.slug))},
            },
        })
    }

    fn to_json(&self, fake: &Fake) -> Value {
        let mut workspace = self.to_condensed_json(fake);
        workspace["is_private"] = json!(true);
        workspace["created_on"] = json!(instant(self.created_at));
        workspace["updated_on"] = json!(instant(self.created_at));
        for (name, path) in [
            ("members", format!("/workspaces/{}/members", self.slug)),
            ("owners", format!("/workspaces/{}/permissions?q=permission%3D%22owner%22", self.slug)),
            ("projects", format!("/workspaces/{}/projects", self.slug)),
            ("repositories", format!("/repositories/{}", self.slug)),
        ] {
            workspace["links"][name] = json!({"href": fake.api(&path)});
        }
        workspace
    }

    /// As an owner it is only found in lists of repositories.
    pub(crate) fn to_owner_json(&self, fake: &Fake) -> Value {
        let mut owner = self.to_condensed_json(fake);
        owner["type"] = json!("team");
        owner["display_name"] = json!(self.name);
        owner
    }

    /// The one project that every workspace has.
    pub(crate) fn project_json(&self, fake: &Fake) -> Value {
        json!({
            "type": "project",
            "uuid": uuid_of("project", &self.uuid),
            "key": "PHP",
            "name": "PHP libraries",
            "links": {
                "html": {"href": fake.site(&format!("/{}/workspace/projects/PHP", self.slug))},
                "avatar": {"href": fake.site(&format!("/{}/workspace/projects/PHP/avatar", self.slug))},
            },
        })
    }

    fn membership_json(&self, fake: &Fake, user: &UserRecord) -> Value {
        let path = format!("/workspaces/{}/members/{}", self.slug, encoded(&user.uuid));
        json!({
            "type": "workspace_membership",
            "user": user.to_json(fake),
            "workspace": self.to_condensed_json(fake),
            "links": {"self": {"href": fake.api(&path)}},
        })
    }

    fn memberships<'a>(&'a self, state: &'a State) -> impl Iterator<Item = (&'a UserRecord, Role)> {
        self.members.iter().filter_map(|(uuid, role)| Some((state.user(uuid)?, *role)))
    }
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Member => "member",
        }
    }
}

pub(crate) fn find(state: &State, id: &str) -> Result<WorkspaceRecord, ApiError> {
    let found = state.workspace_named(id).cloned();
    found.ok_or_else(|| ApiError::not_found(format!("No workspace with identifier '{id}'.")))
}

pub(crate) fn owner_needed(workspace: &WorkspaceRecord, caller: &Caller) -> Result<(), ApiError> {
    if caller.person().is_some_and(|uuid| workspace.is_owner(uuid)) {
        Ok(())
    } else {
        Err(ApiError::forbidden("You must be an administrator of the workspace to do this."))
    }
}

/// The workspace, for a caller who is in it.
fn find_as_member(fake: &Fake, caller: &Caller, id: &str) -> Result<WorkspaceRecord, ApiError> {
    caller.require("account")?;
    let state = fake.state();
    let workspace = find(&state, id)?;
    let is_inside = match caller.actor() {
        Some(Actor::Person(uuid)) => workspace.is_member(uuid),
        Some(Actor::App(key)) => {
            state.consumer(key).is_some_and(|consumer| consumer.workspace == workspace.uuid)
        }
        Some(Actor::Repository(_)) | None => false,
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
    caller.require("account")?;
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
        owner_needed(&workspace, &caller)?;
    }
    if filter.is_some_and(|filter| filter.longest_list() > 90) {
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "At most 90 e-mail addresses can be given."));
    }
    let state = fake.state();
    let memberships = workspace.memberships(&state).flat_map(|(user, _)| {
        let membership = workspace.membership_json(&fake, user);
        let emails = user.emails.iter().filter(|email| asks_emails && email.is_confirmed);
        let with_email: Vec<Value> = emails
            .map(|email| {
                let mut membership = membership.clone();
                membership["user"]["email"] = json!(email.address);
                membership
            })
            .collect();
        if asks_emails { with_email } else { vec![membership] }
    });
    listing.with_hidden(&["values.user.email"]).answer(&fake, memberships.collect())
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
    let workspace = find_as_member(&fake, &caller, &id)?;
    let state = fake.state();
    let values = workspace.memberships(&state).map(|(user, role)| {
        let mut membership = workspace.membership_json(&fake, user);
        membership["permission"] = json!(role.name());
        membership
    });
    listing.answer(&fake, values.collect())
}

/// `GET /2.0/workspaces/{workspace}/projects`
pub(crate) async fn projects(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path(id): Path<String>,
    listing: Listing,
) -> Result<Response, ApiError> {
    caller.require("project")?;
    let workspace = find(&fake.state(), &id)?;
    let mut project = workspace.project_json(&fake);
    project["is_private"] = json!(true);
    project["created_on"] = json!(instant(workspace.created_at));
    project["updated_on"] = json!(instant(workspace.created_at));
    project["has_publicly_visible_repos"] = json!(false);
    listing.answer(&fake, vec![project])
}
