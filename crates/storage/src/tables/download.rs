//! Downloads of dists.

use super::Row;
use crate::StorageError;
use sea_orm::entity::prelude::*;
use stave_domain::install::DownloadCount;

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "download")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub package_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub commit: String,
    pub count: i64,
    pub used_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&DownloadCount> for Model {
    fn from(download: &DownloadCount) -> Self {
        Self {
            package_id: download.package_id.into(),
            commit: download.commit.clone(),
            count: i64::try_from(download.count).unwrap_or(i64::MAX),
            used_at: download.used_at.as_millisecond(),
        }
    }
}

impl TryFrom<Model> for DownloadCount {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("download", format!("{}/{}", model.package_id, model.commit));
        Ok(Self {
            package_id: model.package_id.into(),
            commit: model.commit,
            count: row.number("count", model.count)?,
            used_at: row.instant("used_at", model.used_at)?,
        })
    }
}
