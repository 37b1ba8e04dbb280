//! What is remembered of packages because they are a mirror's.

use super::{Row, json_text};
use crate::StorageError;
use sea_orm::entity::prelude::*;
use stave_domain::{
    Timestamp,
    mirror::{LeftOut, MirroredPackage},
};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "mirrored_package")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub package_id: Uuid,
    pub last_modified: Option<String>,
    pub dev_last_modified: Option<String>,
    pub checked_at: Option<i64>,
    pub last_error: Option<String>,
    pub gone_at: Option<i64>,
    /// JSON.
    pub advisories: String,
    /// JSON.
    pub filter: String,
    /// JSON; `None` in a row that is older than this column.
    pub left_out: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&MirroredPackage> for Model {
    fn from(mirrored: &MirroredPackage) -> Self {
        Self {
            package_id: mirrored.package_id.into(),
            last_modified: mirrored.last_modified.clone(),
            dev_last_modified: mirrored.dev_last_modified.clone(),
            checked_at: mirrored.checked_at.map(Timestamp::as_millisecond),
            last_error: mirrored.last_error.clone(),
            gone_at: mirrored.gone_at.map(Timestamp::as_millisecond),
            advisories: json_text(&mirrored.advisories),
            filter: json_text(&mirrored.filter),
            left_out: Some(json_text(&mirrored.left_out)),
        }
    }
}

impl TryFrom<Model> for MirroredPackage {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("mirrored_package", model.package_id);
        Ok(Self {
            package_id: model.package_id.into(),
            last_modified: model.last_modified,
            dev_last_modified: model.dev_last_modified,
            checked_at: row.instant_or_null("checked_at", model.checked_at)?,
            last_error: model.last_error,
            gone_at: row.instant_or_null("gone_at", model.gone_at)?,
            advisories: row.json("advisories", &model.advisories)?,
            filter: row.json("filter", &model.filter)?,
            left_out: match &model.left_out {
                Some(text) => row.json("left_out", text)?,
                None => LeftOut::default(),
            },
        })
    }
}
