//! Followed packages.

use super::{Row, search_text};
use crate::StorageError;
use sea_orm::{Order, QueryOrder, entity::prelude::*, sea_query::NullOrdering};
use stave_domain::{
    Timestamp,
    package::{Package, PackageName, SourceAccess},
};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "package")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub organization_id: Uuid,
    pub name: Option<String>,
    pub source_url: String,
    /// One of the `ACCESS_` texts.
    pub access_kind: String,
    /// Set to NULL when the connected account is deleted: the package must not become public by that.
    pub identity_id: Option<Uuid>,
    /// A credential that a package uses cannot be deleted.
    pub credential_id: Option<Uuid>,
    pub description: String,
    pub abandoned: Option<String>,
    pub search: String,
    pub created_at: i64,
    pub checked_at: Option<i64>,
    pub last_error: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

const ACCESS_PUBLIC: &str = "public";
const ACCESS_ACCOUNT: &str = "account";
const ACCESS_STORED: &str = "stored";
const ACCESS_ORGANIZATION_KEY: &str = "organization_key";

impl From<&Package> for Model {
    fn from(package: &Package) -> Self {
        let (access_kind, identity_id, credential_id) = match package.access {
            SourceAccess::Public => (ACCESS_PUBLIC, None, None),
            SourceAccess::Account(id) => (ACCESS_ACCOUNT, Some(id.into()), None),
            SourceAccess::AccountGone => (ACCESS_ACCOUNT, None, None),
            SourceAccess::Stored(id) => (ACCESS_STORED, None, Some(id.into())),
            SourceAccess::OrganizationKey => (ACCESS_ORGANIZATION_KEY, None, None),
        };
        let name = package.name.as_ref().map(ToString::to_string);
        let source_url = package.source.to_string();
        Self {
            id: package.id.into(),
            organization_id: package.organization_id.into(),
            search: search_text(&[name.as_deref().unwrap_or_default(), &package.description, &source_url]),
            name,
            source_url,
            access_kind: access_kind.to_owned(),
            identity_id,
            credential_id,
            description: package.description.clone(),
            abandoned: package.abandoned.clone(),
            created_at: package.created_at.as_millisecond(),
            checked_at: package.checked_at.map(Timestamp::as_millisecond),
            last_error: package.last_error.clone(),
        }
    }
}

impl TryFrom<Model> for Package {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("package", model.id);
        let access = match (model.access_kind.as_str(), model.identity_id, model.credential_id) {
            (ACCESS_PUBLIC, None, None) => SourceAccess::Public,
            (ACCESS_ACCOUNT, Some(id), None) => SourceAccess::Account(id.into()),
            (ACCESS_ACCOUNT, None, None) => SourceAccess::AccountGone,
            (ACCESS_STORED, None, Some(id)) => SourceAccess::Stored(id.into()),
            (ACCESS_ORGANIZATION_KEY, None, None) => SourceAccess::OrganizationKey,
            _ => return Err(row.corrupt("access_kind")),
        };
        Ok(Self {
            id: model.id.into(),
            organization_id: model.organization_id.into(),
            name: row.parse_or_null::<PackageName>("name", model.name)?,
            source: row.parse("source_url", &model.source_url)?,
            access,
            description: model.description,
            abandoned: model.abandoned,
            created_at: row.instant("created_at", model.created_at)?,
            checked_at: row.instant_or_null("checked_at", model.checked_at)?,
            last_error: model.last_error,
        })
    }
}

/// By name; those that have none yet come last.
pub fn by_name(packages: Select<Entity>) -> Select<Entity> {
    packages
        .order_by_with_nulls(Column::Name, Order::Asc, NullOrdering::Last)
        .order_by_asc(Column::SourceUrl)
        .order_by_asc(Column::Id)
}
