//! Repositories: what is written about them. What is in them is in `reference` and `source`.

use super::{
    caller::Caller,
    collection::Listing,
    delivery,
    error::ApiError,
    permission::{self, Level},
    state::{Fake, State, encoded, instant, uuid_of},
    token::{AccessToken, Actor},
    user::User,
    workspace,
};
use crate::git::BareRepository;
use axum::{
    extract::{Path, State as Extract},
    response::Response,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

/// A repository of the fake. Whatever changes its branches and tags rings its webhooks.
pub struct Repository {
    fake: Arc<Fake>,
    uuid: String,
    bare: BareRepository,
}

#[derive(Clone)]
pub(crate) struct RepositoryRecord {
    pub(crate) uuid: String,
    /// Uuid of the workspace.
    pub(crate) workspace: String,
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) is_private: bool,
    /// What every member of the workspace may do.
    pub(crate) members: Option<Level>,
    /// What single people may do besides, by uuid.
    pub(crate) grants: BTreeMap<String, Level>,
    created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

impl Repository {
    pub(super) fn named(fake: &Arc<Fake>, workspace: &str, slug: &str) -> Self {
        let mut state = fake.state();
        let known = state.repository_named(workspace, slug).map(|repository| repository.uuid.clone());
        let is_new = known.is_none();
        let uuid = known.unwrap_or_else(|| {
            let repository = RepositoryRecord::new(workspace, slug, state.now());
            let uuid = repository.uuid.clone();
            state.repositories.push(repository);
            uuid
        });
        drop(state);
        let folder = fake.repository_folder(&uuid);
        let bare = if is_new { BareRepository::create(folder) } else { BareRepository::open(folder) };
        let repository = Self { fake: Arc::clone(fake), uuid, bare };
        if is_new {
            delivery::ring(fake, &repository.uuid, "repo:created", None, json!({}));
        }
        repository
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
        &self.bare
    }

    /// Changes whatever `push` changes, as one push of `nickname`.
    pub fn push_as(&self, nickname: &str, push: impl FnOnce(&BareRepository)) -> &Self {
        let pusher = User::named(&self.fake, nickname);
        let before = self.bare.references();
        push(&self.bare);
        delivery::pushed(&self.fake, &self.uuid, Some(&Actor::Person(pusher.uuid().to_owned())), &before);
        self
    }

    /// Changes whatever `push` changes, as one push of nobody in particular.
    pub fn push(&self, push: impl FnOnce(&BareRepository)) -> &Self {
        let before = self.bare.references();
        push(&self.bare);
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
            repository.grants.insert(uuid, level);
        })
    }

    /// Takes back what a single person may do.
    pub fn revoke(&self, nickname: &str) -> &Self {
        let uuid = User::named(&self.fake, nickname).uuid().to_owned();
        self.change(|repository| {
            repository.grants.remove(&uuid);
        })
    }

    /// Lets these people read it, and no other member.
    pub fn only_for(&self, nicknames: &[&str]) -> &Self {
        self.members(None).change(|repository| repository.grants.clear());
        for nickname in nicknames {
            self.grant(nickname, Level::Read);
        }
        self
    }

    /// Makes a repository access token: Bearer in the API, the password beside `x-token-auth` in git.
    pub fn access_token(&self, scopes: &[&str]) -> String {
        AccessToken::issue_repository_token(&mut self.fake.state(), &self.uuid, scopes)
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

    /// Deletes the repository with everything in it.
    pub fn delete(self) {
        delivery::ring(&self.fake, &self.uuid, "repo:deleted", None, json!({}));
        let mut state = self.fake.state();
        state.repositories.retain(|repository| repository.uuid != self.uuid);
        drop(state);
        std::fs::remove_dir_all(self.bare.path()).expect("the files of a repository can be removed");
    }

    fn change(&self, change: impl FnOnce(&mut RepositoryRecord)) -> &Self {
        let mut state = self.fake.state();
        change(state.repository_mut(&self.uuid).expect("a repository stays until it is deleted"));
        drop(state);
        self
    }
}

impl RepositoryRecord {
    fn new(workspace: &str, slug: &str, now: Timestamp) -> Self {
        Self {
            uuid: uuid_of("repository", &format!("{workspace}/{slug}")),
            workspace: workspace.to_owned(),
            slug: slug.to_owned(),
            name: slug.to_owned(),
            is_private: true,
            members: Some(Level::Write),
            grants: BTreeMap::new(),
            created_at: now,
            updated_at: now,
        }
    }

    pub(crate) fn bare(&self, fake: &Fake) -> BareRepository {
        BareRepository::open(fake.repository_folder(&self.uuid))
    }

    pub(crate) fn full_name(&self, state: &State) -> String {
        let workspace =
            state.workspace(&self.workspace).map(|workspace| workspace.slug.as_str()).unwrap_or_default();
        format!("{workspace}/{}", self.slug)
    }

    /// The little that lists of permissions say of a repository.
    pub(crate) fn to_condensed_json(&self, state: &State) -> Value {
        json!({"type": "repository", "uuid": self.uuid, "name": self.name, "full_name": self.full_name(state)})
    }

    /// As it stands in the payload of a webhook: without slug and clone links.
    pub(crate) fn to_payload_json(&self, fake: &Fake, state: &State) -> Value {
        let full_name = self.full_name(state);
        let mut repository = self.to_condensed_json(state);
        repository["scm"] = json!("git");
        repository["is_private"] = json!(self.is_private);
        repository["website"] = json!(null);
        repository["parent"] = json!(null);
        if let Some(workspace) = state.workspace(&self.workspace) {
            repository["workspace"] = workspace.to_condensed_json(fake);
            repository["project"] = workspace.project_json(fake);
            repository["owner"] = workspace.to_owner_json(fake);
        }
        repository["links"] = json!({
            "self": {"href": fake.api(&format!("/repositories/{full_name}"))},
            "html": {"href": fake.site(&format!("/{full_name}"))},
            "avatar": {"href": fake.site(&format!("/ravatar/{}", encoded(&self.uuid)))},
        });
        repository
    }

    /// In full. The link for cloning a private repository names the caller.
    fn to_json(&self, fake: &Fake, state: &State, actor: Option<&Actor>, main: Option<&str>) -> Value {
        let full_name = self.full_name(state);
        let mut repository = self.to_payload_json(fake, state);
        let nickname = match actor {
            Some(Actor::Person(uuid)) if self.is_private => {
                state.user(uuid).map(|user| user.nickname.as_str())
            }
            _ => None,
        };
        let https = match nickname {
            Some(nickname) => {
                fake.site(&format!("/{full_name}.git")).replacen("://", &format!("://{nickname}@"), 1)
            }
            None => fake.site(&format!("/{full_name}.git")),
        };
        let ssh = format!("ssh://git@bitbucket.example/{full_name}.git");
        repository["links"]["clone"] =
            json!([{"name": "https", "href": https}, {"name": "ssh", "href": ssh}]);
        for (name, path) in [
            ("hooks", "hooks"),
            ("branches", "refs/branches"),
            ("tags", "refs/tags"),
            ("commits", "commits"),
            ("source", "src"),
            ("downloads", "downloads"),
            ("pullrequests", "pullrequests"),
            ("forks", "forks"),
        ] {
            repository["links"][name] =
                json!({"href": fake.api(&format!("/repositories/{full_name}/{path}"))});
        }
        repository["slug"] = json!(self.slug);
        repository["description"] = json!("");
        repository["fork_policy"] = json!("no_public_forks");
        repository["language"] = json!("php");
        repository["size"] = json!(348_123);
        repository["has_issues"] = json!(false);
        repository["has_wiki"] = json!(false);
        repository["created_on"] = json!(instant(self.created_at));
        repository["updated_on"] = json!(instant(self.updated_at));
        repository["mainbranch"] = main.map_or(Value::Null, |name| json!({"type": "branch", "name": name}));
        repository
    }

    /// The default branch; an empty repository has none.
    fn main_branch(&self, fake: &Fake) -> Option<String> {
        let bare = self.bare(fake);
        let is_empty = bare.references().keys().all(|name| !name.starts_with("refs/heads/"));
        (!is_empty).then(|| bare.head())
    }
}

/// `GET /2.0/repositories/{workspace}`
pub(crate) async fn list(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path(id): Path<String>,
    listing: Listing,
) -> Result<Response, ApiError> {
    if caller.actor().is_some() {
        caller.require("repository")?;
    }
    let visible = visible(&fake, &caller, &id, listing.parameter("role"))?;
    let with_main: Vec<_> = visible.into_iter().map(|r| (r.main_branch(&fake), r)).collect();
    let state = fake.state();
    let values = with_main.iter().map(|(main, r)| r.to_json(&fake, &state, caller.actor(), main.as_deref()));
    listing.answer(&fake, values.collect())
}

/// The repositories of a workspace in which the caller has this role, or which the caller may read.
fn visible(
    fake: &Fake,
    caller: &Caller,
    workspace: &str,
    role: Option<&str>,
) -> Result<Vec<RepositoryRecord>, ApiError> {
    let state = fake.state();
    let workspace = workspace::find(&state, workspace)?;
    let needed = match role {
        None => None,
        Some("member") => Some(Level::Read),
        Some("contributor") => Some(Level::Write),
        Some("admin" | "owner") => Some(Level::Admin),
        Some(role) => return Err(ApiError::bad_request(format!("Invalid role: {role}"))),
    };
    let is_visible = |repository: &&RepositoryRecord| match needed {
        None => permission::effective(&state, caller.actor(), repository).is_some(),
        Some(needed) => {
            permission::explicit(&state, caller.actor(), repository).is_some_and(|level| level >= needed)
        }
    };
    let own = state.repositories.iter().filter(|repository| repository.workspace == workspace.uuid);
    Ok(own.filter(is_visible).cloned().collect())
}

/// `GET /2.0/repositories/{workspace}/{repository}`
pub(crate) async fn show(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path((workspace, id)): Path<(String, String)>,
    listing: Listing,
) -> Result<Response, ApiError> {
    let repository = caller.repository(&workspace, &id, "repository", Level::Read)?;
    let main = repository.main_branch(&fake);
    Ok(listing.object(repository.to_json(&fake, &fake.state(), caller.actor(), main.as_deref())))
}
