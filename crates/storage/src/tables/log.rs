//! The Log. It refers to nothing: what a line names may be gone, the line stays.

use super::{Row, search_text};
use crate::StorageError;
use sea_orm::entity::prelude::*;
use stave_domain::log::LogEntry;

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "log")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub organization_id: Option<Uuid>,
    pub user_id: Option<Uuid>,
    pub actor: String,
    pub action: String,
    pub address: String,
    pub actor_search: String,
    pub action_search: String,
    pub created_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&LogEntry> for Model {
    fn from(entry: &LogEntry) -> Self {
        Self {
            id: entry.id.into(),
            organization_id: entry.organization_id.map(Into::into),
            user_id: entry.user_id.map(Into::into),
            actor: entry.actor.clone(),
            action: entry.action.clone(),
            address: entry.address.clone(),
            actor_search: search_text(&[&entry.actor]),
            action_search: search_text(&[&entry.action]),
            created_at: entry.created_at.as_millisecond(),
        }
    }
}

impl TryFrom<Model> for LogEntry {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("log", model.id);
        Ok(Self {
            id: model.id.into(),
            organization_id: model.organization_id.map(Into::into),
            user_id: model.user_id.map(Into::into),
            actor: model.actor,
            action: model.action,
            address: model.address,
            created_at: row.instant("created_at", model.created_at)?,
        })
    }
}
