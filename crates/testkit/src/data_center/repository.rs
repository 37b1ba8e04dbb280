//! Repositories: what is written about them, and what is in them.

use super::{
    caller::Caller,
    error::ApiError,
    listing::Listing,
    permission::{self, Grants},
    state::{Fake, State},
    user::User,
};
use crate::{Level, git::BareRepository};
use axum::{
    Json,
    extract::{Path, State as Extract},
    response::Response,
};
use serde_json::{Value, json};
use std::sync::Arc;

/// A repository of the fake Data Center.
pub struct Repository {
    fake: Arc<Fake>,
    id: u32,
    bare: BareRepository,
}

#[derive(Clone)]
pub(crate) struct RepositoryRecord {
    pub(crate) id: u32,
    /// The id of the project.
    pub(crate) project: u32,
    pub(crate) slug: String,
    name: String,
    pub(crate) is_public: bool,
    is_archived: bool,
    is_initialising: bool,
    pub(crate) grants: Grants,
}

impl Repository {
    pub(super) fn named(fake: &Arc<Fake>, project: u32, slug: &str) -> Self {
        let mut state = fake.state();
        let known = state.repositories.iter().find(|it| it.project == project && it.slug == slug);
        let known = known.map(|repository| repository.id);
        let is_new = known.is_none();
        let id = known.unwrap_or_else(|| {
            let repository = RepositoryRecord::new(state.id_new("repository"), project, slug);
            let id = repository.id;
            state.repositories.push(repository);
            id
        });
        drop(state);
        let folder = fake.repository_folder(id);
        let bare = if is_new { BareRepository::create(folder) } else { BareRepository::open(folder) };
        Self { fake: Arc::clone(fake), id, bare }
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

    /// The files on disk.
    pub fn git(&self) -> &BareRepository {
        &self.bare
    }

    /// Commits this composer.json on `main` and puts a lightweight tag on it; a tag of that name moves.
    pub fn tag(&self, name: &str, composer_json: &str) -> &Self {
        self.bare.tag(name, &self.bare.commit("main", &[("composer.json", composer_json)]));
        self
    }

    /// Commits these files (path, content) on a branch; a new one starts at `main`.
    pub fn commit(&self, branch: &str, files: &[(&str, &str)]) -> &Self {
        self.bare.commit(branch, files);
        self
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

    /// Lets everybody read it, also without logging in.
    pub fn public(&self) -> &Self {
        self.change(|repository| repository.is_public = true)
    }

    /// Archives it: it can be read and not changed. Only versions from 8 on show it.
    pub fn archive(&self) -> &Self {
        self.change(|repository| repository.is_archived = true)
    }

    /// Says that it is still being made (`INITIALISING`), or no longer.
    pub fn initialising(&self, is_initialising: bool) -> &Self {
        self.change(|repository| repository.is_initialising = is_initialising)
    }

    /// Changes slug and name; the id stays.
    pub fn rename(&self, slug: &str) -> &Self {
        self.change(|repository| {
            slug.clone_into(&mut repository.slug);
            slug.clone_into(&mut repository.name);
        })
    }

    /// Deletes the repository with everything in it. Bitbucket rings no bell for it.
    pub fn delete(self) {
        self.fake.state().repositories.retain(|repository| repository.id != self.id);
        std::fs::remove_dir_all(self.bare.path()).expect("the files of a repository can be removed");
    }

    fn read<'a>(&self, state: &'a State) -> &'a RepositoryRecord {
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

impl RepositoryRecord {
    fn new(id: u32, project: u32, slug: &str) -> Self {
        Self {
            id,
            project,
            slug: slug.to_owned(),
            name: slug.to_owned(),
            is_public: false,
            is_archived: false,
            is_initialising: false,
            grants: Grants::default(),
        }
    }

    pub(crate) fn bare(&self, fake: &Fake) -> BareRepository {
        BareRepository::open(fake.repository_folder(self.id))
    }

    fn key(&self, state: &State) -> String {
        state.project(self.project).map(|project| project.key.clone()).unwrap_or_default()
    }

    /// Keys are in lower case here, and in upper case everywhere else.
    fn clone_path(&self, state: &State) -> String {
        format!("/scm/{}/{}.git", self.key(state).to_lowercase(), self.slug)
    }

    fn to_json(&self, fake: &Fake, state: &State, caller: &Caller) -> Value {
        let own = format!("/projects/{}/repos/{}/browse", self.key(state), self.slug);
        let mut http = fake.url(state, &self.clone_path(state));
        if let Some(name) = caller.name(state).filter(|_| state.version.names_the_caller_in_clone_links()) {
            http = http.replacen("://", &format!("://{name}@"), 1);
        }
        let ssh =
            format!("ssh://git@bitbucket.example:7999/{}/{}.git", self.key(state).to_lowercase(), self.slug);
        let (condition, message) =
            if self.is_initialising { ("INITIALISING", "Initialising") } else { ("AVAILABLE", "Available") };
        let mut repository = json!({
            "slug": self.slug,
            "id": self.id,
            "name": self.name,
            "hierarchyId": format!("{:020x}", self.id),
            "scmId": "git",
            "state": condition,
            "statusMessage": message,
            "forkable": true,
            "public": self.is_public,
            "project": state.project(self.project).map(|project| project.to_json(fake, state)),
            "links": {
                "clone": [{"href": http, "name": "http"}, {"href": ssh, "name": "ssh"}],
                "self": [{"href": fake.url(state, &own)}],
            },
        });
        if state.version.has_archive() {
            repository["archived"] = json!(self.is_archived);
        }
        repository
    }
}

/// `GET /rest/api/1.0/repos?permission=&projectkey=&name=&visibility=&archived=`
pub(crate) async fn list_all(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    listing: Listing,
) -> Result<Response, ApiError> {
    let level = match listing.parameter("permission") {
        None => None,
        Some(text) => Some(permission::level_named("REPO", text).ok_or_else(|| {
            ApiError::invalid("permission", &format!("'{text}' is not a permission of repositories."))
        })?),
    };
    let lower = |name| listing.parameter(name).unwrap_or_default().to_lowercase();
    let (name, key) = (lower("name"), lower("projectkey"));
    let archived = listing.parameter("archived").unwrap_or("ACTIVE");
    let state = fake.state();
    let is_listed = |it: &RepositoryRecord| {
        let is_allowed = match level {
            None => permission::of_repository(&state, caller.reach(), it).is_some(),
            level => permission::explicit(&state, caller.reach(), it) >= level,
        };
        let is_visible = match listing.parameter("visibility") {
            Some("public") => it.is_public,
            Some("private") => !it.is_public,
            _ => true,
        };
        let is_kept = archived == "ALL" || it.is_archived == (archived == "ARCHIVED");
        let is_named = it.name.to_lowercase().contains(&name);
        let is_there = key.is_empty() || it.key(&state).to_lowercase() == key;
        is_allowed && is_visible && is_kept && is_named && is_there
    };
    let all = state.repositories.iter();
    listing.answer(all.map(|it| is_listed(it).then(|| it.to_json(&fake, &state, &caller))).collect())
}

/// `GET /rest/api/1.0/projects/{key}/repos`, also `/users/{slug}/repos` of a personal project
pub(crate) async fn list(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path(key): Path<String>,
    listing: Listing,
) -> Result<Response, ApiError> {
    of_project(&fake, &caller, &key, &listing)
}

/// `GET /rest/api/1.0/users/{slug}/repos`
pub(crate) async fn list_personal(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path(slug): Path<String>,
    listing: Listing,
) -> Result<Response, ApiError> {
    of_project(&fake, &caller, &format!("~{slug}"), &listing)
}

fn of_project(fake: &Fake, caller: &Caller, key: &str, listing: &Listing) -> Result<Response, ApiError> {
    let state = fake.state();
    let project = caller.project(&state, key, Level::Read)?;
    let own = state.repositories.iter().filter(|repository| repository.project == project.id);
    let values = own.map(|repository| {
        let level = permission::of_repository(&state, caller.reach(), repository);
        level.map(|_| repository.to_json(fake, &state, caller))
    });
    listing.answer(values.collect())
}

/// `GET /rest/api/1.0/projects/{key}/repos/{slug}`
pub(crate) async fn show(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path((key, slug)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let state = fake.state();
    let repository = caller.repository(&state, (&key, &slug), Level::Read)?;
    Ok(Json(repository.to_json(&fake, &state, &caller)))
}
