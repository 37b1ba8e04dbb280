//! Versions of mirrors' files that cannot be used, and why.

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
        Draft::new("mirrored_package", manager).text_or_null("left_out").alter(manager).await
    }
}
