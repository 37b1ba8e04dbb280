//! The beginning of a synchronization: a draft that only looks, until somebody starts it.

use super::{choice::ChosenWorkspace, form::SynchronizationForm};
use crate::{Actor, App, Failure, OrganizationForm, WorkspaceChoice, entropy};
use stave_domain::{
    id::SynchronizationId,
    job::Job,
    organization::Organization,
    synchronization::{RightsFrom, Selection, Stage, Synchronization},
};
use stave_storage::StorageError;

impl App {
    /// Begins to look what following a workspace would do.
    pub async fn synchronization_begin(
        &self,
        actor: &Actor,
        short_name: &str,
        choice: &WorkspaceChoice,
    ) -> Result<SynchronizationId, Failure> {
        let organization = self.organization_managed(actor, short_name).await?;
        let chosen = self.workspace_chosen(actor, Some(&organization), choice).await?;
        self.draft_insert(actor, &organization, chosen).await
    }

    /// Makes an organization, and begins to look what following this workspace would do for it.
    pub async fn organization_create_from(
        &self,
        actor: &Actor,
        form: &OrganizationForm,
        choice: &WorkspaceChoice,
    ) -> Result<(Organization, SynchronizationId), Failure> {
        let chosen = self.workspace_choose_new(actor, choice).await?;
        let organization = self.organization_create(actor, form).await?;
        let id = self.draft_insert(actor, &organization, chosen).await?;
        Ok((organization, id))
    }

    async fn draft_insert(
        &self,
        actor: &Actor,
        organization: &Organization,
        chosen: ChosenWorkspace,
    ) -> Result<SynchronizationId, Failure> {
        let ChosenWorkspace { integration, access, workspace } = chosen;
        let draft = Synchronization {
            id: entropy::id(),
            organization_id: organization.id,
            integration_id: integration.id,
            workspace,
            access,
            rights_from: RightsFrom::Everybody,
            is_primary: false,
            selection: Selection::All,
            has_webhooks: true,
            stage: Stage::Draft,
            numbers_used: 0,
            created_at: self.clock.now(),
        };
        self.storage.synchronization_insert(&draft).await.map_err(|error| match error {
            StorageError::Conflict => Failure::invalid(
                "workspace",
                format!(
                    "{} is followed already. Open it in the list of synchronizations.",
                    draft.workspace.title()
                ),
            ),
            other => other.into(),
        })?;
        self.job_enqueue(Job::Synchronize { synchronization: draft.id }, Some(organization.id)).await?;
        let action = format!("looks at {} of {} to follow it", draft.workspace.title(), integration.name);
        self.log_by(actor, Some(organization.id), action).await?;
        Ok(draft.id)
    }

    /// "Start synchronization": from now on it follows its workspace.
    pub async fn synchronization_start(
        &self,
        actor: &Actor,
        short_name: &str,
        id: SynchronizationId,
        form: &SynchronizationForm,
    ) -> Result<(), Failure> {
        let (organization, is_owned) = self.organization_settings(actor, short_name).await?;
        let primary = self.synchronization_primary(organization.id).await?;
        let becomes_primary = is_owned && (primary.is_none() || form.is_primary.is_some());
        let txn = self.people_change().await?;
        let draft = txn.synchronization_lock(id).await?;
        let draft = draft.filter(|it| it.organization_id == organization.id);
        let draft = draft.ok_or(Failure::NotFound("synchronization"))?;
        if draft.stage == Stage::Active {
            return Err(Failure::Conflict("It was started already. Reload the page.".into()));
        }
        if txn.synchronization_preview(id).await?.is_none() {
            return Err(Failure::Conflict(
                "Nobody knows yet what it would do. Wait until the workspace is read.".into(),
            ));
        }
        let active = Synchronization { stage: Stage::Active, ..form.applied(&draft)? };
        txn.synchronization_update(&active).await?;
        if becomes_primary {
            txn.synchronization_promote(organization.id, id).await?;
        }
        self.job_enqueue_in(&txn, Job::Synchronize { synchronization: id }, Some(organization.id)).await?;
        txn.commit().await?;
        self.job_bell.notify_one();
        let rank = if becomes_primary { " as the primary one" } else { "" };
        let action = format!("started the synchronization with {}{rank}", active.workspace.title());
        self.log_by(actor, Some(organization.id), action).await
    }
}
