//! Who may read which package, and why.

use crate::{
    Timestamp,
    id::{OrganizationId, PackageId, SynchronizationId},
    organization::Role,
    package::PackageName,
    repository::Followed,
    synchronization::{AccessSet, Level, OLDEST_ANSWER},
};
use std::collections::BTreeMap;

/// What decides about what a person may read in an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    /// Where.
    pub organization_id: OrganizationId,
    /// What they are there; `None` if they are no member.
    pub role: Option<Role>,
    /// Whether they were deactivated.
    pub is_active: bool,
    /// The names of the teams of theirs to which each package was given.
    pub given: BTreeMap<PackageId, String>,
    /// The name of a team of theirs that reads every package that is given to teams.
    pub reads_all: Option<String>,
    /// What they may read of each workspace; a synchronization that does not know them is missing.
    pub rights: BTreeMap<SynchronizationId, Rights>,
}

/// What a person may read of a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rights {
    /// Which repositories; `None` while nobody could be asked.
    pub access: Option<AccessSet>,
    /// When they were asked.
    pub asked_at: Option<Timestamp>,
    /// Whether that was their own account, whose answer is good for [`OLDEST_ANSWER`].
    pub is_own: bool,
}

/// What decides about who may read a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readable {
    /// Which.
    pub package_id: PackageId,
    /// What it is called; `None` if nobody has read it yet.
    pub name: Option<PackageName>,
    /// The synchronization whose workspace decides, if one brought it.
    pub followed: Option<Followed>,
    /// Whether only teams to which it was given read it.
    pub is_restricted: bool,
}

/// A package by what it is asked for, with what decides about the tokens that see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Which.
    pub package_id: PackageId,
    /// What it is called.
    pub name: PackageName,
    /// Whether a mirror brought it: every member and every token reads it then.
    pub is_mirrored: bool,
}

/// Whether somebody may read a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// They may.
    Yes(Because),
    /// They may not.
    No(Barrier),
}

/// Why somebody may read a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Because {
    /// Every member may.
    EveryMember,
    /// Owners and admins may.
    Role(Role),
    /// It was given to a team of theirs.
    Team(String),
    /// Bitbucket lets them.
    Platform {
        /// What they may do with the repository there.
        level: Level,
        /// When Bitbucket was asked.
        asked_at: Option<Timestamp>,
    },
}

/// Why somebody may not read a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Barrier {
    /// They are no member.
    NoMember,
    /// They were deactivated.
    Deactivated,
    /// It was given to teams of which theirs is none.
    NoTeam,
    /// The workspace does not know them: no account of theirs that is connected here is in it.
    NotInWorkspace,
    /// They are in the workspace, and may not read the repository.
    NotOnPlatform,
    /// Only their own account can tell, and it was not asked yet.
    NotAsked,
    /// Only their own account can tell, and it was asked too long ago.
    TooOld {
        /// When.
        asked_at: Option<Timestamp>,
    },
}

impl Reader {
    /// Whether they may read a package.
    #[must_use]
    pub fn reads(&self, package: &Readable, now: Timestamp) -> Reading {
        let Some(role) = self.role else { return Reading::No(Barrier::NoMember) };
        if !self.is_active {
            return Reading::No(Barrier::Deactivated);
        }
        match package.followed {
            Some(followed) => self.reads_followed(followed, now),
            None => self.reads_own(role, package),
        }
    }

    /// Whether they may, without the reason.
    #[must_use]
    pub fn may_read(&self, package: &Readable, now: Timestamp) -> bool {
        matches!(self.reads(package, now), Reading::Yes(_))
    }

    /// Bitbucket decides, whatever they are here.
    fn reads_followed(&self, followed: Followed, now: Timestamp) -> Reading {
        let Some(rights) = self.rights.get(&followed.synchronization_id) else {
            return Reading::No(Barrier::NotInWorkspace);
        };
        let Some(access) = &rights.access else { return Reading::No(Barrier::NotAsked) };
        let is_fresh = rights.asked_at.is_some_and(|asked_at| now.duration_since(asked_at) < OLDEST_ANSWER);
        if rights.is_own && !is_fresh {
            return Reading::No(Barrier::TooOld { asked_at: rights.asked_at });
        }
        match access.level(followed.number) {
            Some(level) => Reading::Yes(Because::Platform { level, asked_at: rights.asked_at }),
            None => Reading::No(Barrier::NotOnPlatform),
        }
    }

    fn reads_own(&self, role: Role, package: &Readable) -> Reading {
        if !package.is_restricted {
            return Reading::Yes(Because::EveryMember);
        }
        if role >= Role::Admin {
            return Reading::Yes(Because::Role(role));
        }
        match self.given.get(&package.package_id).or(self.reads_all.as_ref()) {
            Some(team) => Reading::Yes(Because::Team(team.clone())),
            None => Reading::No(Barrier::NoTeam),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn reader(role: Option<Role>) -> Reader {
        Reader {
            organization_id: Uuid::nil().into(),
            role,
            is_active: true,
            given: BTreeMap::new(),
            reads_all: None,
            rights: BTreeMap::new(),
        }
    }

    fn package(followed: bool, is_restricted: bool) -> Readable {
        let followed = followed.then(|| Followed { synchronization_id: Uuid::nil().into(), number: 7 });
        Readable { package_id: Uuid::nil().into(), name: None, followed, is_restricted }
    }

    fn with_rights(access: Option<AccessSet>, asked_hours_ago: i64, is_own: bool) -> Reader {
        let asked_at = Some(now() - jiff::SignedDuration::from_hours(asked_hours_ago));
        let rights = Rights { access, asked_at, is_own };
        Reader { rights: [(Uuid::nil().into(), rights)].into(), ..reader(Some(Role::Owner)) }
    }

    fn now() -> Timestamp {
        Timestamp::from_second(1_000_000).unwrap()
    }

    #[test]
    fn teams_and_roles_decide_about_packages_that_nobody_else_decides_about() {
        let member = reader(Some(Role::Member));
        let given = Reader { given: [(Uuid::nil().into(), "devs".into())].into(), ..member.clone() };
        let all = Reader { reads_all: Some("all".into()), ..member.clone() };
        for (reader, restricted, expected) in [
            (&reader(None), false, Reading::No(Barrier::NoMember)),
            (&Reader { is_active: false, ..member.clone() }, false, Reading::No(Barrier::Deactivated)),
            (&member, false, Reading::Yes(Because::EveryMember)),
            (&member, true, Reading::No(Barrier::NoTeam)),
            (&given, true, Reading::Yes(Because::Team("devs".into()))),
            (&all, true, Reading::Yes(Because::Team("all".into()))),
            (&super::tests::reader(Some(Role::Admin)), true, Reading::Yes(Because::Role(Role::Admin))),
        ] {
            assert_eq!(reader.reads(&package(false, restricted), now()), expected);
        }
    }

    #[test]
    fn the_platform_alone_decides_about_its_repositories() {
        let seven = Some(AccessSet::of([(7, Level::Write)]));
        let eight = Some(AccessSet::of([(8, Level::Write)]));
        for (reader, expected) in [
            (reader(Some(Role::Owner)), Some(Barrier::NotInWorkspace)),
            (with_rights(eight, 0, false), Some(Barrier::NotOnPlatform)),
            (with_rights(None, 0, true), Some(Barrier::NotAsked)),
            (with_rights(seven.clone(), 1000, false), None),
            (with_rights(seven.clone(), 23, true), None),
            (with_rights(seven, 24, true), Some(Barrier::TooOld { asked_at: Some(now() - OLDEST_ANSWER) })),
        ] {
            let reading = reader.reads(&package(true, true), now());
            match expected {
                Some(barrier) => assert_eq!(reading, Reading::No(barrier)),
                None => {
                    assert!(matches!(reading, Reading::Yes(Because::Platform { level: Level::Write, .. })));
                }
            }
        }
    }
}
