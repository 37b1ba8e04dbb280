//! Browsers in which a visitor is signed in.

use super::{Origin, Place, ProviderKey};
use crate::{
    Timestamp,
    id::{WebsiteId, WebsiteLoginId, WebsiteMemberId},
    secret::SecretHash,
};

/// One browser in which a member is signed in to a website.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Immutable; `sid` in ID tokens.
    pub id: WebsiteLoginId,
    /// Where.
    pub website_id: WebsiteId,
    /// Who.
    pub member_id: WebsiteMemberId,
    /// Hash of the cookie.
    pub secret_hash: SecretHash,
    /// Through which button.
    pub provider: ProviderKey,
    /// At which server they said who they are.
    pub place: Place,
    /// When they came back from there; `auth_time` in ID tokens.
    pub authenticated_at: Timestamp,
    /// Last request, to a minute.
    pub seen_at: Timestamp,
    /// When it ends without a sign of life: `seen_at` and the idle time of the setting.
    pub idle_seconds: i64,
    /// When it ends in any case.
    pub ends_at: Timestamp,
    /// The browser's own words about itself, cut to 300 characters.
    pub user_agent: String,
    /// The address it came from.
    pub address: String,
}

impl Login {
    /// At the limit itself it is over.
    #[must_use]
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        now < self.ends_at && now.duration_since(self.seen_at).as_secs() < self.idle_seconds
    }
}

/// The same browser at one origin of the website behind a proxy. It hangs on a [`Login`], and is worth nothing anywhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    /// Hash of the cookie.
    pub secret_hash: SecretHash,
    /// On which sign-in it hangs.
    pub login_id: WebsiteLoginId,
    /// Of which website.
    pub website_id: WebsiteId,
    /// Where it is good.
    pub origin: Origin,
    /// When it was given.
    pub created_at: Timestamp,
}
