//! Integrations of organizations, in two versions of OAuth, with the client before this one; what was seen and checked there.

use super::Draft;
use sea_orm_migration::{
    async_trait,
    prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, Table},
    sea_orm::ConnectionTrait,
};

#[derive(DeriveMigrationName)]
pub(super) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        integrations(manager).await?;
        people(manager).await?;
        attempts(manager).await?;
        Draft::new("organization", manager)
            .reference_or_null("enforced", "integration", "SET NULL")
            .index(["enforced"])
            .alter(manager)
            .await
    }
}

/// Until now all integrations were everybody's and spoke OAuth 2.
async fn integrations(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Draft::new("integration", manager)
        .reference_or_null("organization_id", "organization", "CASCADE")
        .text_until_now("oauth", "2")
        .text_or_null("public_key")
        .text_or_null("previous_oauth")
        .text_or_null("previous_client_id")
        .bytes_or_null("previous_client_secret")
        .text_or_null("previous_public_key")
        .text_or_null("seen")
        .index(["organization_id"])
        .alter(manager)
        .await?;
    Draft::new("integration_check", manager)
        .uuid("integration_id")
        .text("steps")
        .flag("is_away")
        .number("started_at")
        .key(["integration_id"])
        .belongs_to("integration_id", "integration")
        .create(manager)
        .await
}

/// Until now an integration had one client, and a login knew the integration by its name only.
async fn people(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Draft::new("identity", manager).text_until_now("client_id", "").alter(manager).await?;
    Draft::new("login", manager)
        // A login through an organization's integration reaches less far than others. It must not reach further when that
        // is gone, so it ends then.
        .reference_or_null("integration_id", "integration", "CASCADE")
        .reference_or_null("proven_id", "integration", "SET NULL")
        .index(["integration_id"])
        .index(["proven_id"])
        .alter(manager)
        .await?;
    let db = manager.get_connection();
    db.execute_unprepared(
        "UPDATE identity SET client_id = \
         (SELECT integration.client_id FROM integration WHERE integration.id = identity.integration_id)",
    )
    .await?;
    // A name that several have says nothing, and "password" is how those came in who need no integration.
    db.execute_unprepared(
        "UPDATE login SET integration_id = \
         (SELECT integration.id FROM integration WHERE integration.name = login.method) \
         WHERE method <> 'password' \
         AND 1 = (SELECT COUNT(*) FROM integration WHERE integration.name = login.method)",
    )
    .await?;
    db.execute_unprepared("UPDATE login SET proven_id = integration_id").await?;
    Ok(())
}

/// A trip lasts ten minutes at most: those that are under way begin again, so the table does too.
async fn attempts(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager.drop_table(Table::drop().table("attempt").to_owned()).await?;
    Draft::new("attempt", manager)
        .bytes("state_hash")
        .bytes("browser_hash")
        .uuid("integration_id")
        .text("client_id")
        .bytes("kept")
        .text("purpose")
        .text("return_to")
        .number("created_at")
        .key(["state_hash"])
        .belongs_to("integration_id", "integration")
        .index(["created_at"])
        .create(manager)
        .await
}
