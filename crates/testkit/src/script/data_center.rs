//! A script's project of Bitbucket Data Center.

use super::remote::{Content, Remote};
use crate::{
    FakeDataCenter, Fault, Level, Truth,
    data_center::{Project, Repository},
};

/// Where repositories are that are not in the project.
const ELSEWHERE: &str = "SELSEWHERE";
const API: &str = "/rest/api/*";

pub(super) struct DataCenter<'a> {
    server: &'a FakeDataCenter,
    project: Project,
}

impl<'a> DataCenter<'a> {
    pub(super) fn new(server: &'a FakeDataCenter, project: &str) -> Self {
        Self { server, project: server.project(project) }
    }

    fn repository(&self, id: &str) -> Repository {
        self.server.repository(id.parse().expect("an id is a number"))
    }
}

impl Remote for DataCenter<'_> {
    fn join(&self, person: &str) {
        self.project.grant(person, Level::Read);
    }

    fn leave(&self, person: &str) {
        self.project.revoke(person);
    }

    fn promote(&self, person: &str) {
        self.project.grant(person, Level::Admin);
    }

    fn redub(&self, person: &str, display_name: &str) {
        self.server.user(person).display_name(display_name);
    }

    fn group(&self, group: &str, people: &[&str]) {
        self.server.group(group, people);
    }

    fn grant_everything(&self, group: &str, level: Option<Level>) {
        match level {
            Some(level) => self.project.grant_group(group, level),
            None => self.project.revoke_group(group),
        };
    }

    fn repositories(&self) -> Vec<String> {
        self.project.repositories().iter().map(|repository| repository.id().to_string()).collect()
    }

    fn make(&self, slug: &str, content: Content<'_>) -> String {
        let repository = match content {
            Content::Nothing => self.project.repository(slug),
            Content::NoManifest => self.project.sketch(slug, None),
            Content::Manifest(manifest) => self.project.sketch(slug, Some(manifest)),
        };
        repository.id().to_string()
    }

    fn rename(&self, repository: &str, slug: &str) {
        self.repository(repository).rename(slug);
    }

    fn send_away(&self, repository: &str) {
        self.repository(repository).move_to(ELSEWHERE);
    }

    fn fetch_back(&self) -> Option<String> {
        let away = self.server.project(ELSEWHERE).repositories();
        let first = away.first()?;
        first.move_to(&self.project.key());
        Some(first.id().to_string())
    }

    fn delete(&self, repository: &str) {
        self.repository(repository).delete();
    }

    fn empty(&self, repository: &str) {
        self.repository(repository).empty();
    }

    fn push(&self, repository: &str, tag: &str, composer_json: Option<&str>) {
        self.repository(repository).push(|git| git.release(tag, composer_json));
    }

    fn grant(&self, repository: &str, person: &str, level: Option<Level>) {
        let repository = self.repository(repository);
        match level {
            Some(level) => repository.grant(person, level),
            None => repository.revoke(person),
        };
    }

    fn grant_group(&self, repository: &str, group: &str, level: Option<Level>) {
        let repository = self.repository(repository);
        match level {
            Some(level) => repository.grant_group(group, level),
            None => repository.revoke_group(group),
        };
    }

    /// Only of the project as a whole.
    fn open(&self, _repository: &str, level: Option<Level>) -> bool {
        self.project.default_permission(level);
        true
    }

    fn rename_workspace(&self, key: &str) {
        self.project.rename(key);
    }

    fn fail_some(&self, percent: u8, fault: Fault) {
        self.server.fail_some(API, percent, fault);
    }

    fn fail_after(&self, requests: u32, fault: Fault) {
        self.server.fail_after(API, requests, fault);
    }

    fn lose_deliveries(&self, percent: u8) {
        self.server.lose_deliveries(percent);
    }

    fn heal(&self) {
        self.server.heal();
    }

    fn truth(&self) -> Truth {
        self.project.truth()
    }

    fn members(&self) -> Vec<String> {
        self.project.members()
    }

    fn slug(&self, repository: &str) -> String {
        self.repository(repository).slug()
    }
}
