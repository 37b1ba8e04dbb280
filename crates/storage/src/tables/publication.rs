//! When a commit was first published under a version. Rows stay when the version moves on or goes.

use super::{
    Row,
    version::{archive, archive_text},
};
use crate::StorageError;
use sea_orm::entity::prelude::*;
use stave_domain::{id::PackageId, version::Publication};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "publication")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub package_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub commit: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub normalized: String,
    /// What [`archive_text`] says.
    pub archive: String,
    pub published_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    pub fn new(package_id: PackageId, publication: &Publication) -> Self {
        Self {
            package_id: package_id.into(),
            commit: publication.commit.clone(),
            normalized: publication.normalized.clone(),
            archive: archive_text(&publication.archive),
            published_at: publication.published_at.as_millisecond(),
        }
    }
}

impl TryFrom<Model> for Publication {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("publication", format!("{}/{}", model.package_id, model.commit));
        Ok(Self {
            normalized: model.normalized,
            archive: archive(&row, &model.archive)?,
            commit: model.commit,
            published_at: row.instant("published_at", model.published_at)?,
        })
    }
}
