//! Packages that people type as JSON.

use super::Draft;
use sea_orm_migration::{
    async_trait,
    prelude::{DbErr, DeriveMigrationName, ForeignKeyAction, MigrationTrait, SchemaManager},
};

#[derive(DeriveMigrationName)]
pub(super) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Draft::new("package_definition", manager)
            .uuid("package_id")
            .uuid_or_null("credential_id")
            .text("text")
            .key(["package_id"])
            .belongs_to("package_id", "package")
            .refers_to("credential_id", "credential", ForeignKeyAction::NoAction)
            .index(["credential_id"])
            .create(manager)
            .await
    }
}
