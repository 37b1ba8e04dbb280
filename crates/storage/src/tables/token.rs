//! Secrets with which clients act on Stave, as hashes.

use super::Row;
use crate::StorageError;
use sea_orm::entity::prelude::*;
use stave_domain::{
    Timestamp,
    token::{Token, TokenAccess, TokenOwner},
};
use std::sync::Arc;

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "token")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Either this is there ..
    pub user_id: Option<Uuid>,
    /// .. or this.
    pub organization_id: Option<Uuid>,
    pub access: String,
    pub description: String,
    pub secret_hash: Vec<u8>,
    pub created_at: i64,
    pub expires_at: Option<i64>,
    pub used_at: Option<i64>,
    /// One name or pattern per line.
    pub selection: Option<String>,
    /// One range per line.
    pub addresses: String,
    pub used_from: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Token> for Model {
    fn from(token: &Token) -> Self {
        let (user_id, organization_id) = match token.owner {
            TokenOwner::User(id) => (Some(id.into()), None),
            TokenOwner::Organization(id) => (None, Some(id.into())),
        };
        Self {
            id: token.id.into(),
            user_id,
            organization_id,
            access: token.access.key().to_owned(),
            description: token.description.clone(),
            secret_hash: token.secret_hash.0.to_vec(),
            created_at: token.created_at.as_millisecond(),
            expires_at: token.expires_at.map(Timestamp::as_millisecond),
            used_at: token.used_at.map(Timestamp::as_millisecond),
            selection: token.selection.as_ref().map(ToString::to_string),
            addresses: token.addresses.to_string(),
            used_from: token.used_from.map(|address| address.to_string()),
        }
    }
}

impl TryFrom<Model> for Token {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("token", model.id);
        let owner = match (model.user_id, model.organization_id) {
            (Some(id), None) => TokenOwner::User(id.into()),
            (None, Some(id)) => TokenOwner::Organization(id.into()),
            _ => return Err(row.corrupt("user_id")),
        };
        Ok(Self {
            id: model.id.into(),
            owner,
            access: row.parse::<TokenAccess>("access", &model.access)?,
            description: model.description,
            secret_hash: row.hash("secret_hash", model.secret_hash)?,
            created_at: row.instant("created_at", model.created_at)?,
            expires_at: row.instant_or_null("expires_at", model.expires_at)?,
            selection: row.parse_or_null("selection", model.selection)?.map(Arc::new),
            addresses: row.parse("addresses", &model.addresses)?,
            used_at: row.instant_or_null("used_at", model.used_at)?,
            used_from: row.parse_or_null("used_from", model.used_from)?,
        })
    }
}
