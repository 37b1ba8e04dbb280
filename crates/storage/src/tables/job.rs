//! Work that waits or is being done. What is done has no row.

use super::{Row, json_text};
use crate::StorageError;
use sea_orm::entity::prelude::*;
use stave_domain::job::{ClaimedJob, ListedJob, NewJob, PendingJob, Progress};

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
    /// It refers to nothing: a job whose organization is gone finds nothing to do.
    pub organization_id: Option<Uuid>,
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
    /// What it is doing; it and how far are there while it runs.
    pub phase: String,
    pub done: i64,
    pub total: i64,
    pub created_at: i64,
    /// 0 comes before 1.
    pub urgency: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&NewJob> for Model {
    fn from(new: &NewJob) -> Self {
        Self {
            id: new.id.into(),
            key: new.job.key(),
            organization_id: new.organization_id.map(Into::into),
            body: json_text(&new.job),
            state: WAITING.to_owned(),
            attempt: 0,
            run_at: new.run_at.as_millisecond(),
            worker: None,
            lease_until: None,
            last_error: None,
            phase: String::new(),
            done: 0,
            total: 0,
            created_at: new.created_at.as_millisecond(),
            urgency: new.urgency as i64,
        }
    }
}

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
            progress: Progress {
                phase: model.phase,
                done: row.number("done", model.done)?,
                total: row.number("total", model.total)?,
            },
        })
    }
}

impl TryFrom<Model> for ListedJob {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("job", model.id);
        Ok(Self {
            id: model.id.into(),
            job: row.json("body", &model.body)?,
            organization_id: model.organization_id.map(Into::into),
            created_at: row.instant("created_at", model.created_at)?,
            pending: model.try_into()?,
        })
    }
}
