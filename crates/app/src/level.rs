//! At which level something is managed: for the whole installation, or for one organization.

use crate::{Actor, App, Failure};
use stave_domain::organization::Organization;

/// Where something is managed, and by whom: an integration, a Log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Level {
    /// In the Admin section, by admins. Everybody can log in with an integration that is there.
    Installation,
    /// In the settings of the organization with this short name, by its owners.
    Organization(String),
}

impl App {
    /// The organization of a level at which integrations are managed, `None` for the installation; or why the actor may not manage it.
    pub async fn level_owner(&self, actor: &Actor, level: &Level) -> Result<Option<Organization>, Failure> {
        match level {
            Level::Installation => actor.admin().map(|()| None),
            Level::Organization(short_name) => self.organization_mended(actor, short_name).await.map(Some),
        }
    }
}
