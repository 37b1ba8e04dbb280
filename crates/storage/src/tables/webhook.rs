//! Webhooks that are installed at platforms.

use super::Row;
use crate::StorageError;
use sea_orm::entity::prelude::*;
use stave_domain::synchronization::InstalledWebhook;

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "webhook")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub synchronization_id: Uuid,
    /// The repository's; [`OF_WORKSPACE`] if it is the workspace's.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i64,
    pub external_id: String,
    pub installed_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// No repository has this number.
pub const OF_WORKSPACE: i64 = 0;

impl TryFrom<Model> for InstalledWebhook {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("webhook", format!("{}/{}", model.synchronization_id, model.number));
        let number = match model.number {
            OF_WORKSPACE => None,
            number => Some(row.number("number", number)?),
        };
        let installed_at = row.instant("installed_at", model.installed_at)?;
        Ok(Self { number, external_id: model.external_id, installed_at })
    }
}
