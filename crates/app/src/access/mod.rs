//! Access: how the members of an organization have to log in, and who of them reads which package, and why.
//!
//! Who reads what is decided in one place, [`Reader::reads`](stave_domain::access::Reader::reads); here its reasons are
//! gathered for people.

mod package;
mod person;
mod rule;

pub use package::{PackageAccess, PersonReading, StrangerReading};
pub use person::{PackageReading, PersonAccess, WorkspaceStanding};
pub use rule::{AccessForm, AccessRule, AccessView, LogInThrough};

use crate::{Actor, App, Failure, PeopleSearch};
use stave_domain::{
    integration::Integration,
    organization::Organization,
    package::Package,
    synchronization::{Condition, Synchronization},
    user::User,
};

/// How many packages and people a search offers.
const OFFERED: usize = 10;

/// The workspace that decides who reads the packages that it brought.
#[derive(Debug, Clone)]
pub struct Authority {
    /// How it is followed.
    pub synchronization: Synchronization,
    /// How that fares.
    pub condition: Condition,
    /// Where its people are known.
    pub integration: Integration,
}

/// What a search under Settings > Access offers.
#[derive(Debug, Default)]
pub struct AccessFound {
    /// Packages with this in their name.
    pub packages: Vec<Package>,
    /// Members with this in their name.
    pub people: Vec<User>,
}

impl App {
    /// Packages and people whose name contains a text, to ask about; for owners and admins.
    pub async fn access_search(
        &self,
        actor: &Actor,
        short_name: &str,
        text: &str,
    ) -> Result<AccessFound, Failure> {
        let organization = self.organization_managed(actor, short_name).await?;
        let found = self.storage.package_list(organization.id, text.trim(), 0, OFFERED as u64).await?;
        let packages = found.into_iter().map(|(package, _)| package).filter(|it| it.name.is_some()).collect();
        let search = PeopleSearch { text: text.to_owned(), page: 0 };
        let members = self.member_list(actor, short_name, &search).await?.members.lines;
        let people = members.into_iter().take(OFFERED).map(|line| line.user).collect();
        Ok(AccessFound { packages, people })
    }

    /// Notes that a list of who reads what was taken along.
    pub async fn access_exported(
        &self,
        actor: &Actor,
        organization: &Organization,
        what: &str,
    ) -> Result<(), Failure> {
        self.log_by(actor, Some(organization.id), format!("exported {what}")).await
    }

    async fn authority_of(
        &self,
        synchronization: Synchronization,
        condition: Condition,
    ) -> Result<Option<Authority>, Failure> {
        let integration = self.storage.integration_find(synchronization.integration_id).await?;
        Ok(integration.map(|integration| Authority { synchronization, condition, integration }))
    }
}

#[cfg(test)]
mod tests;
