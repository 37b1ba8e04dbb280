//! Connected accounts.

use super::Row;
use crate::StorageError;
use sea_orm::entity::prelude::*;
use stave_domain::{identity::Identity, secret::Sealed};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "identity")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    pub integration_id: Uuid,
    pub external_id: String,
    pub handle: String,
    pub display_name: String,
    pub grant: Vec<u8>,
    pub client_id: String,
    pub grant_revision: i64,
    pub broken_because: Option<String>,
    /// Until when somebody may be getting a new grant for the old one.
    pub refreshing_until: Option<i64>,
    pub connected_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::integration::Entity",
        from = "Column::IntegrationId",
        to = "super::integration::Column::Id"
    )]
    Integration,
    #[sea_orm(belongs_to = "super::user::Entity", from = "Column::UserId", to = "super::user::Column::Id")]
    User,
}

impl Related<super::integration::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Integration.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Identity> for Model {
    fn from(identity: &Identity) -> Self {
        Self {
            id: identity.id.into(),
            user_id: identity.user_id.into(),
            integration_id: identity.integration_id.into(),
            external_id: identity.external_id.clone(),
            handle: identity.handle.clone(),
            display_name: identity.display_name.clone(),
            grant: identity.grant.0.clone(),
            client_id: identity.client_id.clone(),
            grant_revision: identity.grant_revision,
            broken_because: identity.broken_because.clone(),
            refreshing_until: None,
            connected_at: identity.connected_at.as_millisecond(),
        }
    }
}

impl TryFrom<Model> for Identity {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("identity", model.id);
        Ok(Self {
            id: model.id.into(),
            user_id: model.user_id.into(),
            integration_id: model.integration_id.into(),
            external_id: model.external_id,
            handle: model.handle,
            display_name: model.display_name,
            grant: Sealed(model.grant),
            client_id: model.client_id,
            grant_revision: model.grant_revision,
            broken_because: model.broken_because,
            connected_at: row.instant("connected_at", model.connected_at)?,
        })
    }
}
