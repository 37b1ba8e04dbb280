//! Teams with their own Composer repository.

use super::{Row, search_text};
use crate::StorageError;
use sea_orm::entity::prelude::*;
use stave_domain::organization::Organization;

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "organization")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub short_name: String,
    pub name: String,
    pub search: String,
    pub enforced: Option<Uuid>,
    pub deactivates_found: bool,
    pub created_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Organization> for Model {
    fn from(organization: &Organization) -> Self {
        Self {
            id: organization.id.into(),
            short_name: organization.short_name.to_string(),
            name: organization.name.clone(),
            search: search_text(&[organization.short_name.as_str(), &organization.name]),
            enforced: organization.enforced.map(Into::into),
            deactivates_found: organization.deactivates_found,
            created_at: organization.created_at.as_millisecond(),
        }
    }
}

impl TryFrom<Model> for Organization {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("organization", model.id);
        Ok(Self {
            id: model.id.into(),
            short_name: row.parse("short_name", &model.short_name)?,
            name: model.name,
            enforced: model.enforced.map(Into::into),
            deactivates_found: model.deactivates_found,
            created_at: row.instant("created_at", model.created_at)?,
        })
    }
}
