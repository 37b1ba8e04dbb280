//! How the tables came to be: forward only, and never edited once released.
//!
//! A step that is released stays as it is; what has to change is changed by the next one.

mod draft;
mod m0001_setting;
mod m0002_user;
mod m0003_integration;
mod m0004_organization;
mod m0005_token;
mod m0006_package;
mod m0007_version;
mod m0008_job;
mod m0009_log;
mod m0010_client;
mod m0011_website;
mod m0012_repository;
mod m0013_synchronization;
mod m0014_team;
#[cfg(test)]
mod tests;

use draft::Draft;
use sea_orm_migration::prelude::{DynIden, IntoIden, MigrationTrait, MigratorTrait};

/// Where the names of the steps that were taken are kept.
pub(crate) const TABLE: &str = "stave_migration";

/// All steps, in order.
pub(crate) struct Migrations;

impl MigratorTrait for Migrations {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_setting::Step),
            Box::new(m0002_user::Step),
            Box::new(m0003_integration::Step),
            Box::new(m0004_organization::Step),
            Box::new(m0005_token::Step),
            Box::new(m0006_package::Step),
            Box::new(m0007_version::Step),
            Box::new(m0008_job::Step),
            Box::new(m0009_log::Step),
            Box::new(m0010_client::Step),
            Box::new(m0011_website::Step),
            Box::new(m0012_repository::Step),
            Box::new(m0013_synchronization::Step),
            Box::new(m0014_team::Step),
        ]
    }

    fn migration_table_name() -> DynIden {
        TABLE.into_iden()
    }
}
