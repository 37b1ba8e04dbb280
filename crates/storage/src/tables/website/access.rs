//! Access tokens of websites' clients, as hashes.

use crate::{
    StorageError,
    tables::{Row, hash_prefix},
};
use sea_orm::entity::prelude::*;
use stave_domain::website::AccessToken;

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "website_access")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: Vec<u8>,
    pub grant_id: Uuid,
    pub website_id: Uuid,
    /// With spaces between them.
    pub scopes: String,
    pub expires_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(belongs_to = "super::grant::Entity", from = "Column::GrantId", to = "super::grant::Column::Id")]
    Grant,
}

impl Related<super::grant::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Grant.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

impl From<&AccessToken> for Model {
    fn from(token: &AccessToken) -> Self {
        Self {
            hash: token.hash.0.to_vec(),
            grant_id: token.grant_id.into(),
            website_id: token.website_id.into(),
            scopes: token.scopes.to_string(),
            expires_at: token.expires_at.as_millisecond(),
        }
    }
}

impl TryFrom<Model> for AccessToken {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("website_access", hash_prefix(&model.hash));
        Ok(Self {
            hash: row.hash("hash", model.hash)?,
            grant_id: model.grant_id.into(),
            website_id: model.website_id.into(),
            scopes: row.parse("scopes", &model.scopes)?,
            expires_at: row.instant("expires_at", model.expires_at)?,
        })
    }
}
