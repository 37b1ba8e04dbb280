//! Passes over repositories.

use super::{Row, json_text};
use crate::StorageError;
use sea_orm::entity::prelude::*;
use stave_domain::run::{Run, RunState};

/// It is going on: `phase`, `done` and `total` count.
pub const RUNNING: &str = "running";
/// It went through: `ended_at` and `changes` count.
pub const DONE: &str = "done";
/// It did not: `ended_at` and `because` count.
pub const FAILED: &str = "failed";

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "run")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub repository_id: Uuid,
    pub started_at: i64,
    /// [`RUNNING`], [`DONE`] or [`FAILED`].
    pub state: String,
    pub phase: String,
    pub done: i64,
    pub total: i64,
    pub ended_at: Option<i64>,
    pub changes: i64,
    pub because: String,
    /// JSON.
    pub lines: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Run> for Model {
    fn from(run: &Run) -> Self {
        let new = Self {
            id: run.id.into(),
            repository_id: run.repository_id.into(),
            started_at: run.started_at.as_millisecond(),
            state: RUNNING.to_owned(),
            phase: String::new(),
            done: 0,
            total: 0,
            ended_at: None,
            changes: 0,
            because: String::new(),
            lines: json_text(&run.lines),
        };
        match &run.state {
            RunState::Running { phase, done, total } => {
                Self { phase: phase.clone(), done: (*done).into(), total: (*total).into(), ..new }
            }
            RunState::Done { at, changes } => Self {
                state: DONE.to_owned(),
                ended_at: Some(at.as_millisecond()),
                changes: (*changes).into(),
                ..new
            },
            RunState::Failed { at, because } => Self {
                state: FAILED.to_owned(),
                ended_at: Some(at.as_millisecond()),
                because: because.clone(),
                ..new
            },
        }
    }
}

impl TryFrom<Model> for Run {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("run", model.id);
        let ended_at = row.instant_or_null("ended_at", model.ended_at)?;
        let state = match (model.state.as_str(), ended_at) {
            (RUNNING, _) => RunState::Running {
                phase: model.phase,
                done: row.number("done", model.done)?,
                total: row.number("total", model.total)?,
            },
            (DONE, Some(at)) => RunState::Done { at, changes: row.number("changes", model.changes)? },
            (FAILED, Some(at)) => RunState::Failed { at, because: model.because },
            _ => return Err(row.corrupt("state")),
        };
        Ok(Self {
            id: model.id.into(),
            repository_id: model.repository_id.into(),
            started_at: row.instant("started_at", model.started_at)?,
            state,
            lines: row.json("lines", &model.lines)?,
        })
    }
}
