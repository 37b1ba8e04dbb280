//! What organizations let Composer see and download; one that has no row has what counted before there were any.

use crate::{
    StorageError,
    tables::{Row, json_text},
};
use sea_orm::entity::prelude::*;
use stave_domain::{id::OrganizationId, security::SecuritySettings};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "security")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    /// JSON.
    pub settings: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<(OrganizationId, &SecuritySettings)> for Model {
    fn from((organization, settings): (OrganizationId, &SecuritySettings)) -> Self {
        Self { organization_id: organization.into(), settings: json_text(settings) }
    }
}

impl TryFrom<Model> for SecuritySettings {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        Row::of("security", model.organization_id).json("settings", &model.settings)
    }
}
