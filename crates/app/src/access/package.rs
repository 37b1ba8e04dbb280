//! Who can read a package, and why.

use super::Authority;
use crate::{Actor, App, Failure};
use stave_domain::{
    Timestamp,
    access::{Because, Readable, Reader, Reading, Rights},
    id::{OrganizationId, PackageId, SynchronizationId, UserId},
    organization::{Member, Organization, Role},
    package::Package,
    synchronization::{KnownPerson, RemotePerson, RightsFrom},
    team::Team,
    token::{Token, TokenOwner},
    user::User,
};
use std::collections::{BTreeMap, BTreeSet};

/// Who can read a package, and why.
#[derive(Debug)]
pub struct PackageAccess {
    /// Whose.
    pub organization: Organization,
    /// Which.
    pub package: Package,
    /// What it is called.
    pub title: String,
    /// The workspace that decides; `None` if the organization does.
    pub authority: Option<Authority>,
    /// The teams to which it was given.
    pub teams: Vec<Team>,
    /// Every member, by username.
    pub people: Vec<PersonReading>,
    /// Who of the workspace may read it and never logged in here.
    pub strangers: Vec<StrangerReading>,
    /// The organization's own tokens that read it.
    pub tokens: Vec<Token>,
}

/// Whether a member can read a package.
#[derive(Debug)]
pub struct PersonReading {
    /// Who.
    pub user: User,
    /// What they are there.
    pub member: Member,
    /// Whether they can, and why.
    pub reading: Reading,
    /// What their account at the workspace's integration is called; `None` if none is connected.
    pub account: Option<String>,
}

/// Somebody who would read a package if they logged in.
#[derive(Debug)]
pub struct StrangerReading {
    /// Who.
    pub person: RemotePerson,
    /// Why.
    pub because: Because,
}

/// What a workspace knows of people: of users here, and of those who are none.
#[derive(Default)]
struct Known {
    here: BTreeMap<UserId, Rights>,
    elsewhere: Vec<(RemotePerson, Rights)>,
}

impl App {
    /// Who can read a package, and why; for owners and admins.
    pub async fn package_access(
        &self,
        actor: &Actor,
        short_name: &str,
        id: PackageId,
    ) -> Result<PackageAccess, Failure> {
        let organization = self.organization_managed(actor, short_name).await?;
        let missing = || Failure::NotFound("package");
        let package = self.storage.package_find(id).await?.filter(|it| it.organization_id == organization.id);
        let package = package.ok_or_else(missing)?;
        let source = self.source_of(&package).await?;
        let readable = self.storage.readable_find(id).await?.ok_or_else(missing)?;
        let authority = match readable.followed {
            Some(followed) => self.authority_find(followed.synchronization_id).await?,
            None => None,
        };
        let known = match &authority {
            Some(authority) => self.known_by(authority).await?,
            None => Known::default(),
        };
        let teams = self.storage.team_list_of_package(id).await?;
        let people =
            self.people_reading(&organization, &readable, (authority.as_ref(), &known, &teams)).await?;
        let strangers = known.strangers(&organization, &readable, self.clock.now());
        let mut tokens = self.storage.token_list(TokenOwner::Organization(organization.id)).await?;
        let is_selected = |token: &Token| match &package.name {
            Some(name) => token.selects(name, package.is_mirrored()),
            None => token.selection.is_none(),
        };
        tokens.retain(|token| token.is_valid_at(self.clock.now()) && is_selected(token));
        let title = package.title(source.as_ref());
        Ok(PackageAccess { organization, package, title, authority, teams, people, strangers, tokens })
    }

    /// Gives a package to teams only, or to every member. Of a package that follows a workspace, Bitbucket decides.
    pub async fn package_restrict(
        &self,
        actor: &Actor,
        short_name: &str,
        id: PackageId,
        is_restricted: bool,
    ) -> Result<(), Failure> {
        let organization = self.organization_managed(actor, short_name).await?;
        let missing = || Failure::NotFound("package");
        let txn = self.storage.begin().await?;
        let package = txn.package_lock(id).await?.filter(|it| it.organization_id == organization.id);
        let package = package.ok_or_else(missing)?;
        let readable = txn.readable_find(id).await?.ok_or_else(missing)?;
        if readable.followed.is_some() {
            return Err(Failure::Conflict(
                "Who reads this package follows Bitbucket. Change the rights of its repository there.".into(),
            ));
        }
        txn.package_update(&Package { is_restricted, ..package.clone() }).await?;
        txn.commit().await?;
        let title = package.title(self.source_of(&package).await?.as_ref());
        let action = if is_restricted {
            format!("let only teams read {title} that it is given to")
        } else {
            format!("let every member read {title}")
        };
        self.log_by(actor, Some(organization.id), action).await
    }

    async fn authority_find(&self, id: SynchronizationId) -> Result<Option<Authority>, Failure> {
        let Some(synchronization) = self.storage.synchronization_find(id).await? else { return Ok(None) };
        let condition = self.storage.synchronization_condition(id).await?.unwrap_or_default();
        self.authority_of(synchronization, condition).await
    }

    /// One pass over the people of a workspace.
    async fn known_by(&self, authority: &Authority) -> Result<Known, Failure> {
        let mut known = Known::default();
        let id = authority.synchronization.id;
        for (person, user) in self.storage.remote_person_page(id, "", 0, u64::from(u32::MAX)).await? {
            let KnownPerson { person, access, asked_at, .. } = person;
            let is_own =
                authority.synchronization.rights_from == RightsFrom::EachPerson || asked_at.is_some();
            let asked_at = if is_own { asked_at } else { authority.condition.succeeded_at };
            let rights = Rights { access, asked_at, is_own };
            match user {
                Some(user) => {
                    known.here.insert(user.id, rights);
                }
                None => known.elsewhere.push((person, rights)),
            }
        }
        Ok(known)
    }

    /// One pass over the members.
    async fn people_reading(
        &self,
        organization: &Organization,
        package: &Readable,
        (authority, known, given): (Option<&Authority>, &Known, &[Team]),
    ) -> Result<Vec<PersonReading>, Failure> {
        let accounts = match authority {
            Some(authority) => {
                self.storage.member_account_list(organization.id, authority.integration.id).await?
            }
            None => BTreeMap::new(),
        };
        let reading_all = self.storage.team_list(organization.id).await?;
        let reading_all: Vec<_> =
            reading_all.into_iter().map(|line| line.team).filter(|team| team.reads_all).collect();
        let (given, reading_all) = (self.people_of(given).await?, self.people_of(&reading_all).await?);
        let now = self.clock.now();
        let members = self.storage.member_list(organization.id).await?;
        let each = members.into_iter().map(|(user, member)| {
            let team_of = |teams: &[(String, BTreeSet<UserId>)]| {
                teams.iter().find(|(_, people)| people.contains(&user.id)).map(|(name, _)| name.clone())
            };
            let rights = package.followed.zip(known.here.get(&user.id));
            let reader = Reader {
                organization_id: organization.id,
                role: Some(member.role),
                is_active: member.is_active,
                given: team_of(&given).map(|team| (package.package_id, team)).into_iter().collect(),
                reads_all: team_of(&reading_all),
                rights: rights
                    .map(|(it, rights)| (it.synchronization_id, rights.clone()))
                    .into_iter()
                    .collect(),
            };
            let reading = reader.reads(package, now);
            PersonReading { account: accounts.get(&user.id).cloned(), user, member, reading }
        });
        Ok(each.collect())
    }

    /// Each of these teams by name, with who is in it.
    async fn people_of(&self, teams: &[Team]) -> Result<Vec<(String, BTreeSet<UserId>)>, Failure> {
        let mut each = Vec::new();
        for team in teams {
            let people = self.storage.team_member_list(team.id).await?;
            each.push((team.name.clone(), people.into_iter().map(|user| user.id).collect()));
        }
        Ok(each)
    }
}

impl Known {
    /// Who would read a package if they logged in: they would be members then.
    fn strangers(
        self,
        organization: &Organization,
        package: &Readable,
        now: Timestamp,
    ) -> Vec<StrangerReading> {
        let Some(followed) = package.followed else { return Vec::new() };
        let each = self.elsewhere.into_iter().filter_map(|(person, rights)| {
            let reader = newcomer(organization.id, (followed.synchronization_id, rights));
            match reader.reads(package, now) {
                Reading::Yes(because) => Some(StrangerReading { person, because }),
                Reading::No(_) => None,
            }
        });
        each.collect()
    }
}

/// Somebody as they would be right after their first log-in.
fn newcomer(organization_id: OrganizationId, rights: (SynchronizationId, Rights)) -> Reader {
    Reader {
        organization_id,
        role: Some(Role::Member),
        is_active: true,
        given: BTreeMap::new(),
        reads_all: None,
        rights: [rights].into(),
    }
}
