//! What packages can be found by besides their names and descriptions.

use sea_orm::entity::prelude::*;
use stave_domain::{id::PackageId, package::Facet};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "package_facet")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub package_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub text: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    pub fn new(package: PackageId, facet: &Facet) -> Self {
        Self { package_id: package.into(), kind: facet.kind.key().to_owned(), text: facet.text.clone() }
    }
}
