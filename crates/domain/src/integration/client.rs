//! What Stave is registered as at a code host.

use crate::{Invalid, secret::Sealed};
use std::str::FromStr;

/// In which OAuth an application speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum OAuthVersion {
    /// OAuth 1.0a with RSA-SHA1 (RFC 5849): Bitbucket Server before 7.21.
    #[serde(rename = "1")]
    One,
    /// OAuth 2 (RFC 6749).
    #[serde(rename = "2")]
    Two,
}

impl OAuthVersion {
    /// Both, in the order of the form.
    pub const ALL: [Self; 2] = [Self::Two, Self::One];

    /// The name in the database and in forms.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::One => "1",
            Self::Two => "2",
        }
    }

    /// The name on pages.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::One => "OAuth 1",
            Self::Two => "OAuth 2",
        }
    }
}

impl FromStr for OAuthVersion {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::ALL
            .into_iter()
            .find(|version| version.key() == text)
            .ok_or_else(|| Invalid::because("Choose OAuth 2 or OAuth 1."))
    }
}

/// What Stave is registered as at a code host: an OAuth consumer, an application link.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Client {
    /// The host made id and secret.
    OAuth2 {
        /// "Client ID", on Bitbucket Cloud "Key".
        id: String,
        /// "Client secret", on Bitbucket Cloud "Secret".
        secret: Sealed,
    },
    /// Stave made the key pair, and chose the name.
    OAuth1 {
        /// "Consumer Key".
        consumer_key: String,
        /// PKCS#8 as PEM, sealed.
        private_key: Sealed,
        /// `SubjectPublicKeyInfo` as PEM.
        public_key: String,
    },
}

impl Client {
    /// By what the host knows it.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::OAuth2 { id, .. } => id,
            Self::OAuth1 { consumer_key, .. } => consumer_key,
        }
    }

    /// In which OAuth it speaks.
    #[must_use]
    pub fn oauth(&self) -> OAuthVersion {
        match self {
            Self::OAuth2 { .. } => OAuthVersion::Two,
            Self::OAuth1 { .. } => OAuthVersion::One,
        }
    }
}
