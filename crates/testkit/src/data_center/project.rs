//! Projects: a key, a name, and who may do what in all of their repositories.

use super::{
    caller::Caller,
    delivery,
    error::ApiError,
    listing::Listing,
    permission::{self, Grants, Who},
    repository::Repository,
    state::{Fake, State},
    token::HttpToken,
    user::User,
};
use crate::{Level, git::Sketch};
use axum::{
    Json,
    extract::{Path, State as Extract},
    response::Response,
};
use serde_json::{Value, json};
use std::sync::Arc;

/// A project of the fake Data Center.
pub struct Project {
    pub(super) fake: Arc<Fake>,
    pub(super) id: u32,
}

#[derive(Clone)]
pub(crate) struct ProjectRecord {
    pub(crate) id: u32,
    /// In upper case.
    pub(crate) key: String,
    name: String,
    pub(crate) is_public: bool,
    /// The id of the user, if it is a personal project.
    pub(crate) owner: Option<u32>,
    /// What every licensed user may do.
    pub(crate) default_permission: Option<Level>,
    pub(crate) grants: Grants,
}

impl Project {
    pub(super) fn named(fake: &Arc<Fake>, key: &str) -> Self {
        let owner = key.strip_prefix('~').map(|name| User::named(fake, name).id());
        let mut state = fake.state();
        let known = state.project_with_key(key).map(|project| project.id);
        let id = known.unwrap_or_else(|| {
            let project = ProjectRecord::new(state.id_new("project"), key, owner);
            let id = project.id;
            state.projects.push(project);
            id
        });
        Self { fake: Arc::clone(fake), id }
    }

    /// The immutable id.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Lets this person do this much in the project and all of its repositories.
    pub fn grant(&self, name: &str, level: Level) -> &Self {
        let user = User::named(&self.fake, name).id();
        self.change(|project| {
            project.grants.users.insert(user, level);
        })
    }

    /// Takes back what a single person may do.
    pub fn revoke(&self, name: &str) -> &Self {
        let user = User::named(&self.fake, name).id();
        self.change(|project| {
            project.grants.users.remove(&user);
        })
    }

    /// Lets a group do this much in the project and all of its repositories.
    pub fn grant_group(&self, group: &str, level: Level) -> &Self {
        self.change(|project| {
            project.grants.groups.insert(group.to_owned(), level);
        })
    }

    /// Takes back what a group may do.
    pub fn revoke_group(&self, group: &str) -> &Self {
        self.change(|project| {
            project.grants.groups.remove(group);
        })
    }

    /// Changes what every licensed user may do; without one, only grants count.
    pub fn default_permission(&self, level: Option<Level>) -> &Self {
        self.change(|project| project.default_permission = level)
    }

    /// Lets everybody read it, also without logging in.
    pub fn public(&self) -> &Self {
        self.change(|project| project.is_public = true)
    }

    /// Changes key and name; the id stays.
    pub fn rename(&self, key: &str) -> &Self {
        let old = {
            let state = self.fake.state();
            state.project(self.id).expect("a project stays").to_json(&self.fake, &state)
        };
        self.change(|project| {
            project.key = key.to_uppercase();
            key.clone_into(&mut project.name);
        });
        delivery::project_modified(&self.fake, self.id, &old);
        self
    }

    /// Makes an HTTP access token of the project: Bearer in the API, the password beside `x-token-auth` in git. It acts as
    /// a user of its own, of type `SERVICE`.
    pub fn http_token(&self, permissions: &[&str]) -> String {
        HttpToken::issue(&self.fake, Who::Project(self.id), permissions)
    }

    /// Deletes the project with its repositories. Whoever makes one with the same key makes another one, with another id.
    pub fn delete(self) {
        let mut state = self.fake.state();
        state.projects.retain(|project| project.id != self.id);
        state.repositories.retain(|repository| repository.project != self.id);
    }

    /// The repository with this slug; a new one is empty.
    pub fn repository(&self, slug: &str) -> Repository {
        Repository::named(&self.fake, self.id, slug, Sketch::Empty)
    }

    /// As `repository`, but a new one has a commit on `main`, tagged 1.0.0, with this composer.json or with none. Its files
    /// are made when git is first asked for them, so that thousands of such repositories are made in no time.
    pub fn sketch(&self, slug: &str, composer_json: Option<&str>) -> Repository {
        Repository::named(&self.fake, self.id, slug, Sketch::Begun(composer_json.map(str::to_owned)))
    }

    /// The repositories that there are, in the order in which they were made.
    pub fn repositories(&self) -> Vec<Repository> {
        let state = self.fake.state();
        let own = state.repositories.iter().filter(|repository| repository.project == self.id);
        own.map(|repository| Repository::new(&self.fake, repository.id)).collect()
    }

    fn change(&self, change: impl FnOnce(&mut ProjectRecord)) -> &Self {
        let mut state = self.fake.state();
        let project = state.projects.iter_mut().find(|project| project.id == self.id);
        change(project.expect("a project stays"));
        drop(state);
        self
    }
}

impl ProjectRecord {
    fn new(id: u32, key: &str, owner: Option<u32>) -> Self {
        Self {
            id,
            key: key.to_uppercase(),
            name: key.trim_start_matches('~').to_owned(),
            is_public: false,
            owner,
            default_permission: None,
            grants: Grants::default(),
        }
    }

    /// Where browsers find it: `/projects/PHP`, `/users/ada`.
    fn path(&self, state: &State) -> String {
        match self.owner.and_then(|owner| state.user(owner)) {
            Some(owner) => format!("/users/{}", owner.slug),
            None => format!("/projects/{}", self.key),
        }
    }

    pub(crate) fn to_json(&self, fake: &Fake, state: &State) -> Value {
        let mut project = json!({
            "key": self.key,
            "id": self.id,
            "name": self.name,
            "public": self.is_public,
            "type": if self.owner.is_some() { "PERSONAL" } else { "NORMAL" },
            "links": {"self": [{"href": fake.url(state, &self.path(state))}]},
        });
        if let Some(owner) = self.owner.and_then(|owner| state.user(owner)) {
            project["owner"] = owner.to_json(fake, state);
        }
        project
    }
}

/// `GET /rest/api/1.0/projects?name=&permission=`: the ones that the caller sees, without personal ones
pub(crate) async fn list(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    listing: Listing,
) -> Result<Response, ApiError> {
    let wanted = match listing.parameter("permission") {
        None => None,
        Some(text) => Some(permission::level_named("PROJECT", text).ok_or_else(|| {
            ApiError::invalid("permission", &format!("'{text}' is not a permission of projects."))
        })?),
    };
    let name = listing.parameter("name").unwrap_or_default().to_lowercase();
    let state = fake.state();
    let is_listed = |project: &ProjectRecord| {
        let is_allowed = match wanted {
            None => permission::sees_project(&state, caller.reach(), project),
            level => permission::of_project(&state, caller.reach(), project) >= level,
        };
        is_allowed && project.name.to_lowercase().contains(&name)
    };
    let projects = state.projects.iter().filter(|project| project.owner.is_none());
    listing.answer(projects, |it| is_listed(it).then(|| it.to_json(&fake, &state)))
}

/// `GET /rest/api/1.0/projects/{key}`
pub(crate) async fn show(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path(key): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let state = fake.state();
    Ok(Json(caller.project(&state, &key, Level::Read)?.to_json(&fake, &state)))
}
