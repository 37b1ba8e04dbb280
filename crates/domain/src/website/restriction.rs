//! Who may sign in to a website.

use super::Address;
use crate::{Invalid, user::EmailAddress};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// People who belong together at a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Circle {
    /// A workspace of Bitbucket Cloud.
    Workspace {
        /// Immutable, with its braces; the only thing that is compared. `None` until it is known: nobody is in it then.
        uuid: Option<String>,
        /// Its name in addresses: may change, and may then be somebody else's.
        slug: String,
    },
    /// A group of Bitbucket Data Center; its name is its identity, whatever the case.
    Group {
        /// The name.
        name: String,
    },
}

impl Circle {
    /// Whether both are the same people.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Workspace { uuid: Some(one), .. }, Self::Workspace { uuid: Some(other), .. }) => {
                one.eq_ignore_ascii_case(other)
            }
            (Self::Group { name: one }, Self::Group { name: other }) => {
                one.to_lowercase() == other.to_lowercase()
            }
            _ => false,
        }
    }

    /// Whether it can be compared with anything.
    #[must_use]
    pub fn is_known(&self) -> bool {
        !matches!(self, Self::Workspace { uuid: None, .. })
    }
}

impl fmt::Display for Circle {
    /// As it is typed: the slug or the name, or the uuid if that is all that is known.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Workspace { uuid: Some(uuid), slug } if slug.is_empty() => f.write_str(uuid),
            Self::Workspace { slug, .. } => f.write_str(slug),
            Self::Group { name } => f.write_str(name),
        }
    }
}

/// An address, or a domain with all addresses in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Allowed {
    /// One address.
    Address(#[serde(with = "crate::as_text")] EmailAddress),
    /// `example.com`: what follows the one `@`, whole; subdomains are others.
    Domain(String),
}

impl Allowed {
    /// Whether an address is among them. Only a verified one counts.
    #[must_use]
    pub fn allows(&self, address: &Address) -> bool {
        address.is_verified
            && match self {
                Self::Address(allowed) => *allowed == address.address,
                Self::Domain(domain) => domain_of(&address.address).is_some_and(|of| of == *domain),
            }
    }
}

/// The domain of an address, in the form in which it is looked up (IDNA); `None` if it is none.
fn domain_of(address: &EmailAddress) -> Option<String> {
    let (local, domain) = address.as_str().split_once('@')?;
    if local.starts_with('"') || domain.contains('@') {
        return None;
    }
    domain_parse(domain)
}

fn domain_parse(text: &str) -> Option<String> {
    let plain = !text.is_empty()
        && !text.ends_with('.')
        && !text.chars().any(|c| c.is_whitespace() || c.is_control() || "/?#@:[]\\%".contains(c));
    match url::Host::parse(text).ok()? {
        url::Host::Domain(domain) if plain && domain.contains('.') => Some(domain),
        _ => None,
    }
}

impl FromStr for Allowed {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let typed = text.trim();
        match typed.strip_prefix('@').unwrap_or(typed) {
            address if address.contains('@') => {
                let address: EmailAddress = address.parse()?;
                match domain_of(&address) {
                    Some(_) => Ok(Self::Address(address)),
                    None => Err(Invalid::because(format!("{address} cannot be an e-mail address."))),
                }
            }
            domain => domain_parse(domain).map(Self::Domain).ok_or_else(|| {
                Invalid::because(format!(
                    "“{typed}” is neither an e-mail address nor a domain such as example.com."
                ))
            }),
        }
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Domain(domain) => f.write_str(domain),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verified(address: &str) -> Option<Address> {
        Some(Address { address: address.parse().ok()?, is_verified: true })
    }

    #[test]
    fn a_domain_is_compared_whole() {
        let domain: Allowed = "OK.example".parse().unwrap();
        assert_eq!(domain, Allowed::Domain("ok.example".into()));
        for good in ["u@ok.example", "U@OK.Example"] {
            assert!(domain.allows(&verified(good).unwrap()), "{good}");
        }
        for bad in [
            "u@ok.example@evil.example",
            "u@evil.example@ok.example",
            "u@evil.example\n@ok.example",
            "\"u@evil.example\"@ok.example",
            "u@ok.example.",
            "u@sub.ok.example",
            "u@notok.example",
            "u@ok.example.evil.example",
            "u@\u{43e}k.example",
            "u@ok.ex\u{e4}mple",
        ] {
            assert!(!verified(bad).is_some_and(|address| domain.allows(&address)), "{bad}");
        }
        let stated = Address { is_verified: false, ..verified("u@ok.example").unwrap() };
        assert!(!domain.allows(&stated), "only verified addresses count");
        let umlaut: Allowed = "bücher.example".parse().unwrap();
        assert!(umlaut.allows(&verified("u@xn--bcher-kva.example").unwrap()));
    }

    #[test]
    fn what_is_neither_address_nor_domain() {
        for bad in [
            "",
            "localhost",
            "a b.example",
            "https://ok.example",
            "ok.example/",
            "@",
            "a@",
            "1.2.3.4",
            "ok.example.",
        ] {
            assert!(bad.parse::<Allowed>().is_err(), "{bad}");
        }
        assert_eq!("@ok.example".parse::<Allowed>().unwrap().to_string(), "ok.example");
        assert_eq!("Ada@ok.example".parse::<Allowed>().unwrap().to_string(), "ada@ok.example");
    }

    #[test]
    fn a_workspace_is_its_uuid() {
        let workspace = |uuid: Option<&str>, slug: &str| Circle::Workspace {
            uuid: uuid.map(Into::into),
            slug: slug.into(),
        };
        assert!(workspace(Some("{A}"), "acme").is(&workspace(Some("{a}"), "renamed")));
        assert!(!workspace(Some("{A}"), "acme").is(&workspace(Some("{B}"), "acme")));
        assert!(!workspace(None, "acme").is(&workspace(None, "acme")), "what is not known is nobody's");
        let group = |name: &str| Circle::Group { name: name.into() };
        assert!(group("Devs").is(&group("devs")));
        assert!(!group("devs").is(&workspace(Some("{A}"), "devs")));
    }
}
