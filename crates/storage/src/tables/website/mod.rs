//! Websites whose visitors log in here, and below them the tables of all that is a website's own.

pub mod access;
pub mod client;
pub mod consent;
pub mod draft;
pub mod event;
pub mod grant;
pub mod identity;
pub mod key;
pub mod login;
pub mod logo;
pub mod member;
pub mod pass;
pub mod revision;
pub mod test;
pub mod trip;
pub mod visit;

use super::{Row, json_text};
use crate::StorageError;
use sea_orm::entity::prelude::*;
use stave_domain::website::{Origin, Website};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "website")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub organization_id: Uuid,
    pub slug: String,
    pub name: String,
    /// With spaces between them; never empty.
    pub origins: String,
    /// JSON.
    pub proxy_keys: String,
    /// The published one.
    pub revision: Option<i64>,
    pub created_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The text of `origins`.
fn origins_text(origins: &[Origin]) -> String {
    origins.iter().map(Origin::as_str).collect::<Vec<_>>().join(" ")
}

impl From<&Website> for Model {
    fn from(website: &Website) -> Self {
        Self {
            id: website.id.into(),
            organization_id: website.organization_id.into(),
            slug: website.slug.to_string(),
            name: website.name.clone(),
            origins: origins_text(&website.origins),
            proxy_keys: json_text(&website.proxy_keys),
            revision: website.revision.map(Into::into),
            created_at: website.created_at.as_millisecond(),
        }
    }
}

impl TryFrom<Model> for Website {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("website", model.id);
        let origins: Vec<Origin> = model
            .origins
            .split_whitespace()
            .map(|origin| row.parse("origins", origin))
            .collect::<Result<_, _>>()?;
        if origins.is_empty() {
            return Err(row.corrupt("origins"));
        }
        Ok(Self {
            id: model.id.into(),
            organization_id: model.organization_id.into(),
            slug: row.parse("slug", &model.slug)?,
            name: model.name,
            origins,
            proxy_keys: row.json("proxy_keys", &model.proxy_keys)?,
            revision: model.revision.map(|number| row.number("revision", number)).transpose()?,
            created_at: row.instant("created_at", model.created_at)?,
        })
    }
}
