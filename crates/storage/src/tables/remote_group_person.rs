//! Who is in the groups of workspaces that are followed.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "remote_group_person")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub synchronization_id: Uuid,
    /// The group's.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub external_id: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
