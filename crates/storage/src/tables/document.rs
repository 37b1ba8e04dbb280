//! Published documents: the finished bytes of `p2/<name>.json` and `p2/<name>~dev.json`.

use super::Row;
use crate::StorageError;
use sea_orm::entity::prelude::*;
use stave_domain::package::Document;

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "document")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub is_dev: bool,
    pub package_id: Uuid,
    pub modified_at: i64,
    pub body_gzip: Vec<u8>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Document> for Model {
    fn from(document: &Document) -> Self {
        Self {
            organization_id: document.organization_id.into(),
            name: document.name.to_string(),
            is_dev: document.is_dev,
            package_id: document.package_id.into(),
            modified_at: document.modified_at.as_millisecond(),
            body_gzip: document.body_gzip.clone(),
        }
    }
}

impl TryFrom<Model> for Document {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("document", format!("{}/{}", model.organization_id, model.name));
        Ok(Self {
            organization_id: model.organization_id.into(),
            package_id: model.package_id.into(),
            name: row.parse("name", &model.name)?,
            is_dev: model.is_dev,
            body_gzip: model.body_gzip,
            modified_at: row.instant("modified_at", model.modified_at)?,
        })
    }
}
