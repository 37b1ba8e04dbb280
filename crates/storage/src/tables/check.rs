//! The latest check of each integration's connection.

use super::{Row, json_text};
use crate::StorageError;
use sea_orm::entity::prelude::*;
use stave_domain::check::Check;

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "integration_check")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub integration_id: Uuid,
    /// JSON.
    pub steps: String,
    pub is_away: bool,
    pub started_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Check> for Model {
    fn from(check: &Check) -> Self {
        Self {
            integration_id: check.integration_id.into(),
            steps: json_text(&check.steps),
            is_away: check.is_away,
            started_at: check.started_at.as_millisecond(),
        }
    }
}

impl TryFrom<Model> for Check {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("integration_check", model.integration_id);
        Ok(Self {
            integration_id: model.integration_id.into(),
            steps: row.json("steps", &model.steps)?,
            is_away: model.is_away,
            started_at: row.instant("started_at", model.started_at)?,
        })
    }
}
