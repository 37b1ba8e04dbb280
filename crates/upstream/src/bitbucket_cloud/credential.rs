//! Trying a credential at Bitbucket Cloud. It does not say when a token dies.

use super::{BitbucketCloud, api::granted_scopes, wire::UserAnswer};
use crate::{Asker, CredentialCheck, UpstreamError, credential::CredentialSight};
use async_trait::async_trait;

#[async_trait]
impl CredentialCheck for BitbucketCloud {
    /// A token that may not say whose it is works all the same.
    async fn credential_check(&self, asker: &dyn Asker) -> Result<CredentialSight, UpstreamError> {
        let api = self.api(asker);
        match api.get(&api.at("/user")).await {
            Ok(answer) => {
                let user: UserAnswer = answer.json()?;
                let names = [user.nickname, user.username, user.display_name].into_iter().flatten();
                let account = names.into_iter().find(|name| !name.is_empty());
                Ok(CredentialSight { account, scopes: granted_scopes(&answer), expires_at: None })
            }
            Err(UpstreamError::MissingScopes { granted, .. }) => {
                Ok(CredentialSight { scopes: granted, ..CredentialSight::default() })
            }
            Err(UpstreamError::Forbidden { .. } | UpstreamError::MissingPermissions { .. }) => {
                Ok(CredentialSight::default())
            }
            Err(error) => Err(error),
        }
    }
}
