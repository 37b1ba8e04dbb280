//! Installs of versions, by day.

use sea_orm::entity::prelude::*;
use stave_domain::install::InstallCount;

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "install")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub package_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub day: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: String,
    pub count: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&InstallCount> for Model {
    fn from(install: &InstallCount) -> Self {
        Self {
            package_id: install.package_id.into(),
            day: install.day.0.into(),
            version: install.version.clone(),
            count: i64::try_from(install.count).unwrap_or(i64::MAX),
        }
    }
}
