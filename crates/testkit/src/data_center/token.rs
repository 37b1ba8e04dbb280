//! Codes and tokens of OAuth 2, and HTTP access tokens.

use super::{
    FakeDataCenter,
    permission::Who,
    scope,
    state::{Fake, State},
    user::UserRecord,
};
use crate::common::chance;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::time::Duration;

/// Life of an access token, `access.token.expiration.seconds`.
const ACCESS_LIFE: SignedDuration = SignedDuration::from_hours(1);
/// Life of a refresh token, `refresh.token.expiration.seconds`: 90 days.
const REFRESH_LIFE: SignedDuration = SignedDuration::from_hours(24 * 90);
/// Life of an authorization code, `max.client.delay.seconds`.
const CODE_LIFE: SignedDuration = SignedDuration::from_secs(10);

/// A grant that waits to be redeemed.
#[derive(Debug, Clone)]
pub(crate) struct Code {
    pub(crate) link: u32,
    pub(crate) user: u32,
    pub(crate) scopes: Vec<String>,
    pub(crate) redirect_uri: String,
    pub(crate) challenge: Option<Challenge>,
    pub(crate) issued_at: Timestamp,
}

/// What the verifier of a code has to answer (RFC 7636).
#[derive(Debug, Clone)]
pub(crate) enum Challenge {
    Plain(String),
    Sha256(String),
}

/// An access token with its refresh token.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) link: u32,
    pub(crate) user: u32,
    pub(crate) scopes: Vec<String>,
    pub(crate) access_expires_at: Timestamp,
    refresh_expires_at: Timestamp,
}

/// An HTTP access token, which somebody made in the browser.
#[derive(Debug, Clone)]
pub(crate) struct HttpToken {
    /// Who acts with it: its person, or a service user of its own.
    pub(crate) user: u32,
    pub(crate) who: Who,
    pub(crate) scopes: Vec<String>,
    /// At this instant itself it is over; `None` is never.
    expires_at: Option<Timestamp>,
}

/// How HTTP access tokens end.
impl FakeDataCenter {
    /// Revokes an HTTP access token.
    pub fn revoke_http_token(&self, text: &str) -> &Self {
        self.fake.state().http_tokens.remove(text);
        self
    }

    /// Lets an HTTP access token end so much later than now.
    ///
    /// # Panics
    /// If there is no such token.
    pub fn http_token_expires_in(&self, text: &str, life: Duration) -> &Self {
        let life = SignedDuration::try_from(life).expect("a token lives for years at most");
        let mut state = self.fake.state();
        let at = state.now() + life;
        state.http_tokens.get_mut(text).expect("the token is known").expires_at = Some(at);
        drop(state);
        self
    }
}

impl Code {
    pub(crate) fn is_valid_at(&self, now: Timestamp) -> bool {
        now < self.issued_at + CODE_LIFE
    }
}

impl Challenge {
    /// Bitbucket's page says `sha256`, its example `S256`, and clients send `s256`; `None` is a method that nobody knows.
    pub(crate) fn read(challenge: &str, method: Option<&str>) -> Option<Self> {
        match method.unwrap_or("plain").to_ascii_lowercase().as_str() {
            "plain" => Some(Self::Plain(challenge.to_owned())),
            "s256" | "sha256" => Some(Self::Sha256(challenge.to_owned())),
            _ => None,
        }
    }

    /// Whether this verifier, of 43 to 127 characters, is the answer.
    pub(crate) fn is_met_by(&self, verifier: &str) -> bool {
        let is_sound = (43..=127).contains(&verifier.len());
        is_sound
            && match self {
                Self::Plain(challenge) => challenge == verifier,
                Self::Sha256(challenge) => {
                    *challenge == BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
                }
            }
    }
}

impl Pair {
    /// Keeps a new pair.
    pub(crate) fn issue(state: &mut State, link: u32, user: u32, scopes: Vec<String>) -> Self {
        let now = state.now();
        let pair = Self {
            access: text_new(),
            refresh: text_new(),
            link,
            user,
            scopes,
            access_expires_at: now + ACCESS_LIFE,
            refresh_expires_at: now + REFRESH_LIFE,
        };
        state.pairs.push(pair.clone());
        pair
    }

    /// Replaces the pair of this refresh token; the old access token dies with it. `None` if the token is dead.
    pub(crate) fn refresh(state: &mut State, link: u32, text: &str) -> Option<Self> {
        let now = state.now();
        let found = |pair: &Self| pair.refresh == text && pair.link == link && now < pair.refresh_expires_at;
        let old = state.pairs.iter().position(found)?;
        let Self { user, scopes, .. } = state.pairs.remove(old);
        Some(Self::issue(state, link, user, scopes))
    }

    /// The answer of the token endpoint.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "access_token": self.access,
            "token_type": "bearer",
            "expires_in": ACCESS_LIFE.as_secs(),
            "refresh_token": self.refresh,
            "scope": self.scopes.join(" "),
        })
    }
}

impl HttpToken {
    /// Keeps a new token with these permissions: `PROJECT_READ` to `REPO_ADMIN`.
    pub(super) fn issue(fake: &Fake, who: Who, permissions: &[&str]) -> String {
        let scopes = permissions.iter().map(|name| scope::of_http_token(name).to_owned()).collect();
        let text = format!("BBDC-{}", chance(20));
        let mut state = fake.state();
        let user = match who {
            Who::User(user) => user,
            Who::Project(id) => UserRecord::of_token(&mut state, "project", id),
            Who::Repository(id) => UserRecord::of_token(&mut state, "repository", id),
            Who::Nobody => panic!("a token is somebody's"),
        };
        state.http_tokens.insert(text.clone(), Self { user, who, scopes, expires_at: None });
        text
    }

    pub(crate) fn is_valid_at(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|expires_at| now < expires_at)
    }
}

/// As Bitbucket's tokens look: a short JWT. Nobody can verify it.
fn text_new() -> String {
    let part = |bytes: usize| BASE64_URL_SAFE_NO_PAD.encode(chance(bytes));
    format!("eyJhbGciOiJIUzI1NiJ9.{}.{}", part(32), part(16))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Verifier and challenge are from RFC 7636, appendix B.
    #[test]
    fn a_verifier_answers_its_challenge() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let hash = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        let rows = [
            (hash, Some("S256"), verifier, Some(true)),
            (hash, Some("s256"), verifier, Some(true)),
            (hash, Some("sha256"), verifier, Some(true)),
            (hash, Some("S256"), hash, Some(false)),
            (hash, None, verifier, Some(false)),
            (verifier, None, verifier, Some(true)),
            ("short", Some("plain"), "short", Some(false)),
            (hash, Some("S512"), verifier, None),
        ];
        for (challenge, method, verifier, expected) in rows {
            let met = Challenge::read(challenge, method).map(|challenge| challenge.is_met_by(verifier));
            assert_eq!(met, expected, "{challenge} {method:?}");
        }
    }
}
