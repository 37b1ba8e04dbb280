//! READMEs of packages, and that somebody here calls a package abandoned.

use super::Draft;
use sea_orm_migration::{
    async_trait,
    prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager},
};

#[derive(DeriveMigrationName)]
pub(super) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Draft::new("package", manager).text_or_null("given_up").alter(manager).await?;
        Draft::new("package_readme", manager)
            .uuid("package_id")
            .text("text")
            .key(["package_id"])
            .belongs_to("package_id", "package")
            .create(manager)
            .await
    }
}
