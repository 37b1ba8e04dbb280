//! Bitbucket's REST API, asked by a key or by a signature.

use super::{
    BitbucketDataCenter, Way,
    failure::user_of,
    wire::{ErrorAnswer, ErrorEntry},
};
use crate::{
    Asker, Key, UpstreamError,
    answer::{Answer, below, below_segments},
    asker::{Call, Found, Sender, declined, persist},
    http::Authorization,
    oauth1::{Request, Step},
};
use async_trait::async_trait;
use reqwest::StatusCode;
use url::Url;

/// The API, asked by somebody.
pub(super) struct Api<'a> {
    pub(super) server: &'a BitbucketDataCenter,
    pub(super) asker: &'a dyn Asker,
    /// Whether an answer counts only if Bitbucket knows who asked: it may answer a key that it does not know as if nobody had
    /// asked, and shows nobody less than there is.
    pub(super) as_somebody: bool,
}

#[async_trait]
impl Sender for Api<'_> {
    async fn send_once(&self, call: &Call, key: &Key) -> Result<Answer, UpstreamError> {
        let answer = self.ask(call, key).await?;
        if self.as_somebody && user_of(&answer).is_none() {
            let whoami = self.ask(&Call::get(&self.server.addresses.whoami), key).await?;
            if whoami.body.trim_ascii().is_empty() {
                return Err(self.server.unauthorized());
            }
        }
        Ok(answer)
    }
}

impl Api<'_> {
    /// The address of a resource, such as `/users`.
    pub(super) fn at(&self, path: &str) -> Url {
        below(&self.server.addresses.api, path)
    }

    /// The address of a resource with names in it, which may contain anything.
    pub(super) fn at_segments(&self, segments: &[&str]) -> Url {
        below_segments(&self.server.addresses.api, segments)
    }

    /// Who is asked.
    pub(super) fn host(&self) -> String {
        self.server.host()
    }

    /// One resource; every status but a success is an error, and so is a page for people.
    pub(super) async fn get(&self, url: &Url) -> Result<Answer, UpstreamError> {
        self.send(&Call::get(url)).await
    }

    /// Something that may not be there. Only Bitbucket's own exception makes it absent, not the words of what stands in front
    /// of it, and not a path that this version does not know.
    pub(super) async fn find(&self, url: &Url) -> Result<Found, UpstreamError> {
        let answer = self.send(&Call::find(url)).await?;
        Ok(absence(&answer).map_or(Found::There(answer), Found::Absent))
    }

    /// Sends a request; every status but a success is an error, and so is a page for people.
    pub(super) async fn send(&self, call: &Call) -> Result<Answer, UpstreamError> {
        persist(self, self.asker, call).await
    }

    async fn ask(&self, call: &Call, key: &Key) -> Result<Answer, UpstreamError> {
        let (http, timeout) = (&self.server.http, self.server.registration.timeout);
        let answer = match (self.server.way(), key) {
            (Way::One(flow), Key::Grant(token)) => {
                let request = Request::new(call.method.as_str(), &call.url).token(token);
                let signature = flow.sign(&request)?;
                http.call(call, Authorization::Signature(&signature), timeout).await?
            }
            _ => http.call(call, Authorization::of(key), timeout).await?,
        };
        if call.takes_absence && absence(&answer).is_some() {
            return Ok(answer);
        }
        if call.body.is_some() && answer.status == StatusCode::BAD_REQUEST {
            return Err(declined(answer.host(), first_error(&answer).and_then(|error| error.message)));
        }
        self.server.succeeded(answer, Step::Use)
    }
}

/// The exception with which Bitbucket says that there is none.
fn absence(answer: &Answer) -> Option<String> {
    let is_absence = answer.status == StatusCode::NOT_FOUND;
    is_absence.then(|| first_error(answer))??.exception
}

fn first_error(answer: &Answer) -> Option<ErrorEntry> {
    answer.json::<ErrorAnswer>().ok()?.errors.into_iter().next()
}
