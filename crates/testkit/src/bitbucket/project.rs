//! Projects of a workspace: a key, a name, and who may do what in all of their repositories.

use super::{
    caller::Caller,
    collection::Listing,
    error::ApiError,
    permission::{Grants, Level},
    scope,
    state::{Fake, instant},
    token::{AccessToken, Actor},
    user::User,
    workspace::{self, WorkspaceRecord},
};
use axum::{
    extract::{Path, State as Extract},
    response::Response,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;

/// A project of the fake.
pub struct Project {
    fake: Arc<Fake>,
    /// Uuid.
    workspace: String,
    uuid: String,
}

#[derive(Clone)]
pub(crate) struct ProjectRecord {
    pub(crate) uuid: String,
    pub(crate) key: String,
    name: String,
    pub(crate) grants: Grants,
    created_at: Timestamp,
}

impl Project {
    pub(super) fn named(fake: &Arc<Fake>, workspace: &str, key: &str) -> Self {
        let mut state = fake.state();
        let projects = state.workspace(workspace).map(|it| it.projects.as_slice()).unwrap_or_default();
        let known = projects.iter().find(|project| project.key == key).map(|project| project.uuid.clone());
        let uuid = known.unwrap_or_else(|| {
            let uuid = state.uuid_named("project", &format!("{workspace}/{key}"));
            let project = ProjectRecord::new(uuid.clone(), key, key, state.now());
            state.workspace_mut(workspace).expect("a workspace stays").projects.push(project);
            uuid
        });
        Self { fake: Arc::clone(fake), workspace: workspace.to_owned(), uuid }
    }

    /// The immutable id, in braces.
    pub fn uuid(&self) -> &str {
        &self.uuid
    }

    /// Lets a single person do this much in all of its repositories, whoever they are.
    pub fn grant(&self, nickname: &str, level: Level) -> &Self {
        let uuid = User::named(&self.fake, nickname).uuid().to_owned();
        self.change(|project| {
            project.grants.users.insert(uuid, level);
        })
    }

    /// Takes back what a single person may do.
    pub fn revoke(&self, nickname: &str) -> &Self {
        let uuid = User::named(&self.fake, nickname).uuid().to_owned();
        self.change(|project| {
            project.grants.users.remove(&uuid);
        })
    }

    /// Lets a group do this much in all of its repositories.
    pub fn grant_group(&self, slug: &str, level: Level) -> &Self {
        self.change(|project| {
            project.grants.groups.insert(slug.to_owned(), level);
        })
    }

    /// Takes back what a group may do.
    pub fn revoke_group(&self, slug: &str) -> &Self {
        self.change(|project| {
            project.grants.groups.remove(slug);
        })
    }

    /// Changes key and name; the uuid stays.
    pub fn rename(&self, key: &str) -> &Self {
        self.change(|project| {
            key.clone_into(&mut project.key);
            key.clone_into(&mut project.name);
        })
    }

    /// Makes a project access token: Bearer in the API, the password beside `x-token-auth` in git.
    pub fn access_token(&self, scopes: &[&str]) -> String {
        AccessToken::issue_access_token(&mut self.fake.state(), Actor::Project(self.uuid.clone()), scopes)
    }

    fn change(&self, change: impl FnOnce(&mut ProjectRecord)) -> &Self {
        let mut state = self.fake.state();
        let workspace = state.workspace_mut(&self.workspace).expect("a workspace stays");
        let project = workspace.projects.iter_mut().find(|project| project.uuid == self.uuid);
        change(project.expect("a project stays"));
        drop(state);
        self
    }
}

impl ProjectRecord {
    pub(crate) fn new(uuid: String, key: &str, name: &str, now: Timestamp) -> Self {
        let (key, name) = (key.to_owned(), name.to_owned());
        Self { uuid, key, name, grants: Grants::default(), created_at: now }
    }

    /// As it stands inside other objects.
    pub(crate) fn to_condensed_json(&self, fake: &Fake, workspace: &WorkspaceRecord) -> Value {
        let page = fake.site(&format!("/{}/workspace/projects/{}", workspace.slug, self.key));
        json!({
            "type": "project",
            "uuid": self.uuid,
            "key": self.key,
            "name": self.name,
            "links": {"html": {"href": page}, "avatar": {"href": format!("{page}/avatar")}},
        })
    }

    fn to_json(&self, fake: &Fake, workspace: &WorkspaceRecord) -> Value {
        let mut project = self.to_condensed_json(fake, workspace);
        project["is_private"] = json!(true);
        project["created_on"] = json!(instant(self.created_at));
        project["updated_on"] = json!(instant(self.created_at));
        project["has_publicly_visible_repos"] = json!(false);
        project
    }
}

/// `GET /2.0/workspaces/{workspace}/projects`
pub(crate) async fn list(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path(id): Path<String>,
    listing: Listing,
) -> Result<Response, ApiError> {
    caller.require(scope::PROJECT)?;
    let workspace = workspace::find(&fake.state(), &id)?;
    let projects = workspace.projects.iter();
    listing.answer(&fake, projects.map(|project| project.to_json(&fake, &workspace)).collect())
}
