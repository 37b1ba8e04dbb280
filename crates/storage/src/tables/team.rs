//! Teams.

use super::Row;
use crate::StorageError;
use sea_orm::entity::prelude::*;
use stave_domain::team::{FollowedGroup, Team};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "team")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub organization_id: Uuid,
    pub name: String,
    pub synchronization_id: Option<Uuid>,
    /// What the platform calls its group; there if it has a synchronization.
    pub group_name: Option<String>,
    pub reads_all: bool,
    pub adds_packages: bool,
    pub created_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Team> for Model {
    fn from(team: &Team) -> Self {
        Self {
            id: team.id.into(),
            organization_id: team.organization_id.into(),
            name: team.name.clone(),
            synchronization_id: team.group.as_ref().map(|group| group.synchronization_id.into()),
            group_name: team.group.as_ref().map(|group| group.name.clone()),
            reads_all: team.reads_all,
            adds_packages: team.adds_packages,
            created_at: team.created_at.as_millisecond(),
        }
    }
}

impl TryFrom<Model> for Team {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("team", model.id);
        Ok(Self {
            id: model.id.into(),
            organization_id: model.organization_id.into(),
            name: model.name,
            group: model
                .synchronization_id
                .zip(model.group_name)
                .map(|(id, name)| FollowedGroup { synchronization_id: id.into(), name }),
            reads_all: model.reads_all,
            adds_packages: model.adds_packages,
            created_at: row.instant("created_at", model.created_at)?,
        })
    }
}
