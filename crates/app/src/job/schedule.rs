//! What is done from time to time.

use crate::{App, Failure};
use std::{error::Error, time::Duration};
use tokio_util::sync::CancellationToken;
use tracing::error;

/// How often Stave looks whether something is due.
const LOOK_EVERY: Duration = Duration::from_mins(1);

impl App {
    /// Looks what is due until `stop`.
    pub(super) async fn keep_schedule(&self, stop: &CancellationToken) {
        let mut look = tokio::time::interval(LOOK_EVERY);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = look.tick() => {}
            }
            if let Err(failure) = self.due_do().await {
                error!(
                    error = &failure as &dyn Error,
                    "what is due could not be done; the next look tries again"
                );
            }
        }
    }

    async fn due_do(&self) -> Result<(), Failure> {
        self.repositories_check().await?;
        self.mirrors_check().await?;
        self.synchronizations_check().await?;
        self.credentials_warn().await?;
        self.synchronizations_tell().await?;
        self.deliveries_sweep().await?;
        self.endpoints_check().await?;
        self.garbage_check().await?;
        self.servers_watch().await?;
        self.logins_sweep().await?;
        self.issuers_sweep().await?;
        self.website_keys_renew().await
    }
}
