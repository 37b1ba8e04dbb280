//! Who asks.

use crate::{App, Failure};
use jiff::SignedDuration;
use stave_domain::{Secret, id::LoginId, secret::SecretHash, user::User};

/// Who asks, as the cookies of a browser tell.
#[derive(Debug, Clone, Default)]
pub struct Actor {
    /// The person who is logged in.
    pub user: Option<User>,
    /// The log-in of this browser.
    pub login: Option<LoginId>,
    /// Whether this browser opened the setup link and Setup Mode is on.
    pub is_setup: bool,
}

/// What a browser or client says about itself; for the list of log-ins.
#[derive(Debug, Clone, Default)]
pub struct Visitor {
    /// The address it came from.
    pub address: String,
    /// Its own words about itself.
    pub user_agent: String,
}

impl Actor {
    /// The person, or the request to log in.
    pub fn user(&self) -> Result<&User, Failure> {
        self.user.as_ref().ok_or(Failure::LogInNeeded)
    }

    /// Whether the Admin section is open to them.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.is_setup || self.user.as_ref().is_some_and(|user| user.is_admin)
    }

    /// Only admins, and whoever holds the setup link, pass.
    pub fn admin(&self) -> Result<(), Failure> {
        match &self.user {
            _ if self.is_admin() => Ok(()),
            None => Err(Failure::LogInNeeded),
            Some(_) => Err(Failure::Denied(
                "Only admins may do this. An admin can make you one under Admin > Admin Users.".into(),
            )),
        }
    }

    /// The name for the Log.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.user {
            Some(user) => user.username.to_string(),
            None if self.is_setup => "the setup link".into(),
            None => "somebody".into(),
        }
    }
}

/// How exactly the last sign of life is kept.
const SEEN_PRECISION: SignedDuration = SignedDuration::from_mins(5);

impl App {
    /// Who asks, from the secrets in the cookies `stave_login` and `stave_setup`. A dead or unknown one counts as none.
    pub async fn actor(&self, login: Option<&Secret>, setup: Option<&Secret>) -> Result<Actor, Failure> {
        let mut actor = Actor::default();
        if let Some(secret) = setup {
            actor.is_setup = self.setup_is_held(secret).await?;
        }
        let Some(secret) = login else { return Ok(actor) };
        let Some(login) = self.storage.login_find(&SecretHash::of(secret)).await? else { return Ok(actor) };
        let now = self.clock.now();
        if !login.is_valid_at(now) {
            return Ok(actor);
        }
        if now.duration_since(login.seen_at) >= SEEN_PRECISION {
            self.storage.login_seen(login.id, now).await?;
        }
        actor.user = self.storage.user_find(login.user_id).await?;
        actor.login = actor.user.is_some().then_some(login.id);
        Ok(actor)
    }
}
