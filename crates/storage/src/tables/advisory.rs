//! Security advisories.

use super::{Row, json_text};
use crate::StorageError;
use sea_orm::entity::prelude::*;
use stave_domain::advisory::{Advisory, StoredAdvisory};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "advisory")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub package: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub advisory_id: String,
    /// Of an organization's own there is none.
    pub mirror_id: Option<Uuid>,
    pub affected: String,
    /// JSON.
    pub report: Option<String>,
    pub updated_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&StoredAdvisory> for Model {
    fn from(stored: &StoredAdvisory) -> Self {
        let advisory = &stored.advisory;
        Self {
            organization_id: stored.organization_id.into(),
            package: advisory.package.to_string(),
            advisory_id: advisory.id.clone(),
            mirror_id: stored.mirror_id.map(Into::into),
            affected: advisory.affected.to_string(),
            report: advisory.report.as_ref().map(json_text),
            updated_at: stored.updated_at.as_millisecond(),
        }
    }
}

impl TryFrom<Model> for StoredAdvisory {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("advisory", format!("{} {}", model.organization_id, model.advisory_id));
        Ok(Self {
            organization_id: model.organization_id.into(),
            mirror_id: model.mirror_id.map(Into::into),
            advisory: Advisory {
                id: model.advisory_id,
                package: row.parse("package", &model.package)?,
                affected: row.parse("affected", &model.affected)?,
                report: model.report.map(|text| row.json("report", &text)).transpose()?,
            },
            updated_at: row.instant("updated_at", model.updated_at)?,
        })
    }
}
