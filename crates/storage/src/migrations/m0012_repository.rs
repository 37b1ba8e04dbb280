//! Repositories, each with one or more packages. Until now a package was its repository.

use super::Draft;
use sea_orm_migration::{
    async_trait,
    prelude::{DbErr, DeriveMigrationName, ForeignKeyAction, MigrationTrait, SchemaManager},
    sea_orm::{ConnectionTrait, DbBackend},
};

#[derive(DeriveMigrationName)]
pub(super) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        repositories(manager).await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            run_each(manager, &POSTGRES).await?;
        } else {
            packages_anew(manager).await?;
            runs_anew(manager).await?;
        }
        run_each(manager, &[JOB_KEYS]).await
    }
}

/// Each package gets a repository with its own id: so mirrors, the addresses of bells and queued jobs stay right. Two may have
/// one source for a moment, when a synchronization sees that they swapped their names.
async fn repositories(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Draft::new("repository", manager)
        .uuid("id")
        .uuid("organization_id")
        .text("source_url")
        .text("access_kind")
        .uuid_or_null("identity_id")
        .uuid_or_null("credential_id")
        .text("layout")
        .uuid_or_null("synchronization_id")
        .number_or_null("number")
        .text("search")
        .number("created_at")
        .number_or_null("checked_at")
        .text_or_null("last_error")
        .key(["id"])
        .belongs_to("organization_id", "organization")
        .refers_to("identity_id", "identity", ForeignKeyAction::SetNull)
        .refers_to("credential_id", "credential", ForeignKeyAction::NoAction)
        .unique(["synchronization_id", "number"])
        .index(["organization_id", "source_url"])
        .index(["identity_id"])
        .index(["credential_id"])
        .index(["checked_at"])
        .create(manager)
        .await?;
    run_each(
        manager,
        &["INSERT INTO repository (id, organization_id, source_url, access_kind, identity_id, credential_id, \
           layout, search, created_at, checked_at, last_error) \
           SELECT id, organization_id, source_url, access_kind, identity_id, credential_id, \
           '', lower(source_url), created_at, checked_at, last_error FROM package"],
    )
    .await
}

/// SQLite drops no column that a foreign key is on.
async fn packages_anew(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Draft::new("package", manager)
        .uuid("id")
        .uuid("organization_id")
        .uuid("repository_id")
        .text("path")
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
        .replace(
            "SELECT id, organization_id, id, '', name, description, abandoned, FALSE, NULL, search, created_at \
             FROM package",
            manager,
        )
        .await
}

async fn runs_anew(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Draft::new("run", manager)
        .uuid("id")
        .uuid("repository_id")
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
        .belongs_to("repository_id", "repository")
        .index(["repository_id", "started_at"])
        .replace(
            "SELECT id, package_id, started_at, state, phase, done, total, ended_at, changes, because, lines FROM run",
            manager,
        )
        .await
}

/// The same on PostgreSQL, which changes a table where it is. Indexes and references go with their columns.
const POSTGRES: [&str; 10] = [
    "ALTER TABLE package ADD COLUMN repository_id uuid REFERENCES repository (id) ON DELETE CASCADE, \
     ADD COLUMN path text COLLATE \"C\" NOT NULL DEFAULT '', ADD COLUMN is_restricted bool NOT NULL DEFAULT FALSE, \
     ADD COLUMN problem text COLLATE \"C\"",
    "UPDATE package SET repository_id = id",
    "ALTER TABLE package ALTER COLUMN repository_id SET NOT NULL, ALTER COLUMN path DROP DEFAULT, \
     ALTER COLUMN is_restricted DROP DEFAULT",
    "ALTER TABLE package DROP COLUMN source_url, DROP COLUMN access_kind, DROP COLUMN identity_id, \
     DROP COLUMN credential_id, DROP COLUMN checked_at, DROP COLUMN last_error",
    "CREATE UNIQUE INDEX package_repository_id_path ON package (repository_id, path)",
    "DROP INDEX run_package_id_started_at",
    "ALTER TABLE run DROP CONSTRAINT run_package_id_fkey",
    "ALTER TABLE run RENAME COLUMN package_id TO repository_id",
    "ALTER TABLE run ADD FOREIGN KEY (repository_id) REFERENCES repository (id) ON DELETE CASCADE",
    "CREATE INDEX run_repository_id_started_at ON run (repository_id, started_at)",
];

const JOB_KEYS: &str =
    "UPDATE job SET key = 'update-repository:' || substr(key, 16) WHERE key LIKE 'update-package:%'";

async fn run_each(manager: &SchemaManager<'_>, statements: &[&str]) -> Result<(), DbErr> {
    for statement in statements {
        manager.get_connection().execute_unprepared(statement).await?;
    }
    Ok(())
}
