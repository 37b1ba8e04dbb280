//! Keys with which the tokens of websites are signed.

use crate::{StorageError, tables::Row};
use sea_orm::entity::prelude::*;
use stave_domain::{secret::Sealed, website::SigningKey};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "website_key")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub website_id: Uuid,
    /// Sealed.
    pub private_key: Vec<u8>,
    pub modulus: String,
    pub exponent: String,
    pub created_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&SigningKey> for Model {
    fn from(key: &SigningKey) -> Self {
        Self {
            id: key.id.clone(),
            website_id: key.website_id.into(),
            private_key: key.private_key.0.clone(),
            modulus: key.modulus.clone(),
            exponent: key.exponent.clone(),
            created_at: key.created_at.as_millisecond(),
        }
    }
}

impl TryFrom<Model> for SigningKey {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("website_key", &model.id);
        Ok(Self {
            created_at: row.instant("created_at", model.created_at)?,
            id: model.id,
            website_id: model.website_id.into(),
            private_key: Sealed(model.private_key),
            modulus: model.modulus,
            exponent: model.exponent,
        })
    }
}
