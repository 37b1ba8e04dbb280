//! Composer repositories of others that are followed.

use super::{Row, json_text};
use crate::StorageError;
use sea_orm::entity::prelude::*;
use stave_domain::{
    Timestamp,
    mirror::{Mirror, MirrorTimeout},
};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "mirror")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub organization_id: Uuid,
    pub name: String,
    pub url: String,
    /// A credential that a mirror uses cannot be deleted.
    pub credential_id: Option<Uuid>,
    /// Seconds.
    pub timeout: Option<i64>,
    pub adds: String,
    pub position: i64,
    /// JSON.
    pub root: Option<String>,
    pub changes_since: Option<i64>,
    pub checked_at: Option<i64>,
    pub last_error: Option<String>,
    pub failing_since: Option<i64>,
    pub created_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Mirror> for Model {
    fn from(mirror: &Mirror) -> Self {
        Self {
            id: mirror.id.into(),
            organization_id: mirror.organization_id.into(),
            name: mirror.name.clone(),
            url: mirror.url.to_string(),
            credential_id: mirror.credential_id.map(Into::into),
            timeout: mirror.timeout.0.map(Into::into),
            adds: mirror.adds.key().to_owned(),
            position: mirror.position.into(),
            root: mirror.root.as_ref().map(json_text),
            changes_since: mirror.changes_since,
            checked_at: mirror.checked_at.map(Timestamp::as_millisecond),
            last_error: mirror.last_error.clone(),
            failing_since: mirror.failing_since.map(Timestamp::as_millisecond),
            created_at: mirror.created_at.as_millisecond(),
        }
    }
}

impl TryFrom<Model> for Mirror {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("mirror", model.id);
        let timeout = model.timeout.map(|seconds| row.number("timeout", seconds)).transpose()?;
        Ok(Self {
            id: model.id.into(),
            organization_id: model.organization_id.into(),
            name: model.name,
            url: row.parse("url", &model.url)?,
            credential_id: model.credential_id.map(Into::into),
            timeout: MirrorTimeout(timeout),
            adds: row.parse("adds", &model.adds)?,
            position: row.number("position", model.position)?,
            root: model.root.map(|text| row.json("root", &text)).transpose()?,
            changes_since: model.changes_since,
            checked_at: row.instant_or_null("checked_at", model.checked_at)?,
            last_error: model.last_error,
            failing_since: row.instant_or_null("failing_since", model.failing_since)?,
            created_at: row.instant("created_at", model.created_at)?,
        })
    }
}
