//! Webhooks: the bells of a platform.

use crate::{Asker, UpstreamError};
use async_trait::async_trait;
use stave_domain::{
    Secret,
    delivery::Notice,
    synchronization::{RemoteRepository, Workspace},
};

/// What the webhooks are called at the platform.
pub(crate) const NAME: &str = "Stave";

/// Installing bells, and understanding their rings.
#[async_trait]
pub trait Webhooks: Send + Sync {
    /// The webhook with this URL, if there is one.
    async fn webhook_find(
        &self,
        asker: &dyn Asker,
        place: &Place<'_>,
        url: &str,
    ) -> Result<Option<FoundWebhook>, UpstreamError>;

    /// Installs a webhook that signs with the secret, and gives its id. One with this URL is mended instead, so that this can be
    /// done twice.
    async fn webhook_install(
        &self,
        asker: &dyn Asker,
        place: &Place<'_>,
        url: &str,
        secret: &Secret,
    ) -> Result<String, UpstreamError>;

    /// Removes a webhook; one that is gone already is no error.
    async fn webhook_remove(
        &self,
        asker: &dyn Asker,
        place: &Place<'_>,
        id: &str,
    ) -> Result<(), UpstreamError>;

    /// What a delivery says, its signature already checked; `header` gives a header by its name in lower case. `None` if this
    /// is no delivery of the platform.
    fn notice(&self, header: &dyn Fn(&str) -> Option<String>, body: &[u8]) -> Option<Notice>;
}

/// Where a webhook is.
#[derive(Debug, Clone, Copy)]
pub enum Place<'a> {
    /// It rings for all repositories of the workspace.
    Workspace(&'a Workspace),
    /// It rings for one.
    Repository(&'a Workspace, &'a RemoteRepository),
}

/// A webhook that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundWebhook {
    /// The platform's id, unique only in its place.
    pub id: String,
    /// Whether it rings for everything that it should, and signs what it sends.
    pub is_right: bool,
}
