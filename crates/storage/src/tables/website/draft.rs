//! Settings that visitors do not see yet: at most one of each website.

use crate::{
    StorageError,
    tables::{Row, json_text},
};
use sea_orm::entity::prelude::*;
use stave_domain::{id::WebsiteId, website::Draft};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "website_draft")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub website_id: Uuid,
    /// JSON.
    pub setting: String,
    pub began_with: Option<i64>,
    pub author: String,
    pub changed_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<(WebsiteId, &Draft)> for Model {
    fn from((website, draft): (WebsiteId, &Draft)) -> Self {
        Self {
            website_id: website.into(),
            setting: json_text(&draft.setting),
            began_with: draft.began_with.map(Into::into),
            author: draft.author.clone(),
            changed_at: draft.changed_at.as_millisecond(),
        }
    }
}

impl TryFrom<Model> for Draft {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("website_draft", model.website_id);
        Ok(Self {
            setting: row.json("setting", &model.setting)?,
            began_with: model.began_with.map(|number| row.number("began_with", number)).transpose()?,
            author: model.author,
            changed_at: row.instant("changed_at", model.changed_at)?,
        })
    }
}
