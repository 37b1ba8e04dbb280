//! A visitor's trip to a server and back.

use super::{Issuer, IssuerNote, too_often};
use crate::{
    App, Departure, Failure, Visitor, entropy,
    limit::network,
    website::{Server, for_owner, for_visitor, form_changed},
};
use stave_domain::{
    Secret,
    secret::SecretHash,
    website::{Provider, ProviderKey, Setting, Trip, TripPurpose},
};
use stave_upstream::{UpstreamError, state_in};
use std::collections::BTreeMap;
use subtle::ConstantTimeEq;

impl App {
    /// Sends a visitor's browser to the server behind a button. `browser` is the cookie of an earlier trip: it is kept, so that
    /// two tabs can be open.
    pub async fn issuer_depart(
        &self,
        issuer: &Issuer,
        provider: &str,
        purpose: TripPurpose,
        (browser, visitor): (Option<Secret>, &Visitor),
    ) -> Result<Departure, Failure> {
        let provider = offered(&issuer.setting, provider)?;
        let (now, website) = (self.clock.now(), issuer.website.id);
        let limits = &self.issuer_limits;
        limits.trips_by_address.count((website, network(&visitor.address)), now).map_err(too_often)?;
        limits.trips_by_website.count(website, now).map_err(too_often)?;
        let server = self.website_server(&issuer.website, provider, None).await?;
        let leaving = (provider, &server, issuer.website.revision);
        match self.issuer_depart_with(issuer, leaving, purpose, browser).await? {
            Ok(departure) => Ok(departure),
            Err(error) => {
                let address = &visitor.address;
                let sentence = self.issuer_trip_failed(issuer, (provider, &server), &error, address).await?;
                Err(Failure::Elsewhere { sentence, is_transient: error.is_transient(), source: error.into() })
            }
        }
    }

    /// A server did not do its part: the owner finds the reason in the website's log, the visitor is told what they can do.
    pub(super) async fn issuer_trip_failed(
        &self,
        issuer: &Issuer,
        (provider, server): (&Provider, &Server),
        error: &UpstreamError,
        address: &str,
    ) -> Result<String, Failure> {
        let sentence = format!("Somebody could not log in: {}", for_owner(error, provider));
        let website = &issuer.website;
        self.issuer_note(IssuerNote { website, member: None, sentence, is_failure: true, address }).await?;
        Ok(for_visitor(error, website, &server.place))
    }

    /// The same, by a setting that need not be published.
    pub(crate) async fn issuer_depart_with(
        &self,
        issuer: &Issuer,
        (provider, server, revision): (&Provider, &Server, Option<u32>),
        purpose: TripPurpose,
        browser: Option<Secret>,
    ) -> Result<Result<Departure, UpstreamError>, Failure> {
        let leaving = match server.begin().await {
            Ok(leaving) => leaving,
            Err(error) => return Ok(Err(error)),
        };
        let browser = browser.filter(|secret| !secret.is_empty()).unwrap_or_else(entropy::secret);
        let state_hash = SecretHash::of(&leaving.state);
        let trip = Trip {
            state_hash,
            browser_hash: SecretHash::of(&browser),
            website_id: issuer.website.id,
            provider: provider.key.clone(),
            client_id: server.client_id.clone(),
            revision,
            kept: self.keys.seal(KEPT, hex::encode(state_hash.0), &leaving.kept),
            purpose,
            created_at: self.clock.now(),
        };
        self.storage.website_trip_insert(&trip).await?;
        Ok(Ok(Departure { url: leaving.url, browser }))
    }

    /// Where a browser goes on that came back to the callback of an integration, if a website sent it there; a path without its
    /// query. The trip is not over with this. What another integration was asked is nothing for this one.
    pub async fn issuer_of_trip(
        &self,
        query: &BTreeMap<String, String>,
        integration: &str,
    ) -> Result<Option<String>, Failure> {
        let Ok(integration) = integration.parse() else { return Ok(None) };
        let state = SecretHash::of(&state_in(query));
        let trip = self.storage.website_trip_find(&state).await?;
        let trip = trip.filter(|trip| trip.provider == ProviderKey::integration(&integration));
        let Some(trip) = trip else { return Ok(None) };
        let website = self.storage.website_find(trip.website_id).await?;
        Ok(website.map(|website| format!("/w/{}/callback/{}", website.slug, trip.provider)))
    }

    /// Takes the trip that this state belongs to, if this is the browser that left, for this website and this button.
    pub(super) async fn issuer_trip_end(
        &self,
        issuer: &Issuer,
        provider: &str,
        (query, browser): (&BTreeMap<String, String>, Option<&Secret>),
    ) -> Result<Trip, Failure> {
        let taken = self.storage.website_trip_take(&SecretHash::of(&state_in(query))).await?;
        let fits = |trip: &Trip| {
            let same_browser = browser
                .is_some_and(|secret| bool::from(SecretHash::of(secret).0.ct_eq(&trip.browser_hash.0)));
            same_browser
                && trip.website_id == issuer.website.id
                && trip.provider.as_str() == provider
                && trip.is_valid_at(self.clock.now())
        };
        let trip = taken.filter(fits).ok_or_else(|| {
            Failure::Denied(
                "This log-in is over: it took more than ten minutes, it was used already, or it began in another browser. Go back to the website and log in once more.".into(),
            )
        })?;
        let is_test = matches!(trip.purpose, TripPurpose::Test { .. });
        if !is_test && trip.revision != issuer.website.revision {
            return Err(form_changed());
        }
        Ok(trip)
    }

    /// What the connector has to know to end a trip.
    pub(crate) fn issuer_trip_kept(&self, trip: &Trip) -> Result<Secret, Failure> {
        self.keys.open(KEPT, hex::encode(trip.state_hash.0), &trip.kept).map_err(Failure::internal)
    }

    /// The server that a trip led to.
    pub(super) async fn issuer_trip_server(
        &self,
        issuer: &Issuer,
        provider: &Provider,
        trip: &Trip,
    ) -> Result<Server, Failure> {
        self.website_server(&issuer.website, provider, Some(&trip.client_id)).await
    }
}

/// The button that a visitor pressed.
pub(super) fn offered<'a>(setting: &'a Setting, key: &str) -> Result<&'a Provider, Failure> {
    let key: ProviderKey = key.parse().map_err(|_| Failure::NotFound("way to log in"))?;
    setting.provider(&key).filter(|provider| provider.is_on).ok_or(Failure::NotFound("way to log in"))
}

/// What a trip's secret is sealed as.
const KEPT: &str = "website kept";
