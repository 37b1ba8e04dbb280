//! Composer repositories of others that are followed, and what is remembered of their packages.

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
        Draft::new("mirror", manager)
            .uuid("id")
            .uuid("organization_id")
            .text("name")
            .text("url")
            .uuid_or_null("credential_id")
            .number_or_null("timeout")
            .text("adds")
            .number("position")
            .text_or_null("root")
            .number_or_null("changes_since")
            .number_or_null("checked_at")
            .text_or_null("last_error")
            .number_or_null("failing_since")
            .number("created_at")
            .key(["id"])
            .belongs_to("organization_id", "organization")
            .refers_to("credential_id", "credential", ForeignKeyAction::NoAction)
            .index(["organization_id", "position"])
            .index(["credential_id"])
            .index(["checked_at"])
            .create(manager)
            .await?;
        Draft::new("mirrored_package", manager)
            .uuid("package_id")
            .text_or_null("last_modified")
            .text_or_null("dev_last_modified")
            .number_or_null("checked_at")
            .text_or_null("last_error")
            .number_or_null("gone_at")
            .text("advisories")
            .text("filter")
            .key(["package_id"])
            .belongs_to("package_id", "package")
            .index(["checked_at"])
            .create(manager)
            .await
    }
}
