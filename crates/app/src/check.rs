//! "Check the connection": the whole chain of a log-in, tried with the account of whoever asks.

use crate::{Actor, App, Departure, Failure, Level, sign_in::Trip};
use stave_domain::{
    Secret, Timestamp,
    check::{Check, Outcome, Part, Step},
    id::IntegrationId,
    identity::{Grant, RemoteProfile},
    integration::{Client, Integration, OAuthVersion, Permission},
    login::Purpose,
};
use stave_upstream::{Ability, ProbeProblem, SignInProblem, UpstreamError, probe};
use url::Url;

/// What comes after the first steps of a check.
#[derive(Debug)]
pub enum CheckBegun {
    /// They failed, so nobody has to leave.
    Over,
    /// The rest is tried by whoever asked.
    Away(Departure),
}

impl App {
    /// The latest check of an integration.
    pub async fn check_show(&self, integration: &Integration) -> Result<Option<Check>, Failure> {
        Ok(self.storage.check_find(integration.id).await?)
    }

    /// Tries what can be tried without a person, then sends them on the way. `page` is where they are shown what came of it.
    pub async fn check_begin(
        &self,
        actor: &Actor,
        (level, id): (&Level, IntegrationId),
        page: &str,
        browser: Option<Secret>,
    ) -> Result<CheckBegun, Failure> {
        let integration = self.integration_show(actor, level, id).await?;
        let mut check = Check {
            integration_id: id,
            steps: vec![self.server_try(&integration).await?],
            is_away: false,
            started_at: self.clock.now(),
        };
        let client = &integration.client;
        let purpose = Purpose::Check { started_at: check.started_at };
        let trip = Trip { integration: &integration, client, purpose, return_to: page };
        let begun = if check.is_good() { self.departure_try(trip, browser, &mut check).await? } else { None };
        check.is_away = begun.is_some();
        self.storage.check_upsert(&check).await?;
        let action = format!("checked the connection of the integration {}", integration.name);
        self.log_by(actor, integration.organization_id, action).await?;
        Ok(begun.map_or(CheckBegun::Over, CheckBegun::Away))
    }

    /// Writes down what came of the trip.
    pub(crate) async fn check_finish(
        &self,
        (integration, client): (&Integration, &Client),
        started_at: Timestamp,
        outcome: Result<(RemoteProfile, Grant), UpstreamError>,
    ) -> Result<(), Failure> {
        let known = self.storage.check_find(integration.id).await?;
        // A later check may have begun meanwhile.
        let Some(mut check) = known.filter(|check| check.started_at == started_at) else { return Ok(()) };
        check.is_away = false;
        match outcome {
            Err(error) => check.steps.push(stopped(client, &error)),
            Ok((profile, grant)) => {
                check.steps.extend(signed_in(integration, &profile, &grant));
                check.steps.push(self.webhooks_try(integration, client, &grant).await?);
            }
        }
        Ok(self.storage.check_upsert(&check).await?)
    }

    async fn server_try(&self, integration: &Integration) -> Result<Step, Failure> {
        let now = self.clock.now();
        let outcome = match probe(&self.http, integration.platform, &integration.base_url, now).await {
            // A log-in may take longer than an admin who looks.
            Err(problem @ ProbeProblem::Silent { .. }) => Outcome::Noted(problem.to_string()),
            Err(problem) => Outcome::Failed(problem.to_string()),
            Ok(sight) if sight.platform != integration.platform => Outcome::Failed(format!(
                "At the base URL is {} now. Change the base URL, or add an integration for it.",
                sight.platform.label()
            )),
            Ok(sight) => {
                if let Some(seen) = sight.seen(now) {
                    self.storage.integration_seen_update(integration.id, Some(&seen)).await?;
                }
                let version = sight.version.map(|version| format!(" {version}")).unwrap_or_default();
                let said = format!("{}{version} answers.", sight.platform.label());
                Outcome::Passed([vec![said], sight.remarks].concat().join(" "))
            }
        };
        Ok(Step { part: Part::Server, outcome })
    }

    /// Prepares the trip and looks at where it would lead; `None` if that shows that nobody would come back.
    async fn departure_try(
        &self,
        trip: Trip<'_>,
        browser: Option<Secret>,
        check: &mut Check,
    ) -> Result<Option<Departure>, Failure> {
        let (integration, client) = (trip.integration, trip.client);
        let departure = match self.sign_in_depart_try(trip, browser).await? {
            Ok(departure) => departure,
            Err(error) => {
                check.steps.push(stopped(client, &error));
                return Ok(None);
            }
        };
        if client.oauth() == OAuthVersion::One {
            let said = "It accepts consumer key, signature and clock.".into();
            check.steps.push(Step { part: Part::Signature, outcome: Outcome::Passed(said) });
            return Ok(Some(departure));
        }
        match self.knock(integration, client, &departure.url).await? {
            Ok(()) => Ok(Some(departure)),
            Err(error) => {
                check.steps.push(stopped(client, &error));
                Ok(None)
            }
        }
    }

    async fn knock(
        &self,
        integration: &Integration,
        client: &Client,
        url: &Url,
    ) -> Result<Result<(), UpstreamError>, Failure> {
        let connector = self.connector(integration, client)?;
        match connector.inspect() {
            Some(inspect) => Ok(inspect.knock(url).await),
            None => Ok(Ok(())),
        }
    }

    async fn webhooks_try(
        &self,
        integration: &Integration,
        client: &Client,
        grant: &Grant,
    ) -> Result<Step, Failure> {
        let connector = self.connector(integration, client)?;
        let outcome = match connector.inspect() {
            None => Outcome::Noted("This platform has none.".into()),
            Some(inspect) => match inspect.webhooks(grant).await {
                Ok(Ability::Yes(sentence)) => Outcome::Passed(sentence),
                Ok(Ability::No(sentence)) => Outcome::Noted(sentence),
                Err(error) => Outcome::Noted(error.to_string()),
            },
        };
        Ok(Step { part: Part::Webhooks, outcome })
    }
}

/// The step at which a trip stopped.
fn stopped(client: &Client, error: &UpstreamError) -> Step {
    let part = match error {
        UpstreamError::SignIn { problem, .. } => match problem {
            SignInProblem::CallbackMissing { .. }
            | SignInProblem::CallbackMismatch { .. }
            | SignInProblem::CallbackUnconfirmed => Part::Callback,
            SignInProblem::OAuth1Missing | SignInProblem::OAuth2Missing => Part::Server,
            SignInProblem::Denied
            | SignInProblem::NotAPerson { .. }
            | SignInProblem::Inactive
            | SignInProblem::TokenIgnored => Part::Person,
            _ if client.oauth() == OAuthVersion::One => Part::Signature,
            _ => Part::Client,
        },
        UpstreamError::Unreachable { .. } | UpstreamError::Intercepted { .. } => Part::Server,
        UpstreamError::MissingPermissions { needed, .. } => {
            needed.first().map_or(Part::Person, |permission| Part::Permission(*permission))
        }
        _ => Part::Person,
    };
    Step { part, outcome: Outcome::Failed(error.to_string()) }
}

/// The steps that a whole trip proves.
fn signed_in(integration: &Integration, profile: &RemoteProfile, grant: &Grant) -> Vec<Step> {
    let passed = |part, said: String| Step { part, outcome: Outcome::Passed(said) };
    let mut steps = Vec::new();
    if integration.client.oauth() == OAuthVersion::Two {
        steps.push(passed(Part::Client, "It accepts them.".into()));
    }
    steps.push(passed(Part::Callback, "It sent you back.".into()));
    let name =
        if profile.display_name.is_empty() { String::new() } else { format!(" ({})", profile.display_name) };
    steps.push(passed(Part::Person, format!("You are {}{name} there.", profile.handle)));
    steps.push(email(integration, profile));
    steps.extend(permissions(integration, grant));
    steps
}

fn email(integration: &Integration, profile: &RemoteProfile) -> Step {
    let outcome = match &profile.email {
        None => Outcome::Noted("It tells none. People can type one when they register.".into()),
        Some(email) if integration.trust_email || (email.confirmed && integration.is_believed()) => {
            Outcome::Passed(format!("{}, which counts as verified.", email.address))
        }
        Some(email) if email.confirmed => Outcome::Passed(format!(
            "{}, which counts as not verified: an organization's own integration is not believed about that.",
            email.address
        )),
        Some(email) => Outcome::Passed(format!(
            "{}, which counts as not verified: {} does not say that it was confirmed.",
            email.address, integration.name
        )),
    };
    Step { part: Part::Email, outcome }
}

fn permissions(integration: &Integration, grant: &Grant) -> Vec<Step> {
    let missing = Permission::missing_from(integration.platform, &grant.scopes);
    let said = match (integration.client.oauth(), grant.scopes.is_empty()) {
        (OAuthVersion::One, _) => "A link by OAuth 1 may do whatever the person may.",
        (OAuthVersion::Two, true) => "Bitbucket does not say what the log-in may do; nothing was refused.",
        (OAuthVersion::Two, false) => "Granted.",
    };
    let step = |permission: &Permission| {
        let outcome = if missing.contains(permission) {
            Outcome::Failed(format!(
                "Not granted. On Bitbucket, edit the {}, tick “{permission}”, save, and check again.",
                integration.platform.application()
            ))
        } else {
            Outcome::Passed(said.into())
        };
        Step { part: Part::Permission(*permission), outcome }
    };
    Permission::wanted_on(integration.platform).iter().map(step).collect()
}
