//! The servers behind the buttons of a login form.

use crate::{App, Failure, entropy};
use stave_domain::{
    Secret,
    identity::{Grant, RemoteProfile},
    integration::{ApiTimeout, BaseUrl, Client, Platform},
    secret::Sealed,
    website::{Circle, Place, Provider, ProviderKey, Source, Website},
};
use stave_upstream::{Connector, Environment, Registration, UpstreamError, connector};
use std::{collections::BTreeMap, sync::Arc};

/// A server to which visitors are sent.
pub(crate) struct Server {
    /// Where an id means one person.
    pub(crate) place: Place,
    /// As what Stave is known there.
    pub(crate) client_id: String,
    /// What the connector speaks.
    pub(crate) platform: Platform,
    /// The way there.
    pub(crate) connector: Box<dyn Connector>,
}

impl Server {
    /// Where to send a browser.
    pub(crate) async fn begin(&self) -> Result<stave_upstream::Departure, UpstreamError> {
        let sign_in = self.connector.sign_in().ok_or_else(|| self.lacks())?;
        sign_in.begin(&entropy::secret()).await
    }

    /// Who came back, and a grant to ask more with.
    pub(crate) async fn finish(
        &self,
        kept: &Secret,
        query: &BTreeMap<String, String>,
    ) -> Result<(RemoteProfile, Grant), UpstreamError> {
        let sign_in = self.connector.sign_in().ok_or_else(|| self.lacks())?;
        sign_in.finish(kept, query).await.map_err(for_a_website)
    }

    /// Those of the wanted circles that the person is in. That it cannot be asked is an error, never an absence.
    pub(crate) async fn circles(
        &self,
        grant: &Grant,
        wanted: &[Circle],
    ) -> Result<Vec<Circle>, UpstreamError> {
        let circles = self.connector.circles().ok_or_else(|| self.lacks())?;
        circles.circles(grant, wanted).await.map_err(for_a_website)
    }

    fn lacks(&self) -> UpstreamError {
        UpstreamError::NotFound { host: self.place.label() }
    }
}

/// The consumer of a website needs fewer boxes than that of a registry.
fn for_a_website(error: UpstreamError) -> UpstreamError {
    match error {
        UpstreamError::MissingPermissions { host, platform, needed, .. } => {
            UpstreamError::MissingPermissions { host, platform, missing: needed.clone(), needed }
        }
        other => other,
    }
}

impl App {
    /// The one address to which a server sends visitors back: known before anything is entered, and it never depends on it.
    #[must_use]
    pub fn website_callback(&self, website: &Website, provider: &ProviderKey) -> String {
        self.address(&format!("/w/{}/callback/{provider}", website.slug))
    }

    /// The server behind a button. `client_id` is the one that a trip began with; `None` is the present one.
    pub(crate) async fn website_server(
        &self,
        website: &Website,
        provider: &Provider,
        client_id: Option<&str>,
    ) -> Result<Server, Failure> {
        match &provider.source {
            Source::Own { platform, base_url, client, .. } => {
                if client_id.is_some_and(|id| id != client.id()) {
                    return Err(form_changed());
                }
                let callback = self.website_callback(website, &provider.key);
                let registration = Registration {
                    platform: *platform,
                    base_url: base_url.clone(),
                    client: self.website_client_open(website, &Place::of(*platform, base_url), client)?,
                    callback: callback.parse().map_err(Failure::internal)?,
                    timeout: ApiTimeout::default(),
                };
                let clock = self.clock.clone();
                let environment = Environment { now: Arc::new(move || clock.now()), secret: entropy::secret };
                Ok(Server {
                    place: Place::of(*platform, base_url),
                    client_id: client.id().to_owned(),
                    platform: *platform,
                    connector: connector(self.http.clone(), registration, environment),
                })
            }
            Source::Integration(id) => {
                let integration = self.storage.integration_find(*id).await?.filter(|found| {
                    found.organization_id.is_none_or(|owner| owner == website.organization_id)
                });
                let integration = integration.ok_or_else(gone)?;
                let client = match client_id {
                    Some(id) => integration.client_with(id).ok_or_else(form_changed)?,
                    None => &integration.client,
                };
                Ok(Server {
                    place: Place::of(integration.platform, &integration.base_url),
                    client_id: client.id().to_owned(),
                    platform: integration.platform,
                    connector: self.connector(&integration, client)?,
                })
            }
        }
    }

    /// Seals what was typed for one website, one server and one id: moved to another of them it does not open.
    pub(crate) fn website_secret_seal(
        &self,
        website: &Website,
        (platform, base_url): (Platform, &BaseUrl),
        client_id: &str,
        secret: &Secret,
    ) -> Sealed {
        self.keys.seal(SECRET, whose(website, &Place::of(platform, base_url), client_id), secret)
    }

    fn website_client_open(
        &self,
        website: &Website,
        place: &Place,
        client: &Client,
    ) -> Result<stave_upstream::Client, Failure> {
        let open = |sealed| {
            self.keys.open(SECRET, whose(website, place, client.id()), sealed).map_err(Failure::internal)
        };
        Ok(match client {
            Client::OAuth2 { id, secret } => {
                stave_upstream::Client::OAuth2 { id: id.clone(), secret: open(secret)? }
            }
            Client::OAuth1 { consumer_key, private_key, .. } => stave_upstream::Client::OAuth1 {
                consumer_key: consumer_key.clone(),
                private_key: open(private_key)?,
            },
        })
    }
}

/// What the secrets of a website's own consumers are sealed as.
const SECRET: &str = "website secret";

fn whose(website: &Website, place: &Place, client_id: &str) -> String {
    format!("{} {} {client_id}", website.id, place.as_str())
}

/// What a visitor left with is no longer what the login form has.
pub(crate) fn form_changed() -> Failure {
    Failure::Denied(
        "The login form of this website was changed while you were away. Log in once more.".into(),
    )
}

fn gone() -> Failure {
    Failure::Denied(
        "This way to log in is gone: its integration was deleted. Log in in another way, or tell the owner of this website.".into(),
    )
}
