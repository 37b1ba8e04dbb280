//! One browser that is signed in, and the trip to a platform that leads there.

use crate::{
    Timestamp,
    id::{IntegrationId, LoginId, UserId},
    secret::{Sealed, SecretHash},
};
use jiff::SignedDuration;

/// A browser that shows no sign of life for this long has to log in again.
pub const IDLE_LIMIT: SignedDuration = SignedDuration::from_hours(24 * 14);
/// No log-in lasts longer than this.
pub const ABSOLUTE_LIMIT: SignedDuration = SignedDuration::from_hours(24 * 60);
/// How long a trip to the platform may take.
pub const ATTEMPT_LIMIT: SignedDuration = SignedDuration::from_mins(10);
/// How long the registration form may stay open after it.
pub const REGISTRATION_LIMIT: SignedDuration = SignedDuration::from_hours(1);

/// One browser that is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Immutable.
    pub id: LoginId,
    /// Who is signed in.
    pub user_id: UserId,
    /// Hash of the cookie.
    pub secret_hash: SecretHash,
    /// How they came in: an integration's name, or "password".
    pub method: String,
    /// The integration through which they came in, while it exists; it says how far the login reaches.
    pub integration_id: Option<IntegrationId>,
    /// The integration at which they last proved in this browser who they are: when they came in, or later.
    pub proven_id: Option<IntegrationId>,
    /// The browser's own words about itself, cut to 300 characters.
    pub user_agent: String,
    /// The address it came from.
    pub address: String,
    /// When they signed in.
    pub created_at: Timestamp,
    /// Last request, to five minutes.
    pub seen_at: Timestamp,
}

impl Login {
    /// At the limit itself the login is over.
    #[must_use]
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        now.duration_since(self.seen_at) < IDLE_LIMIT && now.duration_since(self.created_at) < ABSOLUTE_LIMIT
    }
}

/// What a trip to the platform is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Log in, or register if the identity is new.
    LogIn,
    /// Connect the account to a user who is signed in already.
    Connect {
        /// Who.
        user: UserId,
        /// Whether it takes the place of the one that they have there.
        replaces: bool,
    },
    /// Try whether the integration works, and change nothing.
    Check {
        /// When the check began that this trip belongs to.
        started_at: Timestamp,
    },
}

/// A trip to the platform: it works once, in the browser that left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Hash of what comes back in the query: the `state` of OAuth 2, the request token of OAuth 1.
    pub state_hash: SecretHash,
    /// Hash of the cookie of the browser that left.
    pub browser_hash: SecretHash,
    /// Where it went.
    pub integration_id: IntegrationId,
    /// As which of its clients.
    pub client_id: String,
    /// What the connector has to know when they are back, sealed.
    pub kept: Sealed,
    /// What for.
    pub purpose: Purpose,
    /// The page to go to afterwards: a path on this server.
    pub return_to: String,
    /// When it left.
    pub created_at: Timestamp,
}

impl Attempt {
    /// At ten minutes it is over.
    #[must_use]
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        now.duration_since(self.created_at) < ATTEMPT_LIMIT
    }
}

/// Somebody who came back from the platform and has no account here yet: what the platform said, until the form is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// Hash of the cookie of the browser in which the form is open.
    pub browser_hash: SecretHash,
    /// Where they came from.
    pub integration_id: IntegrationId,
    /// The sealed profile and grant.
    pub sealed: Sealed,
    /// The page to go to afterwards: a path on this server.
    pub return_to: String,
    /// When they came back.
    pub created_at: Timestamp,
}

impl Registration {
    /// At one hour it is over.
    #[must_use]
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        now.duration_since(self.created_at) < REGISTRATION_LIMIT
    }
}
