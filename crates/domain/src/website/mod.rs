//! A website whose visitors log in with Bitbucket: an OpenID Connect issuer of its own, with its own members.
//!
//! A [`Website`] has one [`Setting`] that is published and perhaps one in the making. A visitor who signs in for the first time
//! becomes a [`Member`], known by what the platform calls them for ever ([`MemberIdentity`]) and never by an e-mail address. Their
//! browser holds a [`Login`]; a site behind a proxy holds a [`Pass`] that hangs on it; a [`Client`] gets a [`Grant`]. The way to a
//! server and back is a [`Trip`]; the way from a page behind a proxy to the login form and back is a [`Visit`].

mod client;
mod event;
mod grant;
mod key;
mod login;
mod look;
mod member;
mod provider;
mod request;
mod restriction;
mod return_path;
mod setting;
mod test;
mod trip;

pub use client::{Client, ClientKind, HeldSecret, RedirectUri};
pub use event::Event;
pub use grant::{AccessToken, CODE_LIMIT, Consent, Grant, Scope, Scopes};
pub use key::{KEY_CACHE, KEY_LEAD, SigningKey, keys_published, signing_key};
pub use login::{Login, Pass};
pub use look::{Colour, Look};
pub use member::{Address, Member, MemberIdentity, MemberStatus, RoleName, Roles};
pub use provider::{EmailTrust, Place, Provider, ProviderKey, Source};
pub use request::{Asked, Prompt, Refusal, Request, RequestError, Stop};
pub use restriction::{Allowed, Circle};
pub use return_path::ReturnPath;
pub use setting::{Draft, MOST_HOURS, MOST_IDLE_HOURS, Revision, Setting, SignUp};
pub use test::{TestReport, TestStep};
pub use trip::{TRIP_LIMIT, Trip, TripPurpose, Visit};

use crate::{
    Invalid, Timestamp,
    id::{OrganizationId, WebsiteId},
};
use std::{fmt, str::FromStr};
use url::Url;

/// A website whose visitors log in here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Website {
    /// Immutable.
    pub id: WebsiteId,
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// Part of the issuer, so it never changes; unique here.
    pub slug: Slug,
    /// As visitors know it.
    pub name: String,
    /// Where it is: its address first, then further ones. Never empty.
    pub origins: Vec<Origin>,
    /// With which its proxies show that a request comes from them; newest first, at most two.
    pub proxy_keys: Vec<HeldSecret>,
    /// The number of the setting that visitors see; `None` until one was saved.
    pub revision: Option<u32>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Website {
    /// Its address.
    ///
    /// # Panics
    /// If it has none, which cannot be.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        self.origins.first().expect("a website has an address")
    }
}

/// The name of a website in addresses: 2 to 40 of `a-z 0-9 -`, no dash first, last or twice in a row.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slug(String);

impl Slug {
    /// The slug as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Slug {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let slug = text.trim();
        let fits = (2..=40).contains(&slug.len())
            && slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !slug.starts_with('-')
            && !slug.ends_with('-')
            && !slug.contains("--");
        match slug {
            "new" => Err(Invalid::because("“new” is the address of this form. Choose another slug.")),
            _ if fits => Ok(Self(slug.to_owned())),
            _ => Err(Invalid::because(
                "A slug has 2 to 40 small letters (a-z), digits or single dashes, and starts and ends with a letter or digit.",
            )),
        }
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Scheme, host and perhaps port of a site, as browsers write it (RFC 6454, section 6.2): `https://shop.example`. Plain http is
/// for this machine only.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin(String);

impl Origin {
    /// The origin as text, without a slash at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether browsers speak to it over TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https:")
    }

    /// Host and, if it is not the usual one, port: what stands in a `Host` header.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.0.split_once("://").map_or("", |(_, authority)| authority)
    }

    /// The address of a path there; `path` begins with one slash.
    #[must_use]
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// The origin of an address.
    #[must_use]
    pub fn of(url: &Url) -> Self {
        Self(url.origin().ascii_serialization())
    }
}

impl FromStr for Origin {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let typed = text.trim();
        let url = Url::parse(typed).ok().filter(|url| {
            matches!(url.scheme(), "http" | "https") && !url.host_str().is_none_or(str::is_empty)
        });
        let url = url.ok_or_else(|| match format!("https://{typed}").parse::<Self>() {
            Ok(meant) if !typed.contains("://") => {
                Invalid(format!("The address of a site starts with https://. Is {meant} meant?"))
            }
            _ => Invalid::because("This is not an address. It looks like https://www.example.com."),
        })?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Invalid::because("Leave out the user name and everything else up to the @."));
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(Invalid::because(
                "Only the address of the site is needed, such as https://www.example.com. Leave out what follows the host.",
            ));
        }
        if url.scheme() == "http" && !is_this_machine(&url) {
            return Err(Invalid::because(
                "A site that people log in to needs https. Plain http is for sites on this machine (localhost, 127.0.0.1).",
            ));
        }
        Ok(Self::of(&url))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether an address never leaves this machine: what browsers call a secure context although it is plain http.
pub(crate) fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins() {
        for (typed, origin) in [
            ("https://Shop.Example/", "https://shop.example"),
            ("https://shop.example:443", "https://shop.example"),
            ("https://shop.example:8443", "https://shop.example:8443"),
            ("http://localhost:8080", "http://localhost:8080"),
            ("http://a.localhost", "http://a.localhost"),
            ("http://127.0.0.1:1", "http://127.0.0.1:1"),
            ("http://[::1]:1", "http://[::1]:1"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
        ] {
            assert_eq!(typed.parse::<Origin>().unwrap().as_str(), origin, "{typed}");
        }
        for bad in [
            "",
            "shop.example",
            "ftp://shop.example",
            "http://shop.example",
            "https://a@shop.example",
            "https://shop.example/x",
            "https://shop.example/?a",
            "https://shop.example#a",
            "javascript:alert(1)",
            "http://localhost.evil.example",
            "http://127.0.0.1.evil.example",
        ] {
            assert!(bad.parse::<Origin>().is_err(), "{bad}");
        }
    }

    #[test]
    fn slugs() {
        for good in ["shop", "my-shop", "s2"] {
            assert!(good.parse::<Slug>().is_ok(), "{good}");
        }
        for bad in ["", "a", "new", "-a", "a-", "a--b", "Shop", "a b", "a/b", "ä", "..", &"a".repeat(41)] {
            assert!(bad.parse::<Slug>().is_err(), "{bad}");
        }
    }
}
