//! Other people's HTTP: Bitbucket Cloud and Bitbucket Data Center, the sites that are to be protected, and the Composer repositories
//! that are mirrored.
//!
//! What enters: values that somebody configured (a base URL, a client id, a secret) and a grant to act with.
//! What leaves: the words of `stave_domain`, or an [`UpstreamError`] whose `Display` is a sentence for the user.
//! No type of the HTTP library crosses the border, and nothing here asks the clock: the time is an argument.

mod answer;
mod asker;
mod bitbucket_cloud;
mod bitbucket_data_center;
mod composer_repository;
mod connector;
mod credential;
mod endpoint;
mod error;
mod follow;
mod gate;
mod http;
mod interception;
pub mod oauth1;
mod oauth2;
mod obstacle;
mod page;
mod probe;
mod sign_in_problem;
mod site;
mod webhook;

pub use asker::{Asker, Key};
pub use composer_repository::{
    Asked, ChangesFetched, ComposerKey, ComposerRepository, ComposerSecret, ComposerSite, DistError,
    DistFetched, Fetched, MirrorProblem,
};
pub use connector::{
    Ability, Circles, Client, Connector, Departure, Environment, Inspect, Registration, SignIn, connector,
    state_in,
};
pub use credential::{CredentialCheck, CredentialSight};
pub use endpoint::Endpoints;
pub use error::{Saw, UpstreamError};
pub use follow::{Follow, OwnRights, Right, Tell, Told};
pub use http::{ClientError, HttpClient};
pub use interception::Interception;
pub use obstacle::{CertificateProblem, Obstacle, Tried};
pub use probe::{ProbeProblem, Sight, probe};
pub use sign_in_problem::SignInProblem;
pub use site::{SiteAnswer, site_look};
pub use webhook::{FoundWebhook, Place, Webhooks};

/// Where an error came from, for the log.
type BoxError = Box<dyn std::error::Error + Send + Sync>;
