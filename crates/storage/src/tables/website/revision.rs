//! Settings that visitors see or saw. What they name by an id may be gone: no foreign key reaches into them.

use crate::{
    StorageError,
    tables::{Row, json_text},
};
use sea_orm::entity::prelude::*;
use stave_domain::{id::WebsiteId, website::Revision};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "website_revision")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub website_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i64,
    /// JSON.
    pub setting: String,
    pub author: String,
    pub note: String,
    pub created_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<(WebsiteId, &Revision)> for Model {
    fn from((website, revision): (WebsiteId, &Revision)) -> Self {
        Self {
            website_id: website.into(),
            number: revision.number.into(),
            setting: json_text(&revision.setting),
            author: revision.author.clone(),
            note: revision.note.clone(),
            created_at: revision.created_at.as_millisecond(),
        }
    }
}

impl TryFrom<Model> for Revision {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("website_revision", format!("{}/{}", model.website_id, model.number));
        Ok(Self {
            number: row.number("number", model.number)?,
            setting: row.json("setting", &model.setting)?,
            author: model.author,
            note: model.note,
            created_at: row.instant("created_at", model.created_at)?,
        })
    }
}
