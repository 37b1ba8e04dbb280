//! Browsers that are signed in.

use super::Row;
use crate::StorageError;
use sea_orm::entity::prelude::*;
use stave_domain::login::Login;

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "login")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    pub secret_hash: Vec<u8>,
    pub method: String,
    pub integration_id: Option<Uuid>,
    pub proven_id: Option<Uuid>,
    pub user_agent: String,
    pub address: String,
    pub created_at: i64,
    pub seen_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Login> for Model {
    fn from(login: &Login) -> Self {
        Self {
            id: login.id.into(),
            user_id: login.user_id.into(),
            secret_hash: login.secret_hash.0.to_vec(),
            method: login.method.clone(),
            integration_id: login.integration_id.map(Into::into),
            proven_id: login.proven_id.map(Into::into),
            user_agent: login.user_agent.clone(),
            address: login.address.clone(),
            created_at: login.created_at.as_millisecond(),
            seen_at: login.seen_at.as_millisecond(),
        }
    }
}

impl TryFrom<Model> for Login {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("login", model.id);
        Ok(Self {
            id: model.id.into(),
            user_id: model.user_id.into(),
            secret_hash: row.hash("secret_hash", model.secret_hash)?,
            method: model.method,
            integration_id: model.integration_id.map(Into::into),
            proven_id: model.proven_id.map(Into::into),
            user_agent: model.user_agent,
            address: model.address,
            created_at: row.instant("created_at", model.created_at)?,
            seen_at: row.instant("seen_at", model.seen_at)?,
        })
    }
}
