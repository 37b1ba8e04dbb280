//! The Log: who changed what, when.

use crate::{
    Timestamp,
    id::{LogEntryId, OrganizationId, UserId},
};

/// One line of the Log. It is a record, not a reference: what it names may be gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// Immutable.
    pub id: LogEntryId,
    /// Where it happened; `None` is the Admin section.
    pub organization_id: Option<OrganizationId>,
    /// Who did it; `None` is whoever held the setup link, or Stave itself.
    pub user_id: Option<UserId>,
    /// Their name at that time.
    pub actor: String,
    /// What was done, as a sentence without its subject: "created the integration Bitbucket".
    pub action: String,
    /// From which address; empty if Stave did it by itself.
    pub address: String,
    /// When.
    pub created_at: Timestamp,
}

/// Which lines of the Log somebody wants to see. What is empty does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogFilter {
    /// A part of the name of who did it.
    pub actor: String,
    /// A part of what was done.
    pub action: String,
    /// From this instant on.
    pub from: Option<Timestamp>,
    /// Before this instant.
    pub until: Option<Timestamp>,
}
