//! The logs of websites. A line stays when the member that it names is gone: `member_id` is no foreign key.

use crate::{StorageError, tables::Row};
use sea_orm::entity::prelude::*;
use stave_domain::website::Event;

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "website_event")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub website_id: Uuid,
    pub member_id: Option<Uuid>,
    pub sentence: String,
    pub is_failure: bool,
    pub address: String,
    pub created_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Event> for Model {
    fn from(event: &Event) -> Self {
        Self {
            id: event.id.into(),
            website_id: event.website_id.into(),
            member_id: event.member_id.map(Into::into),
            sentence: event.sentence.clone(),
            is_failure: event.is_failure,
            address: event.address.clone(),
            created_at: event.created_at.as_millisecond(),
        }
    }
}

impl TryFrom<Model> for Event {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("website_event", model.id);
        Ok(Self {
            id: model.id.into(),
            website_id: model.website_id.into(),
            member_id: model.member_id.map(Into::into),
            sentence: model.sentence,
            is_failure: model.is_failure,
            address: model.address,
            created_at: row.instant("created_at", model.created_at)?,
        })
    }
}
