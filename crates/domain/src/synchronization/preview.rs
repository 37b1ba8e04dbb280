//! What a synchronization would do, before anybody lets it.

use serde::{Deserialize, Serialize};

/// What was seen when a workspace was looked at for the first time. Which repositories have a composer.json is not here:
/// that is remembered with each of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Preview {
    /// Repositories that the credential sees.
    pub repositories: u32,
    /// People of the workspace; `None` if they could not be read.
    pub people: Option<u32>,
    /// How many of them have connected their account here.
    pub people_here: u32,
    /// The names of those who would be owners if it is the primary one.
    pub owners: Vec<String>,
    /// The names of the groups that would be teams.
    pub teams: Vec<String>,
    /// Where webhooks would be installed, in a sentence; or why not.
    pub webhooks: String,
    /// What the credential lacks or could not read, each in a sentence.
    pub lacks: Vec<String>,
}
