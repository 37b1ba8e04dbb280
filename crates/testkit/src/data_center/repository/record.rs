//! What is known of a repository.

use crate::{
    data_center::{
        caller::Caller,
        permission::Grants,
        state::{Fake, State},
    },
    git::{BareRepository, Sketch},
};
use serde_json::{Value, json};

#[derive(Clone)]
pub(crate) struct RepositoryRecord {
    pub(crate) id: u32,
    /// The id of the project.
    pub(crate) project: u32,
    pub(crate) slug: String,
    pub(super) name: String,
    pub(crate) is_public: bool,
    pub(super) is_archived: bool,
    pub(super) is_initialising: bool,
    pub(crate) grants: Grants,
    /// What is in it until git is first asked for its files.
    sketch: Sketch,
}

impl RepositoryRecord {
    pub(super) fn new(id: u32, project: u32, slug: &str, sketch: Sketch) -> Self {
        Self {
            id,
            project,
            slug: slug.to_owned(),
            name: slug.to_owned(),
            is_public: false,
            is_archived: false,
            is_initialising: false,
            grants: Grants::default(),
            sketch,
        }
    }

    /// Its files.
    pub(crate) fn bare(&self, fake: &Fake) -> BareRepository {
        self.sketch.open(&fake.repository_folder(self.id))
    }

    /// What is in it, as long as nobody has asked git.
    pub(crate) fn sketch_only(&self, fake: &Fake) -> Option<&Sketch> {
        (!fake.repository_folder(self.id).exists()).then_some(&self.sketch)
    }

    pub(super) fn key(&self, state: &State) -> String {
        state.project(self.project).map(|project| project.key.clone()).unwrap_or_default()
    }

    /// Keys are in lower case here, and in upper case everywhere else.
    pub(super) fn clone_path(&self, state: &State) -> String {
        format!("/scm/{}/{}.git", self.key(state).to_lowercase(), self.slug)
    }

    /// As it stands in the payload of a webhook: old versions say less.
    pub(crate) fn to_payload_json(&self, fake: &Fake, state: &State) -> Value {
        let mut repository = self.to_json(fake, state, &Caller::default());
        if !state.version.has_archive()
            && let Some(fields) = repository.as_object_mut()
        {
            fields.remove("links");
            fields.remove("hierarchyId");
        }
        repository
    }

    pub(super) fn to_json(&self, fake: &Fake, state: &State, caller: &Caller) -> Value {
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
