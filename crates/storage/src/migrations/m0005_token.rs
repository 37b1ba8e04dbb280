//! Secrets with which clients act on Stave.

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
        Draft::new("token", manager)
            .uuid("id")
            .uuid_or_null("user_id")
            .uuid_or_null("organization_id")
            .text("access")
            .text("description")
            .bytes("secret_hash")
            .number("created_at")
            .number_or_null("expires_at")
            .number_or_null("used_at")
            .key(["id"])
            .belongs_to("user_id", "user")
            .belongs_to("organization_id", "organization")
            .unique(["secret_hash"])
            .index(["user_id"])
            .index(["organization_id"])
            .create(manager)
            .await
    }
}
