//! Git repositories that are mirrored here.

use super::{Row, search_text};
use crate::StorageError;
use sea_orm::entity::prelude::*;
use stave_domain::{
    Timestamp,
    repository::{Followed, Repository, SourceAccess},
};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "repository")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub organization_id: Uuid,
    pub source_url: String,
    /// One of the `ACCESS_` texts.
    pub access_kind: String,
    /// Set to NULL when the connected account is deleted: the repository must not become public by that.
    pub identity_id: Option<Uuid>,
    /// A credential that a repository uses cannot be deleted.
    pub credential_id: Option<Uuid>,
    /// One pattern per line; empty is the root.
    pub layout: String,
    /// Set together with `number`.
    pub synchronization_id: Option<Uuid>,
    pub number: Option<i64>,
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
const ACCESS_SYNCHRONIZATION: &str = "synchronization";

impl From<&Repository> for Model {
    fn from(repository: &Repository) -> Self {
        let (access_kind, identity_id, credential_id) = match repository.access {
            SourceAccess::Public => (ACCESS_PUBLIC, None, None),
            SourceAccess::Account(id) => (ACCESS_ACCOUNT, Some(id.into()), None),
            SourceAccess::AccountGone => (ACCESS_ACCOUNT, None, None),
            SourceAccess::Stored(id) => (ACCESS_STORED, None, Some(id.into())),
            SourceAccess::OrganizationKey => (ACCESS_ORGANIZATION_KEY, None, None),
            SourceAccess::Synchronization => (ACCESS_SYNCHRONIZATION, None, None),
        };
        let source_url = repository.source.to_string();
        Self {
            id: repository.id.into(),
            organization_id: repository.organization_id.into(),
            search: search_text(&[&source_url]),
            source_url,
            access_kind: access_kind.to_owned(),
            identity_id,
            credential_id,
            layout: repository.layout.to_string(),
            synchronization_id: repository.followed.map(|followed| followed.synchronization_id.into()),
            number: repository.followed.map(|followed| followed.number.into()),
            created_at: repository.created_at.as_millisecond(),
            checked_at: repository.checked_at.map(Timestamp::as_millisecond),
            last_error: repository.last_error.clone(),
        }
    }
}

impl TryFrom<Model> for Repository {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("repository", model.id);
        let access = match (model.access_kind.as_str(), model.identity_id, model.credential_id) {
            (ACCESS_PUBLIC, None, None) => SourceAccess::Public,
            (ACCESS_ACCOUNT, Some(id), None) => SourceAccess::Account(id.into()),
            (ACCESS_ACCOUNT, None, None) => SourceAccess::AccountGone,
            (ACCESS_STORED, None, Some(id)) => SourceAccess::Stored(id.into()),
            (ACCESS_ORGANIZATION_KEY, None, None) => SourceAccess::OrganizationKey,
            (ACCESS_SYNCHRONIZATION, None, None) => SourceAccess::Synchronization,
            _ => return Err(row.corrupt("access_kind")),
        };
        let followed = match (model.synchronization_id, model.number) {
            (Some(id), Some(number)) => {
                Some(Followed { synchronization_id: id.into(), number: row.number("number", number)? })
            }
            (None, None) => None,
            _ => return Err(row.corrupt("number")),
        };
        Ok(Self {
            id: model.id.into(),
            organization_id: model.organization_id.into(),
            source: row.parse("source_url", &model.source_url)?,
            access,
            layout: row.parse("layout", &model.layout)?,
            followed,
            created_at: row.instant("created_at", model.created_at)?,
            checked_at: row.instant_or_null("checked_at", model.checked_at)?,
            last_error: model.last_error,
        })
    }
}
