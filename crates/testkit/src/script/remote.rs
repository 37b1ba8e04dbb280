//! What a script can change at a pretended platform, whichever it is.

use crate::{Fault, Level, Truth};

/// A workspace of Cloud or a project of Data Center. People are named by their nicknames or user names, repositories by
/// their immutable ids.
pub(crate) trait Remote {
    fn join(&self, person: &str);
    fn leave(&self, person: &str);
    fn promote(&self, person: &str);
    /// Changes what people read of the person; the id stays.
    fn redub(&self, person: &str, display_name: &str);

    fn group(&self, group: &str, people: &[&str]);
    /// What a group may do in everything; `None` takes it back.
    fn grant_everything(&self, group: &str, level: Option<Level>);

    /// The ids of the repositories, in the order in which they were made.
    fn repositories(&self) -> Vec<String>;
    /// Makes one; with or without a composer.json, or empty.
    fn make(&self, slug: &str, content: Content<'_>) -> String;
    fn rename(&self, repository: &str, slug: &str);
    /// Moves it out of the workspace, to another.
    fn send_away(&self, repository: &str);
    /// Moves one back that was sent away; `None` if there is none.
    fn fetch_back(&self) -> Option<String>;
    fn delete(&self, repository: &str);
    fn empty(&self, repository: &str);
    /// Commits this composer.json on `main`, or removes it, and puts a tag on the commit.
    fn push(&self, repository: &str, tag: &str, composer_json: Option<&str>);
    fn grant(&self, repository: &str, person: &str, level: Option<Level>);
    fn grant_group(&self, repository: &str, group: &str, level: Option<Level>);
    /// What everybody in the workspace may do with it; not everywhere can be said for single repositories.
    fn open(&self, repository: &str, level: Option<Level>) -> bool;

    fn rename_workspace(&self, key: &str);

    /// Lets so many of a hundred API requests go wrong.
    fn fail_some(&self, percent: u8, fault: Fault);
    /// Lets every API request go wrong after so many that do not.
    fn fail_after(&self, requests: u32, fault: Fault);
    fn lose_deliveries(&self, percent: u8);
    fn heal(&self);

    fn truth(&self) -> Truth;
    /// The names of the people who are in it.
    fn members(&self) -> Vec<String>;
    /// The slug of a repository.
    fn slug(&self, repository: &str) -> String;
}

/// What is in a repository that is made.
#[derive(Clone, Copy)]
pub(crate) enum Content<'a> {
    Nothing,
    NoManifest,
    Manifest(&'a str),
}
