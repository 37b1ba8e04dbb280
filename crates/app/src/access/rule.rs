//! Settings > Access: the integration through which the members of an organization have to log in.

use crate::{Actor, App, Failure};
use stave_domain::{
    id::{IntegrationId, UserId},
    integration::Integration,
    organization::Organization,
};

/// The rule of an organization, and what it could be.
#[derive(Debug)]
pub struct AccessView {
    /// Whose.
    pub organization: Organization,
    /// The integrations that its members could be made to use: its own first, then the installation's.
    pub choices: Vec<AccessRule>,
    /// How many members have no account at the integration that is enforced.
    pub members_outside: u64,
}

/// An integration that could be enforced.
#[derive(Debug)]
pub struct AccessRule {
    /// Which.
    pub integration: Integration,
    /// Whether the actor has a working account there; without one they would lock themselves out.
    pub is_connected: bool,
}

/// What is typed under Settings > Access.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub struct AccessForm {
    /// The id of an integration; empty leaves it to the members.
    pub integration: String,
}

/// Why somebody is asked to log in in another way.
#[derive(Debug, Clone)]
pub struct LogInThrough {
    /// The organization that asks for it.
    pub organization: Organization,
    /// The integration that it wants.
    pub integration: Integration,
}

impl App {
    /// The rule of an organization, for its owners.
    pub async fn access_show(&self, actor: &Actor, short_name: &str) -> Result<AccessView, Failure> {
        let organization = self.organization_mended(actor, short_name).await?;
        let accounts = match &actor.user {
            Some(user) => self.storage.identity_list_of_user(user.id).await?,
            None => Vec::new(),
        };
        let is_connected = |integration: &Integration| {
            accounts.iter().any(|it| it.integration_id == integration.id && it.broken_because.is_none())
        };
        let choices = self.access_choices(&organization).await?;
        let choices = choices
            .into_iter()
            .map(|integration| AccessRule { is_connected: is_connected(&integration), integration })
            .collect();
        let members_outside = match organization.enforced {
            Some(enforced) => self.storage.member_count_without(organization.id, enforced).await?,
            None => 0,
        };
        Ok(AccessView { organization, choices, members_outside })
    }

    /// Changes the rule. It counts at once, for those who are logged in too.
    pub async fn access_update(
        &self,
        actor: &Actor,
        short_name: &str,
        form: &AccessForm,
    ) -> Result<(), Failure> {
        let organization = self.organization_mended(actor, short_name).await?;
        let chosen =
            match form.integration.as_str() {
                "" => None,
                id => {
                    let mut choices = self.access_choices(&organization).await?.into_iter();
                    Some(choices.find(|integration| integration.id.to_string() == id).ok_or_else(|| {
                        Failure::invalid("integration", "Choose an integration from the list.")
                    })?)
                }
            };
        let txn = self.people_change().await?;
        if let Some(integration) = &chosen {
            let account = match &actor.user {
                Some(user) => txn.identity_find_of_user(user.id, integration.id).await?,
                None => None,
            };
            if account.is_none_or(|account| account.broken_because.is_some()) {
                return Err(Failure::invalid(
                    "integration",
                    format!(
                        "You have no account at {} connected, so you would lock yourself out. Connect it on your Profile first.",
                        integration.name
                    ),
                ));
            }
        }
        let enforced = chosen.as_ref().map(|integration| integration.id);
        txn.organization_enforce(organization.id, enforced).await?;
        txn.commit().await?;
        let action = match chosen {
            Some(integration) => format!("made members log in with {}", integration.name),
            None => "left it to members how they log in".into(),
        };
        self.log_by(actor, Some(organization.id), action).await
    }

    /// The organization's own integrations, then everybody's.
    async fn access_choices(&self, organization: &Organization) -> Result<Vec<Integration>, Failure> {
        let mut integrations = self.storage.integration_list_of(Some(organization.id)).await?;
        integrations.extend(self.integration_list().await?);
        Ok(integrations)
    }

    /// Passes whoever logged in the way that an organization wants, and everybody if it wants none.
    pub(crate) async fn access_pass(
        &self,
        actor: &Actor,
        organization: &Organization,
    ) -> Result<(), Failure> {
        let Some(enforced) = organization.enforced.filter(|enforced| !actor.has_proven(*enforced)) else {
            return Ok(());
        };
        match self.storage.integration_find(enforced).await? {
            None => Ok(()),
            Some(integration) => Err(Failure::LogInThrough(Box::new(LogInThrough {
                organization: organization.clone(),
                integration,
            }))),
        }
    }

    /// Passes the token of whoever has an account at the integration that an organization wants.
    pub(crate) async fn access_pass_token(
        &self,
        user: UserId,
        organization: &Organization,
    ) -> Result<(), Failure> {
        let Some(enforced) = organization.enforced else { return Ok(()) };
        if self.is_connected(user, enforced).await? {
            return Ok(());
        }
        let name = self.storage.integration_find(enforced).await?.map(|integration| integration.name);
        Err(Failure::Denied(format!(
            "{} asks its members to log in with {}: open {} once, then this token works again.",
            organization.name,
            name.unwrap_or_default(),
            self.address(&format!("/orgs/{}", organization.short_name))
        )))
    }

    /// Whether somebody has an account at an integration with which Stave can still act.
    pub(crate) async fn is_connected(
        &self,
        user: UserId,
        integration: IntegrationId,
    ) -> Result<bool, Failure> {
        let account = self.storage.identity_find_of_user(user, integration).await?;
        Ok(account.is_some_and(|account| account.broken_because.is_none()))
    }
}
