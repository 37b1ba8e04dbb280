//! Logging in by OAuth 1.0a: RFC 5849, section 2. The link has no callback of its own: it comes with each request.

use super::BitbucketDataCenter;
use crate::{
    Saw, SignInProblem, UpstreamError,
    answer::Answer,
    connector::Departure,
    http::Authorization,
    oauth1::{
        AccessToken, Endpoints, Lacking, Request, RequestToken, ReturnProblem, Returned, Signer,
        SigningError, Stamp, Step,
    },
};
use jiff::SignedDuration;
use stave_domain::{Secret, Timestamp, identity::Grant};
use std::collections::{BTreeMap, BTreeSet};

/// How long Bitbucket's tokens live if it does not say: five years, in seconds.
const DEFAULT_LIFE_SECONDS: i64 = 157_680_000;

/// A log-in as an OAuth 1 consumer.
pub(super) struct Flow<'a> {
    pub(super) server: &'a BitbucketDataCenter,
    pub(super) consumer_key: &'a str,
    pub(super) private_key: &'a Secret,
}

impl Flow<'_> {
    /// The request token takes the place of a state: it comes back in the query.
    pub(super) async fn begin(&self) -> Result<Departure, UpstreamError> {
        let endpoints = self.endpoints();
        let request = endpoints.request_token(&self.server.registration.callback);
        let answer = match self.post(&request, Step::RequestToken).await {
            Err(UpstreamError::NotFound { .. }) => {
                return Err(self.server.refused(SignInProblem::OAuth1Missing));
            }
            // Nobody is logged in yet, so a refusal without a reason is none of the person.
            Err(UpstreamError::Unauthorized { .. }) => {
                let said = "it refused the first request with status 401, and gave no reason.".to_owned();
                return Err(self.server.refused(SignInProblem::Refused { said }));
            }
            answer => answer?,
        };
        let token = RequestToken::read(&answer.body).map_err(|lacking| unreadable(&answer, lacking))?;
        if !token.callback_confirmed {
            return Err(self.server.refused(SignInProblem::CallbackUnconfirmed));
        }
        Ok(Departure { url: endpoints.authorize(&token), state: token.token, kept: token.secret })
    }

    pub(super) async fn redeem(&self, query: &BTreeMap<String, String>) -> Result<Grant, UpstreamError> {
        let returned = Returned::read(query).map_err(|problem| {
            self.server.refused(match problem {
                ReturnProblem::Denied => SignInProblem::Denied,
                ReturnProblem::Lacking(_) => SignInProblem::NoCode,
            })
        })?;
        let answer = self.post(&self.endpoints().access_token(&returned), Step::AccessToken).await?;
        self.grant_in(&answer, None)
    }

    /// Renews it by its session handle.
    pub(super) async fn refresh(&self, old: &Grant) -> Result<Grant, UpstreamError> {
        let Some(handle) = &old.refresh_token else { return Err(self.server.unauthorized()) };
        let answer = self.post(&self.endpoints().renewal(&old.access_token, handle), Step::Renewal).await?;
        self.grant_in(&answer, Some(old))
    }

    /// The header for a request.
    pub(super) fn sign(&self, request: &Request<'_>) -> Result<Secret, UpstreamError> {
        let stamp = Stamp {
            sent_at: self.server.now(),
            nonce: (self.server.environment.secret)().expose().to_owned(),
        };
        let signed =
            Signer::new(self.consumer_key, self.private_key).and_then(|signer| signer.sign(request, &stamp));
        signed.map_err(|error: SigningError| {
            self.server.refused(SignInProblem::KeyUnusable { why: error.to_string() })
        })
    }

    async fn post(&self, request: &Request<'_>, step: Step) -> Result<Answer, UpstreamError> {
        let signature = self.sign(request)?;
        let (by, timeout) = (Authorization::Signature(&signature), self.server.registration.timeout);
        let answer = self.server.http.post(request.url(), by, timeout).await?;
        self.server.succeeded(answer, step)
    }

    fn grant_in(&self, answer: &Answer, old: Option<&Grant>) -> Result<Grant, UpstreamError> {
        let token = AccessToken::read(&answer.body).map_err(|lacking| unreadable(answer, lacking))?;
        let life = token.expires_in.and_then(|life| SignedDuration::try_from(life).ok());
        let life = life.unwrap_or(SignedDuration::from_secs(DEFAULT_LIFE_SECONDS));
        Ok(Grant {
            access_token: token.token,
            token_secret: Some(token.secret),
            refresh_token: token.session_handle.or_else(|| old.and_then(|old| old.refresh_token.clone())),
            expires_at: self.server.now().checked_add(life).unwrap_or(Timestamp::MAX),
            scopes: BTreeSet::new(),
        })
    }

    fn endpoints(&self) -> Endpoints {
        Endpoints::below(&self.server.registration.base_url)
    }
}

fn unreadable(answer: &Answer, Lacking(what): Lacking) -> UpstreamError {
    UpstreamError::Unreadable { host: answer.host(), saw: Saw::Without(what), source: None }
}
