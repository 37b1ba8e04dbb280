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
mod m0015_origin;
mod m0016_mirror;
mod m0017_token;
mod m0018_install;
mod m0019_security;
mod m0020_dist;
mod m0021_definition;
mod m0022_readme;
mod m0023_left_out;
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
            Box::new(m0015_origin::Step),
            Box::new(m0016_mirror::Step),
            Box::new(m0017_token::Step),
            Box::new(m0018_install::Step),
            Box::new(m0019_security::Step),
            Box::new(m0020_dist::Step),
            Box::new(m0021_definition::Step),
            Box::new(m0022_readme::Step),
            Box::new(m0023_left_out::Step),
        ]
    }

    fn migration_table_name() -> DynIden {
        TABLE.into_iden()
    }
}
