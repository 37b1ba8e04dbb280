//! A website as visitors, their browsers, applications and proxies meet it.
//!
//! `trip` and `arrival` bring a visitor to a server and back, `login` remembers their browser; `authorize`, `token`, `user_info`
//! and `logout` are OpenID Connect; `visit` and `forward_auth` are for sites behind a proxy; `account` is the member's own page.

mod account;
mod application;
mod arrival;
mod authorize;
mod claims;
mod consent;
mod forward_auth;
mod key;
mod login;
mod logout;
mod membership;
mod token;
mod trip;
mod user_info;
mod visit;

pub use account::IssuerAccount;
pub use application::{Call, CallRefused, Credentials};
pub use arrival::{IssuerArrival, IssuerBrowser};
pub use authorize::{Answer, Authorized, Why};
pub(crate) use claims::claims;
pub(crate) use forward_auth::Warmth;
pub use forward_auth::{Door, Guest, Knock, Standing};
pub use login::SignedIn;
pub use logout::LogOut;
pub(crate) use membership::{Arrived, addresses_of, admitted, newcomer, told};
pub use token::Tokens;
pub use user_info::UserInfo;
pub use visit::{SiteBrowser, VisitStep};

use crate::{App, Failure, limit::Limit};
use jiff::SignedDuration;
use stave_domain::{
    id::{WebsiteId, WebsiteLoginId, WebsiteMemberId},
    website::{CODE_LIMIT, Event, Setting, Slug, TRIP_LIMIT, Website},
};

/// How long a line stays in a website's own log.
const EVENT_LIMIT: SignedDuration = SignedDuration::from_hours(24 * 90);

/// A website with the setting that its visitors see.
#[derive(Debug, Clone)]
pub struct Issuer {
    /// Which.
    pub website: Website,
    /// Its published setting. Without one nobody can sign in: it has no buttons.
    pub setting: Setting,
}

/// A button of the login form.
#[derive(Debug, Clone)]
pub struct Button {
    /// The provider's name in addresses.
    pub key: String,
    /// The words on it.
    pub label: String,
}

/// How often visitors may do what costs something.
#[derive(Debug)]
pub(crate) struct IssuerLimits {
    /// Trips that begin at one address, a minute.
    trips_by_address: Limit<(WebsiteId, String)>,
    /// Trips that begin at one website, in the ten minutes that they may take.
    trips_by_website: Limit<WebsiteId>,
    /// New members of one website, an hour.
    members: Limit<WebsiteId>,
    /// Wrong secrets and guesses from one address, a minute.
    failures_by_address: Limit<String>,
    /// Wrong secrets of one application, a minute.
    failures_by_client: Limit<(WebsiteId, String)>,
    /// Visits of pages behind a proxy that begin at one address, a minute.
    visits: Limit<(WebsiteId, String)>,
    /// Visits that begin at one website, in the ten minutes that they may take.
    visits_by_website: Limit<WebsiteId>,
    /// How often a browser may be sent back to the same page, a minute: who comes a third time goes in a circle.
    rounds: Limit<(WebsiteLoginId, String)>,
    /// Lines in a website's log about proxies that were refused, for each reason.
    refusals: Limit<(WebsiteId, &'static str)>,
}

impl Default for IssuerLimits {
    fn default() -> Self {
        Self {
            trips_by_address: Limit::new(30, SignedDuration::from_mins(1)),
            trips_by_website: Limit::new(1000, SignedDuration::from_mins(10)),
            members: Limit::new(60, SignedDuration::from_hours(1)),
            failures_by_address: Limit::new(20, SignedDuration::from_mins(1)),
            failures_by_client: Limit::new(20, SignedDuration::from_mins(1)),
            visits: Limit::new(60, SignedDuration::from_mins(1)),
            visits_by_website: Limit::new(10_000, SignedDuration::from_mins(10)),
            rounds: Limit::new(2, SignedDuration::from_mins(1)),
            refusals: Limit::new(1, SignedDuration::from_mins(10)),
        }
    }
}

impl App {
    /// The website of an address below `/w/`.
    pub async fn issuer(&self, slug: &str) -> Result<Issuer, Failure> {
        let slug: Slug = slug.parse().map_err(|_| Failure::NotFound("website"))?;
        let website = self.storage.website_find_by_slug(&slug).await?.ok_or(Failure::NotFound("website"))?;
        let published = self.storage.website_published(website.id).await?;
        let setting = published.map(|revision| revision.setting).unwrap_or_default();
        Ok(Issuer { website, setting })
    }

    /// `iss`: the address of a website's issuer, without a slash at its end. It never changes.
    #[must_use]
    pub fn issuer_address(&self, website: &Website) -> String {
        self.address(&format!("/w/{}", website.slug))
    }

    /// The buttons that visitors of a setting see.
    #[must_use]
    pub fn issuer_buttons(&self, setting: &Setting) -> Vec<Button> {
        setting
            .offered()
            .map(|provider| Button { key: provider.key.to_string(), label: provider.label.clone() })
            .collect()
    }

    /// Writes a line into the website's own log.
    pub(crate) async fn issuer_note(&self, note: IssuerNote<'_>) -> Result<(), Failure> {
        let event = Event {
            id: crate::entropy::id(),
            website_id: note.website.id,
            member_id: note.member,
            sentence: note.sentence,
            is_failure: note.is_failure,
            address: Event::masked(note.address),
            created_at: self.clock.now(),
        };
        Ok(self.storage.website_event_insert(&event).await?)
    }

    /// Forgets what is over at every website.
    pub(crate) async fn issuers_sweep(&self) -> Result<(), Failure> {
        let now = self.clock.now();
        self.storage.website_trip_delete_before(now - TRIP_LIMIT).await?;
        self.storage.website_visit_delete_before(now - TRIP_LIMIT).await?;
        self.storage.website_access_delete_before(now).await?;
        self.storage.website_grant_delete_ended(now - CODE_LIMIT, now - token::REFRESH_LONGEST).await?;
        self.storage.website_login_delete_ended(now).await?;
        self.storage.website_event_delete_before(now - EVENT_LIMIT).await?;
        Ok(())
    }
}

/// A line for the website's own log.
pub(crate) struct IssuerNote<'a> {
    pub(crate) website: &'a Website,
    pub(crate) member: Option<WebsiteMemberId>,
    /// No codes, no tokens, no whole addresses; without its subject if that is the member.
    pub(crate) sentence: String,
    pub(crate) is_failure: bool,
    /// The visitor's; only its first part is kept.
    pub(crate) address: &'a str,
}

/// Something was done too often.
pub(crate) fn too_often(wait: SignedDuration) -> Failure {
    let minutes = (wait.as_secs() / 60).max(1);
    let minutes = if minutes == 1 { "a minute".to_owned() } else { format!("{minutes} minutes") };
    let sentence = format!("Too many people log in here at this moment. Try again in {minutes}.");
    Failure::TooOften { sentence, wait }
}
