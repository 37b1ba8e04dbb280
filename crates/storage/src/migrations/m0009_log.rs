//! The Log. It refers to nothing, because its lines outlive what they name.

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
        Draft::new("log", manager)
            .uuid("id")
            .uuid_or_null("organization_id")
            .uuid_or_null("user_id")
            .text("actor")
            .text("action")
            .number("created_at")
            .key(["id"])
            .index(["organization_id", "id"])
            .create(manager)
            .await
    }
}
