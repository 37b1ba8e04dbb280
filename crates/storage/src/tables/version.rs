//! Versions of packages, removed ones too.

use super::Row;
use crate::StorageError;
use sea_orm::entity::prelude::*;
use stave_domain::{
    Timestamp,
    version::{Archive, Version},
};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "version")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub package_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub normalized: String,
    pub id: Uuid,
    pub version: String,
    pub is_dev: bool,
    pub is_default_branch: bool,
    pub reference_name: String,
    pub commit: String,
    /// What [`archive_text`] says.
    pub archive: String,
    pub released_at: i64,
    pub published_at: i64,
    pub manifest: String,
    pub removed_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Version> for Model {
    fn from(version: &Version) -> Self {
        Self {
            package_id: version.package_id.into(),
            normalized: version.normalized.clone(),
            id: version.id.into(),
            version: version.version.clone(),
            is_dev: version.is_dev,
            is_default_branch: version.is_default_branch,
            reference_name: version.reference_name.clone(),
            commit: version.commit.clone(),
            archive: archive_text(&version.archive),
            released_at: version.released_at.as_millisecond(),
            published_at: version.published_at.as_millisecond(),
            manifest: version.manifest.clone(),
            removed_at: version.removed_at.map(Timestamp::as_millisecond),
        }
    }
}

impl TryFrom<Model> for Version {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("version", model.id);
        Ok(Self {
            id: model.id.into(),
            package_id: model.package_id.into(),
            version: model.version,
            normalized: model.normalized,
            is_dev: model.is_dev,
            is_default_branch: model.is_default_branch,
            reference_name: model.reference_name,
            archive: archive(&row, &model.archive)?,
            commit: model.commit,
            released_at: row.instant("released_at", model.released_at)?,
            published_at: row.instant("published_at", model.published_at)?,
            manifest: model.manifest,
            removed_at: row.instant_or_null("removed_at", model.removed_at)?,
        })
    }
}

const ARCHIVE_COMMIT: &str = "commit";
const ARCHIVE_UPLOAD: &str = "upload";
const ARCHIVE_NOTHING: &str = "nothing";

/// A word, or the JSON of an archive at somebody else's.
pub(super) fn archive_text(archive: &Archive) -> String {
    match archive {
        Archive::Commit => ARCHIVE_COMMIT.into(),
        Archive::Upload => ARCHIVE_UPLOAD.into(),
        Archive::Nothing => ARCHIVE_NOTHING.into(),
        Archive::Remote(remote) => serde_json::json!(remote).to_string(),
    }
}

/// What [`archive_text`] wrote.
pub(super) fn archive(row: &Row, text: &str) -> Result<Archive, StorageError> {
    match text {
        ARCHIVE_COMMIT => Ok(Archive::Commit),
        ARCHIVE_UPLOAD => Ok(Archive::Upload),
        ARCHIVE_NOTHING => Ok(Archive::Nothing),
        json => serde_json::from_str(json).map(Archive::Remote).map_err(|_| row.corrupt("archive")),
    }
}
