//! One integration's way to its platform: small capabilities, the credential an argument, no HTTP types.

use crate::{
    CredentialCheck, Endpoints, Follow, HttpClient, UpstreamError, Webhooks, bitbucket_cloud,
    bitbucket_data_center,
};
use async_trait::async_trait;
use stave_domain::{
    Secret, Timestamp,
    identity::{Grant, RemoteProfile},
    integration::{ApiTimeout, BaseUrl, Platform},
    website::Circle,
};
use std::{collections::BTreeMap, fmt, sync::Arc};
use url::Url;

/// One integration's way to its platform. A capability that is `None` is not offered in the pages.
pub trait Connector: Send + Sync {
    /// Letting people log in.
    fn sign_in(&self) -> Option<&dyn SignIn> {
        None
    }

    /// Trying whether everything that a log-in needs is in order.
    fn inspect(&self) -> Option<&dyn Inspect> {
        None
    }

    /// Finding out who belongs together.
    fn circles(&self) -> Option<&dyn Circles> {
        None
    }

    /// Following a workspace.
    fn follow(&self) -> Option<&dyn Follow> {
        None
    }

    /// Installing webhooks.
    fn webhooks(&self) -> Option<&dyn Webhooks> {
        None
    }

    /// Trying every kind of request.
    fn endpoints(&self) -> Option<&dyn Endpoints> {
        None
    }

    /// Trying a credential.
    fn credential_check(&self) -> Option<&dyn CredentialCheck> {
        None
    }
}

/// Letting people log in: OAuth 2 (RFC 6749, section 4.1) or OAuth 1.0a (RFC 5849, section 2).
#[async_trait]
pub trait SignIn: Send + Sync {
    /// Where to send the browser. OAuth 2 sends `state` along; OAuth 1 asks the server for a request token first, which takes
    /// its place. Whoever calls keeps what comes back, checks it and lets it be used once.
    async fn begin(&self, state: &Secret) -> Result<Departure, UpstreamError>;

    /// Who came back, and the grant to act as them. `kept` is that of the departure, `query` what the browser brought back,
    /// its state already checked.
    async fn finish(
        &self,
        kept: &Secret,
        query: &BTreeMap<String, String>,
    ) -> Result<(RemoteProfile, Grant), UpstreamError>;

    /// A fresh grant; [`UpstreamError::Unauthorized`] if the person has to log in again. The old refresh token is dead
    /// afterwards: whoever calls holds a lock on the identity, and stores the new grant before using it.
    async fn refresh(&self, old: &Grant) -> Result<Grant, UpstreamError>;

    /// Whose grant this is; [`UpstreamError::Unauthorized`] if it no longer works.
    async fn who_am_i(&self, grant: &Grant) -> Result<RemoteProfile, UpstreamError>;
}

/// Trying whether everything that a log-in needs is in order.
#[async_trait]
pub trait Inspect: Send + Sync {
    /// Looks at the page to which a browser would be sent, without a login: an error page there never comes back to Stave, so
    /// this is the only way to see that the platform does not know the client or its callback.
    async fn knock(&self, departure: &Url) -> Result<(), UpstreamError>;

    /// Whether a bell can be installed with this grant; the sentence says how, or what is missing.
    async fn webhooks(&self, grant: &Grant) -> Result<Ability, UpstreamError>;
}

/// Finding out who belongs together: in a workspace, in a group.
#[async_trait]
pub trait Circles: Send + Sync {
    /// In which circles the person is who gave the grant: of a platform that tells them all, all of them; of one that has to be
    /// asked, those of the wanted ones. Only [`Circle::is`] tells which of them is which. What could not be found out is an
    /// error, never a circle less.
    async fn circles(&self, grant: &Grant, wanted: &[Circle]) -> Result<Vec<Circle>, UpstreamError>;

    /// The circle that somebody means who typed this; `None` if there is none, as far as the client may see. Where the client
    /// may not look, it is a circle of which not everything is known.
    async fn circle_find(&self, typed: &str) -> Result<Option<Circle>, UpstreamError>;
}

/// Whether something can be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ability {
    /// Yes; in a sentence.
    Yes(String),
    /// No; why, and what to do.
    No(String),
}

/// A browser leaves.
#[derive(Debug, Clone)]
pub struct Departure {
    /// Where to.
    pub url: Url,
    /// What comes back in the query: `state` (OAuth 2) or `oauth_token` (OAuth 1).
    pub state: Secret,
    /// What [`SignIn::finish`] has to know: the PKCE verifier, the secret of the request token, or nothing.
    pub kept: Secret,
}

/// What of a callback's query names the trip that it ends.
#[must_use]
pub fn state_in(query: &BTreeMap<String, String>) -> Secret {
    let found = query.get("state").or_else(|| query.get("oauth_token"));
    Secret::new(found.map_or("", String::as_str))
}

/// An integration as the platform knows it: what an admin entered.
#[derive(Debug, Clone)]
pub struct Registration {
    /// What kind of host.
    pub platform: Platform,
    /// Where it is.
    pub base_url: BaseUrl,
    /// What Stave is registered as.
    pub client: Client,
    /// The one address to which the platform sends people back.
    pub callback: Url,
    /// How long one request may take.
    pub timeout: ApiTimeout,
}

/// What Stave is registered as, its secret opened.
#[derive(Debug, Clone)]
pub enum Client {
    /// An OAuth 2 client.
    OAuth2 {
        /// Bitbucket's "Key" or "Client ID".
        id: String,
        /// Bitbucket's "Secret" or "Client secret".
        secret: Secret,
    },
    /// An OAuth 1 consumer that signs with RSA-SHA1.
    OAuth1 {
        /// "Consumer Key".
        consumer_key: String,
        /// PKCS#8 as PEM.
        private_key: Secret,
    },
}

/// What only the caller has: the time, and chance.
#[derive(Clone)]
pub struct Environment {
    /// The time now.
    pub now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// 256 random bits as text that is safe in a URL; another at each call.
    pub secret: fn() -> Secret,
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment")
    }
}

/// What a trip asks, in the time that one request may take: a server that answers slowly many times holds nobody longer than one
/// that does not answer.
pub(crate) async fn in_time<T>(
    registration: &Registration,
    work: impl Future<Output = Result<T, UpstreamError>>,
) -> Result<T, UpstreamError> {
    let Some(limit) = registration.timeout.duration() else { return work.await };
    let silence = || UpstreamError::unreachable(registration.base_url.url(), crate::Obstacle::TimedOut, None);
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| Err(silence()))
}

/// The connector of an integration. Nothing is sent yet.
#[must_use]
pub fn connector(
    http: HttpClient,
    registration: Registration,
    environment: Environment,
) -> Box<dyn Connector> {
    match registration.platform {
        Platform::BitbucketCloud => {
            Box::new(bitbucket_cloud::BitbucketCloud::new(http, registration, environment))
        }
        Platform::BitbucketDataCenter => {
            Box::new(bitbucket_data_center::BitbucketDataCenter::new(http, registration, environment))
        }
    }
}
