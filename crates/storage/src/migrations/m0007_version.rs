//! What packages publish.

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
        Draft::new("version", manager)
            .uuid("package_id")
            .text("normalized")
            .uuid("id")
            .text("version")
            .flag("is_dev")
            .flag("is_default_branch")
            .text("reference_name")
            .text("commit")
            .number("released_at")
            .number("published_at")
            .text("manifest")
            .number_or_null("removed_at")
            .key(["package_id", "normalized"])
            .belongs_to("package_id", "package")
            .create(manager)
            .await?;
        Draft::new("publication", manager)
            .uuid("package_id")
            .text("commit")
            .text("normalized")
            .number("published_at")
            .key(["package_id", "commit", "normalized"])
            .belongs_to("package_id", "package")
            .create(manager)
            .await?;
        Draft::new("dist", manager)
            .uuid("package_id")
            .text("commit")
            .text("digest")
            .text("shasum")
            .number("size_bytes")
            .key(["package_id", "commit"])
            .belongs_to("package_id", "package")
            .create(manager)
            .await?;
        Draft::new("document", manager)
            .uuid("organization_id")
            .text("name")
            .flag("is_dev")
            .uuid("package_id")
            .number("modified_at")
            .bytes("body_gzip")
            .key(["organization_id", "name", "is_dev"])
            .belongs_to("organization_id", "organization")
            .belongs_to("package_id", "package")
            .index(["package_id"])
            .create(manager)
            .await
    }
}
