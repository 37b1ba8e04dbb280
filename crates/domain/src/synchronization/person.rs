//! People of a workspace, whether or not they ever logged in here.

use super::AccessSet;
use crate::{Timestamp, organization::Role};
use std::collections::BTreeSet;

/// A person as the platform knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemotePerson {
    /// The platform's immutable id. With the integration, it says which connected account is theirs.
    pub external_id: String,
    /// What the platform calls them; may change, is not unique.
    pub handle: String,
    /// Their full name; may be empty.
    pub name: String,
    /// What they are in the organization if the workspace is the primary one: its owners (Cloud) and those who administer it
    /// (Data Center) are [`Role::Owner`].
    pub role: Role,
}

impl RemotePerson {
    /// What to call them.
    #[must_use]
    pub fn title(&self) -> &str {
        if self.name.is_empty() { &self.handle } else { &self.name }
    }
}

/// What a synchronization remembers of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownPerson {
    /// Who.
    pub person: RemotePerson,
    /// What they may read; `None` while nobody could be asked: they have not connected their account yet.
    pub access: Option<AccessSet>,
    /// When their own account was asked ([`RightsFrom::EachPerson`](super::RightsFrom::EachPerson)); otherwise the last run was.
    pub asked_at: Option<Timestamp>,
    /// Why their own account could not be asked since, in a sentence.
    pub problem: Option<String>,
}

/// A group of people (Data Center).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteGroup {
    /// Its name is its identity.
    pub name: String,
    /// Who is in it, by external id.
    pub people: BTreeSet<String>,
}
