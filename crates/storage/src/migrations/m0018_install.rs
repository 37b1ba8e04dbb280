//! What clients of the Composer repository tell and ask besides metadata: installs and downloads, advisories, what packages can be
//! found by, and under which names there were documents.

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
        installs(manager).await?;
        advisories(manager).await?;
        facets(manager).await?;
        documents(manager).await
    }
}

async fn installs(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Draft::new("install", manager)
        .uuid("package_id")
        .number("day")
        .text("version")
        .number("count")
        .key(["package_id", "day", "version"])
        .belongs_to("package_id", "package")
        .create(manager)
        .await?;
    Draft::new("download", manager)
        .uuid("package_id")
        .text("commit")
        .number("count")
        .number("used_at")
        .key(["package_id", "commit"])
        .belongs_to("package_id", "package")
        .create(manager)
        .await
}

async fn advisories(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Draft::new("advisory", manager)
        .uuid("organization_id")
        .text("package")
        .text("advisory_id")
        .uuid_or_null("mirror_id")
        .text("affected")
        .text_or_null("report")
        .number("updated_at")
        .key(["organization_id", "package", "advisory_id"])
        .belongs_to("organization_id", "organization")
        .belongs_to("mirror_id", "mirror")
        .index(["mirror_id", "package"])
        .index(["organization_id", "updated_at"])
        .create(manager)
        .await
}

async fn facets(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Draft::new("package_facet", manager)
        .uuid("package_id")
        .text("kind")
        .text("text")
        .key(["package_id", "kind", "text"])
        .belongs_to("package_id", "package")
        .index(["kind", "text"])
        .create(manager)
        .await
}

/// A name outlives its documents: whoever follows the changes has to hear that they are gone.
async fn documents(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Draft::new("document", manager).index(["organization_id", "modified_at"]).alter(manager).await?;
    Draft::new("document_name", manager)
        .uuid("organization_id")
        .text("name")
        .number_or_null("gone_at")
        .key(["organization_id", "name"])
        .belongs_to("organization_id", "organization")
        .index(["organization_id", "gone_at"])
        .create(manager)
        .await
}
