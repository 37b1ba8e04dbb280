//! What is so in a workspace, and workspaces that are large.

use super::{
    FakeBitbucket,
    permission::{Level, Standing as In},
    repository::Repository,
    state::State,
    user::{User, UserRecord},
    workspace::{Role, Workspace, WorkspaceRecord},
};
use crate::{Size, Standing, TruePerson, TrueRepository, Truth};
use std::collections::BTreeMap;

impl FakeBitbucket {
    /// Fills a workspace with so many people and repositories, in a moment: their files are made when git is first asked for
    /// them. The first person owns it.
    pub fn seed_large(&self, workspace: &str, size: Size) -> &Self {
        let workspace = self.workspace(workspace);
        let mut people = Vec::new();
        for (at, name) in size.names().enumerate() {
            if at == 0 {
                workspace.owner(&name)
            } else {
                workspace.member(&name)
            };
            people.push(User::named(&self.fake, &name).uuid().to_owned());
        }
        let repositories: Vec<String> = size
            .slugs(&workspace.slug())
            .map(|(slug, manifest)| workspace.sketch(&slug, manifest.as_deref()).uuid().to_owned())
            .collect();
        grant(&mut self.fake.state(), size, &people, &repositories);
        self
    }

    /// The repository with this uuid.
    pub fn repository(&self, uuid: &str) -> Repository {
        Repository::new(&self.fake, uuid)
    }
}

fn grant(state: &mut State, size: Size, people: &[String], repositories: &[String]) {
    let members = size.is_open().then_some(Level::Read);
    let start =
        state.repositories.iter().position(|repository| Some(&repository.uuid) == repositories.first());
    let own = state.repositories.iter_mut().skip(start.unwrap_or_default());
    let mut own: Vec<_> = own.filter(|repository| repositories.contains(&repository.uuid)).collect();
    for repository in &mut own {
        repository.members = members;
    }
    if members.is_some() {
        return;
    }
    for (at, person) in people.iter().enumerate().skip(1) {
        for read in size.read_by(at - 1) {
            own[read].grants.users.insert(person.clone(), Level::Read);
        }
    }
}

impl Workspace {
    /// What it is called in addresses.
    pub fn slug(&self) -> String {
        self.fake.state().workspace(&self.uuid).expect("a workspace stays").slug.clone()
    }

    /// The nicknames of the people who are in it.
    pub fn members(&self) -> Vec<String> {
        let state = self.fake.state();
        let workspace = state.workspace(&self.uuid).expect("a workspace stays");
        workspace.memberships(&state).map(|(user, _)| user.nickname.clone()).collect()
    }

    /// What is so in it now.
    pub fn truth(&self) -> Truth {
        let repositories = self.repositories().iter().map(|it| (it.uuid().to_owned(), it.truth())).collect();
        let state = self.fake.state();
        let workspace = state.workspace(&self.uuid).expect("a workspace stays");
        let people = state.users.iter().filter_map(|user| person(&state, workspace, user));
        Truth { id: self.uuid.clone(), key: workspace.slug.clone(), people: people.collect(), repositories }
    }
}

/// A person by uuid, if they are in the workspace or may read something there.
fn person(state: &State, workspace: &WorkspaceRecord, user: &UserRecord) -> Option<(String, TruePerson)> {
    let inside = In::new(workspace, &user.uuid);
    let own = state.repositories.iter().filter(|repository| repository.workspace == workspace.uuid);
    let readable: BTreeMap<String, Level> =
        own.filter_map(|it| Some((it.uuid.clone(), inside.level(it)?))).collect();
    let standing = match workspace.role(&user.uuid) {
        Some(Role::Owner) => Standing::Owner,
        Some(_) => Standing::Member,
        None if readable.is_empty() => return None,
        None => Standing::Guest,
    };
    Some((user.uuid.clone(), TruePerson { name: user.nickname.clone(), standing, readable }))
}

impl Repository {
    /// What it is called in addresses.
    pub fn slug(&self) -> String {
        self.read(|repository| repository.slug.clone())
    }

    /// What is so in it now. Files are not made for it.
    fn truth(&self) -> TrueRepository {
        let record = self.read(Clone::clone);
        let content = match record.sketch_only(&self.fake) {
            Some(sketch) => sketch.truth(),
            None => self.git().truth(),
        };
        TrueRepository { slug: record.slug, manifest: content.0, references: content.1 }
    }
}
