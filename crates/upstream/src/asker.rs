//! Who asks in a long piece of work: keys may expire in the middle of it, and servers may need a rest.

use crate::{UpstreamError, answer::Answer, oauth2::saying};
use async_trait::async_trait;
use reqwest::Method;
use serde_json::Value;
use stave_domain::{Secret, identity::Grant};
use url::Url;

/// With what a request proves who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// A person's own token: a bearer token, or (OAuth 1) the token that requests are signed for.
    Grant(Secret),
    /// An access token that somebody made at the platform: always a bearer token.
    Token(Secret),
    /// A user name and a password, such as an e-mail address and an API token.
    Basic {
        /// Who.
        username: String,
        /// Never printed.
        password: Secret,
    },
}

impl Key {
    /// The key that somebody gave who logged in.
    #[must_use]
    pub fn of(grant: &Grant) -> Self {
        Self::Grant(grant.access_token.clone())
    }
}

/// Whoever asks the platform in a long piece of work: brings the key, and the patience.
#[async_trait]
pub trait Asker: Send + Sync {
    /// The key to ask with now. `refused` is one that the platform just refused, perhaps before its time: if there is no other
    /// than that, it is given again, and the refusal stands.
    async fn key(&self, refused: Option<&Key>) -> Result<Key, UpstreamError>;

    /// A request failed with something that may pass: too many requests, an error of the server, no answer. Waits and gives
    /// true: it is asked again; or false: it is given up. `attempt` counts from 1, for each request anew.
    async fn wait(&self, failure: &UpstreamError, attempt: u32) -> bool;
}

/// A key alone asks once.
#[async_trait]
impl Asker for Key {
    async fn key(&self, _refused: Option<&Key>) -> Result<Key, UpstreamError> {
        Ok(self.clone())
    }

    async fn wait(&self, _failure: &UpstreamError, _attempt: u32) -> bool {
        false
    }
}

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// JSON.
    pub(crate) body: Option<Value>,
    /// Whether the platform's own "there is none" is an answer too.
    pub(crate) takes_absence: bool,
}

/// What a request for something gives that may not be there.
#[derive(Debug)]
pub(crate) enum Found {
    There(Answer),
    /// What the platform says of it: the name of its exception, or a sentence that names what is missing.
    Absent(String),
}

impl Call {
    pub(crate) fn get(url: &Url) -> Self {
        Self { method: Method::GET, url: url.clone(), body: None, takes_absence: false }
    }

    /// Asks for something that may not be there.
    pub(crate) fn find(url: &Url) -> Self {
        Self { takes_absence: true, ..Self::get(url) }
    }

    pub(crate) fn delete(url: &Url) -> Self {
        Self { method: Method::DELETE, takes_absence: true, ..Self::get(url) }
    }

    pub(crate) fn with_body(method: Method, url: &Url, body: Value) -> Self {
        Self { method, body: Some(body), ..Self::get(url) }
    }

    /// What was sent twice has happened twice, so it is sent again only to a server that surely did nothing.
    fn may_be_repeated_after(&self, failure: &UpstreamError) -> bool {
        self.method != Method::POST || matches!(failure, UpstreamError::RateLimited { .. })
    }
}

/// Why something is not taken, in the platform's words if it gave any.
pub(crate) fn declined(host: String, said: Option<String>) -> UpstreamError {
    match said {
        Some(said) => UpstreamError::Declined { host, said: saying(&said, None) },
        None => UpstreamError::Unexpected { host, status: 400 },
    }
}

/// Whoever can send one request once.
#[async_trait]
pub(crate) trait Sender: Sync {
    /// Every status but a success is an error, unless the call takes an absence.
    async fn send_once(&self, call: &Call, key: &Key) -> Result<Answer, UpstreamError>;
}

/// Sends a request until it is answered, or whoever asks gives up. A key that is refused is replaced once.
pub(crate) async fn persist(
    sender: &dyn Sender,
    asker: &dyn Asker,
    call: &Call,
) -> Result<Answer, UpstreamError> {
    let mut key = asker.key(None).await?;
    let (mut is_replaced, mut attempt) = (false, 0);
    loop {
        match sender.send_once(call, &key).await {
            Err(refusal @ UpstreamError::Unauthorized { .. }) if !is_replaced => {
                let other = asker.key(Some(&key)).await?;
                if other == key {
                    return Err(refusal);
                }
                (key, is_replaced) = (other, true);
            }
            Err(failure) if failure.is_transient() && call.may_be_repeated_after(&failure) => {
                attempt += 1;
                if !asker.wait(&failure, attempt).await {
                    return Err(failure);
                }
                // The wait may have been longer than the life of the key.
                (key, is_replaced) = (asker.key(None).await?, false);
            }
            outcome => return outcome,
        }
    }
}
