//! Who may do what in which repository.

use super::{
    caller::Caller,
    collection::Listing,
    error::ApiError,
    project::ProjectRecord,
    repository::RepositoryRecord,
    scope,
    state::{Fake, State},
    token::Actor,
    workspace::{self, Role, WorkspaceRecord},
};
use axum::{
    extract::{Path, State as Extract},
    response::Response,
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

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

/// What single people and groups may do in one place.
#[derive(Debug, Clone, Default)]
pub(crate) struct Grants {
    /// By uuid.
    pub(crate) users: BTreeMap<String, Level>,
    /// By slug.
    pub(crate) groups: BTreeMap<String, Level>,
}

/// What somebody is in a workspace, worked out once for all of its repositories.
pub(crate) struct Standing<'a> {
    uuid: &'a str,
    role: Option<&'a Role>,
    /// Slugs.
    groups: Vec<&'a str>,
    /// What they may do in projects, by uuid.
    projects: HashMap<&'a str, Level>,
}

impl Grants {
    fn of(&self, uuid: &str, groups: &[&str]) -> Option<Level> {
        let of_groups = groups.iter().filter_map(|group| self.groups.get(*group).copied());
        of_groups.max().max(self.users.get(uuid).copied())
    }
}

impl<'a> Standing<'a> {
    pub(crate) fn new(workspace: &'a WorkspaceRecord, uuid: &'a str) -> Self {
        let groups: Vec<&str> = workspace.groups_of(uuid).collect();
        let of_project =
            |project: &'a ProjectRecord| Some((project.uuid.as_str(), project.grants.of(uuid, &groups)?));
        let projects = workspace.projects.iter().filter_map(of_project).collect();
        Self { uuid, role: workspace.role(uuid), groups, projects }
    }

    /// What they may do with a repository of the workspace: as its owner, as its member, by a group, by a project, or by
    /// themselves.
    pub(crate) fn level(&self, repository: &RepositoryRecord) -> Option<Level> {
        if self.role == Some(&Role::Owner) {
            return Some(Level::Admin);
        }
        let as_member = self.role.and(repository.members);
        let in_project = self.projects.get(repository.project.as_str()).copied();
        repository.grants.of(self.uuid, &self.groups).max(as_member).max(in_project)
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

/// Without what everybody may do with a public repository. Access tokens may do everything there, as far as their scopes
/// go.
pub(crate) fn explicit(state: &State, actor: Option<&Actor>, repository: &RepositoryRecord) -> Option<Level> {
    let workspace = state.workspace(&repository.workspace)?;
    let is_inside = match actor? {
        Actor::Person(uuid) => return Standing::new(workspace, uuid).level(repository),
        Actor::App(key) => state.consumer(key)?.workspace == workspace.uuid,
        Actor::Repository(uuid) => *uuid == repository.uuid,
        Actor::Project(uuid) => *uuid == repository.project,
        Actor::Workspace(uuid) => *uuid == workspace.uuid,
    };
    is_inside.then_some(Level::Admin)
}

/// A line of a list of permissions: positions of a repository and of a person, and what the one may do with the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Right {
    repository: usize,
    user: usize,
    level: Level,
}

impl Right {
    fn to_json(self, fake: &Fake, state: &State) -> Value {
        let (user, repository) = (&state.users[self.user], &state.repositories[self.repository]);
        json!({
            "type": "repository_permission",
            "permission": self.level.name(),
            "user": user.to_condensed_json(),
            "repository": repository.to_condensed_json(state),
            "links": {"self": {"href": fake.api(&format!("/repositories/{}", repository.full_name(state)))}},
        })
    }
}

/// Whose rights a list is about.
#[derive(Clone, Copy)]
enum Whose<'a> {
    Everybody,
    Person(&'a str),
}

/// What people may do with the repositories of a workspace, one after another, or with one of them.
fn rights(state: &State, workspace: &WorkspaceRecord, whose: Whose<'_>, only: Option<&str>) -> Vec<Right> {
    let people = state.users.iter().enumerate().filter(|(_, user)| match whose {
        Whose::Everybody => true,
        Whose::Person(uuid) => user.uuid == uuid,
    });
    let standings: Vec<(usize, Standing<'_>)> =
        people.map(|(position, user)| (position, Standing::new(workspace, &user.uuid))).collect();
    let repositories = state.repositories.iter().enumerate().filter(|(_, it)| it.workspace == workspace.uuid);
    let repositories = repositories.filter(|(_, it)| only.is_none_or(|uuid| it.uuid == uuid));
    let of_repository = |(repository, record)| {
        let of_person = move |(user, standing): &(usize, Standing<'_>)| {
            Some(Right { repository, user: *user, level: standing.level(record)? })
        };
        standings.iter().filter_map(of_person)
    };
    repositories.flat_map(of_repository).collect()
}

/// One page of rights, which are worked out once for all of their pages.
fn answer(
    fake: &Fake,
    listing: &Listing,
    workspace: &WorkspaceRecord,
    whose: Whose<'_>,
    only: Option<&str>,
) -> Result<Response, ApiError> {
    let mut state = fake.state();
    let person = match whose {
        Whose::Everybody => "",
        Whose::Person(uuid) => uuid,
    };
    let (revision, key) = (state.revision(), format!("{person} {}", listing.choice()));
    let kept = state.rights.find(revision, &key);
    let rights = if let Some(rights) = kept {
        rights
    } else {
        let all = rights(&state, workspace, whose, only);
        let chosen = listing.chosen(all, |right| right.to_json(fake, &state))?;
        state.rights.keep(revision, key, chosen)
    };
    listing.page(fake, &rights, |right| right.to_json(fake, &state))
}

/// `GET /2.0/user/workspaces/{workspace}/permissions/repositories`
pub(crate) async fn own(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path(id): Path<String>,
    listing: Listing,
) -> Result<Response, ApiError> {
    caller.require(scope::RIGHTS)?;
    caller.require(scope::REPOSITORY)?;
    caller.forbid_access_tokens()?;
    let workspace = workspace::find(&fake.state(), &id)?;
    let own = Whose::Person(caller.person().unwrap_or_default());
    answer(&fake, &listing, &workspace, own, None)
}

/// `GET /2.0/workspaces/{workspace}/permissions/repositories`: for the owners of the workspace
pub(crate) async fn workspace(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path(id): Path<String>,
    listing: Listing,
) -> Result<Response, ApiError> {
    caller.require(scope::RIGHTS)?;
    caller.forbid_access_tokens()?;
    let workspace = workspace::find(&fake.state(), &id)?;
    workspace::admin_needed(&workspace, &caller)?;
    answer(&fake, &listing, &workspace, Whose::Everybody, None)
}

/// `GET /2.0/workspaces/{workspace}/permissions/repositories/{repository}`: for admins of the repository
pub(crate) async fn repository(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path((workspace, id)): Path<(String, String)>,
    listing: Listing,
) -> Result<Response, ApiError> {
    caller.forbid_access_tokens()?;
    let repository = caller.repository(&workspace, &id, scope::REPOSITORY, Level::Admin)?;
    let workspace = workspace::find(&fake.state(), &repository.workspace)?;
    answer(&fake, &listing, &workspace, Whose::Everybody, Some(&repository.uuid))
}

/// `GET /2.0/repositories/{workspace}/{repository}/permissions-config/users`: explicit grants only
pub(crate) async fn config_users(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path((workspace, id)): Path<(String, String)>,
    listing: Listing,
) -> Result<Response, ApiError> {
    caller.forbid_access_tokens()?;
    let repository = caller.repository(&workspace, &id, scope::REPOSITORY_ADMIN, Level::Admin)?;
    let state = fake.state();
    let base = format!("/repositories/{workspace}/{}/permissions-config/users", repository.slug);
    let grants = repository.grants.users.iter().filter_map(|(uuid, level)| Some((state.user(uuid)?, level)));
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
    caller.forbid_access_tokens()?;
    let repository = caller.repository(&workspace, &id, scope::REPOSITORY_ADMIN, Level::Admin)?;
    let base = format!("/repositories/{workspace}/{}/permissions-config/groups", repository.slug);
    let of_members = repository.members.map(|level| ("developers", level));
    let of_groups = repository.grants.groups.iter().map(|(slug, level)| (slug.as_str(), *level));
    let values = of_members.into_iter().chain(of_groups).map(|(slug, level)| {
        let (first, rest) = slug.split_at(slug.chars().next().map_or(0, char::len_utf8));
        json!({
            "type": "repository_group_permission",
            "permission": level.name(),
            "group": {
                "type": "group",
                "name": format!("{}{rest}", first.to_uppercase()),
                "slug": slug,
                "full_slug": format!("{workspace}:{slug}"),
            },
            "links": {"self": {"href": fake.api(&format!("{base}/{slug}"))}},
        })
    });
    listing.answer(&fake, values.collect())
}

/// `PUT` and `DELETE` below `permissions-config`: not for OAuth
pub(crate) async fn config_change(caller: Caller) -> Result<Response, ApiError> {
    caller.require(scope::REPOSITORY_ADMIN)?;
    Err(ApiError::forbidden("This API is only accessible with an API token."))
}
