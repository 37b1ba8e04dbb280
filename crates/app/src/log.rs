//! The Log: every change that somebody made, or Stave by itself.

use crate::{Actor, App, Failure, Level, entropy};
use futures::{StreamExt as _, TryStreamExt as _, stream::BoxStream};
use stave_domain::{
    id::{LogEntryId, OrganizationId, UserId},
    log::{LogEntry, LogFilter},
    organization::Organization,
};

/// Lines on one page of the Log.
const PAGE: u64 = 100;

/// A page of the Log.
#[derive(Debug)]
pub struct LogPage {
    /// Whose Log; `None` is that of the Admin section.
    pub organization: Option<Organization>,
    /// Newest first.
    pub entries: Vec<LogEntry>,
    /// Whether older ones follow.
    pub has_more: bool,
}

impl App {
    /// Writes a line: `action` is a sentence without its subject, such as "created the integration Bitbucket".
    pub(crate) async fn log_by(
        &self,
        actor: &Actor,
        organization: Option<OrganizationId>,
        action: impl Into<String>,
    ) -> Result<(), Failure> {
        let user = actor.user.as_ref().map(|user| user.id);
        self.log((&actor.name(), user), organization, &actor.address, action).await
    }

    /// Writes a line about somebody who is not the actor yet: `who` is the name and the user, `address` where they are.
    pub(crate) async fn log(
        &self,
        (actor, user_id): (&str, Option<UserId>),
        organization_id: Option<OrganizationId>,
        address: &str,
        action: impl Into<String>,
    ) -> Result<(), Failure> {
        let entry = LogEntry {
            id: entropy::id(),
            organization_id,
            user_id,
            actor: actor.to_owned(),
            action: action.into(),
            address: address.to_owned(),
            created_at: self.clock.now(),
        };
        Ok(self.storage.log_insert(&entry).await?)
    }

    /// Writes a line about what nobody asked for at that moment.
    pub(crate) async fn log_by_itself(
        &self,
        organization: Option<OrganizationId>,
        action: impl Into<String>,
    ) -> Result<(), Failure> {
        self.log(("Stave", None), organization, "", action).await
    }

    /// The Log of a level, newest first, from before a line; for those who manage the level.
    pub async fn log_list(
        &self,
        actor: &Actor,
        level: &Level,
        filter: &LogFilter,
        before: Option<LogEntryId>,
    ) -> Result<LogPage, Failure> {
        let organization = self.log_owner(actor, level).await?;
        let of = organization.as_ref().map(|organization| organization.id);
        let mut entries = self.storage.log_list(of, filter, before, PAGE + 1).await?;
        let has_more = entries.len() as u64 > PAGE;
        entries.truncate(usize::try_from(PAGE).unwrap_or(usize::MAX));
        Ok(LogPage { organization, entries, has_more })
    }

    /// The whole Log of a level, newest first, some lines at a time: never all of it is held at once.
    pub async fn log_export(
        &self,
        actor: &Actor,
        level: &Level,
        filter: LogFilter,
    ) -> Result<BoxStream<'static, Result<Vec<LogEntry>, Failure>>, Failure> {
        let of = self.log_owner(actor, level).await?.map(|organization| organization.id);
        Ok(self.storage.log_each(of, filter).map_err(Failure::from).boxed())
    }

    /// Whose Log a level has, `None` for the installation; or why the actor may not see it.
    pub async fn log_owner(&self, actor: &Actor, level: &Level) -> Result<Option<Organization>, Failure> {
        match level {
            Level::Installation => actor.admin().map(|()| None),
            Level::Organization(short_name) => self.organization_managed(actor, short_name).await.map(Some),
        }
    }
}
