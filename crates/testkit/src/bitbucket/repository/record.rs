//! What is known of a repository.

use crate::{
    bitbucket::{
        permission::{Grants, Level},
        state::{Fake, State, encoded, instant},
        token::Actor,
    },
    git::{BareRepository, Sketch},
};
use jiff::Timestamp;
use serde_json::{Value, json};

#[derive(Clone)]
pub(crate) struct RepositoryRecord {
    pub(crate) uuid: String,
    /// Uuid of the workspace.
    pub(crate) workspace: String,
    /// Uuid of the project, which is one of the workspace.
    pub(crate) project: String,
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) is_private: bool,
    /// What every member of the workspace may do.
    pub(crate) members: Option<Level>,
    /// What single people and groups may do besides.
    pub(crate) grants: Grants,
    /// What is in it until git is first asked for its files.
    sketch: Sketch,
    created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

/// Where a repository is, by uuid.
pub(super) struct At {
    pub(super) workspace: String,
    pub(super) project: String,
}

impl RepositoryRecord {
    pub(super) fn new(uuid: String, at: At, (slug, sketch): (&str, Sketch), now: Timestamp) -> Self {
        Self {
            uuid,
            workspace: at.workspace,
            project: at.project,
            slug: slug.to_owned(),
            name: slug.to_owned(),
            is_private: true,
            members: Some(Level::Write),
            grants: Grants::default(),
            sketch,
            created_at: now,
            updated_at: now,
        }
    }

    /// Its files.
    pub(crate) fn bare(&self, fake: &Fake) -> BareRepository {
        self.sketch.open(&fake.repository_folder(&self.uuid))
    }

    /// What is in it, as long as nobody has asked git.
    pub(crate) fn sketch_only(&self, fake: &Fake) -> Option<&Sketch> {
        (!fake.repository_folder(&self.uuid).exists()).then_some(&self.sketch)
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
            let project = workspace.project(&self.project);
            repository["project"] = json!(project.map(|it| it.to_condensed_json(fake, workspace)));
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
    pub(super) fn to_json(&self, fake: &Fake, state: &State, actor: Option<&Actor>) -> Value {
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
        repository["mainbranch"] =
            self.main_branch(fake).map_or(Value::Null, |name| json!({"type": "branch", "name": name}));
        repository
    }

    /// The default branch; an empty repository has none.
    fn main_branch(&self, fake: &Fake) -> Option<String> {
        match self.sketch_only(fake) {
            Some(sketch) => (*sketch != Sketch::Empty).then(|| "main".to_owned()),
            None => self.bare(fake).main_branch(),
        }
    }
}
