//! Who asks: every credential that Data Center takes.

use super::{
    error::ApiError,
    front::Received,
    oauth1,
    permission::{self, Reach, Who},
    project::ProjectRecord,
    repository::RepositoryRecord,
    scope,
    state::{Fake, State},
};
use crate::{
    Level,
    git::{basic_login, refusal},
};
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use std::{convert::Infallible, sync::Arc};

/// Whoever sent a request; perhaps nobody in particular.
#[derive(Debug, Clone, Default)]
pub(crate) struct Caller(Option<Known>);

#[derive(Debug, Clone)]
struct Known {
    user: u32,
    /// On whose behalf: the user's, or that of what a token was made for.
    who: Who,
    /// What the credential is good for; `None` is everything that the user may do.
    scopes: Option<Vec<String>>,
    is_oauth: bool,
}

impl FromRequestParts<Arc<Fake>> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Fake>) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

impl Caller {
    /// The id of the user; nobody in particular is refused.
    pub(crate) fn user(&self) -> Result<u32, ApiError> {
        self.0.as_ref().map(|known| known.user).ok_or_else(ApiError::not_permitted)
    }

    pub(crate) fn is_known(&self) -> bool {
        self.0.is_some()
    }

    /// Whether the credential came from OAuth, which is what the whitelist of the two-factor plugin asks.
    pub(crate) fn is_oauth(&self) -> bool {
        self.0.as_ref().is_some_and(|known| known.is_oauth)
    }

    /// Whether the credential covers this scope.
    pub(crate) fn has(&self, wanted: &str) -> bool {
        let scopes = self.0.as_ref().map(|known| &known.scopes);
        scopes.is_some_and(|scopes| scopes.as_ref().is_none_or(|scopes| scope::covers(scopes, wanted)))
    }

    /// The user name, for the header `X-AUSERNAME`.
    pub(crate) fn name(&self, state: &State) -> Option<String> {
        state.user(self.0.as_ref()?.user).map(|user| user.name.clone())
    }

    /// How far the caller reaches: their own rights, cut to what the credential is good for.
    pub(crate) fn reach(&self) -> Reach {
        match &self.0 {
            None => Reach { who: Who::Nobody, most: None },
            Some(Known { who, scopes, .. }) => {
                let most = scopes.as_ref().map_or(Some(Level::Admin), |scopes| scope::level(scopes));
                Reach { who: *who, most }
            }
        }
    }

    /// The repository, if the caller may do this much with it.
    pub(crate) fn repository<'a>(
        &self,
        state: &'a State,
        (key, slug): (&str, &str),
        level: Level,
    ) -> Result<&'a RepositoryRecord, ApiError> {
        state.project_with_key(key).ok_or_else(|| ApiError::no_project(key))?;
        let found = state.repository_at(key, slug).ok_or_else(|| ApiError::no_repository(key, slug))?;
        let has = permission::of_repository(state, self.reach(), found);
        if has >= Some(level) { Ok(found) } else { Err(ApiError::not_permitted()) }
    }

    /// The project, if the caller may do this much with it; to see it, one of its repositories is enough.
    pub(crate) fn project<'a>(
        &self,
        state: &'a State,
        key: &str,
        level: Level,
    ) -> Result<&'a ProjectRecord, ApiError> {
        let found = state.project_with_key(key).ok_or_else(|| ApiError::no_project(key))?;
        let is_open = match level {
            Level::Admin => {
                self.has("PROJECT_ADMIN")
                    && permission::of_project(state, self.reach(), found) == Some(Level::Admin)
            }
            level => permission::of_project(state, self.reach(), found) >= Some(level),
        };
        let is_seen = level == Level::Read && permission::sees_project(state, self.reach(), found);
        if is_open || is_seen { Ok(found) } else { Err(ApiError::not_permitted()) }
    }
}

/// Who sent this request; `Err` is the answer to a wrong credential.
#[expect(clippy::result_large_err, reason = "the answer is made once")]
pub(crate) fn authenticate(
    state: &mut State,
    received: &Received,
    headers: &HeaderMap,
) -> Result<Caller, Response> {
    if received.is_step_of_oauth1() {
        return Ok(Caller::default());
    }
    let is_git = received.path.starts_with("/scm/");
    if received.is_signed() {
        let answer = |status| refusal(status, "OAuth 1 tokens do not work here.");
        let user = if is_git {
            Err(answer(StatusCode::UNAUTHORIZED))
        } else {
            oauth1::caller(state, received).map_err(|problem| problem.into_response(&received.realm))
        }?;
        return admit(state, Known { user, who: Who::User(user), scopes: None, is_oauth: true });
    }
    let Some(header) = headers.get(header::AUTHORIZATION) else { return Ok(Caller::default()) };
    let known = match header.to_str().unwrap_or_default().split_once(' ') {
        Some((scheme, text)) if scheme.eq_ignore_ascii_case("bearer") => bearer(state, text.trim()),
        _ => {
            basic_login(headers).and_then(|(name, password)| password_login(state, &name, &password, is_git))
        }
    };
    match known {
        Some(known) => admit(state, known),
        None if state.switches.anonymous_instead => Ok(Caller::default()),
        None if is_git => Err(refusal(StatusCode::UNAUTHORIZED, "Authentication failed.")),
        None => Err(ApiError::credential().into_response()),
    }
}

/// Somebody who is deactivated or gone is refused.
#[expect(clippy::result_large_err, reason = "the answer is made once")]
fn admit(state: &State, known: Known) -> Result<Caller, Response> {
    let is_active = state.user(known.user).is_some_and(|user| user.is_active);
    if is_active { Ok(Caller(Some(known))) } else { Err(ApiError::credential().into_response()) }
}

fn bearer(state: &State, text: &str) -> Option<Known> {
    let now = state.now();
    let pair = state.pairs.iter().find(|pair| pair.access == text && now < pair.access_expires_at);
    let oauth = pair.filter(|_| state.version.has_oauth2()).map(|pair| Known {
        user: pair.user,
        who: Who::User(pair.user),
        scopes: Some(pair.scopes.clone()),
        is_oauth: true,
    });
    oauth.or_else(|| http_token(state, text))
}

/// HTTP access tokens are passwords: a person's own beside their name everywhere, a project's or a repository's beside
/// `x-token-auth` in git. So are OAuth 2 tokens, beside any name, in git.
fn password_login(state: &State, name: &str, password: &str, is_git: bool) -> Option<Known> {
    let is_right_name = |known: &Known| match known.who {
        Who::User(id) => state.user(id).is_some_and(|user| user.name.eq_ignore_ascii_case(name)),
        _ => is_git && name == "x-token-auth",
    };
    let own = http_token(state, password).filter(is_right_name);
    own.or_else(|| is_git.then(|| bearer(state, password).filter(|known| known.is_oauth))?)
}

fn http_token(state: &State, text: &str) -> Option<Known> {
    let token = state.http_tokens.get(text).filter(|token| token.is_valid_at(state.now()))?;
    Some(Known { user: token.user, who: token.who, scopes: Some(token.scopes.clone()), is_oauth: false })
}
