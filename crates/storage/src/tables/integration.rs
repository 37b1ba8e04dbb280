//! Registered OAuth applications.

use super::Row;
use crate::StorageError;
use sea_orm::entity::prelude::*;
use stave_domain::{
    integration::{ApiTimeout, Integration, Permission},
    secret::Sealed,
};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "integration")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub slug: String,
    pub name: String,
    pub platform: String,
    pub base_url: String,
    pub client_id: String,
    pub client_secret: Vec<u8>,
    pub trust_email: bool,
    /// Seconds.
    pub api_timeout: Option<i64>,
    /// Scopes with spaces between them.
    pub missing_permissions: Option<String>,
    pub last_error: Option<String>,
    pub created_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The text of `missing_permissions`.
pub(crate) fn scopes(permissions: &[Permission]) -> String {
    permissions.iter().map(|permission| permission.scope()).collect::<Vec<_>>().join(" ")
}

impl From<&Integration> for Model {
    fn from(integration: &Integration) -> Self {
        Self {
            id: integration.id.into(),
            slug: integration.slug.to_string(),
            name: integration.name.clone(),
            platform: integration.platform.key().to_owned(),
            base_url: integration.base_url.to_string(),
            client_id: integration.client_id.clone(),
            client_secret: integration.client_secret.0.clone(),
            trust_email: integration.trust_email,
            api_timeout: integration.api_timeout.0.map(Into::into),
            missing_permissions: integration.missing_permissions.as_deref().map(scopes),
            last_error: integration.last_error.clone(),
            created_at: integration.created_at.as_millisecond(),
        }
    }
}

impl TryFrom<Model> for Integration {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("integration", model.id);
        let permissions = |scopes: String| {
            scopes.split_whitespace().map(|scope| row.parse("missing_permissions", scope)).collect()
        };
        Ok(Self {
            id: model.id.into(),
            slug: row.parse("slug", &model.slug)?,
            name: model.name,
            platform: row.parse("platform", &model.platform)?,
            base_url: row.parse("base_url", &model.base_url)?,
            client_id: model.client_id,
            client_secret: Sealed(model.client_secret),
            trust_email: model.trust_email,
            api_timeout: ApiTimeout(
                model.api_timeout.map(|seconds| row.number("api_timeout", seconds)).transpose()?,
            ),
            missing_permissions: model.missing_permissions.map(permissions).transpose()?,
            last_error: model.last_error,
            created_at: row.instant("created_at", model.created_at)?,
        })
    }
}
