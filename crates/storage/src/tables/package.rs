//! Packages.

use super::{Row, search_text};
use crate::StorageError;
use sea_orm::{Order, QueryOrder, entity::prelude::*, sea_query::NullOrdering};
use stave_domain::package::{Origin, OriginKind, Package, PackageName};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "package")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub organization_id: Uuid,
    /// The key of its kind.
    pub origin: String,
    /// Of a folder.
    pub repository_id: Option<Uuid>,
    pub path: String,
    /// Of a mirror's.
    pub mirror_id: Option<Uuid>,
    pub name: Option<String>,
    pub description: String,
    pub abandoned: Option<String>,
    pub given_up: Option<String>,
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
        let mirror_id = match package.origin {
            Origin::Mirror(id) => Some(id.into()),
            Origin::Folder { .. } | Origin::Custom | Origin::Artifact => None,
        };
        let name = package.name.as_ref().map(ToString::to_string);
        let search =
            search_text(&[name.as_deref().unwrap_or_default(), &package.description, package.path()]);
        Self {
            id: package.id.into(),
            organization_id: package.organization_id.into(),
            origin: package.origin.kind().key().to_owned(),
            repository_id: package.repository_id().map(Into::into),
            path: package.path().to_owned(),
            mirror_id,
            name,
            description: package.description.clone(),
            abandoned: package.abandoned.clone(),
            given_up: package.given_up.clone(),
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
        let kind = OriginKind::ALL.into_iter().find(|kind| kind.key() == model.origin);
        let origin = match (kind, model.repository_id, model.mirror_id) {
            (Some(OriginKind::Folder), Some(id), None) => {
                Origin::Folder { repository_id: id.into(), path: model.path }
            }
            (Some(OriginKind::Mirror), None, Some(id)) => Origin::Mirror(id.into()),
            (Some(OriginKind::Custom), None, None) => Origin::Custom,
            (Some(OriginKind::Artifact), None, None) => Origin::Artifact,
            _ => return Err(row.corrupt("origin")),
        };
        Ok(Self {
            id: model.id.into(),
            organization_id: model.organization_id.into(),
            origin,
            name: row.parse_or_null::<PackageName>("name", model.name)?,
            description: model.description,
            abandoned: model.abandoned,
            given_up: model.given_up,
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
