//! Browsers in which a member is signed in to a website.

use crate::{StorageError, tables::Row};
use sea_orm::entity::prelude::*;
use stave_domain::website::{Login, Place};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "website_login")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub website_id: Uuid,
    pub member_id: Uuid,
    pub secret_hash: Vec<u8>,
    pub provider: String,
    pub place: String,
    pub authenticated_at: i64,
    pub seen_at: i64,
    pub idle_seconds: i64,
    pub ends_at: i64,
    pub user_agent: String,
    pub address: String,
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

impl From<&Login> for Model {
    fn from(login: &Login) -> Self {
        Self {
            id: login.id.into(),
            website_id: login.website_id.into(),
            member_id: login.member_id.into(),
            secret_hash: login.secret_hash.0.to_vec(),
            provider: login.provider.to_string(),
            place: login.place.as_str().to_owned(),
            authenticated_at: login.authenticated_at.as_millisecond(),
            seen_at: login.seen_at.as_millisecond(),
            idle_seconds: login.idle_seconds,
            ends_at: login.ends_at.as_millisecond(),
            user_agent: login.user_agent.clone(),
            address: login.address.clone(),
        }
    }
}

impl TryFrom<Model> for Login {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("website_login", model.id);
        Ok(Self {
            id: model.id.into(),
            website_id: model.website_id.into(),
            member_id: model.member_id.into(),
            secret_hash: row.hash("secret_hash", model.secret_hash)?,
            provider: row.parse("provider", &model.provider)?,
            place: Place::stored(model.place),
            authenticated_at: row.instant("authenticated_at", model.authenticated_at)?,
            seen_at: row.instant("seen_at", model.seen_at)?,
            idle_seconds: model.idle_seconds,
            ends_at: row.instant("ends_at", model.ends_at)?,
            user_agent: model.user_agent,
            address: model.address,
        })
    }
}
