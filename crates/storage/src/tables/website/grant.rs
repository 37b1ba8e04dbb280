//! What members let clients do.

use crate::{StorageError, tables::Row};
use sea_orm::entity::prelude::*;
use stave_domain::{Timestamp, website::Grant};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "website_grant")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub website_id: Uuid,
    pub client_id: Uuid,
    pub member_id: Uuid,
    pub login_id: Uuid,
    /// With spaces between them.
    pub scopes: String,
    pub nonce: Option<String>,
    pub redirect_uri: String,
    pub challenge: Option<String>,
    pub authenticated_at: i64,
    pub code_hash: Vec<u8>,
    pub created_at: i64,
    pub redeemed_at: Option<i64>,
    pub refresh_hash: Option<Vec<u8>>,
    pub refresh_before_hash: Option<Vec<u8>>,
    pub refresh_count: i64,
    pub refreshed_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::member::Entity",
        from = "Column::MemberId",
        to = "super::member::Column::Id"
    )]
    Member,
}

impl Related<super::member::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Member.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Grant> for Model {
    fn from(grant: &Grant) -> Self {
        Self {
            id: grant.id.into(),
            website_id: grant.website_id.into(),
            client_id: grant.client_id.into(),
            member_id: grant.member_id.into(),
            login_id: grant.login_id.into(),
            scopes: grant.scopes.to_string(),
            nonce: grant.nonce.clone(),
            redirect_uri: grant.redirect_uri.to_string(),
            challenge: grant.challenge.clone(),
            authenticated_at: grant.authenticated_at.as_millisecond(),
            code_hash: grant.code_hash.0.to_vec(),
            created_at: grant.created_at.as_millisecond(),
            redeemed_at: grant.redeemed_at.map(Timestamp::as_millisecond),
            refresh_hash: grant.refresh_hash.map(|hash| hash.0.to_vec()),
            refresh_before_hash: grant.refresh_before_hash.map(|hash| hash.0.to_vec()),
            refresh_count: grant.refresh_count.into(),
            refreshed_at: grant.refreshed_at.map(Timestamp::as_millisecond),
        }
    }
}

impl TryFrom<Model> for Grant {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("website_grant", model.id);
        let hash = |column, bytes: Option<Vec<u8>>| bytes.map(|bytes| row.hash(column, bytes)).transpose();
        Ok(Self {
            id: model.id.into(),
            website_id: model.website_id.into(),
            client_id: model.client_id.into(),
            member_id: model.member_id.into(),
            login_id: model.login_id.into(),
            scopes: row.parse("scopes", &model.scopes)?,
            nonce: model.nonce,
            redirect_uri: row.parse("redirect_uri", &model.redirect_uri)?,
            challenge: model.challenge,
            authenticated_at: row.instant("authenticated_at", model.authenticated_at)?,
            code_hash: row.hash("code_hash", model.code_hash)?,
            created_at: row.instant("created_at", model.created_at)?,
            redeemed_at: row.instant_or_null("redeemed_at", model.redeemed_at)?,
            refresh_hash: hash("refresh_hash", model.refresh_hash)?,
            refresh_before_hash: hash("refresh_before_hash", model.refresh_before_hash)?,
            refresh_count: row.number("refresh_count", model.refresh_count)?,
            refreshed_at: row.instant_or_null("refreshed_at", model.refreshed_at)?,
        })
    }
}
