//! Teams: people of an organization to whom packages are given.

use crate::{
    Timestamp,
    id::{OrganizationId, SynchronizationId, TeamId},
};

/// People of an organization to whom packages are given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// Immutable.
    pub id: TeamId,
    /// Whose.
    pub organization_id: OrganizationId,
    /// Unique there.
    pub name: String,
    /// The group whose people are its people; `None` if somebody made it.
    pub group: Option<FollowedGroup>,
    /// Whether its people read every package that is given to teams, also future ones.
    pub reads_all: bool,
    /// Whether its people may add packages.
    pub adds_packages: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A team in a list of teams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamLine {
    /// Which.
    pub team: Team,
    /// How many people here are in it.
    pub people: u64,
    /// How many packages were given to it.
    pub packages: u64,
}

/// A group of a followed workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowedGroup {
    /// The synchronization that brought it.
    pub synchronization_id: SynchronizationId,
    /// What the platform calls it: its identity there.
    pub name: String,
}
