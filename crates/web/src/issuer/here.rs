//! Who is at which website, as the address and the cookies tell.

use super::{cookie::Cookie, problem::Problem, slug_in};
use crate::{cookie::is_https, request::Caller};
use axum::{extract::FromRequestParts, http::request::Parts};
use stave_app::{App, Failure, Issuer, SignedIn, Visitor};
use stave_domain::Secret;

/// Somebody at a website: what every page there begins with.
pub(crate) struct Here {
    /// At which.
    pub(crate) issuer: Issuer,
    /// Who they are, if they are signed in.
    pub(crate) signed_in: Option<SignedIn>,
    /// What the browser keeps of a log-in there, dead or alive.
    pub(crate) login: Option<Secret>,
    /// What it keeps of its trips.
    pub(crate) trip: Option<Secret>,
    /// What it says about itself.
    pub(crate) visitor: Visitor,
}

impl Here {
    /// Who is signed in, or the request to log in.
    pub(crate) fn signed_in(&self) -> Result<&SignedIn, Failure> {
        self.signed_in.as_ref().ok_or(Failure::LogInNeeded)
    }
}

impl FromRequestParts<App> for Here {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let slug = slug_in(&parts.uri).ok_or(Failure::NotFound("website"))?;
        let issuer = app.issuer(slug).await?;
        let is_https = is_https(app.url());
        let login = Cookie::Login(&issuer).read(is_https, &parts.headers);
        let signed_in = app.issuer_signed_in(&issuer, login.as_ref()).await?;
        let trip = Cookie::Trip.read(is_https, &parts.headers);
        let Ok(Caller(visitor)) = Caller::from_request_parts(parts, app).await;
        Ok(Self { issuer, signed_in, login, trip, visitor })
    }
}
