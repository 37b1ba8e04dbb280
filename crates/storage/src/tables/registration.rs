//! Registration forms that are open in a browser.

use super::{Row, hash_prefix};
use crate::StorageError;
use sea_orm::entity::prelude::*;
use stave_domain::{login::Registration, secret::Sealed};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "registration")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub browser_hash: Vec<u8>,
    pub integration_id: Uuid,
    pub sealed: Vec<u8>,
    pub return_to: String,
    pub created_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Registration> for Model {
    fn from(registration: &Registration) -> Self {
        Self {
            browser_hash: registration.browser_hash.0.to_vec(),
            integration_id: registration.integration_id.into(),
            sealed: registration.sealed.0.clone(),
            return_to: registration.return_to.clone(),
            created_at: registration.created_at.as_millisecond(),
        }
    }
}

impl TryFrom<Model> for Registration {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("registration", hash_prefix(&model.browser_hash));
        Ok(Self {
            browser_hash: row.hash("browser_hash", model.browser_hash)?,
            integration_id: model.integration_id.into(),
            sealed: Sealed(model.sealed),
            return_to: model.return_to,
            created_at: row.instant("created_at", model.created_at)?,
        })
    }
}
