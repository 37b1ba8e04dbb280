//! Logging in by OAuth 2: RFC 6749, section 4.1, with PKCE (RFC 7636). The client proves itself in the body.

use super::BitbucketDataCenter;
use crate::{
    SignInProblem, UpstreamError,
    answer::Answer,
    connector::Departure,
    http::Authorization,
    oauth2::{Asked, challenge, code_in, grant_in},
};
use reqwest::StatusCode;
use serde::de::IgnoredAny;
use stave_domain::{
    Secret,
    identity::Grant,
    integration::{Permission, Platform},
};
use std::collections::BTreeMap;

/// The one box that the guides ask for. Links refuse whoever asks for more than they allow.
const SCOPE: &str = "REPO_READ";

/// A log-in as an OAuth 2 client.
pub(super) struct Flow<'a> {
    pub(super) server: &'a BitbucketDataCenter,
    pub(super) id: &'a str,
    pub(super) secret: &'a Secret,
}

impl Flow<'_> {
    pub(super) fn begin(&self, state: &Secret) -> Departure {
        let verifier = (self.server.environment.secret)();
        let mut url = self.server.addresses.authorize.clone();
        url.query_pairs_mut()
            .append_pair("client_id", self.id)
            .append_pair("redirect_uri", self.callback())
            .append_pair("response_type", "code")
            .append_pair("scope", SCOPE)
            .append_pair("state", state.expose())
            .append_pair("code_challenge", &challenge(&verifier))
            .append_pair("code_challenge_method", "S256");
        Departure { url, state: state.clone(), kept: verifier }
    }

    /// The grant for the code that came back. It lives ten seconds, so nothing else is done before.
    pub(super) async fn redeem(
        &self,
        verifier: &Secret,
        query: &BTreeMap<String, String>,
    ) -> Result<Grant, UpstreamError> {
        let code = match code_in(query) {
            Ok(code) => code,
            Err(_) if query.get("error").is_some_and(|error| error == "invalid_scope") => {
                return Err(self.scope_missing());
            }
            Err(problem) => return Err(self.server.refused(problem)),
        };
        let form =
            [("grant_type", "authorization_code"), ("code", code), ("code_verifier", verifier.expose())];
        let callback = &self.server.registration.callback;
        self.grant_request(&form, &Asked::Code { callback }).await
    }

    pub(super) async fn refresh(&self, old: &Grant) -> Result<Grant, UpstreamError> {
        let Some(refresh_token) = &old.refresh_token else { return Err(self.server.unauthorized()) };
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose())];
        self.grant_request(&form, &Asked::Refresh { old }).await
    }

    /// The link does not allow what Stave asks for.
    pub(super) fn scope_missing(&self) -> UpstreamError {
        let wanted = Permission::wanted_on(Platform::BitbucketDataCenter).to_vec();
        UpstreamError::MissingPermissions {
            host: self.server.host(),
            platform: Platform::BitbucketDataCenter,
            needed: wanted.clone(),
            missing: wanted,
        }
    }

    /// `redirect_uri` goes along with refreshes too: without it, Bitbucket answers a bare `invalid_grant`.
    async fn grant_request(&self, form: &[(&str, &str)], asked: &Asked<'_>) -> Result<Grant, UpstreamError> {
        let client = [
            ("client_id", self.id),
            ("client_secret", self.secret.expose()),
            ("redirect_uri", self.callback()),
        ];
        let form = [form, &client].concat();
        let (url, timeout) = (&self.server.addresses.token, self.server.registration.timeout);
        let answer = self.server.http.post_form(url, Authorization::Nobody, &form, timeout).await?;
        self.intercepted(&answer)?;
        grant_in(&answer, Platform::BitbucketDataCenter, asked, self.server.now())
    }

    /// What is no answer of the token endpoint.
    fn intercepted(&self, answer: &Answer) -> Result<(), UpstreamError> {
        let is_another = answer.is_web_page() || answer.status.is_redirection();
        match answer.status {
            StatusCode::NOT_FOUND => Err(self.missing()),
            StatusCode::FORBIDDEN if answer.json::<IgnoredAny>().is_err() => {
                Err(self.server.token_refused(answer))
            }
            _ if is_another || self.server.interception(answer).is_some() => {
                Err(self.server.unexplained(answer))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn missing(&self) -> UpstreamError {
        self.server.refused(SignInProblem::OAuth2Missing)
    }

    fn callback(&self) -> &str {
        self.server.registration.callback.as_str()
    }
}
