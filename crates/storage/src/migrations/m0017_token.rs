//! Tokens that read a selection of packages, from some addresses only, and from where they were last used.

use super::Draft;
use sea_orm_migration::{
    async_trait,
    prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager},
};

#[derive(DeriveMigrationName)]
pub(super) struct Step;

/// Until now every token read all that its owner reads, from everywhere.
#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Draft::new("token", manager)
            .text_or_null("selection")
            .text_until_now("addresses", "")
            .text_or_null("used_from")
            .alter(manager)
            .await
    }
}
