//! Who asks.

use super::{
    error::ApiError,
    permission::{self, Level},
    repository::RepositoryRecord,
    scope::Needed,
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
            Actor::App(_) | Actor::Repository(_) | Actor::Project(_) | Actor::Workspace(_) => None,
        }
    }

    /// Nobody in particular is asked to log in; a token without the scope is refused.
    pub(crate) fn require(&self, needed: Needed) -> Result<(), ApiError> {
        match &self.token {
            None => Err(ApiError::unauthorized("Authentication is required.")),
            Some(token) if token.covers(needed) => Ok(()),
            Some(token) if token.kind == Kind::ApiToken => Err(ApiError::scope(needed.api, &token.scopes)),
            Some(token) => Err(ApiError::scope(needed.oauth, &token.scopes)),
        }
    }

    /// Permissions cannot be read with the access token of a workspace, a project or a repository.
    pub(crate) fn forbid_access_tokens(&self) -> Result<(), ApiError> {
        match &self.token {
            Some(token) if token.kind == Kind::AccessToken => {
                Err(ApiError::forbidden("This API is not accessible with an access token."))
            }
            _ => Ok(()),
        }
    }

    /// The repository, if the caller may do as much as `level` with it. What one may not read is not there.
    pub(crate) fn repository(
        &self,
        workspace: &str,
        id: &str,
        needed: Needed,
        level: Level,
    ) -> Result<RepositoryRecord, ApiError> {
        if self.token.is_some() || level > Level::Read {
            self.require(needed)?;
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
    let sent = header.to_str().ok().and_then(|text| text.split_once(' '));
    let found = match sent {
        Some((scheme, text)) if scheme.eq_ignore_ascii_case("bearer") => bearer(state, text.trim()),
        _ => basic_login(headers).and_then(|(email, password)| api_token(state, &email, &password)),
    };
    match found {
        Some(token) if token.is_valid_at(state.now()) => Ok(Some(token.clone())),
        Some(token) if token.kind == Kind::OAuth => Err(ApiError::unauthorized(
            "Access token expired. Use your refresh token to obtain a new access token.",
        )),
        _ => Err(ApiError::unauthorized(NO_TOKEN)),
    }
}

const NO_TOKEN: &str = "Token is invalid, expired, or not supported for this endpoint.";

fn bearer<'a>(state: &'a State, text: &str) -> Option<&'a AccessToken> {
    state.access_tokens.get(text).filter(|token| token.kind != Kind::ApiToken)
}

/// Beside an e-mail address of its person, and made with scopes.
fn api_token<'a>(state: &'a State, email: &str, password: &str) -> Option<&'a AccessToken> {
    let token = state.access_tokens.get(password)?;
    let is_right =
        token.kind == Kind::ApiToken && !token.scopes.is_empty() && is_email_of(state, token, email);
    is_right.then_some(token)
}

fn is_email_of(state: &State, token: &AccessToken, email: &str) -> bool {
    let Actor::Person(uuid) = &token.actor else { return false };
    let emails = state.user(uuid).map(|user| user.emails.as_slice()).unwrap_or_default();
    emails.iter().any(|own| own.address.eq_ignore_ascii_case(email))
}

fn is_nickname_of(state: &State, token: &AccessToken, name: &str) -> bool {
    let Actor::Person(uuid) = &token.actor else { return false };
    state.user(uuid).is_some_and(|user| user.nickname == name)
}

/// The token in the password of a git request: beside `x-token-auth` an access token; an API token beside
/// `x-bitbucket-api-token-auth`, or the name or an address of its person. `Err` is a login that is wrong, `Ok(None)`
/// none at all.
pub(crate) fn token_of_git(state: &State, headers: &HeaderMap) -> Result<Option<AccessToken>, ()> {
    if !headers.contains_key(header::AUTHORIZATION) {
        return Ok(None);
    }
    let (user, password) = basic_login(headers).ok_or(())?;
    let token = state.access_tokens.get(&password).ok_or(())?;
    let is_right_name = match token.kind {
        Kind::OAuth | Kind::AccessToken => user == "x-token-auth",
        Kind::ApiToken => {
            user == "x-bitbucket-api-token-auth"
                || is_nickname_of(state, token, &user)
                || is_email_of(state, token, &user)
        }
    };
    if is_right_name && token.is_valid_at(state.now()) { Ok(Some(token.clone())) } else { Err(()) }
}

/// The token in a request to the API, if it is good.
pub(crate) fn known_token(state: &State, headers: &HeaderMap) -> Option<AccessToken> {
    token_of_api(state, headers).ok().flatten()
}
