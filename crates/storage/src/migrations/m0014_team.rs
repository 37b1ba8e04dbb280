//! Teams; who is active; kinds and ends of credentials; for whom a job is and how far; from where the Log's lines came.

use super::Draft;
use sea_orm_migration::{
    async_trait,
    prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager},
    sea_orm::ConnectionTrait,
};

#[derive(DeriveMigrationName)]
pub(super) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        teams(manager).await?;
        members(manager).await?;
        credentials(manager).await?;
        jobs(manager).await?;
        log(manager).await?;
        Draft::new("identity", manager).number_or_null("refreshing_until").alter(manager).await
    }
}

async fn teams(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Draft::new("team", manager)
        .uuid("id")
        .uuid("organization_id")
        .text("name")
        .uuid_or_null("synchronization_id")
        .text_or_null("group_name")
        .flag("reads_all")
        .flag("adds_packages")
        .number("created_at")
        .key(["id"])
        .belongs_to("organization_id", "organization")
        .belongs_to("synchronization_id", "synchronization")
        .unique(["organization_id", "name"])
        .index(["synchronization_id"])
        .create(manager)
        .await?;
    Draft::new("team_member", manager)
        .uuid("team_id")
        .uuid("user_id")
        .key(["team_id", "user_id"])
        .belongs_to("team_id", "team")
        .belongs_to("user_id", "user")
        .index(["user_id"])
        .create(manager)
        .await?;
    Draft::new("team_package", manager)
        .uuid("team_id")
        .uuid("package_id")
        .key(["team_id", "package_id"])
        .belongs_to("team_id", "team")
        .belongs_to("package_id", "package")
        .index(["package_id"])
        .create(manager)
        .await
}

/// Until now somebody gave every role by hand, and all members were active.
async fn members(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Draft::new("organization", manager).flag_until_now("deactivates_found", false).alter(manager).await?;
    Draft::new("member", manager)
        .text_or_null("given")
        .flag_until_now("is_active", true)
        .alter(manager)
        .await?;
    run(manager, "UPDATE member SET given = role").await
}

/// Until now a credential was a user name and a password; the name that Bitbucket wants for access tokens tells which were one,
/// and the host of which kind.
async fn credentials(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Draft::new("credential", manager)
        .text_until_now("kind", "password")
        .number_or_null("expires_at")
        .number_or_null("checked_at")
        .text_or_null("last_error")
        .number_or_null("warned_at")
        .text_or_null("seen")
        .index(["expires_at"])
        .alter(manager)
        .await?;
    run(
        manager,
        "UPDATE credential SET kind = CASE host WHEN 'bitbucket.org' THEN 'access_token' ELSE 'http_access_token' END \
         WHERE username = 'x-token-auth'",
    )
    .await
}

async fn jobs(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Draft::new("job", manager)
        .uuid_or_null("organization_id")
        .text_until_now("phase", "")
        .zero_until_now("done")
        .zero_until_now("total")
        .zero_until_now("urgency")
        .index(["organization_id"])
        .alter(manager)
        .await
}

/// What a search looks through. The database knows lower case well enough for names and our own sentences.
async fn log(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Draft::new("log", manager)
        .text_until_now("address", "")
        .text_until_now("actor_search", "")
        .text_until_now("action_search", "")
        .alter(manager)
        .await?;
    run(manager, "UPDATE log SET actor_search = lower(actor), action_search = lower(action)").await
}

async fn run(manager: &SchemaManager<'_>, statement: &str) -> Result<(), DbErr> {
    manager.get_connection().execute_unprepared(statement).await?;
    Ok(())
}
