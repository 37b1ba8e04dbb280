//! Who may do what: rights over the server, a project, a repository.

use super::{
    caller::Caller,
    error::ApiError,
    listing::Listing,
    project::ProjectRecord,
    repository::RepositoryRecord,
    state::{Fake, State},
    user::UserRecord,
};
use crate::Level;
use axum::{
    Json,
    extract::{Path, State as Extract},
    response::Response,
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

/// Rights that single users and groups have in one place.
#[derive(Debug, Clone, Default)]
pub(crate) struct Grants {
    /// By the id of the user.
    pub(crate) users: BTreeMap<u32, Level>,
    /// By the name of the group.
    pub(crate) groups: BTreeMap<String, Level>,
}

impl Grants {
    fn of(&self, state: &State, user: u32) -> Option<Level> {
        let is_in = |group: &str| state.groups.get(group).is_some_and(|members| members.contains(&user));
        let groups = self.groups.iter().filter(|(group, _)| is_in(group)).map(|(_, level)| *level);
        groups.max().max(self.users.get(&user).copied())
    }
}

/// Whose rights are asked for, and the most that their credential is good for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reach {
    pub(crate) who: Who,
    pub(crate) most: Option<Level>,
}

/// On whose behalf somebody acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Nobody,
    User(u32),
    /// An HTTP access token of a project, by its id: it may do everything there.
    Project(u32),
    /// An HTTP access token of a repository, by its id: it may do everything there.
    Repository(u32),
}

impl Reach {
    /// Everything that this user may do.
    pub(crate) fn of(user: u32) -> Self {
        Self { who: Who::User(user), most: Some(Level::Admin) }
    }
}

/// What one may do with a project in the end.
pub(crate) fn of_project(state: &State, reach: Reach, project: &ProjectRecord) -> Option<Level> {
    let public = project.is_public.then_some(Level::Read);
    own_of_project(state, reach.who, project).min(reach.most).max(public)
}

/// What one may do with a repository in the end.
pub(crate) fn of_repository(state: &State, reach: Reach, repository: &RepositoryRecord) -> Option<Level> {
    let project = state.project(repository.project);
    let is_public = repository.is_public || project.is_some_and(|project| project.is_public);
    explicit(state, reach, repository).max(is_public.then_some(Level::Read))
}

/// Without what everybody may do with a public repository.
pub(crate) fn explicit(state: &State, reach: Reach, repository: &RepositoryRecord) -> Option<Level> {
    let inherited = own_of_project(state, reach.who, state.project(repository.project)?);
    let own = match reach.who {
        Who::User(user) => repository.grants.of(state, user),
        Who::Repository(id) => (id == repository.id).then_some(Level::Admin),
        Who::Nobody | Who::Project(_) => None,
    };
    inherited.max(own).min(reach.most)
}

/// Whether a project is shown: for a right over it, or over one of its repositories.
pub(crate) fn sees_project(state: &State, reach: Reach, project: &ProjectRecord) -> bool {
    let mut own = state.repositories.iter().filter(|repository| repository.project == project.id);
    of_project(state, reach, project).is_some()
        || own.any(|repository| of_repository(state, reach, repository).is_some())
}

fn own_of_project(state: &State, who: Who, project: &ProjectRecord) -> Option<Level> {
    let user = match who {
        Who::User(user) => user,
        Who::Project(id) => return (id == project.id).then_some(Level::Admin),
        Who::Nobody | Who::Repository(_) => return None,
    };
    let person = state.user(user)?;
    if person.global.is_some() || project.owner == Some(user) {
        return Some(Level::Admin);
    }
    let default = project.default_permission.filter(|_| person.is_licensed());
    project.grants.of(state, user).max(default)
}

/// `REPO_READ`, `PROJECT_ADMIN`, ...
pub(crate) fn name(noun: &str, level: Level) -> String {
    format!("{noun}_{}", level.name().to_uppercase())
}

/// The level of a name such as `REPO_READ`.
pub(crate) fn level_named(noun: &str, text: &str) -> Option<Level> {
    [Level::Read, Level::Write, Level::Admin].into_iter().find(|level| name(noun, *level) == text)
}

/// A filter of users, `permission.1=REPO_READ&permission.1.projectKey=PHP&permission.1.repositorySlug=mailer`; what it is
/// about is looked up once for all users.
pub(crate) enum Wanted<'a> {
    /// An account.
    Licensed,
    /// This much of a project, if there is one.
    Project(Option<&'a ProjectRecord>, Level),
    /// This much of a repository, if there is one.
    Repository(Option<&'a RepositoryRecord>, Level),
}

impl<'a> Wanted<'a> {
    /// The filters, numbered from 1 without gaps, at most 50.
    pub(crate) fn read(listing: &Listing, state: &'a State) -> Result<Vec<Self>, ApiError> {
        let numbers = (1..=50).map_while(|number| {
            let of = |name: &str| listing.parameter(&format!("permission.{number}{name}"));
            Some(Self::find(state, of("")?, of))
        });
        numbers.collect()
    }

    fn find<'b>(
        state: &'a State,
        permission: &str,
        of: impl Fn(&str) -> Option<&'b str>,
    ) -> Result<Self, ApiError> {
        let key = of(".projectKey").unwrap_or_default();
        if permission == "LICENSED_USER" {
            return Ok(Self::Licensed);
        }
        if let Some(level) = level_named("PROJECT", permission) {
            return Ok(Self::Project(state.project_with_key(key), level));
        }
        let level = level_named("REPO", permission).ok_or_else(|| {
            ApiError::invalid("permission", &format!("'{permission}' is not a permission."))
        })?;
        let id = of(".repositoryId").and_then(|id| id.parse().ok());
        let by_id = || state.repository(id?);
        let found = of(".repositorySlug").map_or_else(by_id, |slug| state.repository_at(key, slug));
        Ok(Self::Repository(found, level))
    }

    /// Whether this user has the right in the end: by a grant, a group, a default or a right over everything.
    pub(crate) fn is_met_by(&self, state: &State, user: &UserRecord) -> bool {
        let reach = Reach::of(user.id);
        match self {
            Self::Licensed => user.is_licensed(),
            Self::Project(project, level) => {
                project.is_some_and(|project| of_project(state, reach, project) >= Some(*level))
            }
            Self::Repository(repository, level) => {
                repository.is_some_and(|repository| of_repository(state, reach, repository) >= Some(*level))
            }
        }
    }
}

/// One page of the single users with rights here.
fn list_users(
    (fake, state): (&Fake, &State),
    noun: &str,
    grants: &Grants,
    listing: &Listing,
) -> Result<Response, ApiError> {
    let known = grants.users.iter().filter_map(|(id, level)| Some((state.user(*id)?, *level)));
    listing.answer(known, |(user, level)| {
        Some(json!({"user": user.to_json(fake, state), "permission": name(noun, level)}))
    })
}

/// One page of the groups with rights here.
fn list_groups(noun: &str, grants: &Grants, listing: &Listing) -> Result<Response, ApiError> {
    listing.answer(&grants.groups, |(group, level)| {
        Some(json!({"group": {"name": group}, "permission": name(noun, *level)}))
    })
}

/// `GET /rest/api/1.0/projects/{key}/permissions/users`: for admins of the project
pub(crate) async fn project_users(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path(key): Path<String>,
    listing: Listing,
) -> Result<Response, ApiError> {
    let state = fake.state();
    let project = caller.project(&state, &key, Level::Admin)?;
    list_users((&fake, &state), "PROJECT", &project.grants, &listing)
}

/// `GET /rest/api/1.0/projects/{key}/permissions/groups`: for admins of the project
pub(crate) async fn project_groups(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path(key): Path<String>,
    listing: Listing,
) -> Result<Response, ApiError> {
    let state = fake.state();
    let project = caller.project(&state, &key, Level::Admin)?;
    list_groups("PROJECT", &project.grants, &listing)
}

/// `GET /rest/api/1.0/projects/{key}/permissions/{permission}/all`: whether every licensed user has this one
pub(crate) async fn project_default(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path((key, permission)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let state = fake.state();
    let project = caller.project(&state, &key, Level::Admin)?;
    let level = level_named("PROJECT", &permission)
        .ok_or_else(|| ApiError::invalid("permission", "There is no such permission of a project."))?;
    Ok(Json(json!({"permitted": project.default_permission >= Some(level)})))
}

/// `GET /rest/api/1.0/projects/{key}/repos/{slug}/permissions/users`: for admins of the repository, without what is
/// inherited
pub(crate) async fn repository_users(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path((key, slug)): Path<(String, String)>,
    listing: Listing,
) -> Result<Response, ApiError> {
    let state = fake.state();
    let repository = caller.repository(&state, (&key, &slug), Level::Admin)?;
    list_users((&fake, &state), "REPO", &repository.grants, &listing)
}

/// `GET /rest/api/1.0/projects/{key}/repos/{slug}/permissions/groups`: for admins of the repository, without what is
/// inherited
pub(crate) async fn repository_groups(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path((key, slug)): Path<(String, String)>,
    listing: Listing,
) -> Result<Response, ApiError> {
    let state = fake.state();
    let repository = caller.repository(&state, (&key, &slug), Level::Admin)?;
    list_groups("REPO", &repository.grants, &listing)
}
