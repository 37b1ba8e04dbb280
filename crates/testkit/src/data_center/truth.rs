//! What is so in a project, and projects that are large.

use super::{
    FakeDataCenter, Project, Repository, User,
    permission::{self, Reach},
    project::ProjectRecord,
    state::State,
    user::UserRecord,
};
use crate::{Level, Size, Standing, TruePerson, TrueRepository, Truth};
use std::collections::BTreeMap;

/// The group of everybody in a large project.
const EVERYBODY: &str = "everybody";

impl FakeDataCenter {
    /// Fills a project with so many people and repositories, in a moment: their files are made when git is first asked for
    /// them. The first person administers it.
    pub fn seed_large(&self, project: &str, size: Size) -> &Self {
        let project = self.project(project);
        let names: Vec<String> = size.names().collect();
        let people: Vec<u32> = names.iter().map(|name| User::named(&self.fake, name).id()).collect();
        if let Some(first) = names.first() {
            project.grant(first, Level::Admin);
        }
        let key = project.key();
        let repositories: Vec<u32> = size
            .slugs(&key)
            .map(|(slug, manifest)| project.sketch(&slug, manifest.as_deref()).id())
            .collect();
        if size.is_open() {
            self.fake.state().groups.insert(EVERYBODY.to_owned(), people.into_iter().collect());
            project.grant_group(EVERYBODY, Level::Read);
        } else {
            grant(&mut self.fake.state(), size, &people, &repositories);
        }
        self
    }

    /// The repository with this id.
    pub fn repository(&self, id: u32) -> Repository {
        Repository::new(&self.fake, id)
    }
}

fn grant(state: &mut State, size: Size, people: &[u32], repositories: &[u32]) {
    let own = state.repositories.iter_mut().filter(|repository| repositories.contains(&repository.id));
    let mut own: Vec<_> = own.collect();
    for (at, person) in people.iter().enumerate().skip(1) {
        for read in size.read_by(at - 1) {
            own[read].grants.users.insert(*person, Level::Read);
        }
    }
}

impl Project {
    /// What it is called in addresses.
    pub fn key(&self) -> String {
        self.fake.state().project(self.id).expect("a project stays").key.clone()
    }

    /// The names of the people to whom the project itself was given.
    pub fn members(&self) -> Vec<String> {
        let state = self.fake.state();
        let project = state.project(self.id).expect("a project stays");
        let people = project.grants.users.keys().filter_map(|id| state.user(*id));
        people.map(|user| user.name.clone()).collect()
    }

    /// What is so in it now. Global admins are in it, as owners.
    pub fn truth(&self) -> Truth {
        let repositories = self.repositories().iter().map(|it| (it.id().to_string(), it.truth())).collect();
        let state = self.fake.state();
        let project = state.project(self.id).expect("a project stays");
        let people = state.users.iter().filter(|user| user.is_licensed());
        let people = people.filter_map(|user| person(&state, project, user));
        Truth { id: self.id.to_string(), key: project.key.clone(), people: people.collect(), repositories }
    }
}

/// A person by id, if they may read the project or something in it.
fn person(state: &State, project: &ProjectRecord, user: &UserRecord) -> Option<(String, TruePerson)> {
    let reach = Reach::of(user.id);
    let own = state.repositories.iter().filter(|repository| repository.project == project.id);
    let readable: BTreeMap<String, Level> =
        own.filter_map(|it| Some((it.id.to_string(), permission::explicit(state, reach, it)?))).collect();
    let standing = match permission::of_project(state, reach, project) {
        Some(Level::Admin) => Standing::Owner,
        Some(_) => Standing::Member,
        None if readable.is_empty() => return None,
        None => Standing::Guest,
    };
    Some((user.id.to_string(), TruePerson { name: user.name.clone(), standing, readable }))
}

impl Repository {
    /// What it is called in addresses.
    pub fn slug(&self) -> String {
        self.read(&self.fake.state()).slug.clone()
    }

    /// What is so in it now. Files are not made for it.
    fn truth(&self) -> TrueRepository {
        let record = self.read(&self.fake.state()).clone();
        let content = match record.sketch_only(&self.fake) {
            Some(sketch) => sketch.truth(),
            None => self.git().truth(),
        };
        TrueRepository { slug: record.slug, manifest: content.0, references: content.1 }
    }
}
