//! Visitors' trips to a server that are not over yet.

use crate::{
    StorageError,
    tables::{Row, hash_prefix, json_text},
};
use sea_orm::entity::prelude::*;
use stave_domain::{secret::Sealed, website::Trip};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "website_trip")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub state_hash: Vec<u8>,
    pub browser_hash: Vec<u8>,
    pub website_id: Uuid,
    pub provider: String,
    pub client_id: String,
    /// Null for the draft.
    pub revision: Option<i64>,
    /// Sealed.
    pub kept: Vec<u8>,
    /// JSON.
    pub purpose: String,
    pub created_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Trip> for Model {
    fn from(trip: &Trip) -> Self {
        Self {
            state_hash: trip.state_hash.0.to_vec(),
            browser_hash: trip.browser_hash.0.to_vec(),
            website_id: trip.website_id.into(),
            provider: trip.provider.to_string(),
            client_id: trip.client_id.clone(),
            revision: trip.revision.map(Into::into),
            kept: trip.kept.0.clone(),
            purpose: json_text(&trip.purpose),
            created_at: trip.created_at.as_millisecond(),
        }
    }
}

impl TryFrom<Model> for Trip {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("website_trip", hash_prefix(&model.state_hash));
        Ok(Self {
            state_hash: row.hash("state_hash", model.state_hash)?,
            browser_hash: row.hash("browser_hash", model.browser_hash)?,
            website_id: model.website_id.into(),
            provider: row.parse("provider", &model.provider)?,
            client_id: model.client_id,
            revision: model.revision.map(|number| row.number("revision", number)).transpose()?,
            kept: Sealed(model.kept),
            purpose: row.json("purpose", &model.purpose)?,
            created_at: row.instant("created_at", model.created_at)?,
        })
    }
}
