//! Signing in through a platform: the trip there and the way back. The first time leads to a registration.

use crate::{Actor, App, Failure, Visitor, entropy, identity::Arrived};
use stave_domain::{
    Secret,
    identity::{Grant, RemoteProfile},
    integration::{Client, Integration, IntegrationSlug, Permission},
    login::{Attempt, Purpose},
    secret::SecretHash,
};
use stave_upstream::{UpstreamError, state_in};
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
        /// The secret of the cookie `stave_login`: a new one, since more can be reached with it.
        login: Secret,
        /// The page to go to.
        return_to: String,
    },
    /// The connection was checked; its page tells what came of it.
    Checked {
        /// The page to go to.
        return_to: String,
    },
}

/// A trip to be made.
pub(crate) struct Trip<'a> {
    /// Where to.
    pub(crate) integration: &'a Integration,
    /// As which of its clients.
    pub(crate) client: &'a Client,
    /// What for.
    pub(crate) purpose: Purpose,
    /// The page to go to afterwards.
    pub(crate) return_to: &'a str,
}

impl App {
    /// Sends a browser to the platform to log in. `browser` is the cookie of an earlier trip: it is kept, so that two tabs can
    /// be open. `as_before`: with the client that a changeover has not let go yet.
    pub async fn sign_in_begin(
        &self,
        slug: &str,
        as_before: bool,
        return_to: &str,
        browser: Option<Secret>,
    ) -> Result<Departure, Failure> {
        let integration = self.integration_by_slug(slug).await?;
        let client = integration.previous.as_ref().filter(|_| as_before).unwrap_or(&integration.client);
        let trip = Trip { integration: &integration, client, purpose: Purpose::LogIn, return_to };
        self.sign_in_depart(trip, browser).await
    }

    /// Begins a trip: what is needed to end it is kept.
    pub(crate) async fn sign_in_depart(
        &self,
        trip: Trip<'_>,
        browser: Option<Secret>,
    ) -> Result<Departure, Failure> {
        Ok(self.sign_in_depart_try(trip, browser).await??)
    }

    /// The same, with what the platform said against it in its own words.
    pub(crate) async fn sign_in_depart_try(
        &self,
        trip: Trip<'_>,
        browser: Option<Secret>,
    ) -> Result<Result<Departure, UpstreamError>, Failure> {
        let Trip { integration, client, .. } = trip;
        let connector = self.connector(integration, client)?;
        let sign_in = connector.sign_in().ok_or(Failure::NotFound("way to log in"))?;
        let leaving = match sign_in.begin(&entropy::secret()).await {
            Ok(leaving) => leaving,
            Err(error) => {
                self.condition_note(integration, client, Err(&error)).await?;
                return Ok(Err(error));
            }
        };
        let browser = browser.filter(|secret| !secret.is_empty()).unwrap_or_else(entropy::secret);
        let state_hash = SecretHash::of(&leaving.state);
        let attempt = Attempt {
            state_hash,
            browser_hash: SecretHash::of(&browser),
            integration_id: integration.id,
            client_id: client.id().to_owned(),
            kept: self.keys.seal(KEPT, hex::encode(state_hash.0), &leaving.kept),
            purpose: trip.purpose,
            return_to: trip.return_to.to_owned(),
            created_at: self.clock.now(),
        };
        self.storage.attempt_insert(&attempt).await?;
        Ok(Ok(Departure { url: leaving.url, browser }))
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
        let attempt = self.attempt_end(&integration, &state_in(query), browser).await?;
        let client = integration.client_with(&attempt.client_id).ok_or_else(|| {
            Failure::Denied("The integration was changed while you were away. Log in once more.".into())
        })?;
        let outcome = self.identity_fetch(&integration, client, (&attempt, query)).await?;
        let return_to = attempt.return_to.clone();
        match attempt.purpose {
            Purpose::Check { started_at } => {
                self.check_finish((&integration, client), started_at, outcome).await?;
                Ok(Arrival::Checked { return_to })
            }
            Purpose::Connect { user, replaces } => {
                let (profile, grant) = outcome?;
                if actor.user.as_ref().map(|user| user.id) != Some(user) {
                    return Err(Failure::Denied(
                        "You logged out, or logged in as somebody else, while you were away. Log in and connect the account again.".into(),
                    ));
                }
                let arrived = Arrived { integration: &integration, client, profile, grant };
                self.account_connect(actor, &arrived, replaces).await?;
                self.changeover_settle(&integration).await?;
                let login = self.login_prove(user, &integration, (actor, visitor)).await?;
                Ok(Arrival::Connected { login, return_to })
            }
            Purpose::LogIn => {
                let (profile, grant) = outcome?;
                let arrived = Arrived { integration: &integration, client, profile, grant };
                self.log_in_or_register(&arrived, return_to, (actor, visitor)).await
            }
        }
    }

    /// The integration of a log-in button or a callback.
    pub async fn integration_by_slug(&self, slug: &str) -> Result<Integration, Failure> {
        let slug: IntegrationSlug = slug.parse().map_err(|_| Failure::NotFound("way to log in"))?;
        self.storage.integration_find_by_slug(&slug).await?.ok_or(Failure::NotFound("way to log in"))
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
        client: &Client,
        (attempt, query): (&Attempt, &BTreeMap<String, String>),
    ) -> Result<Result<(RemoteProfile, Grant), UpstreamError>, Failure> {
        let connector = self.connector(integration, client)?;
        let sign_in = connector.sign_in().ok_or(Failure::NotFound("way to log in"))?;
        let kept = self
            .keys
            .open(KEPT, hex::encode(attempt.state_hash.0), &attempt.kept)
            .map_err(Failure::internal)?;
        let outcome = sign_in.finish(&kept, query).await;
        // An error that stands in the address was typed by anybody; only in a check it is an admin's own.
        let is_typed = query.contains_key("error") && !matches!(attempt.purpose, Purpose::Check { .. });
        if !is_typed {
            self.condition_note(integration, client, outcome.as_ref().map(|(_, grant)| grant)).await?;
        }
        Ok(outcome)
    }

    /// Keeps what a trip showed about an integration for its page. What the client before shows does not count any more.
    async fn condition_note(
        &self,
        integration: &Integration,
        client: &Client,
        outcome: Result<&Grant, &UpstreamError>,
    ) -> Result<(), Failure> {
        if client.id() != integration.client.id() {
            return Ok(());
        }
        let known = (integration.missing_permissions.clone(), integration.last_error.clone());
        let seen = match outcome {
            Ok(grant) => (Some(Permission::missing_from(integration.platform, &grant.scopes)), None),
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
        Ok(())
    }

    async fn log_in_or_register(
        &self,
        arrived: &Arrived<'_>,
        return_to: String,
        (actor, visitor): (&Actor, &Visitor),
    ) -> Result<Arrival, Failure> {
        let Arrived { integration, profile, .. } = arrived;
        let known = self.storage.identity_find_by_external(integration.id, &profile.external_id).await?;
        let Some(known) = known else {
            let browser = self.registration_begin(arrived, &return_to).await?;
            return Ok(Arrival::Register { browser });
        };
        if known.client_id.is_empty() && known.handle != profile.handle {
            return Err(Failure::Conflict(format!(
                "{} leads to another server since somebody last logged in with this account, who was called {} then. An admin adds an integration for the new server; with this one only {} gets in.",
                integration.name, known.handle, known.handle
            )));
        }
        self.identity_renew(&self.storage, known.id, arrived).await?;
        self.changeover_settle(integration).await?;
        let login = self.login_prove(known.user_id, integration, (actor, visitor)).await?;
        Ok(Arrival::LoggedIn { login, return_to })
    }
}

/// What a trip's secret is sealed as.
const KEPT: &str = "kept";
