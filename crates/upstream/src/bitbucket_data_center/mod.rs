//! Bitbucket Data Center, called Bitbucket Server and Stash before. All its addresses are below its base URL, which may have a
//! context path.
//!
//! Facts: Bitbucket Data Center REST API; "Configure an incoming link" and "Bitbucket OAuth 2.0 provider API" of its manual;
//! RFC 6749 and RFC 7636 for OAuth 2; RFC 5849 for OAuth 1. There is no resource that says who asks: a header and a servlet do.

mod api;
mod circle;
mod credential;
mod endpoint;
mod failure;
mod follow;
mod group;
mod inspect;
mod list;
mod oauth1;
mod oauth2;
mod person;
mod probe;
mod profile;
mod repository;
mod right;
mod sign_in;
mod webhook;
mod wire;
mod workspace;

pub(crate) use probe::probe;

use crate::{
    Asker, CredentialCheck, Endpoints, Follow, HttpClient, SignInProblem, UpstreamError, Webhooks,
    answer::{authority, below},
    connector::{Circles, Client, Connector, Environment, Inspect, Registration, SignIn},
};
use stave_domain::{
    Timestamp,
    integration::{BaseUrl, Platform},
};
use url::Url;

/// One integration's way to Bitbucket Data Center.
pub(crate) struct BitbucketDataCenter {
    http: HttpClient,
    registration: Registration,
    environment: Environment,
    addresses: Addresses,
}

/// Where the parts of a Bitbucket are.
struct Addresses {
    /// The REST API, version 1.0; no trailing slash.
    api: Url,
    /// OAuth 2: where the browser goes.
    authorize: Url,
    /// OAuth 2: where codes and refresh tokens become grants.
    token: Url,
    /// Says who asks, as text; nothing if it is nobody.
    whoami: Url,
}

impl BitbucketDataCenter {
    pub(crate) fn new(http: HttpClient, registration: Registration, environment: Environment) -> Self {
        let addresses = Addresses::below(&registration.base_url);
        Self { http, registration, environment, addresses }
    }

    fn now(&self) -> Timestamp {
        (self.environment.now)()
    }

    fn host(&self) -> String {
        authority(self.registration.base_url.url())
    }

    /// The API, asked by somebody, perhaps in vain.
    fn api<'a>(&'a self, asker: &'a dyn Asker) -> api::Api<'a> {
        api::Api { server: self, asker, as_somebody: false }
    }

    /// The API, asked by somebody whom Bitbucket knows.
    fn api_known<'a>(&'a self, asker: &'a dyn Asker) -> api::Api<'a> {
        api::Api { server: self, asker, as_somebody: true }
    }

    fn refused(&self, problem: SignInProblem) -> UpstreamError {
        UpstreamError::SignIn { host: self.host(), platform: Platform::BitbucketDataCenter, problem }
    }

    fn unauthorized(&self) -> UpstreamError {
        UpstreamError::Unauthorized { host: self.host() }
    }

    /// The one way of logging in that the integration is registered for.
    fn way(&self) -> Way<'_> {
        match &self.registration.client {
            Client::OAuth2 { id, secret } => Way::Two(oauth2::Flow { server: self, id, secret }),
            Client::OAuth1 { consumer_key, private_key } => {
                Way::One(oauth1::Flow { server: self, consumer_key, private_key })
            }
        }
    }
}

/// How people log in.
enum Way<'a> {
    One(oauth1::Flow<'a>),
    Two(oauth2::Flow<'a>),
}

impl Connector for BitbucketDataCenter {
    fn sign_in(&self) -> Option<&dyn SignIn> {
        Some(self)
    }

    fn inspect(&self) -> Option<&dyn Inspect> {
        Some(self)
    }

    fn circles(&self) -> Option<&dyn Circles> {
        Some(self)
    }

    fn follow(&self) -> Option<&dyn Follow> {
        Some(self)
    }

    fn webhooks(&self) -> Option<&dyn Webhooks> {
        Some(self)
    }

    fn endpoints(&self) -> Option<&dyn Endpoints> {
        Some(self)
    }

    fn credential_check(&self) -> Option<&dyn CredentialCheck> {
        Some(self)
    }
}

impl Addresses {
    fn below(base_url: &BaseUrl) -> Self {
        let at = |path| below(base_url.url(), path);
        Self {
            api: at("/rest/api/1.0"),
            authorize: at("/rest/oauth2/latest/authorize"),
            token: at("/rest/oauth2/latest/token"),
            whoami: at("/plugins/servlet/applinks/whoami"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_below_the_context_path() {
        for (base_url, root) in [
            ("https://git.example.com", "https://git.example.com"),
            ("http://git.example.com:7990/bitbucket/", "http://git.example.com:7990/bitbucket"),
        ] {
            let Addresses { api, authorize, token, whoami } = Addresses::below(&base_url.parse().unwrap());
            assert_eq!(
                [api, authorize, token, whoami].map(String::from),
                [
                    format!("{root}/rest/api/1.0"),
                    format!("{root}/rest/oauth2/latest/authorize"),
                    format!("{root}/rest/oauth2/latest/token"),
                    format!("{root}/plugins/servlet/applinks/whoami"),
                ]
            );
        }
    }
}
