//! Who is a member because of what: roles that people gave here, and what synchronizations say.

use crate::{App, Failure, entropy};
use stave_domain::{
    id::{OrganizationId, UserId},
    identity::Identity,
    log::LogEntry,
    organization::{Member, Role},
    synchronization::Stage,
};
use stave_storage::Storage;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that decides about the members of an organization.
struct Facts {
    members: BTreeMap<UserId, Member>,
    /// The roles that synchronizations say.
    followed: BTreeMap<UserId, Role>,
    /// Whom the primary synchronization knows: what they are is decided on the platform alone.
    decided_there: BTreeSet<UserId>,
}

impl App {
    /// Brings the members of an organization in line with the roles that were given here and what its synchronizations say.
    /// Whoever is in no list any more is no member any more, and their tokens read nothing of it.
    pub(crate) async fn members_settle(
        &self,
        txn: &Storage,
        organization: OrganizationId,
    ) -> Result<(), Failure> {
        let Some(found) = txn.organization_find(organization).await? else { return Ok(()) };
        let facts = facts(txn, organization).await?;
        let wanted =
            with_an_owner(&facts, settled(&facts, found.deactivates_found, self.clock.now(), organization));
        for (user, before) in &facts.members {
            if !wanted.contains_key(user) {
                txn.member_delete(organization, *user).await?;
                self.membership_note(
                    txn,
                    before,
                    "is no member any more: Bitbucket no longer knows them there",
                )
                .await?;
            }
        }
        for (user, member) in wanted {
            match facts.members.get(&user) {
                Some(before) if *before == member => {}
                Some(before) => {
                    txn.member_upsert(&member).await?;
                    if before.role != member.role {
                        let change = format!("is {} now, as Bitbucket says", member.role.key());
                        self.membership_note(txn, &member, &change).await?;
                    }
                }
                None => {
                    txn.member_upsert(&member).await?;
                    let change = format!("came as {} because of a synchronization", member.role.key());
                    self.membership_note(txn, &member, &change).await?;
                }
            }
        }
        Ok(())
    }

    /// Brings every organization in line that knows somebody who came, or of which they are a member.
    pub(crate) async fn memberships_settle(
        &self,
        txn: &Storage,
        user: UserId,
        came: Option<&Identity>,
    ) -> Result<(), Failure> {
        let mut organizations: BTreeSet<OrganizationId> =
            txn.organization_list_of_user(user).await?.into_iter().map(|(it, _)| it.id).collect();
        if let Some(came) = came {
            let knowing = txn.organization_list_knowing(came.integration_id, &came.external_id).await?;
            organizations.extend(knowing);
        }
        for organization in organizations {
            self.members_settle(txn, organization).await?;
        }
        Ok(())
    }

    /// The line in the Log is about the member, as if they had done it: "ada came as member because of a synchronization".
    async fn membership_note(&self, txn: &Storage, member: &Member, change: &str) -> Result<(), Failure> {
        let name =
            txn.user_find(member.user_id).await?.map_or_else(String::new, |user| user.username.to_string());
        self.log_in(txn, Some(member.organization_id), format!("{name} {change}")).await
    }

    /// Writes a line about what Stave did by itself, within a transaction.
    pub(crate) async fn log_in(
        &self,
        txn: &Storage,
        organization_id: Option<OrganizationId>,
        action: String,
    ) -> Result<(), Failure> {
        let entry = LogEntry {
            id: entropy::id(),
            organization_id,
            user_id: None,
            actor: "Stave".into(),
            action,
            address: String::new(),
            created_at: self.clock.now(),
        };
        Ok(txn.log_insert(&entry).await?)
    }
}

async fn facts(txn: &Storage, organization: OrganizationId) -> Result<Facts, Failure> {
    let members = txn.member_list(organization).await?;
    let followed = txn.roles_followed(organization, None).await?;
    let synchronizations = txn.synchronization_list(organization).await?;
    let primary = synchronizations.iter().find(|(it, _)| it.is_primary && it.stage == Stage::Active);
    let decided_there = match primary {
        Some((primary, _)) => {
            let here = txn.remote_person_list_here(organization).await?;
            here.into_iter().filter(|(_, known)| *known == primary.id).map(|(user, _)| user).collect()
        }
        None => BTreeSet::new(),
    };
    let members = members.into_iter().map(|(_, member)| (member.user_id, member)).collect();
    Ok(Facts { members, followed, decided_there })
}

/// Every member as they should be.
fn settled(
    facts: &Facts,
    deactivates_found: bool,
    now: stave_domain::Timestamp,
    organization_id: OrganizationId,
) -> BTreeMap<UserId, Member> {
    let users: BTreeSet<UserId> = facts.members.keys().chain(facts.followed.keys()).copied().collect();
    let member_of = |user_id: UserId| {
        let before = facts.members.get(&user_id);
        let followed = facts.followed.get(&user_id).copied();
        let given = before.and_then(|member| member.given).filter(|given| {
            let is_covered = followed.is_some_and(|followed| followed >= *given);
            !is_covered && !facts.decided_there.contains(&user_id)
        });
        // Whoever was deactivated keeps the place, or they would be let in when they come again.
        let kept = before.filter(|member| !member.is_active).map(|_| Role::Member);
        let role = given.into_iter().chain(followed).max().or(kept)?;
        let is_active = before.map_or(!deactivates_found, |member| member.is_active);
        let joined_at = before.map_or(now, |member| member.joined_at);
        Some((user_id, Member { organization_id, user_id, role, given, is_active, joined_at }))
    };
    users.into_iter().filter_map(member_of).collect()
}

/// Bitbucket's owners may not have come yet. Until one has, those who own the organization here stay its owners, so that it is
/// never without.
fn with_an_owner(facts: &Facts, mut wanted: BTreeMap<UserId, Member>) -> BTreeMap<UserId, Member> {
    if wanted.values().any(|member| member.role == Role::Owner && member.is_active) {
        return wanted;
    }
    for (user, before) in &facts.members {
        if before.given == Some(Role::Owner) && before.is_active {
            wanted.insert(*user, Member { role: Role::Owner, ..before.clone() });
        }
    }
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;
    use stave_domain::Timestamp;
    use uuid::Uuid;

    fn user(number: u128) -> UserId {
        Uuid::from_u128(number).into()
    }

    fn member(number: u128, role: Role, given: Option<Role>) -> (UserId, Member) {
        let member = Member {
            organization_id: Uuid::nil().into(),
            user_id: user(number),
            role,
            given,
            is_active: true,
            joined_at: Timestamp::UNIX_EPOCH,
        };
        (user(number), member)
    }

    fn roles(facts: &Facts) -> Vec<(UserId, Role, Option<Role>)> {
        let settled = settled(facts, false, Timestamp::UNIX_EPOCH, Uuid::nil().into());
        with_an_owner(facts, settled).into_iter().map(|(id, it)| (id, it.role, it.given)).collect()
    }

    #[test]
    fn the_platform_decides_about_those_whom_the_primary_one_knows() {
        let facts = Facts {
            members: [
                member(1, Role::Owner, Some(Role::Owner)),
                member(2, Role::Admin, Some(Role::Admin)),
                member(3, Role::Member, None),
                member(4, Role::Owner, Some(Role::Owner)),
            ]
            .into(),
            followed: [(user(1), Role::Member), (user(2), Role::Owner), (user(5), Role::Member)].into(),
            decided_there: [user(1), user(2), user(5)].into(),
        };
        assert_eq!(
            roles(&facts),
            [
                (user(1), Role::Member, None),
                (user(2), Role::Owner, None),
                (user(4), Role::Owner, Some(Role::Owner)),
                (user(5), Role::Member, None),
            ],
            "3 is in no list any more, 4 was never known there"
        );
    }

    #[test]
    fn an_organization_is_never_without_an_owner() {
        let facts = Facts {
            members: [member(1, Role::Owner, Some(Role::Owner))].into(),
            followed: [(user(1), Role::Member)].into(),
            decided_there: [user(1)].into(),
        };
        assert_eq!(roles(&facts), [(user(1), Role::Owner, Some(Role::Owner))]);
    }

    #[test]
    fn who_was_deactivated_keeps_the_place() {
        let (id, ada) = member(1, Role::Admin, None);
        let facts = Facts {
            members: [(id, Member { is_active: false, ..ada })].into(),
            followed: BTreeMap::new(),
            decided_there: BTreeSet::new(),
        };
        let settled = settled(&facts, false, Timestamp::UNIX_EPOCH, Uuid::nil().into());
        assert_eq!(settled[&id].role, Role::Member);
        assert!(!settled[&id].is_active);
    }

    #[test]
    fn another_synchronization_does_not_lower_what_was_given() {
        let facts = Facts {
            members: [member(1, Role::Owner, Some(Role::Owner)), member(2, Role::Member, Some(Role::Member))]
                .into(),
            followed: [(user(1), Role::Member), (user(2), Role::Member)].into(),
            decided_there: BTreeSet::new(),
        };
        assert_eq!(
            roles(&facts),
            [(user(1), Role::Owner, Some(Role::Owner)), (user(2), Role::Member, None)],
            "what a synchronization says as well goes when that one goes"
        );
    }
}
