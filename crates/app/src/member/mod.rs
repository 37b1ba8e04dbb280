//! Members of an organization: who they are, how they came, what they may do, and whether they may come in.

mod people;

pub use people::{PeoplePage, PeopleSearch};

use crate::{Actor, App, Failure};
use stave_domain::{
    id::{OrganizationId, SynchronizationId, UserId},
    organization::{Member, Organization, Role},
    synchronization::{RemotePerson, Stage, Synchronization},
    user::User,
};
use stave_storage::Storage;
use std::collections::{BTreeMap, BTreeSet};

/// A member, and what their place there hangs on.
#[derive(Debug)]
pub struct MemberLine {
    /// Who.
    pub user: User,
    /// What they may do there, and since when.
    pub member: Member,
    /// The workspaces that are followed and know them.
    pub workspaces: Vec<String>,
    /// The workspace that says what they may do: the primary one, if it knows them.
    pub led_by: Option<String>,
    /// Whether the actor may deactivate or remove them, or give them another role.
    pub is_managed: bool,
}

/// Somebody in a workspace who never logged in here.
#[derive(Debug)]
pub struct KnownLine {
    /// Who.
    pub person: RemotePerson,
    /// The workspaces that are followed and know them.
    pub workspaces: Vec<String>,
}

/// The members of an organization.
#[derive(Debug)]
pub struct MemberListView {
    /// Whose.
    pub organization: Organization,
    /// What the actor may do there.
    pub role: Role,
    /// Who is a member; only owners and admins see those who were deactivated.
    pub members: PeoplePage<MemberLine>,
}

impl App {
    /// The members of an organization, for its members and for admins.
    pub async fn member_list(
        &self,
        actor: &Actor,
        short_name: &str,
        search: &PeopleSearch,
    ) -> Result<MemberListView, Failure> {
        let (organization, role) = self.organization_visited(actor, short_name).await?;
        let circle = Circle::of(&self.storage, organization.id).await?;
        let mut people = self.storage.member_list(organization.id).await?;
        // What members do not see of each other, they do not find out by searching for it either.
        let manages = role >= Role::Admin;
        people.retain(|(user, member)| {
            let email = user.email.as_ref().filter(|_| manages).map_or("", |it| it.as_str());
            (member.is_active || manages) && search.finds([user.username.as_str(), &user.name, email])
        });
        let members = search.page_of(people).map(|(user, member)| MemberLine {
            workspaces: circle.workspaces(user.id),
            led_by: circle.leader(user.id).map(|it| it.workspace.title().to_owned()),
            is_managed: role.manages(member.role),
            user,
            member,
        });
        Ok(MemberListView { organization, role, members })
    }

    /// Who is in a workspace that is followed and never logged in here; `None` if none is. For owners and admins.
    pub async fn member_list_waiting(
        &self,
        actor: &Actor,
        short_name: &str,
        search: &PeopleSearch,
    ) -> Result<Option<PeoplePage<KnownLine>>, Failure> {
        let organization = self.organization_managed(actor, short_name).await?;
        let circle = Circle::of(&self.storage, organization.id).await?;
        if circle.synchronizations.is_empty() {
            return Ok(None);
        }
        let mut people: BTreeMap<_, KnownLine> = BTreeMap::new();
        for (synchronization, person) in self.storage.remote_person_list_waiting(organization.id).await? {
            let Some(synchronization) = circle.synchronizations.get(&synchronization) else { continue };
            let key = (synchronization.integration_id, person.external_id.clone());
            let line = people.entry(key).or_insert_with(|| KnownLine { person, workspaces: Vec::new() });
            line.workspaces.push(synchronization.workspace.title().to_owned());
        }
        let mut people: Vec<_> =
            people.into_values().filter(|it| search.finds([&it.person.name, &it.person.handle])).collect();
        people.sort_by_cached_key(|it| it.person.title().to_lowercase());
        Ok(Some(search.page_of(people)))
    }

    /// Adds somebody, named by username or e-mail address, or gives them another role.
    pub async fn member_put(
        &self,
        actor: &Actor,
        short_name: &str,
        who: &str,
        role: Role,
    ) -> Result<(), Failure> {
        let place = self.organization_ruled(actor, short_name).await?;
        let user = self.user_named(who).await?.ok_or_else(|| {
            Failure::invalid(
                "who",
                "Nobody here has this username or e-mail address. They log in once, then you can add them.",
            )
        })?;
        self.role_give(actor, &place, &user, role).await
    }

    /// Gives a member another role.
    pub async fn member_change(
        &self,
        actor: &Actor,
        short_name: &str,
        id: UserId,
        role: Role,
    ) -> Result<(), Failure> {
        let place = self.organization_ruled(actor, short_name).await?;
        let (user, _) = member_of(&self.storage, place.0.id, id).await?;
        self.role_give(actor, &place, &user, role).await
    }

    /// What somebody may do follows the primary workspace if it knows them; everybody else gets it by hand.
    async fn role_give(
        &self,
        actor: &Actor,
        (organization, own): &(Organization, Role),
        user: &User,
        role: Role,
    ) -> Result<(), Failure> {
        let txn = self.people_change().await?;
        let before = txn.member_find(organization.id, user.id).await?;
        managed(*own, before.as_ref(), user)?;
        if !own.manages(role) {
            return Err(Failure::Denied("Only owners make owners and admins. Ask one of them.".into()));
        }
        if let Some(leader) = Circle::of(&txn, organization.id).await?.leader(user.id) {
            return Err(Failure::Conflict(format!(
                "{} is in {}, and what its people may do here follows Bitbucket. Change it there.",
                user.username,
                leader.workspace.title()
            )));
        }
        let member = Member {
            organization_id: organization.id,
            user_id: user.id,
            role,
            given: Some(role),
            is_active: before.as_ref().is_none_or(|it| it.is_active),
            joined_at: before.as_ref().map_or_else(|| self.clock.now(), |it| it.joined_at),
        };
        txn.member_upsert(&member).await?;
        self.members_settle(&txn, organization.id).await?;
        owner_stays(&txn, organization.id, before.as_ref(), user).await?;
        txn.commit().await?;
        let article = if role == Role::Member { "a" } else { "an" };
        let action = format!("made {} {article} {} of the organization", user.username, role.key());
        self.log_by(actor, Some(organization.id), action).await
    }

    /// Deactivates somebody, or activates them again. Who is deactivated keeps the place and cannot come in: no page opens
    /// to them, no token of theirs works here, and no run of a synchronization changes that. The last active owner stays.
    pub async fn member_activate(
        &self,
        actor: &Actor,
        short_name: &str,
        id: UserId,
        is_active: bool,
    ) -> Result<(), Failure> {
        let (organization, own) = self.organization_ruled(actor, short_name).await?;
        let txn = self.people_change().await?;
        let (user, before) = member_of(&txn, organization.id, id).await?;
        managed(own, Some(&before), &user)?;
        if !is_active && actor.user.as_ref().is_some_and(|actor| actor.id == id) {
            return Err(Failure::Conflict(
                "You cannot deactivate yourself: nobody would let you in again. Ask another owner.".into(),
            ));
        }
        txn.member_set_active(organization.id, id, is_active).await?;
        self.members_settle(&txn, organization.id).await?;
        owner_stays(&txn, organization.id, Some(&before), &user).await?;
        txn.commit().await?;
        let verb = if is_active { "activated" } else { "deactivated" };
        self.log_by(actor, Some(organization.id), format!("{verb} {}", user.username)).await
    }

    /// Removes somebody from an organization; members may remove themselves. The last owner stays, and whoever is in a
    /// workspace that is followed: the next run would bring them back.
    pub async fn member_remove(&self, actor: &Actor, short_name: &str, id: UserId) -> Result<(), Failure> {
        let is_self = actor.user()?.id == id;
        let (organization, own) = if is_self {
            self.organization_seen(actor, short_name).await?
        } else {
            self.organization_ruled(actor, short_name).await?
        };
        let txn = self.people_change().await?;
        let (user, before) = member_of(&txn, organization.id, id).await?;
        if !is_self {
            managed(own, Some(&before), &user)?;
        }
        if let Some(workspace) = Circle::of(&txn, organization.id).await?.workspaces(id).first() {
            let name = &user.username;
            return Err(Failure::Conflict(if is_self {
                format!(
                    "You are in {workspace}, whose people are members here. Leave it on Bitbucket to leave {}.",
                    organization.name
                )
            } else {
                format!(
                    "{name} is in {workspace}, whose people are members here, and would come back. Deactivate {name}, or remove {name} on Bitbucket."
                )
            }));
        }
        txn.member_delete(organization.id, id).await?;
        self.members_settle(&txn, organization.id).await?;
        owner_stays(&txn, organization.id, Some(&before), &user).await?;
        txn.commit().await?;
        self.log_by(actor, Some(organization.id), format!("removed {} from the organization", user.username))
            .await
    }

    /// Organization Member Settings: whether people whom a synchronization finds from now on are deactivated until somebody
    /// activates them.
    pub async fn member_setting_update(
        &self,
        actor: &Actor,
        short_name: &str,
        deactivates_found: bool,
    ) -> Result<(), Failure> {
        let organization = self.organization_managed(actor, short_name).await?;
        self.storage.organization_deactivate_found(organization.id, deactivates_found).await?;
        let action = if deactivates_found {
            "had new members deactivated whom a synchronization finds"
        } else {
            "had new members let in whom a synchronization finds"
        };
        self.log_by(actor, Some(organization.id), action).await
    }

    /// An organization that somebody may look at, and what they may do there: an admin of the installation as much as an owner.
    pub(crate) async fn organization_visited(
        &self,
        actor: &Actor,
        short_name: &str,
    ) -> Result<(Organization, Role), Failure> {
        if actor.is_admin() {
            return Ok((self.organization_managed(actor, short_name).await?, Role::Owner));
        }
        self.organization_seen(actor, short_name).await
    }

    /// The same, for owners and admins only.
    pub(crate) async fn organization_ruled(
        &self,
        actor: &Actor,
        short_name: &str,
    ) -> Result<(Organization, Role), Failure> {
        self.organization_managed(actor, short_name).await?;
        self.organization_visited(actor, short_name).await
    }

    /// What somebody is told who was deactivated.
    pub(crate) async fn deactivated(&self, organization: &Organization) -> Result<Failure, Failure> {
        let members = self.storage.member_list(organization.id).await?;
        let owners = members.iter().filter(|(_, member)| member.is_active && member.role == Role::Owner);
        let names: Vec<_> = owners.map(|(user, _)| user.username.as_str()).take(5).collect();
        let ask =
            if names.is_empty() { "an admin".to_owned() } else { format!("an owner: {}", names.join(", ")) };
        Ok(Failure::Denied(format!("{} deactivated you. Ask {ask}.", organization.name)))
    }
}

/// The workspaces that an organization follows, and which users each of them knows.
pub(crate) struct Circle {
    pub(crate) synchronizations: BTreeMap<SynchronizationId, Synchronization>,
    known: BTreeMap<UserId, BTreeSet<SynchronizationId>>,
}

impl Circle {
    pub(crate) async fn of(storage: &Storage, organization: OrganizationId) -> Result<Self, Failure> {
        let synchronizations = storage.synchronization_list(organization).await?;
        let active = synchronizations.into_iter().filter(|(it, _)| it.stage == Stage::Active);
        let synchronizations = active.map(|(it, _)| (it.id, it)).collect();
        let mut known: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for (user, synchronization) in storage.remote_person_list_here(organization).await? {
            known.entry(user).or_default().insert(synchronization);
        }
        Ok(Self { synchronizations, known })
    }

    /// The synchronizations that know somebody.
    fn knowing(&self, user: UserId) -> impl Iterator<Item = &Synchronization> {
        self.known.get(&user).into_iter().flatten().filter_map(|id| self.synchronizations.get(id))
    }

    fn workspaces(&self, user: UserId) -> Vec<String> {
        self.knowing(user).map(|it| it.workspace.title().to_owned()).collect()
    }

    /// The synchronization that says what somebody may do here.
    fn leader(&self, user: UserId) -> Option<&Synchronization> {
        self.knowing(user).find(|it| it.is_primary)
    }
}

async fn member_of(
    txn: &Storage,
    organization: OrganizationId,
    id: UserId,
) -> Result<(User, Member), Failure> {
    let member = txn.member_find(organization, id).await?.ok_or(Failure::NotFound("member"))?;
    let user = txn.user_find(id).await?.ok_or(Failure::NotFound("member"))?;
    Ok((user, member))
}

/// Passes whoever may manage somebody; a newcomer is managed by everybody who may add members.
fn managed(own: Role, before: Option<&Member>, user: &User) -> Result<(), Failure> {
    match before {
        Some(member) if !own.manages(member.role) => Err(Failure::Denied(format!(
            "{} is an {} of the organization, whom only owners may change. Ask one of them.",
            user.username,
            member.role.key()
        ))),
        _ => Ok(()),
    }
}

/// Passes unless the organization has just lost its last active owner; the transaction is then to be dropped.
async fn owner_stays(
    txn: &Storage,
    organization: OrganizationId,
    before: Option<&Member>,
    user: &User,
) -> Result<(), Failure> {
    let was_owner = before.is_some_and(|member| member.is_active && member.role == Role::Owner);
    if was_owner && txn.owner_count(organization).await? == 0 {
        return Err(Failure::Conflict(format!(
            "{} is the last owner. Make somebody else an owner first.",
            user.username
        )));
    }
    Ok(())
}
