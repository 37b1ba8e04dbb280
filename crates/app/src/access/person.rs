//! What a person can read, and why.

use super::Authority;
use crate::{Actor, App, Failure};
use stave_domain::{
    Timestamp,
    access::{Barrier, Readable, Reader, Reading},
    id::{SynchronizationId, UserId},
    organization::{Member, Organization, Role},
    package::Package,
    repository::Followed,
    synchronization::{AccessSet, Stage},
    team::Team,
    user::User,
};
use std::collections::BTreeMap;
use uuid::Uuid;

/// What a member can read, and why.
#[derive(Debug)]
pub struct PersonAccess {
    /// Where.
    pub organization: Organization,
    /// Who.
    pub user: User,
    /// What they are there.
    pub member: Member,
    /// What the actor may do there.
    pub role: Role,
    /// Whether they ask about themselves.
    pub is_self: bool,
    /// Their teams.
    pub teams: Vec<Team>,
    /// How they stand with each workspace that decides about packages.
    pub standings: BTreeMap<SynchronizationId, WorkspaceStanding>,
    /// Every package, by name; whoever asks about themselves and manages nothing is told only of those that they can read.
    pub packages: Vec<PackageReading>,
}

/// How somebody stands with a workspace.
#[derive(Debug)]
pub struct WorkspaceStanding {
    /// The workspace.
    pub authority: Authority,
    /// What their account there is called; `None` if none is connected.
    pub account: Option<String>,
    /// What keeps them from whatever is in the workspace; `None` if each repository decides for itself.
    pub barrier: Option<Barrier>,
    /// How many repositories they may read there.
    pub repositories: usize,
    /// When that was asked.
    pub asked_at: Option<Timestamp>,
}

/// Whether a member can read a package.
#[derive(Debug)]
pub struct PackageReading {
    /// Which.
    pub package: Package,
    /// What it is called.
    pub title: String,
    /// The synchronization whose workspace decides.
    pub authority: Option<SynchronizationId>,
    /// Whether they can, and why.
    pub reading: Reading,
}

impl App {
    /// What a member can read, and why; for owners and admins, and for themselves. It is one pass over the packages.
    pub async fn person_access(
        &self,
        actor: &Actor,
        short_name: &str,
        id: UserId,
    ) -> Result<PersonAccess, Failure> {
        let is_self = actor.user.as_ref().is_some_and(|user| user.id == id);
        let (organization, role) = if is_self {
            self.organization_visited(actor, short_name).await?
        } else {
            self.organization_ruled(actor, short_name).await?
        };
        let missing = || Failure::NotFound("member");
        let member = self.storage.member_find(organization.id, id).await?.ok_or_else(missing)?;
        let user = self.storage.user_find(id).await?.ok_or_else(missing)?;
        let reader = self.reader_of_user(&organization, id).await?;
        let mut packages = self.packages_for(&reader).await?;
        if role < Role::Admin {
            packages.retain(|line| matches!(line.reading, Reading::Yes(_)));
        }
        let teams = self.storage.team_list_of_user(organization.id, id).await?;
        let standings = self.standings_of(&reader, id).await?;
        Ok(PersonAccess { organization, user, member, role, is_self, teams, standings, packages })
    }

    /// What somebody reads of every package, by name.
    async fn packages_for(&self, reader: &Reader) -> Result<Vec<PackageReading>, Failure> {
        let all = self.storage.package_list(reader.organization_id, "", 0, u64::from(u32::MAX)).await?;
        let now = self.clock.now();
        let each = all.into_iter().map(|(package, repository)| {
            let followed = repository.as_ref().and_then(|it| it.followed);
            let readable = Readable {
                package_id: package.id,
                name: package.name.clone(),
                followed,
                is_restricted: package.is_restricted,
            };
            PackageReading {
                title: package.title(repository.as_ref()),
                authority: followed.map(|followed| followed.synchronization_id),
                reading: reader.reads(&readable, now),
                package,
            }
        });
        Ok(each.collect())
    }

    async fn standings_of(
        &self,
        reader: &Reader,
        user: UserId,
    ) -> Result<BTreeMap<SynchronizationId, WorkspaceStanding>, Failure> {
        let mut standings = BTreeMap::new();
        for (synchronization, condition) in self.storage.synchronization_list(reader.organization_id).await? {
            if synchronization.stage == Stage::Draft {
                continue;
            }
            let id = synchronization.id;
            let account = self.storage.identity_find_of_user(user, synchronization.integration_id).await?;
            let Some(authority) = self.authority_of(synchronization, condition).await? else { continue };
            let rights = reader.rights.get(&id);
            let standing = WorkspaceStanding {
                authority,
                account: account.map(|account| account.handle),
                barrier: barrier(reader, id, self.clock.now()),
                repositories: rights.and_then(|it| it.access.as_ref()).map_or(0, AccessSet::len),
                asked_at: rights.and_then(|it| it.asked_at),
            };
            standings.insert(id, standing);
        }
        Ok(standings)
    }
}

/// What keeps somebody from whatever is in a workspace, told by a repository that nobody was given.
fn barrier(reader: &Reader, id: SynchronizationId, now: Timestamp) -> Option<Barrier> {
    let nowhere = Readable {
        package_id: Uuid::nil().into(),
        name: None,
        followed: Some(Followed { synchronization_id: id, number: 0 }),
        is_restricted: false,
    };
    match reader.reads(&nowhere, now) {
        Reading::Yes(_) | Reading::No(Barrier::NotOnPlatform) => None,
        Reading::No(barrier) => Some(barrier),
    }
}
