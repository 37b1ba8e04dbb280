//! A script's workspace of Bitbucket Cloud.

use super::remote::{Content, Remote};
use crate::{FakeBitbucket, Fault, Level, Repository, Truth, Workspace};

/// Where repositories are that are not in the workspace.
const ELSEWHERE: &str = "s-elsewhere";
const API: &str = "/2.0/*";

pub(super) struct Cloud<'a> {
    bitbucket: &'a FakeBitbucket,
    workspace: Workspace,
}

impl<'a> Cloud<'a> {
    pub(super) fn new(bitbucket: &'a FakeBitbucket, workspace: &str) -> Self {
        Self { bitbucket, workspace: bitbucket.workspace(workspace) }
    }

    fn repository(&self, uuid: &str) -> Repository {
        self.bitbucket.repository(uuid)
    }
}

impl Remote for Cloud<'_> {
    fn join(&self, person: &str) {
        self.workspace.member(person);
    }

    fn leave(&self, person: &str) {
        self.workspace.remove(person);
    }

    fn promote(&self, person: &str) {
        self.workspace.owner(person);
    }

    fn redub(&self, person: &str, display_name: &str) {
        self.bitbucket.user(person).display_name(display_name);
    }

    fn group(&self, group: &str, people: &[&str]) {
        self.workspace.group(group, people);
    }

    fn grant_everything(&self, group: &str, level: Option<Level>) {
        let project = self.workspace.project("PHP");
        match level {
            Some(level) => project.grant_group(group, level),
            None => project.revoke_group(group),
        };
    }

    fn repositories(&self) -> Vec<String> {
        self.workspace.repositories().iter().map(|repository| repository.uuid().to_owned()).collect()
    }

    fn make(&self, slug: &str, content: Content<'_>) -> String {
        let repository = match content {
            Content::Nothing => self.workspace.repository(slug),
            Content::NoManifest => self.workspace.sketch(slug, None),
            Content::Manifest(manifest) => self.workspace.sketch(slug, Some(manifest)),
        };
        repository.uuid().to_owned()
    }

    fn rename(&self, repository: &str, slug: &str) {
        self.repository(repository).rename(slug);
    }

    fn send_away(&self, repository: &str) {
        self.repository(repository).transfer(ELSEWHERE);
    }

    fn fetch_back(&self) -> Option<String> {
        let away = self.bitbucket.workspace(ELSEWHERE).repositories();
        let first = away.first()?;
        first.transfer(self.workspace.uuid());
        Some(first.uuid().to_owned())
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

    fn open(&self, repository: &str, level: Option<Level>) -> bool {
        self.repository(repository).members(level);
        true
    }

    fn rename_workspace(&self, key: &str) {
        self.workspace.rename(key);
    }

    fn fail_some(&self, percent: u8, fault: Fault) {
        self.bitbucket.fail_some(API, percent, fault);
    }

    fn fail_after(&self, requests: u32, fault: Fault) {
        self.bitbucket.fail_after(API, requests, fault);
    }

    fn lose_deliveries(&self, percent: u8) {
        self.bitbucket.lose_deliveries(percent);
    }

    fn heal(&self) {
        self.bitbucket.heal();
    }

    fn truth(&self) -> Truth {
        self.workspace.truth()
    }

    fn members(&self) -> Vec<String> {
        self.workspace.members()
    }

    fn slug(&self, repository: &str) -> String {
        self.repository(repository).slug()
    }
}
