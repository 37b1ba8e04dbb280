//! People and their logins.

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
        Draft::new("user", manager)
            .uuid("id")
            .text("username")
            .text("name")
            .text_or_null("email")
            .flag("email_verified")
            .flag("is_admin")
            .text_or_null("password_hash")
            .text("search")
            .number("created_at")
            .key(["id"])
            .unique(["username"])
            .unique(["email"])
            .create(manager)
            .await?;
        Draft::new("login", manager)
            .uuid("id")
            .uuid("user_id")
            .bytes("secret_hash")
            .text("method")
            .text("user_agent")
            .text("address")
            .number("created_at")
            .number("seen_at")
            .key(["id"])
            .belongs_to("user_id", "user")
            .unique(["secret_hash"])
            .index(["user_id"])
            .index(["seen_at"])
            .create(manager)
            .await
    }
}
