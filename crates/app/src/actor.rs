//! Who asks.

use crate::{App, Failure};
use jiff::SignedDuration;
use stave_domain::{
    Secret,
    id::{IntegrationId, LoginId, OrganizationId, UserId},
    login::Login,
    secret::SecretHash,
    user::User,
};

/// Who asks, as the cookies of a browser tell.
#[derive(Debug, Clone, Default)]
pub struct Actor {
    /// The person who is logged in.
    pub user: Option<User>,
    /// The log-in of this browser.
    pub login: Option<Login>,
    /// Whether an organization's own integration says who they are. It opens the Admin section to nobody.
    pub is_by_organization: bool,
    /// The one organization that this log-in opens; `None` if it opens everything that the person may see.
    pub within: Option<Within>,
    /// Whether this browser opened the setup link and Setup Mode is on.
    pub is_setup: bool,
    /// The address that the request came from, for the Log; empty if it came from nowhere.
    pub address: String,
}

/// Where a log-in ends. A server that somebody in an organization added says who people are for that organization only: for
/// whoever has another way in, it opens nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Within {
    /// The organization that it opens.
    pub organization_id: OrganizationId,
    /// Through which integration they came in.
    pub integration_id: IntegrationId,
    /// Its name.
    pub integration: String,
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

    /// The person, if their log-in opens everything that is theirs.
    pub fn whole(&self) -> Result<&User, Failure> {
        let user = self.user()?;
        match &self.within {
            None => Ok(user),
            Some(within) => Err(Failure::Denied(format!(
                "You logged in through {}, which opens one organization only. Log out, and log in the way you did before, to do this.",
                within.integration
            ))),
        }
    }

    /// The log-in of this browser.
    #[must_use]
    pub fn login_id(&self) -> Option<LoginId> {
        self.login.as_ref().map(|login| login.id)
    }

    /// Whether they proved in this browser who they are at this integration.
    #[must_use]
    pub fn has_proven(&self, integration: IntegrationId) -> bool {
        self.login.as_ref().is_some_and(|login| login.proven_id == Some(integration))
    }

    /// Whether their log-in opens this organization, if they are in it.
    #[must_use]
    pub fn reaches(&self, organization: OrganizationId) -> bool {
        self.within.as_ref().is_none_or(|within| within.organization_id == organization)
    }

    /// Whether the Admin section is open to them.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.is_setup || (!self.is_by_organization && self.user.as_ref().is_some_and(|user| user.is_admin))
    }

    /// Only admins, and whoever holds the setup link, pass.
    pub fn admin(&self) -> Result<(), Failure> {
        match &self.user {
            _ if self.is_admin() => Ok(()),
            None => Err(Failure::LogInNeeded),
            Some(user) if user.is_admin => Err(Failure::Denied(
                "An organization's own log-in does not open the Admin section. Log out, and log in in another way.".into(),
            )),
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
        if actor.user.is_some() {
            (actor.is_by_organization, actor.within) = self.within(&login).await?;
            actor.login = Some(login);
        }
        Ok(actor)
    }

    /// Where a log-in ends. A person whose first account is at an organization's own server has no better way in: theirs
    /// reaches everything but the Admin section.
    async fn within(&self, login: &Login) -> Result<(bool, Option<Within>), Failure> {
        let Some(id) = login.integration_id else { return Ok((false, None)) };
        let Some(integration) = self.storage.integration_find(id).await? else { return Ok((false, None)) };
        let Some(organization_id) = integration.organization_id else { return Ok((false, None)) };
        let within = Within { organization_id, integration_id: id, integration: integration.name };
        let accounts = self.storage.identity_list_with_integration(login.user_id).await?;
        let has_better = accounts.iter().any(|(_, integration)| integration.is_believed())
            || self.password_is_way_in(login.user_id).await?;
        let is_first = accounts.first().is_some_and(|(first, _)| first.integration_id == id);
        Ok((true, (has_better || !is_first).then_some(within)))
    }

    /// Whether somebody can come in with a password.
    pub(crate) async fn password_is_way_in(&self, user: UserId) -> Result<bool, Failure> {
        Ok(self.configuration().await?.password_login
            && self.storage.user_password_hash(user).await?.is_some())
    }
}
