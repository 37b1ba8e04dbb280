//! Work that waits or is being done. What is done has no row.

use super::Row;
use crate::StorageError;
use sea_orm::entity::prelude::*;
use stave_domain::job::{ClaimedJob, PendingJob};

/// Nobody has it. At most one row per key.
pub const WAITING: &str = "waiting";
/// A runner has it until its lease ends. At most one row per key.
pub const RUNNING: &str = "running";

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "job")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub key: String,
    /// The job as JSON.
    pub body: String,
    /// [`WAITING`] or [`RUNNING`].
    pub state: String,
    /// Tries so far, the current one included.
    pub attempt: i64,
    pub run_at: i64,
    /// Who has it; there while it runs.
    pub worker: Option<String>,
    /// Until when; there while it runs.
    pub lease_until: Option<i64>,
    pub last_error: Option<String>,
    pub created_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<Model> for ClaimedJob {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("job", model.id);
        Ok(Self {
            id: model.id.into(),
            job: row.json("body", &model.body)?,
            attempt: row.number("attempt", model.attempt)?,
        })
    }
}

impl TryFrom<Model> for PendingJob {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("job", model.id);
        Ok(Self {
            is_running: model.state == RUNNING,
            run_at: row.instant("run_at", model.run_at)?,
            attempt: row.number("attempt", model.attempt)?,
            last_error: model.last_error,
        })
    }
}
