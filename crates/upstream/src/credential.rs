//! Trying a credential.

use crate::{Asker, UpstreamError};
use async_trait::async_trait;
use stave_domain::Timestamp;
use std::collections::BTreeSet;

/// Trying a credential.
#[async_trait]
pub trait CredentialCheck: Send + Sync {
    /// Who asks, and what they may do; [`UpstreamError::Unauthorized`] if the key does not work.
    async fn credential_check(&self, asker: &dyn Asker) -> Result<CredentialSight, UpstreamError>;
}

/// What is seen of a credential that works. What the platform does not say is absent or empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CredentialSight {
    /// Whose it is, as the platform calls them.
    pub account: Option<String>,
    /// What it may do, in the platform's words.
    pub scopes: BTreeSet<String>,
    /// When it dies.
    pub expires_at: Option<Timestamp>,
}
