//! Other people's HTTP: Bitbucket Cloud.
//!
//! What enters: values that somebody configured (a base URL, a client id, a secret) and a grant to act with.
//! What leaves: the words of `stave_domain`, or an [`UpstreamError`] whose `Display` is a sentence for the user.
//! No type of the HTTP library crosses the border, and nothing here asks the clock: `now` is an argument.

mod answer;
mod bitbucket_cloud;
mod connector;
mod error;
mod gate;
mod http;
mod obstacle;

pub use connector::{Connector, ProbeProblem, Registration, Seen, SignIn, connector, probe};
pub use error::{Saw, SignInProblem, UpstreamError};
pub use http::{ClientError, HttpClient};
pub use obstacle::{CertificateProblem, Obstacle};

/// Where an error came from, for the log.
type BoxError = Box<dyn std::error::Error + Send + Sync>;
