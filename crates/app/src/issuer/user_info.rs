//! What an application asks about a member with its access token (OpenID Connect Core, section 5.3).

use super::{Issuer, claims::claims};
use crate::{App, Failure};
use serde_json::{Map, Value};
use stave_domain::{Secret, secret::SecretHash, website::Scope};

/// What comes of it.
#[derive(Debug)]
pub enum UserInfo {
    /// The claims, `sub` first.
    Claims(Map<String, Value>),
    /// The token does not work.
    Invalid,
    /// It works, but not for this.
    NotForThis,
}

impl App {
    /// What a member let the bearer of an access token know.
    pub async fn issuer_user_info(&self, issuer: &Issuer, token: &Secret) -> Result<UserInfo, Failure> {
        let found = self.storage.website_access_find(issuer.website.id, &SecretHash::of(token)).await?;
        let now = self.clock.now();
        let Some((access, grant, _)) = found.filter(|(access, ..)| now < access.expires_at) else {
            return Ok(UserInfo::Invalid);
        };
        let Some(holder) = self.issuer_holder(&self.storage, &grant).await? else {
            return Ok(UserInfo::Invalid);
        };
        if !access.scopes.has(Scope::OpenId) {
            return Ok(UserInfo::NotForThis);
        }
        Ok(UserInfo::Claims(claims(&holder.member, &access.scopes)))
    }
}
