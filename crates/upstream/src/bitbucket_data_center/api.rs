//! Bitbucket's REST API, asked as one person, by a token or by a signature.

use super::{BitbucketDataCenter, Way};
use crate::{
    UpstreamError,
    answer::{Answer, below, below_segments},
    http::Authorization,
    oauth1::{Request, Step},
};
use stave_domain::Secret;
use url::Url;

/// The API, asked as one person.
pub(super) struct Api<'a> {
    pub(super) server: &'a BitbucketDataCenter,
    pub(super) token: &'a Secret,
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

    /// One resource; every status but a success is an error, and so is a page for people.
    pub(super) async fn get(&self, url: &Url) -> Result<Answer, UpstreamError> {
        let (http, timeout) = (&self.server.http, self.server.registration.timeout);
        let answer = match self.server.way() {
            Way::Two(_) => http.get(url, Authorization::Bearer(self.token), timeout).await?,
            Way::One(flow) => {
                let signature = flow.sign(&Request::new("GET", url).token(self.token))?;
                http.get(url, Authorization::Signature(&signature), timeout).await?
            }
        };
        self.server.succeeded(answer, Step::Use)
    }
}
