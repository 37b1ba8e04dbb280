//! Stored secrets with which Stave reads repositories elsewhere.

use super::Row;
use crate::StorageError;
use sea_orm::entity::prelude::*;
use stave_domain::{credential::StoredCredential, secret::Sealed};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "credential")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub organization_id: Uuid,
    pub description: String,
    pub host: String,
    pub username: String,
    pub secret: Vec<u8>,
    pub created_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&StoredCredential> for Model {
    fn from(credential: &StoredCredential) -> Self {
        Self {
            id: credential.id.into(),
            organization_id: credential.organization_id.into(),
            description: credential.description.clone(),
            host: credential.host.clone(),
            username: credential.username.clone(),
            secret: credential.secret.0.clone(),
            created_at: credential.created_at.as_millisecond(),
        }
    }
}

impl TryFrom<Model> for StoredCredential {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("credential", model.id);
        Ok(Self {
            id: model.id.into(),
            organization_id: model.organization_id.into(),
            description: model.description,
            host: model.host,
            username: model.username,
            secret: Sealed(model.secret),
            created_at: row.instant("created_at", model.created_at)?,
        })
    }
}
