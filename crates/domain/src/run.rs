//! One pass over a repository: its progress while it lasts, its log afterwards.

use crate::{
    Timestamp,
    id::{RepositoryId, RunId},
};

/// How a run stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunState {
    /// It is going on.
    Running {
        /// What it is doing, such as "Fetching".
        phase: String,
        /// Steps done.
        done: u32,
        /// Steps in all; 0 while nobody knows.
        total: u32,
    },
    /// It went through.
    Done {
        /// When.
        at: Timestamp,
        /// Versions that were added, changed or removed.
        changes: u32,
    },
    /// It did not.
    Failed {
        /// When.
        at: Timestamp,
        /// A sentence: what failed, why, what to do.
        because: String,
    },
}

/// How much a line of a run's log matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunLevel {
    /// As it should be.
    Info,
    /// Something was left out, the rest is served.
    Skipped,
    /// Something is wrong.
    Error,
}

/// One line of a run's log.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RunLine {
    /// How much it matters.
    pub level: RunLevel,
    /// Which package of several it is about: its folder; empty is the one at the root, or all of them.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// What it is about: a tag or branch, or empty.
    pub subject: String,
    /// What happened, such as "skipped, composer.json names acme/other".
    pub message: String,
}

/// One pass over a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Immutable.
    pub id: RunId,
    /// Which repository.
    pub repository_id: RepositoryId,
    /// When it began.
    pub started_at: Timestamp,
    /// How it stands.
    pub state: RunState,
    /// What happened, in order.
    pub lines: Vec<RunLine>,
}
