//! Deliveries of webhooks: rings of a bell. Nothing is read from one but who rang.

use crate::{Timestamp, id::SynchronizationId};

/// What was understood from a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The platform's id of the delivery; it is the same when the delivery is doubled.
    pub delivery_id: Option<String>,
    /// The platform's word for what happened: `repo:push`.
    pub event: String,
    /// Which repository, by the platform's immutable id.
    pub repository: Option<String>,
    /// What it is about.
    pub kind: NoticeKind,
}

/// What a delivery is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeKind {
    /// Somebody pushed: one repository has to be read.
    Push,
    /// A repository came, went or has another name: the workspace has to be read.
    Workspace,
    /// Somebody tries whether the bell is heard.
    Ping,
    /// Something that Stave does not follow.
    Other,
}

/// A delivery that came, and what it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Whose bell.
    pub synchronization_id: SynchronizationId,
    /// The platform's id of it.
    pub delivery_id: String,
    /// The platform's word for what happened.
    pub event: String,
    /// What came of it, such as "acme/mailer is read".
    pub effect: String,
    /// When.
    pub received_at: Timestamp,
}

/// How many deliveries of a synchronization are remembered, to tell doubled ones and to show them.
pub const DELIVERIES_KEPT: u64 = 2_000;
