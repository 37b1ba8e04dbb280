//! A person here.

use crate::{Invalid, Timestamp, id::UserId};
use std::{fmt, str::FromStr};

/// The name under which a person is known here: 2 to 39 of `a-z 0-9 - _ .`, first and last a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Username(String);

impl Username {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A proposal made of what the platform calls the person; `None` if nothing usable is left of it.
    #[must_use]
    pub fn suggest(handle: &str) -> Option<Self> {
        let kept: String = handle
            .to_lowercase()
            .chars()
            .map(|c| if c == ' ' { '-' } else { c })
            .filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c))
            .take(39)
            .collect();
        kept.trim_matches(['-', '_', '.']).parse().ok()
    }
}

impl FromStr for Username {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let name = text.trim().to_lowercase();
        let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        let fits = (2..=39).contains(&name.len())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
            && edge(name.chars().next())
            && edge(name.chars().next_back());
        if fits {
            Ok(Self(name))
        } else {
            Err(Invalid::because(
                "A username has 2 to 39 letters (a-z), digits, dashes, underscores or dots, and starts and ends with a letter or digit.",
            ))
        }
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An e-mail address, in lower case. Only its shape is checked: whose it is, is a question for whoever confirmed it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// The address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EmailAddress {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let address = text.trim().to_lowercase();
        let fits = address.len() <= 254
            && !address.chars().any(|c| c.is_whitespace() || c.is_control() || "<>,;\"".contains(c))
            && address.split_once('@').is_some_and(|(local, host)| {
                !local.is_empty()
                    && !host.is_empty()
                    && !host.contains('@')
                    && !host.starts_with('.')
                    && !host.ends_with('.')
            });
        if fits {
            Ok(Self(address))
        } else {
            Err(Invalid::because("This is not an e-mail address. It looks like ada@example.com."))
        }
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A person here. What is known of them elsewhere is an [`Identity`](crate::identity::Identity).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Immutable.
    pub id: UserId,
    /// Unique here.
    pub username: Username,
    /// As they write it; may be empty.
    pub name: String,
    /// Unique here if present.
    pub email: Option<EmailAddress>,
    /// Whether somebody whom the operator trusts confirmed the address.
    pub email_verified: bool,
    /// Whether the Admin section is open to them.
    pub is_admin: bool,
    /// When the account was made.
    pub created_at: Timestamp,
}

impl User {
    /// The name to show: their own words if they gave any.
    #[must_use]
    pub fn display_name(&self) -> &str {
        if self.name.is_empty() { self.username.as_str() } else { &self.name }
    }
}

/// A local password: 10 to 200 characters.
pub fn password_check(password: &crate::Secret) -> Result<(), Invalid> {
    match password.expose().chars().count() {
        0..10 => {
            Err(Invalid::because("A password has at least 10 characters. A short sentence is a good one."))
        }
        10..=200 => Ok(()),
        _ => Err(Invalid::because("A password has at most 200 characters.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames() {
        for good in ["ada", "Ada", "a1", "ada.lovelace", "x-y_z"] {
            assert!(good.parse::<Username>().is_ok(), "{good}");
        }
        for bad in ["", "a", "-ada", "ada-", "ada lovelace", "ädä", &"a".repeat(40)] {
            assert!(bad.parse::<Username>().is_err(), "{bad}");
        }
        assert_eq!(Username::suggest("Ada Lovelace!").unwrap().as_str(), "ada-lovelace");
        assert_eq!(Username::suggest("愛"), None);
    }

    #[test]
    fn addresses() {
        assert_eq!("Ada@Example.com ".parse::<EmailAddress>().unwrap().as_str(), "ada@example.com");
        for bad in ["ada", "@", "a@", "@b", "a@b@c", "a b@c.d", "a@.b"] {
            assert!(bad.parse::<EmailAddress>().is_err(), "{bad}");
        }
    }
}
