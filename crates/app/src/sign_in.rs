//! Signing in through a platform: the trip there and the way back. The first time leads to a registration.

use crate::{Actor, App, Failure, Visitor, entropy, identity::grant_text};
use stave_domain::{
    Secret,
    id::UserId,
    identity::{Grant, RemoteProfile},
    integration::{Integration, IntegrationSlug, Permission},
    login::{Attempt, Purpose},
    secret::SecretHash,
};
use stave_upstream::UpstreamError;
use std::collections::BTreeMap;
use subtle::ConstantTimeEq;
use url::Url;

/// A browser leaves for the platform.
#[derive(Debug)]
pub struct Departure {
    /// Where to.
    pub url: Url,
    /// The secret of the cookie `stave_attempt`: the way back is open only to the browser that left.
    pub browser: Secret,
}

/// A browser came back from the platform.
#[derive(Debug)]
pub enum Arrival {
    /// The account is known: log in.
    LoggedIn {
        /// The secret of the cookie `stave_login`.
        login: Secret,
        /// The page to go to.
        return_to: String,
    },
    /// The account is new: choose a username.
    Register {
        /// The secret of the cookie `stave_registration`.
        browser: Secret,
    },
    /// The account is connected to the user who is logged in.
    Connected {
        /// The page to go to.
        return_to: String,
    },
}

impl App {
    /// Sends a browser to the platform. `browser` is the cookie of an earlier trip: it is kept, so that two tabs can be open.
    pub async fn sign_in_begin(
        &self,
        slug: &str,
        purpose: Purpose,
        return_to: &str,
        browser: Option<Secret>,
    ) -> Result<Departure, Failure> {
        let integration = self.integration_by_slug(slug).await?;
        let state = entropy::secret();
        let browser = browser.filter(|secret| !secret.is_empty()).unwrap_or_else(entropy::secret);
        let callback = self.callback(&integration)?;
        let connector = self.connector(&integration)?;
        let sign_in = connector.sign_in().ok_or(Failure::NotFound("way to log in"))?;
        let url = sign_in.begin(&callback, &state);
        let now = self.clock.now();
        let attempt = Attempt {
            state_hash: SecretHash::of(&state),
            browser_hash: SecretHash::of(&browser),
            integration_id: integration.id,
            purpose,
            return_to: return_to.to_owned(),
            created_at: now,
        };
        self.storage.attempt_insert(&attempt).await?;
        Ok(Departure { url, browser })
    }

    /// Receives a browser from the platform with what is in the query of the callback. A trip ends once, whatever comes of it.
    pub async fn sign_in_finish(
        &self,
        slug: &str,
        query: &BTreeMap<String, String>,
        browser: Option<&Secret>,
        (actor, visitor): (&Actor, &Visitor),
    ) -> Result<Arrival, Failure> {
        let integration = self.integration_by_slug(slug).await?;
        let state = Secret::new(query.get("state").map_or("", String::as_str));
        let attempt = self.attempt_end(&integration, &state, browser).await?;
        let (profile, grant) = self.identity_fetch(&integration, query).await?;
        match attempt.purpose {
            Purpose::Connect { user } => {
                if actor.user.as_ref().map(|user| user.id) != Some(user) {
                    return Err(Failure::Denied(
                        "You logged out, or logged in as somebody else, while you were away. Log in and connect the account again.".into(),
                    ));
                }
                self.identity_connect(&integration, user, &profile, &grant).await?;
                Ok(Arrival::Connected { return_to: attempt.return_to })
            }
            Purpose::LogIn => {
                self.log_in_or_register(&integration, &attempt, (profile, grant), visitor).await
            }
        }
    }

    pub(crate) async fn integration_by_slug(&self, slug: &str) -> Result<Integration, Failure> {
        let slug: IntegrationSlug = slug.parse().map_err(|_| Failure::NotFound("way to log in"))?;
        self.storage.integration_find_by_slug(&slug).await?.ok_or(Failure::NotFound("way to log in"))
    }

    fn callback(&self, integration: &Integration) -> Result<Url, Failure> {
        self.integration_callback(integration.slug.as_str()).parse().map_err(Failure::internal)
    }

    /// Takes the attempt that this state belongs to, if this is the browser that left.
    async fn attempt_end(
        &self,
        integration: &Integration,
        state: &Secret,
        browser: Option<&Secret>,
    ) -> Result<Attempt, Failure> {
        let over = || {
            Failure::Denied(
                "This log-in is over: it took more than ten minutes, it was used already, or it began in another browser. Log in once more.".into(),
            )
        };
        let attempt = self.storage.attempt_take(&SecretHash::of(state)).await?.ok_or_else(over)?;
        let same_browser =
            browser.is_some_and(|secret| bool::from(SecretHash::of(secret).0.ct_eq(&attempt.browser_hash.0)));
        let fits =
            same_browser && attempt.integration_id == integration.id && attempt.is_valid_at(self.clock.now());
        if fits { Ok(attempt) } else { Err(over()) }
    }

    /// Asks the platform who this is, and keeps what the answer says about the integration for its page.
    async fn identity_fetch(
        &self,
        integration: &Integration,
        query: &BTreeMap<String, String>,
    ) -> Result<(RemoteProfile, Grant), Failure> {
        let connector = self.connector(integration)?;
        let sign_in = connector.sign_in().ok_or(Failure::NotFound("way to log in"))?;
        let outcome = sign_in.finish(&self.callback(integration)?, query, self.clock.now()).await;
        let known = (integration.missing_permissions.clone(), integration.last_error.clone());
        let seen = match &outcome {
            Ok((_, grant)) => (Some(Permission::missing_from(&grant.scopes)), None),
            Err(error @ UpstreamError::MissingPermissions { missing, .. }) => {
                (Some(missing.clone()), Some(error.to_string()))
            }
            Err(error) if error.needs_admin() => (known.0.clone(), Some(error.to_string())),
            Err(_) => known.clone(),
        };
        if seen != known {
            let (missing, error) = (seen.0.as_deref(), seen.1.as_deref());
            self.storage.integration_condition_update(integration.id, missing, error).await?;
        }
        Ok(outcome?)
    }

    async fn log_in_or_register(
        &self,
        integration: &Integration,
        attempt: &Attempt,
        (profile, grant): (RemoteProfile, Grant),
        visitor: &Visitor,
    ) -> Result<Arrival, Failure> {
        if let Some(known) =
            self.storage.identity_find_by_external(integration.id, &profile.external_id).await?
        {
            let sealed = self.grant_seal(known.id, &grant)?;
            self.storage
                .identity_signed_in(known.id, &profile.handle, &profile.display_name, &sealed)
                .await?;
            let login = self.login_start(known.user_id, &integration.name, visitor).await?;
            return Ok(Arrival::LoggedIn { login, return_to: attempt.return_to.clone() });
        }
        let browser = self.registration_begin(integration, (&profile, &grant), &attempt.return_to).await?;
        Ok(Arrival::Register { browser })
    }

    /// Connects an account to a user who is here already. One account belongs to one user, who has one per integration.
    async fn identity_connect(
        &self,
        integration: &Integration,
        user: UserId,
        profile: &RemoteProfile,
        grant: &Grant,
    ) -> Result<(), Failure> {
        let txn = self.people_change().await?;
        match txn.identity_find_by_external(integration.id, &profile.external_id).await? {
            Some(known) if known.user_id == user => {
                let sealed = self.grant_seal(known.id, grant)?;
                txn.identity_signed_in(known.id, &profile.handle, &profile.display_name, &sealed).await?;
            }
            Some(_) => {
                return Err(Failure::Conflict(format!(
                    "The account {} at {} belongs to another user here. Log in with it to reach that user, or disconnect it there first.",
                    profile.handle, integration.name
                )));
            }
            None => {
                let theirs = txn.identity_list_of_user(user).await?;
                if let Some(other) = theirs.iter().find(|other| other.integration_id == integration.id) {
                    return Err(Failure::Conflict(format!(
                        "You are connected to {} as {} already. Disconnect that account on your Profile first. Or log out and log in with {}: that makes a user of its own.",
                        integration.name, other.handle, profile.handle
                    )));
                }
                let identity = self.identity_new(integration, user, profile, &grant_text(grant)?);
                txn.identity_insert(&identity).await?;
            }
        }
        Ok(txn.commit().await?)
    }
}
