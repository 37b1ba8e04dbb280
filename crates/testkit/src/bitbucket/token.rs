//! Tokens and codes: how they are issued, how long they live, how they are replaced.

use super::{
    FakeBitbucket,
    scope::{self, Needed},
    state::State,
};
use crate::common::chance;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::time::Duration;

/// Life of an access token.
pub(crate) const ACCESS_LIFE: SignedDuration = SignedDuration::from_hours(2);
/// Life of a refresh token that nobody uses: three months.
const REFRESH_LIFE: SignedDuration = SignedDuration::from_hours(24 * 91);
/// How long a refresh token still works after its first use.
const REFRESH_GRACE: SignedDuration = SignedDuration::from_mins(10);
/// Life of an authorization code; Bitbucket's own is not documented.
const CODE_LIFE: SignedDuration = SignedDuration::from_mins(10);
/// Longest life of an API token, a year, which it has unless a test gives it less.
const API_TOKEN_LIFE: SignedDuration = SignedDuration::from_hours(24 * 365);
/// Random bytes of an access token: 2,560 characters.
const ACCESS_TOKEN_BYTES: usize = 1280;

/// Who acts with a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Actor {
    /// A person, by uuid.
    Person(String),
    /// A consumer itself, by key.
    App(String),
    /// A repository access token, by the uuid of the repository.
    Repository(String),
    /// A project access token, by the uuid of the project.
    Project(String),
    /// A workspace access token, by the uuid of the workspace.
    Workspace(String),
}

/// What a token is, apart from its text.
#[derive(Debug, Clone)]
pub(crate) struct AccessToken {
    pub(crate) actor: Actor,
    pub(crate) scopes: Vec<String>,
    pub(crate) kind: Kind,
    /// At this instant itself it is over; `None` is never.
    pub(crate) expires_at: Option<Timestamp>,
}

/// Where a token comes from, and so how it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Bearer, and as a git password beside `x-token-auth`.
    OAuth,
    /// As `OAuth`, made in the settings of a repository, a project or a workspace.
    AccessToken,
    /// A password beside the e-mail address, and in git beside `x-bitbucket-api-token-auth`.
    ApiToken,
}

/// How credentials end.
impl FakeBitbucket {
    /// Ends every OAuth access token now.
    pub fn expire_access_tokens(&self) -> &Self {
        self.fake.state().expire_oauth();
        self
    }

    /// Answers this many more API requests, then ends every OAuth access token that there is.
    pub fn expire_access_tokens_after(&self, requests: u32) -> &Self {
        self.fake.state().switches.oauth_requests_left = Some(requests);
        self
    }

    /// Ends every refresh token now.
    pub fn revoke_refresh_tokens(&self) -> &Self {
        self.fake.state().refresh_tokens.clear();
        self
    }

    /// Revokes one token, of whatever kind.
    pub fn revoke_token(&self, text: &str) -> &Self {
        let mut state = self.fake.state();
        state.access_tokens.remove(text);
        state.refresh_tokens.remove(text);
        drop(state);
        self
    }

    /// Lets an API token or an access token end so much later than now.
    ///
    /// # Panics
    /// If there is no such token.
    pub fn token_expires_in(&self, text: &str, life: Duration) -> &Self {
        let life = SignedDuration::try_from(life).expect("a token lives for years at most");
        let mut state = self.fake.state();
        let at = state.now() + life;
        state.access_tokens.get_mut(text).expect("the token is known").expires_at = Some(at);
        drop(state);
        self
    }
}

impl State {
    pub(crate) fn expire_oauth(&mut self) {
        let now = self.now();
        for token in self.access_tokens.values_mut().filter(|token| token.kind == Kind::OAuth) {
            token.expires_at = Some(now);
        }
    }

    /// Forgets what a person's consent was worth: every OAuth token of theirs.
    pub(crate) fn revoke_grants(&mut self, person: &str) {
        self.codes.retain(|_, code| code.user != person);
        self.refresh_tokens.retain(|_, token| token.user != person);
        let is_consent = |token: &AccessToken| {
            token.kind == Kind::OAuth && token.actor == Actor::Person(person.to_owned())
        };
        self.access_tokens.retain(|_, token| !is_consent(token));
    }
}

/// A grant that waits to be redeemed.
#[derive(Debug, Clone)]
pub(crate) struct Code {
    pub(crate) consumer: String,
    pub(crate) user: String,
    pub(crate) scopes: Vec<String>,
    /// As it stood in the authorization request.
    pub(crate) redirect_uri: Option<String>,
    expires_at: Timestamp,
}

#[derive(Debug, Clone)]
pub(crate) struct RefreshToken {
    pub(crate) consumer: String,
    user: String,
    scopes: Vec<String>,
    expires_at: Timestamp,
}

impl Code {
    /// Keeps a grant and gives its code.
    pub(crate) fn issue(state: &mut State, mut code: Self) -> String {
        let text = chance(9);
        code.expires_at = state.now() + CODE_LIFE;
        state.codes.insert(text.clone(), code);
        text
    }

    pub(crate) fn new(consumer: &str, user: &str, scopes: Vec<String>, redirect_uri: Option<String>) -> Self {
        let expires_at = Timestamp::UNIX_EPOCH;
        Self { consumer: consumer.to_owned(), user: user.to_owned(), scopes, redirect_uri, expires_at }
    }

    pub(crate) fn is_valid_at(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }
}

impl AccessToken {
    pub(crate) fn issue_api_token(state: &mut State, person: &str, scopes: &[&str]) -> String {
        let unknown = scopes.iter().find(|name| !scope::is_of_api_tokens(name));
        assert_eq!(unknown, None, "API tokens have scopes such as read:repository:bitbucket");
        let expires_at = Some(state.now() + API_TOKEN_LIFE);
        let text = format!("ATATT3xFfGF0{}", chance(80));
        let scopes = scopes.iter().map(ToString::to_string).collect();
        let token =
            Self { actor: Actor::Person(person.to_owned()), scopes, kind: Kind::ApiToken, expires_at };
        state.access_tokens.insert(text.clone(), token);
        text
    }

    pub(crate) fn issue_access_token(state: &mut State, actor: Actor, scopes: &[&str]) -> String {
        let text = format!("ATCTT3xFfGN0{}", chance(80));
        let scopes = scopes.iter().map(ToString::to_string).collect();
        let token = Self { actor, scopes, kind: Kind::AccessToken, expires_at: None };
        state.access_tokens.insert(text.clone(), token);
        text
    }

    /// Whether it is good for what is needed. The scopes of API tokens imply nothing among each other.
    pub(crate) fn covers(&self, needed: Needed) -> bool {
        match self.kind {
            Kind::ApiToken => self.scopes.iter().any(|scope| scope == needed.api),
            Kind::OAuth | Kind::AccessToken => scope::covers(&self.scopes, needed.oauth),
        }
    }

    pub(crate) fn is_valid_at(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|expires_at| now < expires_at)
    }
}

fn issue_oauth(state: &mut State, actor: Actor, scopes: &[String]) -> String {
    let text = chance(ACCESS_TOKEN_BYTES);
    let expires_at = Some(state.now() + ACCESS_LIFE);
    let token = AccessToken { actor, scopes: scopes.to_vec(), kind: Kind::OAuth, expires_at };
    state.access_tokens.insert(text.clone(), token);
    text
}

/// Access and refresh token of a person who agreed.
pub(crate) fn issue_pair(
    state: &mut State,
    consumer: &str,
    user: &str,
    scopes: &[String],
) -> (String, String) {
    let access = issue_oauth(state, Actor::Person(user.to_owned()), scopes);
    let refresh = chance(12);
    let expires_at = state.now() + REFRESH_LIFE;
    let token = RefreshToken {
        consumer: consumer.to_owned(),
        user: user.to_owned(),
        scopes: scopes.to_vec(),
        expires_at,
    };
    state.refresh_tokens.insert(refresh.clone(), token);
    (access, refresh)
}

/// A new pair for a refresh token of this consumer, which then has ten minutes left; `None` if it is dead.
pub(crate) fn refresh(state: &mut State, consumer: &str, text: &str) -> Option<Value> {
    let now = state.now();
    let used = state.refresh_tokens.get_mut(text).filter(|t| t.consumer == consumer && now < t.expires_at)?;
    used.expires_at = used.expires_at.min(now + REFRESH_GRACE);
    let RefreshToken { user, scopes, .. } = used.clone();
    Some(pair_json(state, consumer, &user, &scopes, "refresh_token"))
}

/// The answer of the token endpoint with a new pair; `grant` is the name of the grant, which Bitbucket calls `state`.
pub(crate) fn pair_json(
    state: &mut State,
    consumer: &str,
    user: &str,
    scopes: &[String],
    grant: &str,
) -> Value {
    let (access, refresh) = issue_pair(state, consumer, user, scopes);
    let mut answer = answer_json(state, &access, scopes, grant);
    answer["refresh_token"] = json!(refresh);
    answer
}

/// The answer for a consumer that acts for itself; since 4 May 2026 without a refresh token.
pub(crate) fn app_json(state: &mut State, consumer: &str, scopes: &[String]) -> Value {
    let access = issue_oauth(state, Actor::App(consumer.to_owned()), scopes);
    answer_json(state, &access, scopes, "client_credentials")
}

fn answer_json(state: &State, access: &str, scopes: &[String], grant: &str) -> Value {
    let key = if state.switches.scopes_key { "scopes" } else { "scope" };
    json!({
        "access_token": access,
        "token_type": "bearer",
        "expires_in": ACCESS_LIFE.as_secs(),
        key: scopes.join(" "),
        "state": grant,
    })
}
