//! Connected accounts: the page's word for a person's identities.

use crate::{Actor, App, Departure, Failure, identity::Arrived, sign_in::Trip};
use stave_domain::{
    Secret,
    id::{IdentityId, UserId},
    identity::Identity,
    integration::{Integration, OAuthVersion},
    login::Purpose,
    organization::Role,
};
use stave_storage::Storage;

/// One line of "Connected accounts" on the Profile.
#[derive(Debug)]
pub struct Account {
    /// Where.
    pub integration: Integration,
    /// The account there; `None` if none is connected.
    pub identity: Option<Identity>,
}

impl Account {
    /// Whether another client takes over, and has not been used for this account yet.
    #[must_use]
    pub fn waits_for_log_in(&self) -> bool {
        self.identity.as_ref().is_some_and(|identity| self.integration.awaits(identity))
    }
}

impl App {
    /// Every integration that is of use to the actor, with their account there; as far as their log-in reaches.
    pub async fn account_list(&self, actor: &Actor) -> Result<Vec<Account>, Failure> {
        let user = actor.user()?.id;
        let mut identities = self.storage.identity_list_of_user(user).await?;
        let mut integrations = self.storage.integration_list_reachable(user).await?;
        if let Some(within) = &actor.within {
            integrations.retain(|integration| integration.id == within.integration_id);
        }
        let accounts = integrations.into_iter().map(|integration| {
            let at = identities.iter().position(|identity| identity.integration_id == integration.id);
            Account { identity: at.map(|at| identities.swap_remove(at)), integration }
        });
        Ok(accounts.collect())
    }

    /// The actor's accounts with which git can be read.
    pub(crate) async fn account_list_reading(
        &self,
        actor: &Actor,
    ) -> Result<Vec<(Identity, Integration)>, Failure> {
        if actor.user.is_none() {
            return Ok(Vec::new());
        }
        let accounts = self.account_list(actor).await?;
        Ok(accounts
            .into_iter()
            .filter_map(|account| Some((account.identity?, account.integration)))
            .filter(|(identity, integration)| {
                let client = integration.client_with(&identity.client_id);
                client.is_some_and(|client| client.oauth() == OAuthVersion::Two)
            })
            .collect())
    }

    /// Sends the actor to a platform, to connect their account there; `replaces`: another one than they have.
    pub async fn account_connect_begin(
        &self,
        actor: &Actor,
        slug: &str,
        (replaces, return_to): (bool, &str),
        browser: Option<Secret>,
    ) -> Result<Departure, Failure> {
        let user = actor.whole()?.id;
        let accounts = self.account_list(actor).await?;
        let integration = accounts
            .into_iter()
            .map(|account| account.integration)
            .find(|integration| integration.slug.as_str() == slug)
            .ok_or(Failure::NotFound("way to log in"))?;
        let purpose = Purpose::Connect { user, replaces };
        let trip = Trip { integration: &integration, client: &integration.client, purpose, return_to };
        self.sign_in_depart(trip, browser).await
    }

    /// Connects an account to a user who is here already. One account belongs to one user, who has one per integration.
    pub(crate) async fn account_connect(
        &self,
        actor: &Actor,
        arrived: &Arrived<'_>,
        replaces: bool,
    ) -> Result<(), Failure> {
        let user = actor.user()?.id;
        let Arrived { integration, client, profile, grant } = arrived;
        let txn = self.people_change().await?;
        let theirs = txn.identity_find_of_user(user, integration.id).await?;
        match (txn.identity_find_by_external(integration.id, &profile.external_id).await?, theirs) {
            (Some(known), _) if known.user_id == user && replaces => {
                return Err(Failure::Conflict(format!(
                    "You are still logged in at {} as {}, so nothing was changed. Log out there, log in as the other account, then try again.",
                    integration.name, known.handle
                )));
            }
            (Some(known), _) if known.user_id == user => {
                self.identity_renew(&txn, known.id, arrived).await?;
            }
            (Some(_), _) => {
                return Err(Failure::Conflict(format!(
                    "The account {} at {} belongs to another user here. Log in with it to reach that user, or disconnect it there first.",
                    profile.handle, integration.name
                )));
            }
            (None, Some(old)) if replaces => {
                stays_while_deactivated(&txn, &old).await?;
                let sealed = self.grant_seal(old.id, grant)?;
                txn.identity_replace(old.id, profile, client.id(), &sealed).await?;
            }
            (None, Some(old)) => {
                return Err(Failure::Conflict(format!(
                    "You are connected to {} as {} already. To use {} instead, choose “Connect another account” on your Profile. Or log out and log in with {}: that makes a user of its own.",
                    integration.name, old.handle, profile.handle, profile.handle
                )));
            }
            (None, None) => txn.identity_insert(&self.identity_new(user, arrived)?).await?,
        }
        txn.commit().await?;
        let action = format!("connected the account {} at {}", profile.handle, integration.name);
        self.log_by(actor, None, action).await
    }

    /// Disconnects an account of the actor, unless it is their last way in, or the only one into an organization that they own.
    pub async fn account_disconnect(&self, actor: &Actor, id: IdentityId) -> Result<(), Failure> {
        let user = actor.whole()?;
        let by_password = self.password_is_way_in(user.id).await?;
        let txn = self.people_change().await?;
        let identities = txn.identity_list_of_user(user.id).await?;
        let leaving = identities
            .iter()
            .find(|identity| identity.id == id)
            .ok_or(Failure::NotFound("connected account"))?;
        if identities.len() == 1 && !by_password {
            return Err(Failure::Conflict("This is your last way in. Connect another account first.".into()));
        }
        stays_while_deactivated(&txn, leaving).await?;
        if let Some(name) = owned_behind(&txn, user.id, leaving).await? {
            return Err(Failure::Conflict(format!(
                "You own {name}, whose members have to log in with this account. Change that under its Settings > Access first."
            )));
        }
        txn.identity_delete(id).await?;
        self.memberships_settle(&txn, user.id, None).await?;
        txn.commit().await?;
        self.log_by(actor, None, "disconnected an account of their own").await
    }
}

/// Whoever was deactivated would come back as somebody new with an account that is free again.
async fn stays_while_deactivated(storage: &Storage, account: &Identity) -> Result<(), Failure> {
    let knowing = storage.organization_list_knowing(account.integration_id, &account.external_id).await?;
    for id in knowing {
        let member = storage.member_find(id, account.user_id).await?;
        let organization = storage.organization_find(id).await?;
        if let Some(organization) = organization.filter(|_| member.is_some_and(|it| !it.is_active)) {
            return Err(Failure::Conflict(format!(
                "{} deactivated you and knows you by the account {}, so it stays connected. Ask an owner there to activate you first.",
                organization.name, account.handle
            )));
        }
    }
    Ok(())
}

/// The name of an organization that a user owns and could not enter without this account.
async fn owned_behind(
    storage: &Storage,
    user: UserId,
    account: &Identity,
) -> Result<Option<String>, Failure> {
    let organizations = storage.organization_list_of_user(user).await?;
    let behind = organizations.into_iter().find(|(organization, role)| {
        *role == Role::Owner && organization.enforced == Some(account.integration_id)
    });
    Ok(behind.map(|(organization, _)| organization.name))
}
