//! Packages.

use super::{Row, search_text};
use crate::StorageError;
use sea_orm::{Order, QueryOrder, entity::prelude::*, sea_query::NullOrdering};
use stave_domain::package::{Package, PackageName};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "package")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub organization_id: Uuid,
    pub repository_id: Uuid,
    pub path: String,
    pub name: Option<String>,
    pub description: String,
    pub abandoned: Option<String>,
    pub is_restricted: bool,
    pub problem: Option<String>,
    pub search: String,
    pub created_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Package> for Model {
    fn from(package: &Package) -> Self {
        let name = package.name.as_ref().map(ToString::to_string);
        let search = search_text(&[name.as_deref().unwrap_or_default(), &package.description, &package.path]);
        Self {
            id: package.id.into(),
            organization_id: package.organization_id.into(),
            repository_id: package.repository_id.into(),
            path: package.path.clone(),
            name,
            description: package.description.clone(),
            abandoned: package.abandoned.clone(),
            is_restricted: package.is_restricted,
            problem: package.problem.clone(),
            search,
            created_at: package.created_at.as_millisecond(),
        }
    }
}

impl TryFrom<Model> for Package {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("package", model.id);
        Ok(Self {
            id: model.id.into(),
            organization_id: model.organization_id.into(),
            repository_id: model.repository_id.into(),
            path: model.path,
            name: row.parse_or_null::<PackageName>("name", model.name)?,
            description: model.description,
            abandoned: model.abandoned,
            is_restricted: model.is_restricted,
            problem: model.problem,
            created_at: row.instant("created_at", model.created_at)?,
        })
    }
}

/// By name; those that have none yet come last.
pub fn by_name(packages: Select<Entity>) -> Select<Entity> {
    packages
        .order_by_with_nulls(Column::Name, Order::Asc, NullOrdering::Last)
        .order_by_asc(Column::Path)
        .order_by_asc(Column::Id)
}
