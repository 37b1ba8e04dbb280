//! Repositories: what is written about them. What is in them is in `reference` and `source`.

pub(crate) mod api;
mod record;

pub(crate) use record::RepositoryRecord;

use super::{
    delivery,
    permission::{Grants, Level},
    project::Project,
    state::Fake,
    token::{AccessToken, Actor},
    user::User,
    workspace::Workspace,
};
use crate::{
    Forgery,
    git::{BareRepository, Sketch},
};
use record::At;
use serde_json::json;
use std::sync::{Arc, OnceLock};

/// A repository of the fake. Whatever changes its branches and tags rings its webhooks.
pub struct Repository {
    pub(super) fake: Arc<Fake>,
    uuid: String,
    bare: OnceLock<BareRepository>,
}

impl Repository {
    pub(super) fn named(fake: &Arc<Fake>, workspace: &str, slug: &str, sketch: Sketch) -> Self {
        let mut state = fake.state();
        let known = state.repository_named(workspace, slug).map(|repository| repository.uuid.clone());
        let is_new = known.is_none();
        let uuid = known.unwrap_or_else(|| {
            let uuid = state.uuid_named("repository", &format!("{workspace}/{slug}"));
            let project = state.workspace(workspace).map(|it| it.projects[0].uuid.clone());
            let project = project.expect("a workspace stays");
            let at = At { workspace: workspace.to_owned(), project };
            let repository = RepositoryRecord::new(uuid.clone(), at, (slug, sketch), state.now());
            state.repositories.push(repository);
            uuid
        });
        drop(state);
        if is_new {
            delivery::ring(fake, &uuid, "repo:created", None, json!({}));
        }
        Self::new(fake, &uuid)
    }

    pub(super) fn new(fake: &Arc<Fake>, uuid: &str) -> Self {
        Self { fake: Arc::clone(fake), uuid: uuid.to_owned(), bare: OnceLock::new() }
    }

    /// The immutable id, in braces.
    pub fn uuid(&self) -> &str {
        &self.uuid
    }

    /// Where it is cloned from.
    pub fn clone_url(&self) -> String {
        self.fake.site(&format!("/{}.git", self.full_name()))
    }

    /// `workspace/repository`, in slugs.
    pub fn full_name(&self) -> String {
        let state = self.fake.state();
        state.repository(&self.uuid).map(|repository| repository.full_name(&state)).unwrap_or_default()
    }

    /// The files on disk. What is changed through it rings no webhook.
    pub fn git(&self) -> &BareRepository {
        self.bare.get_or_init(|| {
            let state = self.fake.state();
            let record =
                state.repository(&self.uuid).expect("a repository stays until it is deleted").clone();
            drop(state);
            record.bare(&self.fake)
        })
    }

    /// Changes whatever `push` changes, as one push of `nickname`.
    pub fn push_as(&self, nickname: &str, push: impl FnOnce(&BareRepository)) -> &Self {
        let pusher = User::named(&self.fake, nickname);
        let before = self.git().references();
        push(self.git());
        delivery::pushed(&self.fake, &self.uuid, Some(&Actor::Person(pusher.uuid().to_owned())), &before);
        self
    }

    /// Changes whatever `push` changes, as one push of nobody in particular.
    pub fn push(&self, push: impl FnOnce(&BareRepository)) -> &Self {
        let before = self.git().references();
        push(self.git());
        delivery::pushed(&self.fake, &self.uuid, None, &before);
        self
    }

    /// Commits this composer.json on `main` and puts a lightweight tag on it; a tag of that name moves.
    pub fn tag(&self, name: &str, composer_json: &str) -> &Self {
        self.push(|git| git.tag(name, &git.commit("main", &[("composer.json", composer_json)])))
    }

    /// As `tag`, but annotated.
    pub fn annotated_tag(&self, name: &str, composer_json: &str) -> &Self {
        self.push(|git| {
            git.annotated_tag(
                name,
                &git.commit("main", &[("composer.json", composer_json)]),
                &format!("Release {name}"),
            );
        })
    }

    /// Commits this composer.json on a branch; a new one starts at `main`.
    pub fn branch(&self, name: &str, composer_json: &str) -> &Self {
        self.commit(name, &[("composer.json", composer_json)])
    }

    /// Commits these files (path, content) on a branch; a new one starts at `main`.
    pub fn commit(&self, branch: &str, files: &[(&str, &str)]) -> &Self {
        self.push(|git| {
            git.commit(branch, files);
        })
    }

    /// Deletes a tag.
    pub fn delete_tag(&self, name: &str) -> &Self {
        self.push(|git| git.reference_delete(&format!("refs/tags/{name}")))
    }

    /// Deletes a branch.
    pub fn delete_branch(&self, name: &str) -> &Self {
        self.push(|git| git.reference_delete(&format!("refs/heads/{name}")))
    }

    /// Lets everybody read it.
    pub fn public(&self) -> &Self {
        self.change(|repository| repository.is_private = false)
    }

    /// Hides it from everybody without a grant.
    pub fn private(&self) -> &Self {
        self.change(|repository| repository.is_private = true)
    }

    /// Changes what the members of the workspace may do with it; without one, they may do nothing. Owners stay admins.
    pub fn members(&self, level: Option<Level>) -> &Self {
        self.change(|repository| repository.members = level)
    }

    /// Lets a single person do this much, whoever they are.
    pub fn grant(&self, nickname: &str, level: Level) -> &Self {
        let uuid = User::named(&self.fake, nickname).uuid().to_owned();
        self.change(|repository| {
            repository.grants.users.insert(uuid, level);
        })
    }

    /// Takes back what a single person may do.
    pub fn revoke(&self, nickname: &str) -> &Self {
        let uuid = User::named(&self.fake, nickname).uuid().to_owned();
        self.change(|repository| {
            repository.grants.users.remove(&uuid);
        })
    }

    /// Lets a group do this much.
    pub fn grant_group(&self, slug: &str, level: Level) -> &Self {
        self.change(|repository| {
            repository.grants.groups.insert(slug.to_owned(), level);
        })
    }

    /// Takes back what a group may do.
    pub fn revoke_group(&self, slug: &str) -> &Self {
        self.change(|repository| {
            repository.grants.groups.remove(slug);
        })
    }

    /// Lets these people read it, and no other member.
    pub fn only_for(&self, nicknames: &[&str]) -> &Self {
        self.members(None).change(|repository| repository.grants = Grants::default());
        for nickname in nicknames {
            self.grant(nickname, Level::Read);
        }
        self
    }

    /// Makes a repository access token: Bearer in the API, the password beside `x-token-auth` in git.
    pub fn access_token(&self, scopes: &[&str]) -> String {
        AccessToken::issue_access_token(&mut self.fake.state(), Actor::Repository(self.uuid.clone()), scopes)
    }

    /// Changes slug and name; the uuid stays.
    pub fn rename(&self, slug: &str) -> &Self {
        let old = self.full_name();
        self.change(|repository| {
            slug.clone_into(&mut repository.slug);
            slug.clone_into(&mut repository.name);
        });
        let changes = json!({"full_name": {"old": old, "new": self.full_name()}});
        delivery::ring(&self.fake, &self.uuid, "repo:updated", None, json!({"changes": changes}));
        self
    }

    /// Puts it into another project of its workspace, which is made if there is none with this key.
    pub fn move_to_project(&self, key: &str) -> &Self {
        let workspace = self.read(|repository| repository.workspace.clone());
        let project = Project::named(&self.fake, &workspace, key).uuid().to_owned();
        self.change(|repository| repository.project = project);
        delivery::ring(&self.fake, &self.uuid, "repo:updated", None, json!({"changes": {}}));
        self
    }

    /// Transfers it to another workspace, which is made if there is none with this slug: into its first project. The uuid
    /// stays; what people may do does not, but for the new workspace's members, who may push.
    pub fn transfer(&self, workspace: &str) -> &Self {
        let to = Workspace::named(&self.fake, workspace).uuid().to_owned();
        let mut state = self.fake.state();
        let project = state.workspace(&to).expect("a workspace stays").projects[0].uuid.clone();
        let record = state.repository_mut(&self.uuid).expect("a repository stays until it is deleted");
        let from = std::mem::replace(&mut record.workspace, to);
        record.project = project;
        record.grants = Grants::default();
        record.members = Some(Level::Write);
        let previous = state.workspace(&from).map(|workspace| workspace.to_condensed_json(&self.fake));
        drop(state);
        let told = json!({"previous_workspace": previous});
        delivery::ring(&self.fake, &self.uuid, "repo:transfer", None, told);
        self
    }

    /// Deletes every branch and tag, as one push.
    pub fn empty(&self) -> &Self {
        self.push(|git| {
            for reference in git.references().keys() {
                git.reference_delete(reference);
            }
        })
    }

    /// Rings its webhooks for a push that changed nothing (`"changes": []`).
    pub fn ring(&self) -> &Self {
        delivery::ring(&self.fake, &self.uuid, "repo:push", None, json!({"push": {"changes": []}}));
        self
    }

    /// Sends a push that somebody made up to every webhook that listens for pushes here. Gives the status of each answer.
    pub async fn forge(&self, forgery: Forgery) -> Vec<u16> {
        delivery::forge(&self.fake, &self.uuid, forgery).await
    }

    /// Whether there is a composer.json in the root of the default branch.
    pub fn has_manifest(&self) -> bool {
        let record = self.read(RepositoryRecord::clone);
        match record.sketch_only(&self.fake) {
            Some(sketch) => sketch.has_manifest(),
            None => self.git().resolve("HEAD:composer.json").is_some(),
        }
    }

    /// Deletes the repository with everything in it.
    pub fn delete(self) {
        delivery::ring(&self.fake, &self.uuid, "repo:deleted", None, json!({}));
        let mut state = self.fake.state();
        state.repositories.retain(|repository| repository.uuid != self.uuid);
        drop(state);
        let folder = self.fake.repository_folder(&self.uuid);
        if folder.exists() {
            std::fs::remove_dir_all(folder).expect("the files of a repository can be removed");
        }
    }

    pub(super) fn read<T>(&self, read: impl FnOnce(&RepositoryRecord) -> T) -> T {
        read(self.fake.state().repository(&self.uuid).expect("a repository stays until it is deleted"))
    }

    fn change(&self, change: impl FnOnce(&mut RepositoryRecord)) -> &Self {
        let mut state = self.fake.state();
        change(state.repository_mut(&self.uuid).expect("a repository stays until it is deleted"));
        drop(state);
        self
    }
}
