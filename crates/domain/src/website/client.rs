//! An OpenID Connect client of a website: an application that asks who a visitor is.

use super::{Origin, is_this_machine};
use crate::{
    Invalid, Secret, Timestamp,
    id::{WebsiteClientId, WebsiteId},
    secret::SecretHash,
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use url::Url;

/// An application of a website. One [`ClientKind::Site`] comes with the website and stands for its own pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Immutable.
    pub id: WebsiteClientId,
    /// Of which website.
    pub website_id: WebsiteId,
    /// `client_id`: random, unique here.
    pub public_id: String,
    /// As its owner calls it; shown when visitors are asked for consent.
    pub name: String,
    /// How it shows who it is.
    pub kind: ClientKind,
    /// Its secrets: newest first, at most two.
    pub secrets: Vec<HeldSecret>,
    /// Where visitors may be sent with a code.
    pub redirect_uris: Vec<RedirectUri>,
    /// Where they may be sent after they signed out.
    pub post_logout_uris: Vec<RedirectUri>,
    /// Whether it has to use PKCE; browser-only ones always have to.
    pub pkce_required: bool,
    /// Whether it belongs to the website itself, so that visitors are not asked for consent.
    pub is_own: bool,
    /// Whether it may get refresh tokens.
    pub may_refresh: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Client {
    /// Whether a page of this origin may ask with a script: only where no secret is needed.
    #[must_use]
    pub fn is_at(&self, origin: &str) -> bool {
        self.kind == ClientKind::Browser
            && self.redirect_uris.iter().any(|uri| uri.origin().as_str() == origin)
    }

    /// The registered address that is the same, byte for byte; for a client in a program on the visitor's own machine the port may
    /// differ (RFC 8252, section 7.3).
    #[must_use]
    pub fn redirect_uri(&self, asked: &str) -> Option<RedirectUri> {
        let exact = self.redirect_uris.iter().find(|uri| uri.as_str() == asked);
        exact.cloned().or_else(|| {
            let asked: RedirectUri = asked.parse().ok()?;
            let similar = self.kind == ClientKind::Browser
                && self.redirect_uris.iter().any(|uri| uri.is_same_but_port(&asked));
            similar.then_some(asked)
        })
    }
}

/// How a client shows who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientKind {
    /// With a secret: it runs on a server.
    Confidential,
    /// With PKCE only: it runs where everybody can read it, in a browser.
    Browser,
    /// It is Stave itself, for the pages of the website behind a proxy. It never asks for a token over HTTP.
    Site,
}

impl ClientKind {
    /// The name in the database and in forms.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Confidential => "confidential",
            Self::Browser => "browser",
            Self::Site => "site",
        }
    }
}

impl FromStr for ClientKind {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let known =
            [Self::Confidential, Self::Browser, Self::Site].into_iter().find(|kind| kind.key() == text);
        known.ok_or_else(|| {
            Invalid::because("Choose where the application runs: on a server or in a browser.")
        })
    }
}

/// What is kept of a secret that others use here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldSecret {
    /// Its hash.
    pub hash: SecretHash,
    /// Its last four characters, to recognise it by.
    pub ending: String,
    /// When it was made.
    pub created_at: Timestamp,
}

impl HeldSecret {
    /// What is kept of a secret.
    #[must_use]
    pub fn of(secret: &Secret, created_at: Timestamp) -> Self {
        let text = secret.expose();
        let ending = text.get(text.len().saturating_sub(4)..).unwrap_or_default().to_owned();
        Self { hash: SecretHash::of(secret), ending, created_at }
    }
}

/// Where a browser may be sent: an absolute address without fragment and without credentials, https or on this machine (RFC 9700,
/// section 2.1). Compared byte for byte, as it was typed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RedirectUri(String);

impl RedirectUri {
    /// The address as it was typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its origin.
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin::of(&self.url())
    }

    /// The address, with these parameters added to its query.
    #[must_use]
    pub fn with(&self, parameters: &[(&str, &str)]) -> Url {
        let mut url = self.url();
        if !parameters.is_empty() {
            url.query_pairs_mut().extend_pairs(parameters);
        }
        url
    }

    /// The address, parsed.
    ///
    /// # Panics
    /// Never: it was parsed before.
    #[must_use]
    pub fn url(&self) -> Url {
        Url::parse(&self.0).expect("it was parsed before")
    }

    fn is_same_but_port(&self, other: &Self) -> bool {
        let (mut one, mut other) = (self.url(), other.url());
        let is_ip = matches!(one.host(), Some(url::Host::Ipv4(_) | url::Host::Ipv6(_)));
        one.scheme() == "http"
            && is_ip
            && is_this_machine(&one)
            && one.set_port(None).is_ok()
            && other.set_port(None).is_ok()
            && one == other
    }
}

impl FromStr for RedirectUri {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let wrong =
            |sentence: &str| Err(Invalid::because(format!("“{}”: {sentence}", crate::shortened(text, 80))));
        if text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\' || !c.is_ascii()) {
            return wrong("a redirect address is written without spaces and without other signs than ASCII.");
        }
        let Ok(url) = Url::parse(text) else {
            return wrong("this is not an address. It looks like https://www.example.com/callback.");
        };
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
            return wrong("a redirect address starts with https:// and names a host.");
        }
        if url.scheme() == "http" && !is_this_machine(&url) {
            return wrong(
                "a redirect address needs https. Plain http is for programs on the visitor's own machine.",
            );
        }
        if !url.username().is_empty()
            || url.password().is_some()
            || url.fragment().is_some()
            || text.contains(['*', '#', '@'])
        {
            return wrong("a redirect address has no user name, no # and no * in it.");
        }
        if url.as_str() != text && url.as_str() != format!("{text}/") {
            return wrong(&format!("browsers write this address differently. Type {url}"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for RedirectUri {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RedirectUri {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        crate::as_text::deserialize(from)
    }
}
