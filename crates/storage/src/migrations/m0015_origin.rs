//! Packages that come from no git repository, and versions whose archive is made of no commit.

use super::Draft;
use sea_orm_migration::{
    async_trait,
    prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager},
    sea_orm::{ConnectionTrait, DbBackend},
};

#[derive(DeriveMigrationName)]
pub(super) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == DbBackend::Postgres {
            for statement in POSTGRES {
                manager.get_connection().execute_unprepared(statement).await?;
            }
        } else {
            packages_anew(manager).await?;
        }
        for table in ["version", "publication"] {
            Draft::new(table, manager).text_until_now("archive", "commit").alter(manager).await?;
        }
        Ok(())
    }
}

/// SQLite does not let a column become nullable.
async fn packages_anew(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Draft::new("package", manager)
        .uuid("id")
        .uuid("organization_id")
        .text("origin")
        .uuid_or_null("repository_id")
        .text("path")
        .uuid_or_null("mirror_id")
        .text_or_null("name")
        .text("description")
        .text_or_null("abandoned")
        .flag("is_restricted")
        .text_or_null("problem")
        .text("search")
        .number("created_at")
        .key(["id"])
        .belongs_to("organization_id", "organization")
        .belongs_to("repository_id", "repository")
        .unique(["organization_id", "name"])
        .unique(["repository_id", "path"])
        .index(["mirror_id"])
        .replace(
            "SELECT id, organization_id, 'folder', repository_id, path, NULL, name, description, abandoned, \
             is_restricted, problem, search, created_at FROM package",
            manager,
        )
        .await
}

/// The same on PostgreSQL, which changes a table where it is.
const POSTGRES: [&str; 3] = [
    "ALTER TABLE package ALTER COLUMN repository_id DROP NOT NULL, ADD COLUMN mirror_id uuid, \
     ADD COLUMN origin text COLLATE \"C\" NOT NULL DEFAULT 'folder'",
    "ALTER TABLE package ALTER COLUMN origin DROP DEFAULT",
    "CREATE INDEX package_mirror_id ON package (mirror_id)",
];
