//! Request tokens and access tokens of OAuth 1.

use super::super::state::State;
use crate::common::chance;
use jiff::{SignedDuration, Timestamp};
use std::fmt;

/// Life of a request token.
const REQUEST_LIFE: SignedDuration = SignedDuration::from_mins(10);
/// Life of an access token: five years, `oauth_expires_in=157680000`.
pub(crate) const ACCESS_LIFE: SignedDuration = SignedDuration::from_secs(157_680_000);
/// How long a session handle renews it: thirty days more, `oauth_authorization_expires_in=160272000`.
pub(crate) const SESSION_LIFE: SignedDuration = SignedDuration::from_secs(160_272_000);

/// A question that waits for its answer.
#[derive(Clone)]
pub(crate) struct RequestToken {
    pub(crate) link: u32,
    /// Where the browser goes in the end; `None` is nowhere: it shows the verifier.
    pub(crate) callback: Option<String>,
    pub(crate) decision: Decision,
    issued_at: Timestamp,
}

/// What a person said to a request token.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    Open,
    Denied,
    Allowed { user: u32, verifier: String },
}

/// What a person's consent is worth.
#[derive(Clone)]
pub(crate) struct AccessToken {
    pub(crate) link: u32,
    pub(crate) user: u32,
    pub(crate) session_handle: String,
    pub(crate) expires_at: Timestamp,
    pub(crate) session_expires_at: Timestamp,
}

/// The answer of the access token step.
#[derive(Clone)]
pub struct SignedTokens {
    /// `oauth_token`, good for five years.
    pub token: String,
    /// `oauth_token_secret`, without use where requests are signed with RSA.
    pub secret: String,
    /// `oauth_session_handle`, with which the token is renewed.
    pub session_handle: String,
}

impl fmt::Debug for SignedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignedTokens([hidden])")
    }
}

impl RequestToken {
    /// Keeps a new one and gives its text.
    pub(crate) fn issue(state: &mut State, link: u32, callback: Option<String>) -> String {
        let text = chance(16);
        let token = Self { link, callback, decision: Decision::Open, issued_at: state.now() };
        state.request_tokens.insert(text.clone(), token);
        text
    }

    pub(crate) fn is_valid_at(&self, now: Timestamp) -> bool {
        now < self.issued_at + REQUEST_LIFE
    }
}

impl AccessToken {
    /// Keeps a new one.
    pub(crate) fn issue(state: &mut State, link: u32, user: u32) -> SignedTokens {
        let tokens = SignedTokens { token: chance(16), secret: chance(16), session_handle: chance(16) };
        let now = state.now();
        let token = Self {
            link,
            user,
            session_handle: tokens.session_handle.clone(),
            expires_at: now + ACCESS_LIFE,
            session_expires_at: now + SESSION_LIFE,
        };
        state.access_tokens.insert(tokens.token.clone(), token);
        tokens
    }
}
