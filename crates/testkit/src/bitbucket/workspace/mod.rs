//! Workspaces and their members.

pub(crate) mod api;
mod record;

pub(crate) use api::{admin_needed, find};
pub(crate) use record::{Role, WorkspaceRecord};

use super::{
    project::Project,
    repository::Repository,
    state::Fake,
    token::{AccessToken, Actor},
    user::User,
};
use crate::git::Sketch;
use std::sync::Arc;

/// A workspace of the fake.
pub struct Workspace {
    pub(super) fake: Arc<Fake>,
    pub(super) uuid: String,
}

impl Workspace {
    pub(super) fn named(fake: &Arc<Fake>, slug: &str) -> Self {
        let mut state = fake.state();
        let known = state.workspace_named(slug).map(|workspace| workspace.uuid.clone());
        let uuid = known.unwrap_or_else(|| {
            let workspace = WorkspaceRecord::new(slug, state.uuid_named("workspace", slug), state.now());
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

    /// Takes this person in as a member whom the API calls by another word, such as `collaborator` or `create-project`.
    pub fn member_as(&self, nickname: &str, permission: &str) -> &Self {
        self.put(nickname, Role::Other(permission.to_owned()))
    }

    /// Takes this person out, also of every group; grants on single repositories and projects stay.
    pub fn remove(&self, nickname: &str) -> &Self {
        let user = User::named(&self.fake, nickname);
        self.change(|workspace| workspace.remove(user.uuid()))
    }

    /// Makes a group of these people, or changes it; what it may do, projects and repositories say. New people are made.
    /// Who is in a group is not thereby in the workspace.
    pub fn group(&self, slug: &str, nicknames: &[&str]) -> &Self {
        let uuid_of = |nickname: &&str| User::named(&self.fake, nickname).uuid().to_owned();
        let members = nicknames.iter().map(uuid_of).collect();
        self.change(|workspace| {
            workspace.groups.insert(slug.to_owned(), members);
        })
    }

    /// The project with this key; a new one is empty.
    pub fn project(&self, key: &str) -> Project {
        Project::named(&self.fake, &self.uuid, key)
    }

    /// Makes a workspace access token: Bearer in the API, the password beside `x-token-auth` in git. It is admin of
    /// everything as far as its scopes go, and cannot read permissions.
    pub fn access_token(&self, scopes: &[&str]) -> String {
        let actor = Actor::Workspace(self.uuid.clone());
        AccessToken::issue_access_token(&mut self.fake.state(), actor, scopes)
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
        Repository::named(&self.fake, &self.uuid, slug, Sketch::Empty)
    }

    /// As `repository`, but a new one has a commit on `main`, tagged 1.0.0, with this composer.json or with none. Its files
    /// are made when git is first asked for them, so that thousands of such repositories are made in no time.
    pub fn sketch(&self, slug: &str, composer_json: Option<&str>) -> Repository {
        let sketch = Sketch::Begun(composer_json.map(str::to_owned));
        Repository::named(&self.fake, &self.uuid, slug, sketch)
    }

    /// The repositories that there are, in the order in which they were made.
    pub fn repositories(&self) -> Vec<Repository> {
        let state = self.fake.state();
        let own = state.repositories.iter().filter(|repository| repository.workspace == self.uuid);
        own.map(|repository| Repository::new(&self.fake, &repository.uuid)).collect()
    }

    fn put(&self, nickname: &str, role: Role) -> &Self {
        let user = User::named(&self.fake, nickname);
        self.change(|workspace| workspace.put(user.uuid(), role))
    }

    fn change(&self, change: impl FnOnce(&mut WorkspaceRecord)) -> &Self {
        let mut state = self.fake.state();
        change(state.workspace_mut(&self.uuid).expect("a workspace stays"));
        drop(state);
        self
    }
}
