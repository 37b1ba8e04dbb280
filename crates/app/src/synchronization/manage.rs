//! What owners and admins change of a synchronization.

use super::form::SynchronizationForm;
use crate::{Actor, App, Failure};
use stave_domain::{
    Timestamp,
    id::{OrganizationId, SynchronizationId},
    job::Job,
    organization::Organization,
    synchronization::{Choice, Manifest, Stage, Synchronization},
};

impl App {
    /// A synchronization of an organization that the actor manages.
    pub(super) async fn synchronization_managed(
        &self,
        actor: &Actor,
        short_name: &str,
        id: SynchronizationId,
    ) -> Result<(Organization, Synchronization), Failure> {
        let organization = self.organization_managed(actor, short_name).await?;
        let synchronization = self.synchronization_of(organization.id, id).await?;
        Ok((organization, synchronization))
    }

    pub(super) async fn synchronization_of(
        &self,
        organization: OrganizationId,
        id: SynchronizationId,
    ) -> Result<Synchronization, Failure> {
        let found = self.storage.synchronization_find(id).await?;
        found.filter(|it| it.organization_id == organization).ok_or(Failure::NotFound("synchronization"))
    }

    /// The synchronization that says who owns the organization.
    pub(super) async fn synchronization_primary(
        &self,
        organization: OrganizationId,
    ) -> Result<Option<Synchronization>, Failure> {
        let all = self.storage.synchronization_list(organization).await?;
        Ok(all.into_iter().map(|(it, _)| it).find(|it| it.is_primary && it.stage == Stage::Active))
    }

    /// Changes which repositories become packages, whether there are webhooks, and who is asked what people may read.
    pub async fn synchronization_update(
        &self,
        actor: &Actor,
        short_name: &str,
        id: SynchronizationId,
        form: &SynchronizationForm,
    ) -> Result<(), Failure> {
        let (organization, _) = self.synchronization_managed(actor, short_name, id).await?;
        let txn = self.storage.begin().await?;
        let before = txn.synchronization_lock(id).await?.ok_or(Failure::NotFound("synchronization"))?;
        let after = form.applied(&before)?;
        txn.synchronization_update(&after).await?;
        let afterwards = match after.stage {
            Stage::Active => self.repositories_follow(&txn, &after).await?,
            Stage::Draft => super::apply::Afterwards::default(),
        };
        self.job_enqueue_in(&txn, Job::Synchronize { synchronization: id }, Some(organization.id)).await?;
        txn.commit().await?;
        self.afterwards_do(afterwards);
        self.job_bell.notify_one();
        let action = format!("changed the synchronization with {}", after.workspace.title());
        self.log_by(actor, Some(organization.id), action).await
    }

    /// Has a synchronization ask with other rights from now on, if its workspace can be seen with them.
    pub async fn synchronization_access_change(
        &self,
        actor: &Actor,
        short_name: &str,
        id: SynchronizationId,
        typed: &str,
    ) -> Result<(), Failure> {
        let (organization, synchronization) = self.synchronization_managed(actor, short_name, id).await?;
        let integration = self.integration_of(synchronization.integration_id).await?;
        let access = self.rights_typed(actor, Some(&organization), &integration, typed).await?;
        let connector = self.follow_connector(&integration)?;
        let follow = connector.follow().ok_or(Failure::NotFound("way to follow a workspace"))?;
        follow
            .workspace_look(&self.caller_with(access, integration.id), &synchronization.workspace)
            .await
            .map_err(|error| Failure::invalid("access", error.to_string()))?;
        let txn = self.storage.begin().await?;
        let before = txn.synchronization_lock(id).await?.ok_or(Failure::NotFound("synchronization"))?;
        txn.synchronization_update(&Synchronization { access, ..before }).await?;
        self.job_enqueue_in(&txn, Job::Synchronize { synchronization: id }, Some(organization.id)).await?;
        txn.commit().await?;
        self.job_bell.notify_one();
        let action =
            format!("chose other rights for the synchronization with {}", synchronization.workspace.title());
        self.log_by(actor, Some(organization.id), action).await
    }

    /// "Run now".
    pub async fn synchronization_run(
        &self,
        actor: &Actor,
        short_name: &str,
        id: SynchronizationId,
    ) -> Result<(), Failure> {
        let (organization, synchronization) = self.synchronization_managed(actor, short_name, id).await?;
        self.job_enqueue(Job::Synchronize { synchronization: id }, Some(organization.id)).await?;
        let action = format!("had the synchronization with {} run", synchronization.workspace.title());
        self.log_by(actor, Some(organization.id), action).await
    }

    /// "Repair webhooks": the next run, which begins at once, looks at each of them.
    pub async fn synchronization_webhooks_repair(
        &self,
        actor: &Actor,
        short_name: &str,
        id: SynchronizationId,
    ) -> Result<(), Failure> {
        let (organization, synchronization) = self.synchronization_managed(actor, short_name, id).await?;
        for webhook in self.storage.webhook_list(id).await? {
            // As if nobody had looked at it for long.
            let never = Timestamp::UNIX_EPOCH;
            self.storage.webhook_put(id, webhook.number, &webhook.external_id, never).await?;
        }
        self.job_enqueue(Job::Synchronize { synchronization: id }, Some(organization.id)).await?;
        let action = format!("had the webhooks of {} repaired", synchronization.workspace.title());
        self.log_by(actor, Some(organization.id), action).await
    }

    /// "Add" and "Take out": decides about one repository by hand.
    pub async fn synchronization_choose(
        &self,
        actor: &Actor,
        short_name: &str,
        (id, number): (SynchronizationId, u32),
        is_wanted: bool,
    ) -> Result<(), Failure> {
        let (organization, _) = self.synchronization_managed(actor, short_name, id).await?;
        let txn = self.storage.begin().await?;
        let synchronization =
            txn.synchronization_lock(id).await?.ok_or(Failure::NotFound("synchronization"))?;
        let known = txn.remote_repository_find(id, number).await?;
        let known = known.ok_or(Failure::NotFound("repository"))?;
        let comes_by_itself =
            known.manifest == Manifest::Present && synchronization.selection.takes(&known.remote);
        let choice = match is_wanted {
            true if comes_by_itself => Choice::Selection,
            true => Choice::Wanted,
            false => Choice::Unwanted,
        };
        txn.remote_repository_choose(id, number, choice).await?;
        let mut afterwards = super::apply::Afterwards::default();
        if synchronization.stage == Stage::Active {
            afterwards = self.repositories_follow(&txn, &synchronization).await?;
            let find = Job::FindPackages { synchronization: id };
            self.job_enqueue_in(&txn, find, Some(organization.id)).await?;
            afterwards.has_jobs = true;
        }
        txn.commit().await?;
        self.afterwards_do(afterwards);
        let (verb, preposition) = if is_wanted { ("added", "to") } else { ("took", "out of") };
        let action = format!(
            "{verb} {} {preposition} the packages of {}",
            known.remote.slug,
            synchronization.workspace.title()
        );
        self.log_by(actor, Some(organization.id), action).await
    }
}
