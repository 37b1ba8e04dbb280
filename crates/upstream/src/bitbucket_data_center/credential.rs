//! Trying a credential at Bitbucket Data Center. It says neither what a token may do, nor when it dies.

use super::{BitbucketDataCenter, profile::user_name};
use crate::{Asker, CredentialCheck, UpstreamError, credential::CredentialSight};
use async_trait::async_trait;

#[async_trait]
impl CredentialCheck for BitbucketDataCenter {
    async fn credential_check(&self, asker: &dyn Asker) -> Result<CredentialSight, UpstreamError> {
        let account = user_name(&self.api_known(asker)).await?;
        Ok(CredentialSight { account, ..CredentialSight::default() })
    }
}
