//! Groups of workspaces that are followed: their names. Who is in them is in a table beside.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "remote_group")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub synchronization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
