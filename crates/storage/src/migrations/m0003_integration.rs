//! Registered OAuth applications, who is connected through them, and who is on the way.

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
        Draft::new("integration", manager)
            .uuid("id")
            .text("slug")
            .text("name")
            .text("platform")
            .text("base_url")
            .text("client_id")
            .bytes("client_secret")
            .flag("trust_email")
            .number_or_null("api_timeout")
            .text_or_null("missing_permissions")
            .text_or_null("last_error")
            .number("created_at")
            .key(["id"])
            .unique(["slug"])
            .create(manager)
            .await?;
        Draft::new("identity", manager)
            .uuid("id")
            .uuid("user_id")
            .uuid("integration_id")
            .text("external_id")
            .text("handle")
            .text("display_name")
            .bytes("grant")
            .number("grant_revision")
            .text_or_null("broken_because")
            .number("connected_at")
            .key(["id"])
            .belongs_to("user_id", "user")
            .belongs_to("integration_id", "integration")
            .unique(["integration_id", "external_id"])
            .index(["user_id"])
            .create(manager)
            .await?;
        Draft::new("attempt", manager)
            .bytes("state_hash")
            .bytes("browser_hash")
            .uuid("integration_id")
            .text("purpose")
            .text("return_to")
            .number("created_at")
            .key(["state_hash"])
            .belongs_to("integration_id", "integration")
            .index(["created_at"])
            .create(manager)
            .await?;
        Draft::new("registration", manager)
            .bytes("browser_hash")
            .uuid("integration_id")
            .bytes("sealed")
            .text("return_to")
            .number("created_at")
            .key(["browser_hash"])
            .belongs_to("integration_id", "integration")
            .index(["created_at"])
            .create(manager)
            .await
    }
}
