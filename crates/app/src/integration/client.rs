//! What Stave is registered as: made, changed, spoken with.

use super::{
    Doubt,
    form::{Typed, TypedClient},
};
use crate::{App, Failure, entropy, key_pair::key_pair};
use stave_domain::{
    id::IntegrationId,
    integration::{Client, Integration, OAuthVersion},
};
use stave_upstream::{Connector, Environment, Registration, UpstreamError, connector};
use std::sync::Arc;

/// How Stave is called where an application link shows a name.
const NAME: &str = "Stave";

/// What an admin enters at a Bitbucket Server to make an application link by OAuth 1, field by field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationLink {
    /// "Application URL".
    pub application_url: String,
    /// "Application Name".
    pub application_name: &'static str,
    /// "Application Type".
    pub application_type: &'static str,
    /// "Consumer Name".
    pub consumer_name: &'static str,
    /// "Consumer Key".
    pub consumer_key: String,
    /// "Public Key": PEM.
    pub public_key: String,
}

impl App {
    /// What to enter at the server; `None` if the integration speaks OAuth 2.
    #[must_use]
    pub fn integration_link(&self, integration: &Integration) -> Option<ApplicationLink> {
        let Client::OAuth1 { consumer_key, public_key, .. } = &integration.client else { return None };
        Some(self.application_link(consumer_key, public_key))
    }

    /// What to enter at a server for a client by OAuth 1.
    pub(crate) fn application_link(&self, consumer_key: &str, public_key: &str) -> ApplicationLink {
        ApplicationLink {
            application_url: self.address(""),
            application_name: NAME,
            application_type: "Generic Application",
            consumer_name: NAME,
            consumer_key: consumer_key.to_owned(),
            public_key: public_key.to_owned(),
        }
    }

    /// The code that speaks to an integration's platform as one of its clients.
    pub(crate) fn connector(
        &self,
        integration: &Integration,
        client: &Client,
    ) -> Result<Box<dyn Connector>, Failure> {
        let open = |what, sealed| self.keys.open(what, integration.id, sealed).map_err(Failure::internal);
        let client = match client {
            Client::OAuth2 { id, secret } => {
                stave_upstream::Client::OAuth2 { id: id.clone(), secret: open(CLIENT_SECRET, secret)? }
            }
            Client::OAuth1 { consumer_key, private_key, .. } => stave_upstream::Client::OAuth1 {
                consumer_key: consumer_key.clone(),
                private_key: open(PRIVATE_KEY, private_key)?,
            },
        };
        let callback = self.integration_callback(integration.slug.as_str());
        let registration = Registration {
            platform: integration.platform,
            base_url: integration.base_url.clone(),
            client,
            callback: callback.parse().map_err(Failure::internal)?,
            timeout: integration.api_timeout,
        };
        let clock = self.clock.clone();
        let environment = Environment { now: Arc::new(move || clock.now()), secret: entropy::secret };
        Ok(connector(self.http.clone(), registration, environment))
    }

    /// A client that was just typed, or made for OAuth 1: a key pair of its own.
    pub(super) async fn client_new(&self, id: IntegrationId, typed: &TypedClient) -> Result<Client, Failure> {
        match typed {
            TypedClient::OAuth2 { id: client_id, secret } => {
                let secret = secret.as_ref().ok_or_else(|| secret_missing("secret"))?;
                let secret = self.keys.seal(CLIENT_SECRET, id, secret);
                Ok(Client::OAuth2 { id: client_id.clone(), secret })
            }
            TypedClient::OAuth1 => {
                let made = tokio::task::spawn_blocking(key_pair).await.map_err(Failure::internal)??;
                Ok(Client::OAuth1 {
                    consumer_key: format!("stave-{}", hex::encode(entropy::bytes::<6>())),
                    private_key: self.keys.seal(PRIVATE_KEY, id, &made.private_pem),
                    public_key: made.public_pem,
                })
            }
        }
    }

    /// The client after an edit, and the one that it takes over from.
    pub(super) async fn client_changed(
        &self,
        before: &Integration,
        typed: &Typed,
        is_elsewhere: bool,
    ) -> Result<(Client, Option<Client>), Failure> {
        let stays = |client: &Client| (client.clone(), before.previous.clone().filter(|_| !is_elsewhere));
        match (&before.client, &typed.client) {
            (Client::OAuth1 { .. }, TypedClient::OAuth1) => Ok(stays(&before.client)),
            (Client::OAuth2 { .. }, TypedClient::OAuth1) => Err(Failure::invalid(
                "oauth",
                format!("This integration uses {} already and stays with it.", OAuthVersion::Two.label()),
            )),
            (Client::OAuth2 { id, .. }, TypedClient::OAuth2 { id: new, secret: None })
                if id == new && !is_elsewhere =>
            {
                Ok(stays(&before.client))
            }
            (_, TypedClient::OAuth2 { secret: None, .. }) => Err(Failure::invalid(
                "client_secret",
                if is_elsewhere {
                    "The base URL leads to another server now, so the secret has to be typed again."
                } else {
                    "This is another client, which has a secret of its own. Paste it."
                },
            )),
            (_, TypedClient::OAuth2 { id: new, .. }) => {
                let client = self.client_new(before.id, &typed.client).await?;
                if before.client.id() == new || is_elsewhere {
                    return Ok(stays(&client));
                }
                Ok((client, self.previous_client(before, new).await?))
            }
        }
    }

    /// Why nobody would come back from where a new client sends them, if that can be seen from outside.
    pub(super) async fn client_doubt(&self, integration: &Integration) -> Result<Option<Doubt>, Failure> {
        let connector = self.connector(integration, &integration.client)?;
        let (Some(sign_in), Some(inspect)) = (connector.sign_in(), connector.inspect()) else {
            return Ok(None);
        };
        let outcome = match sign_in.begin(&entropy::secret()).await {
            Ok(departure) => inspect.knock(&departure.url).await,
            Err(error) => Err(error),
        };
        // Whatever else is in the way is not the client's fault.
        let error = outcome.err().filter(|error| matches!(error, UpstreamError::SignIn { .. }));
        Ok(error.map(|error| Doubt { field: "client_id", sentence: error.to_string() }))
    }

    /// Whom a new client takes over from: the client with which people are connected.
    pub(super) async fn previous_client(
        &self,
        before: &Integration,
        new: &str,
    ) -> Result<Option<Client>, Failure> {
        let has_people = async |client: &Client| -> Result<bool, Failure> {
            Ok(self.storage.identity_count_by_client(before.id, client.id()).await? > 0)
        };
        match &before.previous {
            Some(previous) if previous.id() == new => Err(Failure::invalid(
                "client_id",
                "This is the client from before. To go back to it, call off what is under way.",
            )),
            Some(previous) if has_people(previous).await? => {
                if has_people(&before.client).await? {
                    return Err(Failure::invalid(
                        "client_id",
                        "Some people have not logged in again since the last change of the client. Finish that, or call it off, before the next one.",
                    ));
                }
                Ok(Some(previous.clone()))
            }
            _ if has_people(&before.client).await? => Ok(Some(before.client.clone())),
            _ => Ok(None),
        }
    }
}

const CLIENT_SECRET: &str = "client secret";
const PRIVATE_KEY: &str = "private key";

/// A new client has a secret of its own; `what` is how the platform calls it.
pub(super) fn secret_missing(what: &str) -> Failure {
    Failure::invalid("client_secret", format!("Paste the “{what}” that Bitbucket shows beside the id."))
}
