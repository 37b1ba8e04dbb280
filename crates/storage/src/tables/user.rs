//! People here.

use super::{Row, search_text};
use crate::StorageError;
use sea_orm::{ActiveValue::NotSet, IntoActiveModel, entity::prelude::*};
use stave_domain::user::User;

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "user")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub username: String,
    pub name: String,
    pub email: Option<String>,
    pub email_verified: bool,
    pub is_admin: bool,
    /// Not part of the record: asked for by itself, so that it is not carried around.
    pub password_hash: Option<String>,
    pub search: String,
    pub created_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&User> for ActiveModel {
    fn from(user: &User) -> Self {
        let email = user.email.as_ref().map(ToString::to_string);
        let row = Model {
            id: user.id.into(),
            username: user.username.to_string(),
            name: user.name.clone(),
            search: search_text(&[user.username.as_str(), &user.name, email.as_deref().unwrap_or_default()]),
            email,
            email_verified: user.email_verified,
            is_admin: user.is_admin,
            password_hash: None,
            created_at: user.created_at.as_millisecond(),
        };
        Self { password_hash: NotSet, ..row.into_active_model().reset_all() }
    }
}

impl TryFrom<Model> for User {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("user", model.id);
        Ok(Self {
            id: model.id.into(),
            username: row.parse("username", &model.username)?,
            name: model.name,
            email: row.parse_or_null("email", model.email)?,
            email_verified: model.email_verified,
            is_admin: model.is_admin,
            created_at: row.instant("created_at", model.created_at)?,
        })
    }
}
