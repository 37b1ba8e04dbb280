//! What is so, at a pretended platform: what somebody who follows it must come to.

use crate::Level;
use std::collections::BTreeMap;

/// A workspace, or a project of Data Center, as it is at one moment. Ids are the immutable ones: Cloud's uuids in their
/// braces, Data Center's numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truth {
    /// Its id.
    pub id: String,
    /// Its slug or key.
    pub key: String,
    /// Everybody who is in it, or may read one of its repositories, by id.
    pub people: BTreeMap<String, TruePerson>,
    /// Its repositories, by id.
    pub repositories: BTreeMap<String, TrueRepository>,
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TruePerson {
    /// What they are called: the nickname, or the user name.
    pub name: String,
    /// What they are.
    pub standing: Standing,
    /// What they may do with which repositories, by id: by a grant, a group, the project, as a member or as an owner, and not
    /// because a repository is public.
    pub readable: BTreeMap<String, Level>,
}

/// What a person is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// An owner of the workspace, or somebody who administers the project.
    Owner,
    /// In the workspace, or somebody who may read the project as a whole.
    Member,
    /// Somebody who may do something with single repositories only.
    Guest,
}

/// A repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrueRepository {
    /// Its name in addresses.
    pub slug: String,
    /// The composer.json in the root of its default branch.
    pub manifest: Option<String>,
    /// Its branches and tags by their full names, with the commit of each.
    pub references: BTreeMap<String, String>,
}
