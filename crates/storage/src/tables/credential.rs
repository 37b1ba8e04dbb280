//! Stored secrets with which Stave reads repositories elsewhere.

use super::{Row, json_text};
use crate::StorageError;
use sea_orm::entity::prelude::*;
use stave_domain::{Timestamp, credential::StoredCredential, secret::Sealed};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "credential")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub organization_id: Uuid,
    pub description: String,
    pub host: String,
    pub kind: String,
    pub username: String,
    pub secret: Vec<u8>,
    pub created_at: i64,
    pub expires_at: Option<i64>,
    pub checked_at: Option<i64>,
    pub last_error: Option<String>,
    pub warned_at: Option<i64>,
    /// JSON.
    pub seen: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&StoredCredential> for Model {
    fn from(credential: &StoredCredential) -> Self {
        Self {
            id: credential.id.into(),
            organization_id: credential.organization_id.into(),
            description: credential.description.clone(),
            host: credential.host.clone(),
            kind: credential.kind.key().to_owned(),
            username: credential.username.clone(),
            secret: credential.secret.0.clone(),
            created_at: credential.created_at.as_millisecond(),
            expires_at: credential.expires_at.map(Timestamp::as_millisecond),
            checked_at: credential.checked_at.map(Timestamp::as_millisecond),
            last_error: credential.last_error.clone(),
            warned_at: credential.warned_at.map(Timestamp::as_millisecond),
            seen: credential.seen.as_ref().map(json_text),
        }
    }
}

impl TryFrom<Model> for StoredCredential {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("credential", model.id);
        Ok(Self {
            id: model.id.into(),
            organization_id: model.organization_id.into(),
            description: model.description,
            host: model.host,
            kind: row.parse("kind", &model.kind)?,
            username: model.username,
            secret: Sealed(model.secret),
            created_at: row.instant("created_at", model.created_at)?,
            expires_at: row.instant_or_null("expires_at", model.expires_at)?,
            checked_at: row.instant_or_null("checked_at", model.checked_at)?,
            last_error: model.last_error,
            warned_at: row.instant_or_null("warned_at", model.warned_at)?,
            seen: model.seen.map(|text| row.json("seen", &text)).transpose()?,
        })
    }
}
