//! What a server says about itself.

use crate::{Invalid, Timestamp};
use std::{fmt, str::FromStr};

/// What was seen at a base URL that leads to Bitbucket Data Center or Server.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Seen {
    /// Its version, if it told one.
    pub version: Option<ServerVersion>,
    /// Whether it lets applications in by OAuth 2; tried, not concluded from the version.
    pub speaks_oauth2: bool,
    /// When.
    pub seen_at: Timestamp,
}

/// The version of a Bitbucket Data Center or Server: `8.19.3`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServerVersion {
    text: String,
    major: u32,
    minor: u32,
}

impl ServerVersion {
    /// Whether application links by OAuth 2 came with this version or an earlier one: 7.21.
    #[must_use]
    pub fn has_oauth2(&self) -> bool {
        (self.major, self.minor) >= (7, 21)
    }

    /// Whether it has webhooks of its own: since 5.4.
    #[must_use]
    pub fn has_webhooks(&self) -> bool {
        (self.major, self.minor) >= (5, 4)
    }

    /// Whether new links by OAuth 1 are of use: from 8.0 on they let nobody synchronize.
    #[must_use]
    pub fn takes_oauth1(&self) -> bool {
        self.major < 8
    }
}

impl FromStr for ServerVersion {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let none = || Invalid::because("This is not the version of a Bitbucket server.");
        let mut numbers = text.split(['.', '-']);
        let mut number = || numbers.next().and_then(|digits| digits.parse::<u32>().ok()).ok_or_else(none);
        let (major, minor) = (number()?, number()?);
        if text.len() > 40 {
            return Err(none());
        }
        Ok(Self { text: text.to_owned(), major, minor })
    }
}

impl TryFrom<String> for ServerVersion {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<ServerVersion> for String {
    fn from(version: ServerVersion) -> Self {
        version.text
    }
}

impl fmt::Display for ServerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_version_can_do() {
        for (text, has_oauth2, takes_oauth1) in [
            ("5.16.11", false, true),
            ("7.20.3", false, true),
            ("7.21.0", true, true),
            ("8.0.0-rc1", true, false),
            ("8.19.3", true, false),
            ("10.0.1", true, false),
        ] {
            let version: ServerVersion = text.parse().unwrap();
            assert_eq!((version.has_oauth2(), version.takes_oauth1()), (has_oauth2, takes_oauth1), "{text}");
            assert_eq!(version.to_string(), text);
        }
        for bad in ["", "8", "eight.one", "8.x"] {
            assert!(bad.parse::<ServerVersion>().is_err(), "{bad}");
        }
    }
}
