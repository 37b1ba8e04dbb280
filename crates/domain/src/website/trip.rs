//! Visitors on the way: to a server, and from a page behind a proxy to the login form.

use super::{Origin, ProviderKey};
use crate::{
    Timestamp,
    id::{UserId, WebsiteId, WebsiteLoginId},
    secret::{Sealed, SecretHash},
};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// How long a [`Trip`] or a [`Visit`] may take, like every other way to a server: [`crate::login::ATTEMPT_LIMIT`].
pub const TRIP_LIMIT: SignedDuration = crate::login::ATTEMPT_LIMIT;

/// A visitor's trip to a server: it works once, in the browser that left, for this website, this button and this setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trip {
    /// Hash of what comes back in the query.
    pub state_hash: SecretHash,
    /// Hash of the cookie of the browser that left.
    pub browser_hash: SecretHash,
    /// From which website.
    pub website_id: WebsiteId,
    /// Through which button.
    pub provider: ProviderKey,
    /// As which of the provider's clients.
    pub client_id: String,
    /// By which published setting; `None` by the draft.
    pub revision: Option<u32>,
    /// What the connector has to know when they are back, sealed.
    pub kept: Sealed,
    /// What for.
    pub purpose: TripPurpose,
    /// When it left.
    pub created_at: Timestamp,
}

impl Trip {
    /// At ten minutes it is over.
    #[must_use]
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        now.duration_since(self.created_at) < TRIP_LIMIT
    }
}

/// What a visitor's trip is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TripPurpose {
    /// Sign in.
    SignIn {
        /// The query of the authorization request that waits for it; `None` leads to the account page.
        request: Option<String>,
    },
    /// Connect another server to a member who is signed in.
    Connect {
        /// Whose browser it is.
        login: WebsiteLoginId,
    },
    /// An owner tries the draft: nothing is left behind.
    Test {
        /// Who tries it.
        user: UserId,
    },
}

/// A visitor of a page behind a proxy on the way to the login form and back: it works once, in the browser that left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// Hash of `state`.
    pub state_hash: SecretHash,
    /// Hash of the cookie of the browser that left; the cookie is the PKCE verifier too.
    pub secret_hash: SecretHash,
    /// Of which website.
    pub website_id: WebsiteId,
    /// At which of its origins.
    pub origin: Origin,
    /// The page to go back to: a path there.
    pub return_to: String,
    /// When it left.
    pub created_at: Timestamp,
}

impl Visit {
    /// At ten minutes it is over.
    #[must_use]
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        now.duration_since(self.created_at) < TRIP_LIMIT
    }
}
