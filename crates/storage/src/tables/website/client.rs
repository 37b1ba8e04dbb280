//! Applications of websites.

use crate::{
    StorageError,
    tables::{Row, json_text},
};
use sea_orm::entity::prelude::*;
use stave_domain::website::Client;

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "website_client")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub website_id: Uuid,
    pub public_id: String,
    pub name: String,
    pub kind: String,
    /// JSON.
    pub secrets: String,
    /// JSON.
    pub redirect_uris: String,
    /// JSON.
    pub post_logout_uris: String,
    pub pkce_required: bool,
    pub is_own: bool,
    pub may_refresh: bool,
    pub created_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Client> for Model {
    fn from(client: &Client) -> Self {
        Self {
            id: client.id.into(),
            website_id: client.website_id.into(),
            public_id: client.public_id.clone(),
            name: client.name.clone(),
            kind: client.kind.key().to_owned(),
            secrets: json_text(&client.secrets),
            redirect_uris: json_text(&client.redirect_uris),
            post_logout_uris: json_text(&client.post_logout_uris),
            pkce_required: client.pkce_required,
            is_own: client.is_own,
            may_refresh: client.may_refresh,
            created_at: client.created_at.as_millisecond(),
        }
    }
}

impl TryFrom<Model> for Client {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("website_client", model.id);
        Ok(Self {
            id: model.id.into(),
            website_id: model.website_id.into(),
            public_id: model.public_id,
            name: model.name,
            kind: row.parse("kind", &model.kind)?,
            secrets: row.json("secrets", &model.secrets)?,
            redirect_uris: row.json("redirect_uris", &model.redirect_uris)?,
            post_logout_uris: row.json("post_logout_uris", &model.post_logout_uris)?,
            pkce_required: model.pkce_required,
            is_own: model.is_own,
            may_refresh: model.may_refresh,
            created_at: row.instant("created_at", model.created_at)?,
        })
    }
}
