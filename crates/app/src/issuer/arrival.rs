//! A visitor comes back from a server: they are in, connected to it, or told why not.

use super::{
    Issuer, IssuerNote, SignedIn,
    membership::{Arrived, Barred, Came, addresses_of, admitted, kept_out},
    trip::offered,
};
use crate::{Actor, App, Failure, Visitor, website::Server};
use jiff::SignedDuration;
use stave_domain::{
    Secret, Timestamp,
    id::WebsiteLoginId,
    organization::ShortName,
    website::{Provider, TripPurpose},
};
use stave_upstream::UpstreamError;
use std::collections::BTreeMap;

/// How young a sign-in has to be to connect another server to it.
const FRESH: SignedDuration = SignedDuration::from_mins(5);

/// What the browser of a visitor who comes back holds.
#[derive(Debug, Clone, Copy)]
pub struct IssuerBrowser<'a> {
    /// The cookie of the trip.
    pub trip: Option<&'a Secret>,
    /// The cookie of a sign-in that is there already.
    pub login: Option<&'a Secret>,
    /// What it says about itself.
    pub visitor: &'a Visitor,
}

/// What comes of it.
#[derive(Debug)]
pub enum IssuerArrival {
    /// They are in.
    SignedIn {
        /// The secret of the cookie.
        cookie: Secret,
        /// Who, in which browser.
        signed_in: Box<SignedIn>,
        /// The query of the authorization request that waited for it.
        request: Option<String>,
    },
    /// Another server is connected to them.
    Connected {
        /// The secret of the cookie: a new one, since more leads in now.
        cookie: Secret,
    },
    /// They are not in.
    Out {
        /// Why, and what to do.
        sentence: String,
        /// The query of the authorization request that waited for it.
        request: Option<String>,
    },
    /// They are a member from now on, and come in as soon as an owner approves them.
    Waiting {
        /// What that means for them.
        sentence: String,
    },
    /// An owner tried it; the report waits on its page.
    Tested {
        /// In which organization.
        organization: ShortName,
    },
}

impl App {
    /// Receives a visitor from the server behind a button. A trip ends once, whatever comes of it.
    pub async fn issuer_arrive(
        &self,
        issuer: &Issuer,
        (provider, query): (&str, &BTreeMap<String, String>),
        browser: IssuerBrowser<'_>,
        actor: &Actor,
    ) -> Result<IssuerArrival, Failure> {
        let trip = self.issuer_trip_end(issuer, provider, (query, browser.trip)).await?;
        let request = match &trip.purpose {
            TripPurpose::Test { .. } => {
                let organization = self.website_test_finish(issuer, &trip, query, actor).await?;
                return Ok(IssuerArrival::Tested { organization });
            }
            TripPurpose::SignIn { request } => request.clone(),
            TripPurpose::Connect { .. } => None,
        };
        let provider = offered(&issuer.setting, provider)?;
        let server = self.issuer_trip_server(issuer, provider, &trip).await?;
        let arrived = match arrived(&server, provider, (&self.issuer_trip_kept(&trip)?, query)).await {
            Ok(arrived) => arrived,
            Err(error) => {
                let address = &browser.visitor.address;
                let sentence = self.issuer_trip_failed(issuer, (provider, &server), &error, address).await?;
                return Ok(IssuerArrival::Out { sentence, request });
            }
        };
        let came = Came { issuer, provider, server: &server, arrived: &arrived, browser };
        let outcome = match trip.purpose {
            TripPurpose::Connect { login } => self.issuer_connect(&came, login).await?,
            _ => self.issuer_enter(&came, request.clone()).await?,
        };
        match outcome {
            Ok(arrival) => Ok(arrival),
            Err(barred) => {
                self.issuer_refusal_note(issuer, &browser, &barred).await?;
                let sentence = barred.told;
                Ok(if barred.is_waiting {
                    IssuerArrival::Waiting { sentence }
                } else {
                    IssuerArrival::Out { sentence, request }
                })
            }
        }
    }

    /// Lets them in, as a member who is known or becomes one now.
    async fn issuer_enter(
        &self,
        came: &Came<'_>,
        request: Option<String>,
    ) -> Result<Result<IssuerArrival, Barred>, Failure> {
        let Came { issuer, provider, server, arrived, browser } = came;
        if let Err(barred) = admitted(issuer, (provider, &server.place), arrived) {
            return Ok(Err(barred));
        }
        let txn = self.storage.begin().await?;
        let found =
            txn.website_identity_find(issuer.website.id, &server.place, &arrived.profile.external_id).await?;
        let member = match found {
            Some(identity) => self.member_renew(&txn, came, identity).await?,
            None => match self.member_make(&txn, came).await? {
                Ok(member) => member,
                Err(barred) => return Ok(Err(barred)),
            },
        };
        if let Some(barred) = kept_out(&member, issuer) {
            // Who waits for approval is in the list from now on, and what is new about a blocked one too.
            txn.commit().await?;
            return Ok(Err(barred));
        }
        let (cookie, login) = self.issuer_login_make(&txn, issuer, came.entry(member.id)).await?;
        txn.commit().await?;
        let sentence = format!("logged in with {}.", server.place.label());
        self.issuer_note(IssuerNote {
            website: &issuer.website,
            member: Some(member.id),
            sentence,
            is_failure: false,
            address: &browser.visitor.address,
        })
        .await?;
        Ok(Ok(IssuerArrival::SignedIn { cookie, signed_in: Box::new(SignedIn { login, member }), request }))
    }

    /// Connects another server to the member who began the trip, in the browser in which they are still signed in.
    async fn issuer_connect(
        &self,
        came: &Came<'_>,
        login: WebsiteLoginId,
    ) -> Result<Result<IssuerArrival, Barred>, Failure> {
        let Came { issuer, provider, server, arrived, browser } = came;
        let signed_in = self.issuer_signed_in(issuer, browser.login).await?;
        let signed_in = signed_in.filter(|signed_in| signed_in.login.id == login);
        let Some(SignedIn { login, member }) = signed_in else {
            return Ok(Err(Barred::new(
                "You logged out, or logged in as somebody else, while you were away. Log in and connect the account again.",
                "they were no longer the one who wanted to connect the account.",
            )));
        };
        let now = self.clock.now();
        if !is_fresh(login.authenticated_at, now) {
            return Ok(Err(Barred::new(
                "You logged in too long ago to connect an account. Log in once more first.",
                "they logged in too long ago to connect an account.",
            )));
        }
        if let Err(barred) = admitted(issuer, (provider, &server.place), arrived) {
            return Ok(Err(barred));
        }
        let txn = self.storage.begin().await?;
        let website = issuer.website.id;
        let mine = txn.website_identity_list(member.id).await?;
        let found = txn.website_identity_find(website, &server.place, &arrived.profile.external_id).await?;
        let problem = match found {
            Some(found) if found.member_id == member.id => {
                Some(("This account is connected to you already.", "the account was connected already."))
            }
            Some(_) => Some((
                "This account belongs to another member of this website, so it was not connected to you.",
                "the account that they wanted to connect belongs to another member.",
            )),
            None if mine.iter().any(|identity| identity.place == server.place) => Some((
                "You have connected another account at this server. Disconnect that one first.",
                "another account at the same server is connected.",
            )),
            None => None,
        };
        if let Some((told, because)) = problem {
            return Ok(Err(Barred::new(told, because)));
        }
        txn.website_identity_insert(&came.identity(member.id, now, now)).await?;
        let (cookie, _) = self.issuer_login_make(&txn, issuer, came.entry(member.id)).await?;
        txn.commit().await?;
        Ok(Ok(IssuerArrival::Connected { cookie }))
    }

    async fn issuer_refusal_note(
        &self,
        issuer: &Issuer,
        browser: &IssuerBrowser<'_>,
        barred: &Barred,
    ) -> Result<(), Failure> {
        let somebody = if barred.member.is_some() { "" } else { "Somebody " };
        self.issuer_note(IssuerNote {
            website: &issuer.website,
            member: barred.member,
            sentence: format!("{somebody}was not let in: {}", barred.because),
            is_failure: !barred.is_waiting,
            address: &browser.visitor.address,
        })
        .await
    }
}

/// Asks the server who this is, and where they belong if that matters. What it gave to ask with is forgotten then.
async fn arrived(
    server: &Server,
    provider: &Provider,
    (kept, query): (&Secret, &BTreeMap<String, String>),
) -> Result<Arrived, UpstreamError> {
    let (profile, grant) = server.finish(kept, query).await?;
    let circles = match provider.only.as_slice() {
        [] => Vec::new(),
        wanted => server.circles(&grant, wanted).await?,
    };
    let addresses = addresses_of(&profile, provider.email);
    Ok(Arrived { profile, addresses, circles })
}

/// Whether somebody proved who they are a moment ago.
pub(crate) fn is_fresh(authenticated_at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(authenticated_at) < FRESH
}
