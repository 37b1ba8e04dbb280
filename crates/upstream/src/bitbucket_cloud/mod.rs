//! Bitbucket Cloud, or a stand-in that speaks its language.
//!
//! Facts: Bitbucket Cloud REST API, "Authentication methods" and "Users"; RFC 6749; the OAuth changes of 4 May 2026
//! (tokens only in the header and only to the API host, rotating refresh tokens, `scope` instead of `scopes`).

mod api;
mod circle;
mod credential;
mod endpoint;
mod follow;
mod inspect;
mod list;
mod person;
mod probe;
mod profile;
mod repository;
mod right;
mod sign_in;
mod webhook;
mod wire;
mod workspace;

pub(crate) use probe::{is_nearly_bitbucket_org, probe};

use crate::{
    Asker, CredentialCheck, Endpoints, Follow, HttpClient, SignInProblem, UpstreamError, Webhooks,
    answer::{authority, below},
    connector::{Circles, Client, Connector, Environment, Inspect, Registration, SignIn},
};
use stave_domain::{
    Secret,
    integration::{BaseUrl, Platform},
};
use url::Url;

/// One integration's way to Bitbucket Cloud.
pub(crate) struct BitbucketCloud {
    http: HttpClient,
    registration: Registration,
    environment: Environment,
    addresses: Addresses,
}

/// Where the parts of a Bitbucket are.
struct Addresses {
    /// The REST API, version 2.0; no trailing slash.
    api: Url,
    /// Where the browser goes.
    authorize: Url,
    /// Where codes and refresh tokens become grants.
    access_token: Url,
}

impl BitbucketCloud {
    pub(crate) fn new(http: HttpClient, registration: Registration, environment: Environment) -> Self {
        let addresses = Addresses::of(&registration.base_url);
        Self { http, registration, environment, addresses }
    }

    /// The id and the secret; Bitbucket Cloud has no other clients.
    fn client(&self) -> Result<(&str, &Secret), UpstreamError> {
        match &self.registration.client {
            Client::OAuth2 { id, secret } => Ok((id, secret)),
            Client::OAuth1 { .. } => Err(self.refused(SignInProblem::OAuth1Missing)),
        }
    }

    fn api<'a>(&'a self, asker: &'a dyn Asker) -> api::Api<'a> {
        api::Api { http: &self.http, root: &self.addresses.api, asker, timeout: self.registration.timeout }
    }

    fn refused(&self, problem: SignInProblem) -> UpstreamError {
        let host = authority(&self.addresses.authorize);
        UpstreamError::SignIn { host, platform: Platform::BitbucketCloud, problem }
    }
}

impl Connector for BitbucketCloud {
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
    /// bitbucket.org has a host of its own for the API; with any other base URL everything is below it.
    fn of(base_url: &BaseUrl) -> Self {
        let mut api = below(base_url.url(), "/2.0");
        if base_url.is_bitbucket_org() {
            api.set_host(Some("api.bitbucket.org")).expect("a constant host is a host");
        }
        Self {
            api,
            authorize: below(base_url.url(), "/site/oauth2/authorize"),
            access_token: below(base_url.url(), "/site/oauth2/access_token"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bitbucket_org_has_an_api_host_of_its_own() {
        let cases = [
            (
                "https://bitbucket.org/",
                "https://api.bitbucket.org/2.0",
                "https://bitbucket.org/site/oauth2/authorize",
            ),
            (
                "http://127.0.0.1:9000",
                "http://127.0.0.1:9000/2.0",
                "http://127.0.0.1:9000/site/oauth2/authorize",
            ),
            (
                "https://proxy.example.com/bb/",
                "https://proxy.example.com/bb/2.0",
                "https://proxy.example.com/bb/site/oauth2/authorize",
            ),
        ];
        for (base, api, authorize) in cases {
            let addresses = Addresses::of(&base.parse().unwrap());
            assert_eq!((addresses.api.as_str(), addresses.authorize.as_str()), (api, authorize));
        }
    }
}
