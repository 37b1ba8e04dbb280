//! Who gains and who loses when another synchronization becomes the primary one, or when one goes.

use crate::{Actor, App, Failure};
use stave_domain::{
    id::{OrganizationId, RepositoryId, SynchronizationId, UserId},
    organization::{Member, Organization, Role},
    synchronization::{Stage, Synchronization},
    user::User,
};
use stave_storage::Storage;
use std::{collections::BTreeMap, time::Duration};

/// So long somebody waits at a page for webhooks to be taken away.
const WEBHOOKS_GO_WITHIN: Duration = Duration::from_secs(20);

/// Somebody whose role becomes another one.
#[derive(Debug)]
pub struct RoleChange {
    /// Who.
    pub user: User,
    /// What they are; `None` is no member.
    pub before: Option<Role>,
    /// What they become.
    pub after: Option<Role>,
}

impl RoleChange {
    /// Whether they may do less then.
    #[must_use]
    pub fn is_loss(&self) -> bool {
        self.after < self.before
    }
}

/// What a promotion does.
#[derive(Debug)]
pub struct Promotion {
    /// Where.
    pub organization: Organization,
    /// What becomes the primary one.
    pub synchronization: Synchronization,
    /// What is the primary one now.
    pub primary: Option<Synchronization>,
    /// Whose role becomes another one.
    pub changes: Vec<RoleChange>,
    /// Who becomes owner or admin as soon as they connect their account.
    pub waiting: Vec<String>,
}

/// What goes with a synchronization.
#[derive(Debug)]
pub struct Ending {
    /// Where.
    pub organization: Organization,
    /// Which.
    pub synchronization: Synchronization,
    /// How many packages go.
    pub packages: u64,
    /// The names of the teams that go.
    pub teams: Vec<String>,
    /// Whose role becomes another one, or who is no member any more.
    pub changes: Vec<RoleChange>,
    /// How many webhooks are removed.
    pub webhooks: usize,
    /// Why it cannot be deleted, in a sentence.
    pub obstacle: Option<String>,
}

impl App {
    /// What it means to make a synchronization the primary one; for owners.
    pub async fn synchronization_promotion(
        &self,
        actor: &Actor,
        short_name: &str,
        id: SynchronizationId,
    ) -> Result<Promotion, Failure> {
        let organization = self.organization_owned(actor, short_name).await?;
        let synchronization = self.synchronization_of(organization.id, id).await?;
        let primary = self.synchronization_primary(organization.id).await?;
        let txn = self.people_change().await?;
        let before = members(&txn, organization.id).await?;
        txn.synchronization_promote(organization.id, id).await?;
        self.members_settle(&txn, organization.id).await?;
        let after = members(&txn, organization.id).await?;
        // It was only tried: nothing of it is kept.
        drop(txn);
        let all = self.storage.remote_person_page(id, "", 0, u64::from(u32::MAX)).await?;
        let waiting = all
            .into_iter()
            .filter(|(known, user)| known.person.role > Role::Member && user.is_none())
            .map(|(known, _)| known.person.title().to_owned())
            .collect();
        let changes = changes(before, after);
        Ok(Promotion { organization, synchronization, primary, changes, waiting })
    }

    /// Makes a synchronization the primary one; for owners.
    pub async fn synchronization_promote(
        &self,
        actor: &Actor,
        short_name: &str,
        id: SynchronizationId,
    ) -> Result<(), Failure> {
        let organization = self.organization_owned(actor, short_name).await?;
        let synchronization = self.synchronization_of(organization.id, id).await?;
        if synchronization.stage == Stage::Draft {
            return Err(Failure::Conflict("It was not started yet. Start it first.".into()));
        }
        let txn = self.people_change().await?;
        txn.synchronization_promote(organization.id, id).await?;
        self.members_settle(&txn, organization.id).await?;
        txn.commit().await?;
        let action = format!("made {} the primary synchronization", synchronization.workspace.title());
        self.log_by(actor, Some(organization.id), action).await
    }

    /// What goes with a synchronization.
    pub async fn synchronization_ending(
        &self,
        actor: &Actor,
        short_name: &str,
        id: SynchronizationId,
    ) -> Result<Ending, Failure> {
        let (organization, is_owned) = self.organization_settings(actor, short_name).await?;
        let synchronization = self.synchronization_of(organization.id, id).await?;
        let obstacle = self.ending_obstacle(&synchronization, is_owned).await?;
        let txn = self.people_change().await?;
        let before = members(&txn, organization.id).await?;
        txn.synchronization_delete(id).await?;
        self.members_settle_without(&txn, actor, &before).await?;
        let after = members(&txn, organization.id).await?;
        drop(txn);
        let teams = self.storage.team_list_of_synchronization(id).await?;
        Ok(Ending {
            packages: self.storage.package_count_of_synchronization(id).await?,
            teams: teams.into_iter().map(|team| team.name).collect(),
            changes: changes(before, after),
            webhooks: self.storage.webhook_list(id).await?.len(),
            obstacle,
            organization,
            synchronization,
        })
    }

    /// Deletes a synchronization with what it brought. `typed` is the name of its workspace, unless it never started. Gives what
    /// stayed on the platform, in sentences.
    pub async fn synchronization_delete(
        &self,
        actor: &Actor,
        short_name: &str,
        id: SynchronizationId,
        typed: &str,
    ) -> Result<Vec<String>, Failure> {
        let (organization, is_owned) = self.organization_settings(actor, short_name).await?;
        let synchronization = self.synchronization_of(organization.id, id).await?;
        if let Some(obstacle) = self.ending_obstacle(&synchronization, is_owned).await? {
            return Err(Failure::Conflict(obstacle));
        }
        let key = &synchronization.workspace.key;
        if synchronization.stage == Stage::Active && !typed.trim().eq_ignore_ascii_case(key) {
            return Err(Failure::invalid("name", format!("Type {key} to show that you mean it.")));
        }
        let stayed = self.webhooks_leave(&synchronization).await;
        let txn = self.people_change().await?;
        let before = members(&txn, organization.id).await?;
        let gone = self.synchronization_end(&txn, id).await?;
        self.members_settle_without(&txn, actor, &before).await?;
        txn.commit().await?;
        for repository in gone {
            self.mirror_remove(repository);
        }
        let action = format!("deleted the synchronization with {}", synchronization.workspace.title());
        self.log_by(actor, Some(organization.id), action).await?;
        for sentence in &stayed {
            self.log_by_itself(Some(organization.id), sentence.clone()).await?;
        }
        Ok(stayed)
    }

    /// Takes the webhooks away as far as the platform lets us, and soon; gives what stayed, in sentences.
    async fn webhooks_leave(&self, synchronization: &Synchronization) -> Vec<String> {
        let removed = tokio::time::timeout(WEBHOOKS_GO_WITHIN, self.webhooks_remove(synchronization)).await;
        let because = match removed {
            Ok(Ok(stayed)) => return stayed,
            Ok(Err(failure)) => failure.to_string(),
            Err(_) => "it took too long.".to_owned(),
        };
        vec![format!(
            "Not all webhooks of {} could be removed: {because} Remove those with the address {} there by hand.",
            synchronization.workspace.title(),
            self.webhook_url(synchronization.id)
        )]
    }

    /// Deletes a synchronization with its repositories and teams; gives the repositories whose mirrors are no longer needed.
    pub(crate) async fn synchronization_end(
        &self,
        txn: &Storage,
        id: SynchronizationId,
    ) -> Result<Vec<RepositoryId>, Failure> {
        let mut gone = Vec::new();
        for repository in txn.repository_list_followed(id).await? {
            txn.repository_delete(repository.id).await?;
            gone.push(repository.id);
        }
        for team in txn.team_list_of_synchronization(id).await? {
            txn.team_delete(team.id).await?;
        }
        txn.synchronization_delete(id).await?;
        Ok(gone)
    }

    /// Brings the members in line after a synchronization went. Whoever took it away stays what they are, and so do the owners
    /// if nobody else would own the organization.
    pub(crate) async fn members_settle_without(
        &self,
        txn: &Storage,
        actor: &Actor,
        before: &[(User, Member)],
    ) -> Result<(), Failure> {
        let Some(organization) = before.first().map(|(_, member)| member.organization_id) else {
            return Ok(());
        };
        let actor = actor.user.as_ref().map(|user| user.id);
        for (_, member) in before.iter().filter(|(user, _)| Some(user.id) == actor) {
            keep(txn, member).await?;
        }
        self.members_settle(txn, organization).await?;
        if txn.owner_count(organization).await? == 0 {
            for (_, owner) in before.iter().filter(|(_, it)| it.role == Role::Owner && it.is_active) {
                keep(txn, owner).await?;
            }
        }
        Ok(())
    }

    async fn ending_obstacle(
        &self,
        synchronization: &Synchronization,
        is_owned: bool,
    ) -> Result<Option<String>, Failure> {
        if !synchronization.is_primary || synchronization.stage == Stage::Draft {
            return Ok(None);
        }
        if !is_owned {
            return Ok(Some("Only owners delete the primary synchronization. Ask one of them.".into()));
        }
        let all = self.storage.synchronization_list(synchronization.organization_id).await?;
        let has_heir = all.iter().any(|(it, _)| it.stage == Stage::Active && it.id != synchronization.id);
        Ok(has_heir.then(|| {
            "It is the primary one: it says who owns the organization. Promote another one first.".to_owned()
        }))
    }
}

/// Gives somebody by hand the role that they have.
async fn keep(txn: &Storage, member: &Member) -> Result<(), Failure> {
    Ok(txn.member_upsert(&Member { given: Some(member.role), ..member.clone() }).await?)
}

async fn members(txn: &Storage, organization: OrganizationId) -> Result<Vec<(User, Member)>, Failure> {
    Ok(txn.member_list(organization).await?)
}

/// Whose role is another one afterwards: those who lose first.
fn changes(before: Vec<(User, Member)>, after: Vec<(User, Member)>) -> Vec<RoleChange> {
    let mut changes: BTreeMap<UserId, RoleChange> = BTreeMap::new();
    for (user, member) in before {
        changes.insert(user.id, RoleChange { user, before: Some(member.role), after: None });
    }
    for (user, member) in after {
        let change = changes.entry(user.id).or_insert(RoleChange { user, before: None, after: None });
        change.after = Some(member.role);
    }
    let mut changes: Vec<_> = changes.into_values().filter(|it| it.before != it.after).collect();
    changes.sort_by_cached_key(|it| (!it.is_loss(), it.user.username.to_string()));
    changes
}
