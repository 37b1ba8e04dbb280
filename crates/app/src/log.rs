//! The Log: every change that an admin or owner makes.

use crate::{Actor, App, Failure, entropy};
use stave_domain::{
    id::{LogEntryId, OrganizationId, UserId},
    log::LogEntry,
    organization::Organization,
};

/// Lines on one page of the Log.
const PAGE: u64 = 100;

impl App {
    /// Writes a line: `action` is a sentence without its subject, such as "created the integration Bitbucket".
    pub(crate) async fn log_by(
        &self,
        actor: &Actor,
        organization: Option<OrganizationId>,
        action: impl Into<String>,
    ) -> Result<(), Failure> {
        self.log(&actor.name(), actor.user.as_ref().map(|user| user.id), organization, action).await
    }

    pub(crate) async fn log(
        &self,
        actor: &str,
        user_id: Option<UserId>,
        organization_id: Option<OrganizationId>,
        action: impl Into<String>,
    ) -> Result<(), Failure> {
        let entry = LogEntry {
            id: entropy::id(),
            organization_id,
            user_id,
            actor: actor.to_owned(),
            action: action.into(),
            created_at: self.clock.now(),
        };
        Ok(self.storage.log_insert(&entry).await?)
    }

    /// The installation's Log, newest first, from before a line; for admins. The second value says whether more follow.
    pub async fn log_list(
        &self,
        actor: &Actor,
        before: Option<LogEntryId>,
    ) -> Result<(Vec<LogEntry>, bool), Failure> {
        actor.admin()?;
        self.log_page(None, before).await
    }

    /// An organization's Log, newest first, from before a line; for its owners. The last value says whether more follow.
    pub async fn organization_log_list(
        &self,
        actor: &Actor,
        short_name: &str,
        before: Option<LogEntryId>,
    ) -> Result<(Organization, Vec<LogEntry>, bool), Failure> {
        let organization = self.organization_owned(actor, short_name).await?;
        let (entries, more) = self.log_page(Some(organization.id), before).await?;
        Ok((organization, entries, more))
    }

    async fn log_page(
        &self,
        organization: Option<OrganizationId>,
        before: Option<LogEntryId>,
    ) -> Result<(Vec<LogEntry>, bool), Failure> {
        let mut entries = self.storage.log_list(organization, before, PAGE + 1).await?;
        let more = entries.len() as u64 > PAGE;
        entries.truncate(usize::try_from(PAGE).unwrap_or(usize::MAX));
        Ok((entries, more))
    }
}
