//! Followed packages, and the stored secrets with which they are read.

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
        Draft::new("credential", manager)
            .uuid("id")
            .uuid("organization_id")
            .text("description")
            .text("host")
            .text("username")
            .bytes("secret")
            .number("created_at")
            .key(["id"])
            .belongs_to("organization_id", "organization")
            .index(["organization_id"])
            .create(manager)
            .await?;
        Draft::new("package", manager)
            .uuid("id")
            .uuid("organization_id")
            .text_or_null("name")
            .text("source_url")
            .text("access_kind")
            .uuid_or_null("identity_id")
            .uuid_or_null("credential_id")
            .text("description")
            .text_or_null("abandoned")
            .text("search")
            .number("created_at")
            .number_or_null("checked_at")
            .text_or_null("last_error")
            .key(["id"])
            .belongs_to("organization_id", "organization")
            .refers_to("identity_id", "identity", ForeignKeyAction::SetNull)
            .refers_to("credential_id", "credential", ForeignKeyAction::NoAction)
            .unique(["organization_id", "name"])
            .unique(["organization_id", "source_url"])
            .index(["identity_id"])
            .index(["credential_id"])
            .index(["checked_at"])
            .create(manager)
            .await
    }
}
