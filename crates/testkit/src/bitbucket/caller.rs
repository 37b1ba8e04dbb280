//! Who asks.

use super::{
    error::ApiError,
    permission::{self, Level},
    repository::RepositoryRecord,
    scope,
    state::{Fake, State},
    token::{AccessToken, Actor, Kind},
};
use crate::git::basic_login;
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use std::sync::Arc;

/// Whoever sent a request to the API, with the token they sent; perhaps nobody in particular.
pub(crate) struct Caller {
    fake: Arc<Fake>,
    token: Option<AccessToken>,
}

impl FromRequestParts<Arc<Fake>> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, fake: &Arc<Fake>) -> Result<Self, ApiError> {
        if parts.uri.query().is_some_and(|query| query.contains("access_token=")) {
            return Err(ApiError::unauthorized(
                "Access tokens are only accepted in the Authorization header.",
            ));
        }
        let token = token_of_api(&fake.state(), &parts.headers)?;
        Ok(Self { fake: Arc::clone(fake), token })
    }
}

impl Caller {
    pub(crate) fn actor(&self) -> Option<&Actor> {
        self.token.as_ref().map(|token| &token.actor)
    }

    /// The uuid of the person, if it is one.
    pub(crate) fn person(&self) -> Option<&str> {
        match self.actor()? {
            Actor::Person(uuid) => Some(uuid),
            Actor::App(_) | Actor::Repository(_) => None,
        }
    }

    /// Nobody in particular is asked to log in; a token without the scope is refused.
    pub(crate) fn require(&self, wanted: &str) -> Result<(), ApiError> {
        match &self.token {
            None => Err(ApiError::unauthorized("Authentication is required.")),
            Some(token) if scope::covers(&token.scopes, wanted) => Ok(()),
            Some(token) => Err(ApiError::scope(wanted, &token.scopes)),
        }
    }

    /// The repository, if the caller may do as much as `level` with it. What one may not read is not there.
    pub(crate) fn repository(
        &self,
        workspace: &str,
        id: &str,
        wanted: &str,
        level: Level,
    ) -> Result<RepositoryRecord, ApiError> {
        if self.token.is_some() || level > Level::Read {
            self.require(wanted)?;
        }
        let state = self.fake.state();
        let repository = state.repository_named(workspace, id).ok_or_else(ApiError::no_repository)?;
        match permission::effective(&state, self.actor(), repository) {
            None => Err(ApiError::no_repository()),
            Some(has) if has < level => {
                Err(ApiError::forbidden("Your credentials do not have the needed access to this repository."))
            }
            Some(_) => Ok(repository.clone()),
        }
    }
}

fn token_of_api(state: &State, headers: &HeaderMap) -> Result<Option<AccessToken>, ApiError> {
    let Some(header) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let bearer = header.to_str().ok().and_then(|text| text.split_once(' '));
    let (text, kinds) = match bearer {
        Some((scheme, text)) if scheme.eq_ignore_ascii_case("bearer") => {
            (text.to_owned(), [Kind::OAuth, Kind::RepositoryToken].as_slice())
        }
        _ => (
            basic_login(headers).map(|(_, password)| password).unwrap_or_default(),
            [Kind::ApiToken].as_slice(),
        ),
    };
    let found = state.access_tokens.get(text.trim()).filter(|token| kinds.contains(&token.kind));
    match found {
        None => Err(ApiError::unauthorized("Token is invalid, expired, or not supported for this endpoint.")),
        Some(token) if !token.is_valid_at(state.now()) => Err(ApiError::unauthorized(
            "Access token expired. Use your refresh token to obtain a new access token.",
        )),
        Some(token) => Ok(Some(token.clone())),
    }
}

/// The token in the password of a git request: beside `x-token-auth` an access token, beside any other name an API
/// token. `Err` is a login that is wrong, `Ok(None)` none at all.
pub(crate) fn token_of_git(state: &State, headers: &HeaderMap) -> Result<Option<AccessToken>, ()> {
    if !headers.contains_key(header::AUTHORIZATION) {
        return Ok(None);
    }
    let (user, password) = basic_login(headers).ok_or(())?;
    let token = state.access_tokens.get(&password).ok_or(())?;
    let is_right_name = (user == "x-token-auth") == (token.kind != Kind::ApiToken);
    if is_right_name && token.is_valid_at(state.now()) { Ok(Some(token.clone())) } else { Err(()) }
}

/// The scopes of the token in a request to the API, for the header `X-OAuth-Scopes`.
pub(crate) fn scopes_of(state: &State, headers: &HeaderMap) -> Option<String> {
    let token = token_of_api(state, headers).ok()??;
    (token.kind != Kind::ApiToken).then(|| token.scopes.join(", "))
}
