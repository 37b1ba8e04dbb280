//! Trips to a platform that are not over yet.

use super::{Row, hash_prefix, json_text};
use crate::StorageError;
use sea_orm::entity::prelude::*;
use stave_domain::{login::Attempt, secret::Sealed};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "attempt")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub state_hash: Vec<u8>,
    pub browser_hash: Vec<u8>,
    pub integration_id: Uuid,
    pub client_id: String,
    /// Sealed.
    pub kept: Vec<u8>,
    /// JSON.
    pub purpose: String,
    pub return_to: String,
    pub created_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Attempt> for Model {
    fn from(attempt: &Attempt) -> Self {
        Self {
            state_hash: attempt.state_hash.0.to_vec(),
            browser_hash: attempt.browser_hash.0.to_vec(),
            integration_id: attempt.integration_id.into(),
            client_id: attempt.client_id.clone(),
            kept: attempt.kept.0.clone(),
            purpose: json_text(&attempt.purpose),
            return_to: attempt.return_to.clone(),
            created_at: attempt.created_at.as_millisecond(),
        }
    }
}

impl TryFrom<Model> for Attempt {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("attempt", hash_prefix(&model.state_hash));
        Ok(Self {
            state_hash: row.hash("state_hash", model.state_hash)?,
            browser_hash: row.hash("browser_hash", model.browser_hash)?,
            integration_id: model.integration_id.into(),
            client_id: model.client_id,
            kept: Sealed(model.kept),
            purpose: row.json("purpose", &model.purpose)?,
            return_to: model.return_to,
            created_at: row.instant("created_at", model.created_at)?,
        })
    }
}
