//! Synchronizations, and what is remembered of the workspaces that they follow. Whatever is a synchronization's own is deleted
//! with it.

use super::Draft;
use sea_orm_migration::{
    async_trait,
    prelude::{DbErr, DeriveMigrationName, ForeignKeyAction, MigrationTrait, SchemaManager},
};

#[derive(DeriveMigrationName)]
pub(super) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        synchronizations(manager).await?;
        repositories(manager).await?;
        people(manager).await?;
        groups(manager).await?;
        bells(manager).await?;
        endpoints(manager).await
    }
}

/// What it is comes first, then how it fares.
async fn synchronizations(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Draft::new("synchronization", manager)
        .uuid("id")
        .uuid("organization_id")
        .uuid("integration_id")
        .text("external_id")
        .text("workspace_key")
        .text("workspace_name")
        .text("access_kind")
        .uuid_or_null("identity_id")
        .uuid_or_null("credential_id")
        .text("rights_from")
        .flag("is_primary")
        .text("selection")
        .flag("has_webhooks")
        .text("stage")
        .number("numbers_used")
        .number("created_at")
        .number_or_null("succeeded_at")
        .number_or_null("failing_since")
        .text_or_null("last_error")
        .text("notes")
        .number_or_null("next_at")
        .number_or_null("told_at")
        .text_or_null("preview")
        .key(["id"])
        .belongs_to("organization_id", "organization")
        .belongs_to("integration_id", "integration")
        .refers_to("identity_id", "identity", ForeignKeyAction::SetNull)
        .refers_to("credential_id", "credential", ForeignKeyAction::NoAction)
        .unique(["organization_id", "integration_id", "external_id"])
        .index(["integration_id"])
        .index(["identity_id"])
        .index(["credential_id"])
        .create(manager)
        .await
}

async fn repositories(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Draft::new("remote_repository", manager)
        .uuid("synchronization_id")
        .number("number")
        .text("external_id")
        .text("slug")
        .text("name")
        .text_or_null("project")
        .text("source_url")
        .text_or_null("default_branch")
        .flag("is_archived")
        .number_or_null("changed_at")
        .text("manifest")
        .number_or_null("looked_at")
        .text_or_null("problem")
        .text("choice")
        .number_or_null("missing_since")
        .text("search")
        .key(["synchronization_id", "number"])
        .belongs_to("synchronization_id", "synchronization")
        .unique(["synchronization_id", "external_id"])
        .index(["synchronization_id", "slug"])
        .create(manager)
        .await
}

async fn people(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Draft::new("remote_person", manager)
        .uuid("synchronization_id")
        .text("external_id")
        .text("handle")
        .text("name")
        .text("role")
        .bytes_or_null("access")
        .number_or_null("asked_at")
        .text_or_null("problem")
        .text("search")
        .key(["synchronization_id", "external_id"])
        .belongs_to("synchronization_id", "synchronization")
        .create(manager)
        .await
}

/// Who is in a group may not be among the people: a group can be larger than the workspace.
async fn groups(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Draft::new("remote_group", manager)
        .uuid("synchronization_id")
        .text("name")
        .key(["synchronization_id", "name"])
        .belongs_to("synchronization_id", "synchronization")
        .create(manager)
        .await?;
    Draft::new("remote_group_person", manager)
        .uuid("synchronization_id")
        .text("name")
        .text("external_id")
        .key(["synchronization_id", "name", "external_id"])
        .belongs_to("synchronization_id", "synchronization")
        .index(["synchronization_id", "external_id"])
        .create(manager)
        .await
}

async fn bells(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Draft::new("webhook", manager)
        .uuid("synchronization_id")
        .number("number")
        .text("external_id")
        .number("installed_at")
        .key(["synchronization_id", "number"])
        .belongs_to("synchronization_id", "synchronization")
        .create(manager)
        .await?;
    Draft::new("delivery", manager)
        .uuid("synchronization_id")
        .text("delivery_id")
        .text("event")
        .text("effect")
        .number("received_at")
        .key(["synchronization_id", "delivery_id"])
        .belongs_to("synchronization_id", "synchronization")
        .index(["synchronization_id", "received_at"])
        .create(manager)
        .await
}

async fn endpoints(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Draft::new("endpoint", manager)
        .uuid("integration_id")
        .text("path")
        .text("purpose")
        .number("asked_at")
        .number_or_null("failing_since")
        .text_or_null("because")
        .flag("is_gone")
        .key(["integration_id", "path"])
        .belongs_to("integration_id", "integration")
        .create(manager)
        .await
}
