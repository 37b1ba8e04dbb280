//! OAuth 1.0a as Bitbucket Data Center speaks it: RFC 5849, signed with RSA-SHA1. Nothing is sent from here.
//!
//! What enters: a consumer key and a private key; for every request a [`Stamp`], because there is neither clock nor chance in
//! this room. What leaves: the header `Authorization` of a request, and what the answers mean.
//!
//! ```
//! use stave_domain::{Secret, Timestamp, integration::BaseUrl};
//! use stave_upstream::oauth1::{Endpoints, Request, Signer, SigningError, Stamp};
//! use url::Url;
//!
//! # fn steps(private_key: &Secret, base_url: &BaseUrl, sent_at: Timestamp, callback: &Url, access_token: &Secret) -> Result<(), SigningError> {
//! let signer = Signer::new("the consumer key", private_key)?;
//! let endpoints = Endpoints::below(base_url);
//! let stamp = Stamp { sent_at, nonce: "never used before".to_owned() };
//! // Step 1: a POST without body to `endpoints.request_token` with this header. The answer is a `Problem` or a `RequestToken`.
//! let authorization: Secret = signer.sign(&endpoints.request_token(callback), &stamp)?;
//! // Steps 2 and 3: `endpoints.authorize(..)` for the browser, `Returned::read(..)` for what it brings back, then
//! // `endpoints.access_token(..)`, whose answer is a `Problem` or an `AccessToken`.
//!
//! // Later, as the person who logged in:
//! let url = endpoints.authorize.join("/rest/api/1.0/projects?limit=100").unwrap();
//! let stamp = Stamp { sent_at, nonce: "nor was this".to_owned() };
//! let authorization: Secret = signer.sign(&Request::new("GET", &url).token(access_token), &stamp)?;
//! # Ok(())
//! # }
//! ```

mod flow;
mod problem;
mod signature;

pub use flow::{AccessToken, Endpoints, Lacking, RequestToken, ReturnProblem, Returned};
pub use problem::{Acceptable, Cause, Problem, Step};
pub use signature::{Request, Signer, SigningError, Stamp};
