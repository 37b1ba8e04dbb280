//! Work that waits or is being done, and passes over repositories.

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
        Draft::new("job", manager)
            .uuid("id")
            .text("key")
            .text("body")
            .text("state")
            .number("attempt")
            .number("run_at")
            .text_or_null("worker")
            .number_or_null("lease_until")
            .text_or_null("last_error")
            .number("created_at")
            .key(["id"])
            .unique_where("key", "state", "waiting")
            .unique_where("key", "state", "running")
            .index(["state", "run_at"])
            .create(manager)
            .await?;
        Draft::new("run", manager)
            .uuid("id")
            .uuid("package_id")
            .number("started_at")
            .text("state")
            .text("phase")
            .number("done")
            .number("total")
            .number_or_null("ended_at")
            .number("changes")
            .text("because")
            .text("lines")
            .key(["id"])
            .belongs_to("package_id", "package")
            .index(["package_id", "started_at"])
            .create(manager)
            .await
    }
}
