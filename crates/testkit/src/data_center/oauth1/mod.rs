//! OAuth 1.0a with RSA-SHA1 (RFC 5849), as Atlassian's service provider plays it.
//!
//! Signatures are judged by another library than the one that Stave signs with.

mod check;
mod endpoint;
mod problem;
mod signature;
mod token;

pub(crate) use check::caller;
pub(crate) use endpoint::{access_token, authorize, decide, request_token};
pub(crate) use signature::PublicKey;
pub use token::SignedTokens;
pub(crate) use token::{AccessToken, RequestToken};
