//! Packages that people type as JSON.

use crate::StorageError;
use sea_orm::entity::prelude::*;
use stave_domain::package::definition::Typed;

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "package_definition")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub package_id: Uuid,
    pub credential_id: Option<Uuid>,
    pub text: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Typed> for Model {
    fn from(typed: &Typed) -> Self {
        Self {
            package_id: typed.package_id.into(),
            credential_id: typed.credential_id.map(Into::into),
            text: typed.text.clone(),
        }
    }
}

impl TryFrom<Model> for Typed {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        Ok(Self {
            package_id: model.package_id.into(),
            credential_id: model.credential_id.map(Into::into),
            text: model.text,
        })
    }
}
