//! What a member let a client do: a code, then access tokens and refresh tokens, all ended together.

use super::RedirectUri;
use crate::{
    Timestamp,
    id::{WebsiteClientId, WebsiteGrantId, WebsiteId, WebsiteLoginId, WebsiteMemberId},
    secret::SecretHash,
};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt, str::FromStr};

/// How long a code may wait to be redeemed (RFC 6749, section 4.1.2: ten minutes at most).
pub const CODE_LIMIT: SignedDuration = SignedDuration::from_secs(60);

/// What a member let a client do: it begins with a code and ends with everything that was bought with it. It hangs on the
/// [`Login`](super::Login) in which it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Immutable.
    pub id: WebsiteGrantId,
    /// Of which website.
    pub website_id: WebsiteId,
    /// To which client.
    pub client_id: WebsiteClientId,
    /// By whom.
    pub member_id: WebsiteMemberId,
    /// In which browser.
    pub login_id: WebsiteLoginId,
    /// What for.
    pub scopes: Scopes,
    /// The client's own mark; goes into the first ID token as it came.
    pub nonce: Option<String>,
    /// Where the code was sent.
    pub redirect_uri: RedirectUri,
    /// The `S256` challenge (RFC 7636, section 4.2); `None` if the client sent none.
    pub challenge: Option<String>,
    /// When the member proved who they are.
    pub authenticated_at: Timestamp,
    /// Hash of the code.
    pub code_hash: SecretHash,
    /// When the code was made.
    pub created_at: Timestamp,
    /// When it was redeemed. A second time ends the grant.
    pub redeemed_at: Option<Timestamp>,
    /// Hash of the refresh token that works.
    pub refresh_hash: Option<SecretHash>,
    /// Hash of the one before: for three seconds it buys the same successor again, later it ends the grant.
    pub refresh_before_hash: Option<SecretHash>,
    /// How many refresh tokens there were.
    pub refresh_count: u32,
    /// When the one that works was made.
    pub refreshed_at: Option<Timestamp>,
}

/// An access token: for the user info endpoint, and for nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// Hash of it.
    pub hash: SecretHash,
    /// With which grant it ends.
    pub grant_id: WebsiteGrantId,
    /// Of which website.
    pub website_id: WebsiteId,
    /// What for: those of the grant, or fewer.
    pub scopes: Scopes,
    /// When it dies.
    pub expires_at: Timestamp,
}

/// What a member let a client know, so that they are not asked again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// Who.
    pub member_id: WebsiteMemberId,
    /// Whom.
    pub client_id: WebsiteClientId,
    /// What.
    pub scopes: Scopes,
    /// When.
    pub given_at: Timestamp,
}

/// What a client may ask for (OpenID Connect Core, sections 5.4 and 11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Who it is.
    #[serde(rename = "openid")]
    OpenId,
    /// Name and picture.
    Profile,
    /// The address.
    Email,
    /// The roles.
    Groups,
    /// Refresh tokens.
    OfflineAccess,
}

impl Scope {
    /// Every scope, in the order of the discovery document.
    pub const ALL: [Self; 5] = [Self::OpenId, Self::Profile, Self::Email, Self::Groups, Self::OfflineAccess];

    /// The name in requests.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::OpenId => "openid",
            Self::Profile => "profile",
            Self::Email => "email",
            Self::Groups => "groups",
            Self::OfflineAccess => "offline_access",
        }
    }

    /// What it means, for the member who is asked.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::OpenId => "recognise you when you come back",
            Self::Profile => "know your name and your picture",
            Self::Email => "know your e-mail address",
            Self::Groups => "know your roles here",
            Self::OfflineAccess => "stay informed while you are away",
        }
    }
}

/// Scopes, in the order of [`Scope::ALL`]; as text with spaces between them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scopes(pub BTreeSet<Scope>);

impl Scopes {
    /// Everything that can be asked for.
    #[must_use]
    pub fn all() -> Self {
        Self(Scope::ALL.into())
    }

    /// Those that are known; others are left out (RFC 6749, section 3.3).
    #[must_use]
    pub fn known_in(text: &str) -> Self {
        let known = |name: &str| Scope::ALL.into_iter().find(|scope| scope.key() == name);
        Self(text.split(' ').filter_map(known).collect())
    }

    /// Whether one is among them.
    #[must_use]
    pub fn has(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.iter().map(|scope| scope.key()).collect::<Vec<_>>().join(" "))
    }
}

impl FromStr for Scopes {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::known_in(text))
    }
}
