//! Visitors of pages behind a proxy on the way to the login form and back.

use crate::{
    StorageError,
    tables::{Row, hash_prefix},
};
use sea_orm::entity::prelude::*;
use stave_domain::website::Visit;

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "website_visit")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub state_hash: Vec<u8>,
    pub secret_hash: Vec<u8>,
    pub website_id: Uuid,
    pub origin: String,
    pub return_to: String,
    pub created_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Visit> for Model {
    fn from(visit: &Visit) -> Self {
        Self {
            state_hash: visit.state_hash.0.to_vec(),
            secret_hash: visit.secret_hash.0.to_vec(),
            website_id: visit.website_id.into(),
            origin: visit.origin.to_string(),
            return_to: visit.return_to.clone(),
            created_at: visit.created_at.as_millisecond(),
        }
    }
}

impl TryFrom<Model> for Visit {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("website_visit", hash_prefix(&model.state_hash));
        Ok(Self {
            state_hash: row.hash("state_hash", model.state_hash)?,
            secret_hash: row.hash("secret_hash", model.secret_hash)?,
            website_id: model.website_id.into(),
            origin: row.parse("origin", &model.origin)?,
            return_to: model.return_to,
            created_at: row.instant("created_at", model.created_at)?,
        })
    }
}
