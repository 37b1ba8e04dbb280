//! People in organizations.

use super::Row;
use crate::StorageError;
use sea_orm::entity::prelude::*;
use stave_domain::organization::Member;

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "member")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    pub role: String,
    /// The role that somebody gave by hand.
    pub given: Option<String>,
    pub is_active: bool,
    pub joined_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::organization::Entity",
        from = "Column::OrganizationId",
        to = "super::organization::Column::Id"
    )]
    Organization,
    #[sea_orm(belongs_to = "super::user::Entity", from = "Column::UserId", to = "super::user::Column::Id")]
    User,
}

impl Related<super::organization::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Organization.def()
    }
}

impl Related<super::user::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::User.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Member> for Model {
    fn from(member: &Member) -> Self {
        Self {
            organization_id: member.organization_id.into(),
            user_id: member.user_id.into(),
            role: member.role.key().to_owned(),
            given: member.given.map(|role| role.key().to_owned()),
            is_active: member.is_active,
            joined_at: member.joined_at.as_millisecond(),
        }
    }
}

impl TryFrom<Model> for Member {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("member", format!("{}/{}", model.organization_id, model.user_id));
        Ok(Self {
            organization_id: model.organization_id.into(),
            user_id: model.user_id.into(),
            role: row.parse("role", &model.role)?,
            given: row.parse_or_null("given", model.given)?,
            is_active: model.is_active,
            joined_at: row.instant("joined_at", model.joined_at)?,
        })
    }
}
