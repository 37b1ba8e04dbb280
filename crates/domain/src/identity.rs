//! A person at one integration.

use crate::{
    Secret, Timestamp,
    id::{IdentityId, IntegrationId, UserId},
    secret::Sealed,
    user::EmailAddress,
};
use std::collections::BTreeSet;

/// What the platform says about the person who just signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteProfile {
    /// The platform's immutable id, as delivered (Bitbucket Cloud: the uuid with its braces). The only key.
    pub external_id: String,
    /// What the platform calls them; may change, is not unique.
    pub handle: String,
    /// Their full name there; may be empty.
    pub display_name: String,
    /// The address to write to, if the platform tells one: the primary one.
    pub email: Option<RemoteEmail>,
    /// Another immutable id, if the platform has two (Bitbucket Cloud: the `account_id`).
    pub second_id: Option<String>,
    /// Where their picture is: https, on a host that the platform chose.
    pub picture: Option<String>,
    /// Every address that the platform tells, the primary one first.
    pub emails: Vec<RemoteEmail>,
}

/// An e-mail address as the platform knows it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RemoteEmail {
    /// The address.
    #[serde(with = "crate::as_text")]
    pub address: EmailAddress,
    /// Whether the platform says that it was confirmed.
    pub confirmed: bool,
}

/// A token set: with it, Stave acts at the platform as the person who gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// OAuth 2: sent as `Authorization: Bearer`; Bitbucket Cloud's are regularly longer than 2,500 characters. OAuth 1: the
    /// token that requests are signed for.
    pub access_token: Secret,
    /// OAuth 1 only; RSA-SHA1 does not use it.
    pub token_secret: Option<Secret>,
    /// Buys the next token set; Bitbucket's works once. OAuth 1: the session handle.
    pub refresh_token: Option<Secret>,
    /// When the access token dies.
    pub expires_at: Timestamp,
    /// What the token may do, in the platform's words. Empty if the platform did not say.
    pub scopes: BTreeSet<String>,
}

/// A connected account: a person at one integration, keyed by (integration, external id).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Immutable.
    pub id: IdentityId,
    /// Whose it is here.
    pub user_id: UserId,
    /// Where it is.
    pub integration_id: IntegrationId,
    /// The platform's immutable id.
    pub external_id: String,
    /// What the platform called them at the last sign-in.
    pub handle: String,
    /// Their full name there at the last sign-in.
    pub display_name: String,
    /// The sealed [`Grant`].
    pub grant: Sealed,
    /// To which client of the integration it was given.
    pub client_id: String,
    /// Counts the grants, so that two refreshes at a time cannot overwrite each other.
    pub grant_revision: i64,
    /// Why Stave can no longer act as this person, in a sentence; `None` while it can.
    pub broken_because: Option<String>,
    /// First sign-in.
    pub connected_at: Timestamp,
}
