//! Synchronizations: following a workspace.

mod apply;
mod asker;
mod choice;
mod draft;
mod form;
mod look;
mod manage;
mod membership;
mod notice;
mod person;
mod preview;
mod repository;
mod run;
mod source;
mod succession;
mod view;
mod webhook;

pub use choice::{ChosenWorkspace, OfferedWorkspace, WorkspaceChoice, WorkspaceOffer};
pub use form::SynchronizationForm;
pub use notice::Ring;
pub use repository::{FollowedLine, RepositoryFilter, RepositoryListView, RepositorySearch, RepositoryState};
pub use succession::{Ending, Promotion, RoleChange};
pub use view::{SynchronizationLine, SynchronizationListView, SynchronizationView};

use crate::{App, Failure};
use stave_domain::integration::Integration;
use stave_upstream::Connector;

impl App {
    /// The way to follow workspaces at an integration's platform.
    pub(crate) fn follow_connector(&self, integration: &Integration) -> Result<Box<dyn Connector>, Failure> {
        self.connector(integration, &integration.client)
    }
}
