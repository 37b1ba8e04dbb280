//! What an answer that is no success means.

use super::BitbucketDataCenter;
use crate::{
    SignInProblem, UpstreamError,
    answer::Answer,
    interception::Interception,
    oauth1::{Cause, Problem, Step},
    oauth2::saying,
};
use percent_encoding::percent_decode_str;
use reqwest::StatusCode;
use url::Url;

impl BitbucketDataCenter {
    /// The answer if it is a success, and no page of something that answers in Bitbucket's place.
    pub(super) fn succeeded(&self, answer: Answer, step: Step) -> Result<Answer, UpstreamError> {
        let is_good = answer.status.is_success() && !answer.is_web_page();
        if is_good { Ok(answer) } else { Err(self.failure(&answer, step)) }
    }

    /// What stands in the way.
    fn failure(&self, answer: &Answer, step: Step) -> UpstreamError {
        match (Problem::of(answer), step) {
            (Some(problem), _) => self.explained(answer, &problem, step),
            (None, Step::Use) => self.unexplained(answer),
            (None, Step::RequestToken | Step::AccessToken | Step::Renewal) => self.token_refused(answer),
        }
    }

    /// What stands in the way where a token is asked for: whom Bitbucket refuses one, it tells why.
    pub(super) fn token_refused(&self, answer: &Answer) -> UpstreamError {
        match self.unexplained(answer) {
            UpstreamError::Forbidden { host } if answer.status == StatusCode::FORBIDDEN => {
                UpstreamError::Intercepted { host, by: Interception::Refusal }
            }
            failure => failure,
        }
    }

    /// What stands in the way if no OAuth says it.
    pub(super) fn unexplained(&self, answer: &Answer) -> UpstreamError {
        if let Some(by) = self.interception(answer) {
            return UpstreamError::Intercepted { host: answer.host(), by };
        }
        match answer.status {
            // Bitbucket says 401 also to people whom it knows and who may not do this.
            StatusCode::UNAUTHORIZED if user_of(answer).is_some() => {
                UpstreamError::Forbidden { host: answer.host() }
            }
            _ => answer.failure(),
        }
    }

    /// What answers in Bitbucket's place, if anything does.
    pub(super) fn interception(&self, answer: &Answer) -> Option<Interception> {
        let status = answer.status;
        let may_be_a_page = status.is_success() || status.is_redirection();
        let is_refusal = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
        let found = Interception::of(answer, self.registration.base_url.url())?;
        (may_be_a_page || is_refusal).then_some(found)
    }

    /// What Bitbucket says of a signed request (OAuth Problem Reporting).
    fn explained(&self, answer: &Answer, problem: &Problem, step: Step) -> UpstreamError {
        let host = answer.host();
        let refused = || SignInProblem::Refused { said: saying(problem.code(), problem.advice().as_deref()) };
        let problem = match (problem.cause(step), step) {
            (Cause::Clock { acceptable }, _) => {
                let middle = acceptable.and_then(|window| {
                    let half = window.until.duration_since(window.from) / 2;
                    window.from.checked_add(half).ok()
                });
                SignInProblem::ClockOff { here: self.now(), there: middle.or_else(|| answer.sent_at()) }
            }
            (Cause::Signature { believed }, _) => SignInProblem::SignatureRefused {
                asked: address(&answer.url),
                believed: believed.as_ref().map(address),
            },
            // It is known, but not wanted: what servers answer that have given up OAuth 1.
            (Cause::Consumer, _) if problem.code() == "consumer_key_refused" => SignInProblem::OAuth1Missing,
            (Cause::Consumer, _) => SignInProblem::ConsumerUnknown,
            (Cause::Token, Step::Use | Step::Renewal) => return UpstreamError::Unauthorized { host },
            (Cause::Token, Step::AccessToken) => SignInProblem::CodeSpent,
            (Cause::Denied, _) => SignInProblem::Denied,
            (Cause::Permission, _) => return UpstreamError::Forbidden { host },
            (Cause::Token | Cause::Other, _) => refused(),
        };
        self.refused(problem)
    }
}

/// The user name of whom Bitbucket thinks that they asked; `None` if it is nobody.
pub(super) fn user_of(answer: &Answer) -> Option<String> {
    let header = answer.header("x-ausername")?.trim();
    let name = percent_decode_str(header).decode_utf8_lossy().into_owned();
    (!name.is_empty() && name != "anonymous").then_some(name)
}

/// Without query.
fn address(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.to_string()
}
