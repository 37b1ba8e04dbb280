//! One integration's way to its platform: small capabilities, the credential an argument, no HTTP types.

use crate::{HttpClient, UpstreamError, bitbucket_cloud};
use async_trait::async_trait;
use stave_domain::{
    Secret, Timestamp,
    identity::{Grant, RemoteProfile},
    integration::{ApiTimeout, BaseUrl, Platform},
};
use std::collections::BTreeMap;
use url::Url;

/// One integration's way to its platform. A capability that is `None` is not offered in the pages.
pub trait Connector: Send + Sync {
    /// Letting people log in.
    fn sign_in(&self) -> Option<&dyn SignIn> {
        None
    }
}

/// Letting people log in with OAuth 2 (RFC 6749, section 4.1).
#[async_trait]
pub trait SignIn: Send + Sync {
    /// Where to send the browser. `state` comes back unchanged in the query of `callback`; whoever calls keeps it, checks it
    /// and lets it be used once.
    fn begin(&self, callback: &Url, state: &Secret) -> Url;

    /// Who came back, and the grant to act as them. `callback` is the one that was given to [`begin`](Self::begin), `query`
    /// what the browser brought back, its `state` already checked.
    async fn finish(
        &self,
        callback: &Url,
        query: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> Result<(RemoteProfile, Grant), UpstreamError>;

    /// A fresh grant; [`UpstreamError::Unauthorized`] if the person has to log in again. The old refresh token is dead
    /// afterwards: whoever calls holds a lock on the identity, and stores the new grant before using it.
    async fn refresh(&self, old: &Grant, now: Timestamp) -> Result<Grant, UpstreamError>;
}

/// An integration as the platform knows it: what an admin entered.
#[derive(Debug, Clone)]
pub struct Registration {
    /// What kind of host.
    pub platform: Platform,
    /// Where it is.
    pub base_url: BaseUrl,
    /// Bitbucket's "Key".
    pub client_id: String,
    /// Bitbucket's "Secret".
    pub client_secret: Secret,
    /// How long one request may take.
    pub timeout: ApiTimeout,
}

/// The connector of an integration. Nothing is sent yet.
#[must_use]
pub fn connector(http: HttpClient, registration: Registration) -> Box<dyn Connector> {
    match registration.platform {
        Platform::BitbucketCloud => Box::new(bitbucket_cloud::BitbucketCloud::new(http, registration)),
    }
}

/// What was found at a base URL: the platform that was expected there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Where its API is.
    pub api_url: Url,
}

/// Why a base URL does not look right; `Display` is a sentence for the admin who typed it.
#[derive(Debug, thiserror::Error)]
pub enum ProbeProblem {
    /// It is nearly Bitbucket's own address.
    #[error("The base URL of Bitbucket Cloud is exactly https://bitbucket.org. Enter that.")]
    Misspelt,
    /// No answer came.
    #[error(transparent)]
    Unreachable(UpstreamError),
    /// It points somewhere else.
    #[error(
        "{from} points to {to}, which Stave does not follow. If that is where your Bitbucket is, enter its address."
    )]
    Redirected {
        /// The address that was asked.
        from: String,
        /// Where it points, without query.
        to: String,
    },
    /// Something answers, but it is out of order.
    #[error(
        "{url} answered with error {status}. Try again in a few minutes, or save anyway if you know that it is Bitbucket."
    )]
    Faulty {
        /// The address that was asked.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// Something else answers.
    #[error(
        "This is not Bitbucket Cloud: {url} answered with {saw} where its API should be. Check the base URL."
    )]
    NotBitbucket {
        /// The address that was asked.
        url: String,
        /// "a web page", "status 404".
        saw: String,
    },
}

/// Asks what is at a base URL, without any credential and without following redirects. Takes at most 20 seconds.
pub async fn probe(http: &HttpClient, platform: Platform, base_url: &BaseUrl) -> Result<Seen, ProbeProblem> {
    match platform {
        Platform::BitbucketCloud => bitbucket_cloud::probe(http, base_url).await,
    }
}
