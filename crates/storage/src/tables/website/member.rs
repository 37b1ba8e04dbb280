//! Visitors who signed in to a website.

use crate::{
    StorageError,
    tables::{Row, json_text, search_text},
};
use sea_orm::entity::prelude::*;
use stave_domain::website::{Address, Member};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "website_member")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub website_id: Uuid,
    pub sub: String,
    pub name: String,
    pub handle: String,
    pub picture: Option<String>,
    pub email: Option<String>,
    /// False if there is none.
    pub email_verified: bool,
    /// JSON.
    pub roles: String,
    pub status: String,
    pub search: String,
    pub created_at: i64,
    pub signed_in_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Member> for Model {
    fn from(member: &Member) -> Self {
        let email = member.email.as_ref().map(|email| email.address.to_string());
        Self {
            id: member.id.into(),
            website_id: member.website_id.into(),
            sub: member.sub.clone(),
            name: member.name.clone(),
            handle: member.handle.clone(),
            picture: member.picture.clone(),
            search: search_text(&[
                &member.name,
                &member.handle,
                email.as_deref().unwrap_or_default(),
                &member.sub,
            ]),
            email,
            email_verified: member.email.as_ref().is_some_and(|email| email.is_verified),
            roles: json_text(&member.roles),
            status: member.status.key().to_owned(),
            created_at: member.created_at.as_millisecond(),
            signed_in_at: member.signed_in_at.as_millisecond(),
        }
    }
}

impl TryFrom<Model> for Member {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("website_member", model.id);
        let is_verified = model.email_verified;
        let email = row.parse_or_null("email", model.email)?;
        Ok(Self {
            id: model.id.into(),
            website_id: model.website_id.into(),
            sub: model.sub,
            name: model.name,
            handle: model.handle,
            picture: model.picture,
            email: email.map(|address| Address { address, is_verified }),
            roles: row.json("roles", &model.roles)?,
            status: row.parse("status", &model.status)?,
            created_at: row.instant("created_at", model.created_at)?,
            signed_in_at: row.instant("signed_in_at", model.signed_in_at)?,
        })
    }
}
