//! Repositories: what is written about them, and what is in them.

pub(crate) mod api;
mod record;

pub(crate) use record::RepositoryRecord;

use super::{
    delivery,
    permission::Who,
    project::Project,
    state::{Fake, State},
    token::HttpToken,
    user::User,
};
use crate::{
    Forgery, Level,
    git::{BareRepository, Sketch},
};
use serde_json::json;
use std::sync::{Arc, OnceLock};

/// A repository of the fake Data Center. Whatever changes its branches and tags rings its webhooks.
pub struct Repository {
    pub(super) fake: Arc<Fake>,
    id: u32,
    bare: OnceLock<BareRepository>,
}

impl Repository {
    pub(super) fn named(fake: &Arc<Fake>, project: u32, slug: &str, sketch: Sketch) -> Self {
        let mut state = fake.state();
        let known = state.repositories.iter().find(|it| it.project == project && it.slug == slug);
        let known = known.map(|repository| repository.id);
        let id = known.unwrap_or_else(|| {
            let repository = RepositoryRecord::new(state.id_new("repository"), project, slug, sketch);
            let id = repository.id;
            state.repositories.push(repository);
            id
        });
        drop(state);
        Self::new(fake, id)
    }

    pub(super) fn new(fake: &Arc<Fake>, id: u32) -> Self {
        Self { fake: Arc::clone(fake), id, bare: OnceLock::new() }
    }

    /// The immutable id.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Where it is cloned from.
    pub fn clone_url(&self) -> String {
        let state = self.fake.state();
        let path = self.read(&state).clone_path(&state);
        format!("{}{path}", self.fake.base())
    }

    /// The files on disk. What is changed through it rings no webhook.
    pub fn git(&self) -> &BareRepository {
        self.bare.get_or_init(|| {
            let record = self.read(&self.fake.state()).clone();
            record.bare(&self.fake)
        })
    }

    /// Changes whatever `push` changes, as one push of this person.
    pub fn push_as(&self, name: &str, push: impl FnOnce(&BareRepository)) -> &Self {
        let user = User::named(&self.fake, name).id();
        let before = self.git().references();
        push(self.git());
        delivery::pushed(&self.fake, self.id, Some(user), &before);
        self
    }

    /// Changes whatever `push` changes, as one push of nobody in particular.
    pub fn push(&self, push: impl FnOnce(&BareRepository)) -> &Self {
        let before = self.git().references();
        push(self.git());
        delivery::pushed(&self.fake, self.id, None, &before);
        self
    }

    /// Commits this composer.json on `main` and puts a lightweight tag on it; a tag of that name moves.
    pub fn tag(&self, name: &str, composer_json: &str) -> &Self {
        self.push(|git| git.tag(name, &git.commit("main", &[("composer.json", composer_json)])))
    }

    /// Commits these files (path, content) on a branch; a new one starts at `main`.
    pub fn commit(&self, branch: &str, files: &[(&str, &str)]) -> &Self {
        self.push(|git| {
            git.commit(branch, files);
        })
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
        delivery::refs_changed(&self.fake, self.id, None, json!({"changes": []}));
        self
    }

    /// Sends a push that somebody made up to every webhook that listens for pushes here. Gives the status of each answer.
    pub async fn forge(&self, forgery: Forgery) -> Vec<u16> {
        delivery::forge(&self.fake, self.id, forgery).await
    }

    /// Whether there is a composer.json in the root of the default branch.
    pub fn has_manifest(&self) -> bool {
        let record = self.read(&self.fake.state()).clone();
        match record.sketch_only(&self.fake) {
            Some(sketch) => sketch.has_manifest(),
            None => self.git().resolve("HEAD:composer.json").is_some(),
        }
    }

    /// Makes an HTTP access token of the repository: Bearer in the API, the password beside `x-token-auth` in git. It acts
    /// as a user of its own, of type `SERVICE`.
    pub fn http_token(&self, permissions: &[&str]) -> String {
        HttpToken::issue(&self.fake, Who::Repository(self.id), permissions)
    }

    /// Lets this person do this much.
    pub fn grant(&self, name: &str, level: Level) -> &Self {
        let user = User::named(&self.fake, name).id();
        self.change(|repository| {
            repository.grants.users.insert(user, level);
        })
    }

    /// Takes back what a single person may do.
    pub fn revoke(&self, name: &str) -> &Self {
        let user = User::named(&self.fake, name).id();
        self.change(|repository| {
            repository.grants.users.remove(&user);
        })
    }

    /// Lets a group do this much.
    pub fn grant_group(&self, group: &str, level: Level) -> &Self {
        self.change(|repository| {
            repository.grants.groups.insert(group.to_owned(), level);
        })
    }

    /// Takes back what a group may do.
    pub fn revoke_group(&self, group: &str) -> &Self {
        self.change(|repository| {
            repository.grants.groups.remove(group);
        })
    }

    /// Lets everybody read it, also without logging in.
    pub fn public(&self) -> &Self {
        self.change(|repository| repository.is_public = true)
    }

    /// Archives it: it can be read and not changed. Only versions from 8 on show it.
    pub fn archive(&self) -> &Self {
        self.change(|repository| repository.is_archived = true)
    }

    /// Undoes `archive`.
    pub fn unarchive(&self) -> &Self {
        self.change(|repository| repository.is_archived = false)
    }

    /// Says that it is still being made (`INITIALISING`), or no longer.
    pub fn initialising(&self, is_initialising: bool) -> &Self {
        self.change(|repository| repository.is_initialising = is_initialising)
    }

    /// Changes slug and name; the id stays.
    pub fn rename(&self, slug: &str) -> &Self {
        self.modify(|repository| {
            slug.clone_into(&mut repository.slug);
            slug.clone_into(&mut repository.name);
        })
    }

    /// Moves it to another project, which is made if there is none with this key. The id stays, and so do its own grants.
    pub fn move_to(&self, key: &str) -> &Self {
        let project = Project::named(&self.fake, key).id();
        self.modify(|repository| repository.project = project)
    }

    /// Deletes the repository with everything in it. Bitbucket rings no bell for it.
    pub fn delete(self) {
        self.fake.state().repositories.retain(|repository| repository.id != self.id);
        let folder = self.fake.repository_folder(self.id);
        if folder.exists() {
            std::fs::remove_dir_all(folder).expect("the files of a repository can be removed");
        }
    }

    /// A change that rings its webhooks.
    fn modify(&self, change: impl FnOnce(&mut RepositoryRecord)) -> &Self {
        let old = {
            let state = self.fake.state();
            self.read(&state).to_payload_json(&self.fake, &state)
        };
        self.change(change);
        delivery::modified(&self.fake, self.id, &old);
        self
    }

    pub(super) fn read<'a>(&self, state: &'a State) -> &'a RepositoryRecord {
        let found = state.repositories.iter().find(|repository| repository.id == self.id);
        found.expect("a repository stays until it is deleted")
    }

    fn change(&self, change: impl FnOnce(&mut RepositoryRecord)) -> &Self {
        let mut state = self.fake.state();
        let found = state.repositories.iter_mut().find(|repository| repository.id == self.id);
        change(found.expect("a repository stays until it is deleted"));
        drop(state);
        self
    }
}
