//! Archives of commits, and where their bytes are.

use super::Row;
use crate::StorageError;
use sea_orm::entity::prelude::*;
use stave_domain::{Timestamp, version::Dist};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "dist")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub package_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub commit: String,
    pub digest: String,
    pub shasum: String,
    pub size_bytes: i64,
    /// NULL of those from before this was kept.
    pub created_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Dist> for Model {
    fn from(dist: &Dist) -> Self {
        Self {
            package_id: dist.package_id.into(),
            commit: dist.commit.clone(),
            digest: dist.digest.clone(),
            shasum: dist.shasum.clone(),
            size_bytes: i64::try_from(dist.size_bytes).unwrap_or(i64::MAX),
            created_at: dist.created_at.map(Timestamp::as_millisecond),
        }
    }
}

impl TryFrom<Model> for Dist {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("dist", format!("{}/{}", model.package_id, model.commit));
        Ok(Self {
            package_id: model.package_id.into(),
            commit: model.commit,
            digest: model.digest,
            shasum: model.shasum,
            size_bytes: row.number("size_bytes", model.size_bytes)?,
            created_at: row.instant_or_null("created_at", model.created_at)?,
        })
    }
}
