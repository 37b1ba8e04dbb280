//! The same browsers at the origins of websites behind proxies.

use crate::{
    StorageError,
    tables::{Row, hash_prefix},
};
use sea_orm::entity::prelude::*;
use stave_domain::website::Pass;

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "website_pass")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub secret_hash: Vec<u8>,
    pub login_id: Uuid,
    pub website_id: Uuid,
    pub origin: String,
    pub created_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(belongs_to = "super::login::Entity", from = "Column::LoginId", to = "super::login::Column::Id")]
    Login,
}

impl Related<super::login::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Login.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Pass> for Model {
    fn from(pass: &Pass) -> Self {
        Self {
            secret_hash: pass.secret_hash.0.to_vec(),
            login_id: pass.login_id.into(),
            website_id: pass.website_id.into(),
            origin: pass.origin.to_string(),
            created_at: pass.created_at.as_millisecond(),
        }
    }
}

impl TryFrom<Model> for Pass {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("website_pass", hash_prefix(&model.secret_hash));
        Ok(Self {
            secret_hash: row.hash("secret_hash", model.secret_hash)?,
            login_id: model.login_id.into(),
            website_id: model.website_id.into(),
            origin: row.parse("origin", &model.origin)?,
            created_at: row.instant("created_at", model.created_at)?,
        })
    }
}
