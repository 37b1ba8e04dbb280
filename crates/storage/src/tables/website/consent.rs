//! What members let clients know.

use crate::{StorageError, tables::Row};
use sea_orm::entity::prelude::*;
use stave_domain::website::Consent;

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "website_consent")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub member_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub client_id: Uuid,
    /// With spaces between them.
    pub scopes: String,
    pub given_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::client::Entity",
        from = "Column::ClientId",
        to = "super::client::Column::Id"
    )]
    Client,
}

impl Related<super::client::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Client.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Consent> for Model {
    fn from(consent: &Consent) -> Self {
        Self {
            member_id: consent.member_id.into(),
            client_id: consent.client_id.into(),
            scopes: consent.scopes.to_string(),
            given_at: consent.given_at.as_millisecond(),
        }
    }
}

impl TryFrom<Model> for Consent {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("website_consent", format!("{}/{}", model.member_id, model.client_id));
        Ok(Self {
            member_id: model.member_id.into(),
            client_id: model.client_id.into(),
            scopes: row.parse("scopes", &model.scopes)?,
            given_at: row.instant("given_at", model.given_at)?,
        })
    }
}
