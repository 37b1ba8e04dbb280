//! Teams, their SSH keys and their members.

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
        Draft::new("organization", manager)
            .uuid("id")
            .text("short_name")
            .text("name")
            .text("search")
            .number("created_at")
            .key(["id"])
            .unique(["short_name"])
            .create(manager)
            .await?;
        Draft::new("organization_key", manager)
            .uuid("organization_id")
            .text("public")
            .bytes("private")
            .key(["organization_id"])
            .belongs_to("organization_id", "organization")
            .create(manager)
            .await?;
        Draft::new("member", manager)
            .uuid("organization_id")
            .uuid("user_id")
            .text("role")
            .number("joined_at")
            .key(["organization_id", "user_id"])
            .belongs_to("organization_id", "organization")
            .belongs_to("user_id", "user")
            .index(["user_id"])
            .create(manager)
            .await
    }
}
