//! What organizations let Composer see and download.

use super::Draft;
use sea_orm_migration::{
    async_trait,
    prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager},
};

#[derive(DeriveMigrationName)]
pub(super) struct Step;

/// An organization without a row has what counted until now.
#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Draft::new("security", manager)
            .uuid("organization_id")
            .text("settings")
            .key(["organization_id"])
            .belongs_to("organization_id", "organization")
            .create(manager)
            .await?;
        Draft::new("refusal", manager)
            .uuid("package_id")
            .text("commit")
            .text("because")
            .key(["package_id", "commit"])
            .belongs_to("package_id", "package")
            .create(manager)
            .await
    }
}
