//! A button on the login form: at which server visitors say who they are, and what counts of what it says.

use super::Circle;
use crate::{
    Invalid,
    id::IntegrationId,
    integration::{BaseUrl, Client, Platform},
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A button on the login form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provider {
    /// Names it in addresses; unique in its setting.
    pub key: ProviderKey,
    /// Whether visitors see it.
    pub is_on: bool,
    /// The words on it.
    pub label: String,
    /// What is behind it.
    pub source: Source,
    /// Which addresses count as verified.
    pub email: EmailTrust,
    /// Who may come in with it: people in one of these, or everybody if there are none.
    pub only: Vec<Circle>,
}

/// What is behind a button.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// An OAuth consumer or application link that the owner of the website made for it.
    Own {
        /// What kind of server.
        platform: Platform,
        /// Where it is.
        #[serde(with = "crate::as_text")]
        base_url: BaseUrl,
        /// App ID and App Secret, or the key pair of OAuth 1. The secrets are sealed for this website, place and id.
        client: Client,
        /// The last four characters of the secret, to recognise it by; empty for a key pair.
        secret_ending: String,
        /// When the secret was typed.
        secret_set_at: crate::Timestamp,
    },
    /// An integration that is there already.
    Integration(IntegrationId),
}

/// The name of a provider in addresses.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProviderKey(String);

impl ProviderKey {
    /// The website's own consumer or application link.
    #[must_use]
    pub fn own(platform: Platform) -> Self {
        Self(platform.key().to_owned())
    }

    /// An integration, by its slug.
    #[must_use]
    pub fn integration(slug: &crate::integration::IntegrationSlug) -> Self {
        Self(format!("integration-{slug}"))
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ProviderKey {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let fits = (1..=80).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::because("There is no such way to log in."))
        }
    }
}

impl fmt::Display for ProviderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The server at which an id means one person: platform and address. A button that leads to another server knows nobody from
/// before; another consumer at the same server knows everybody.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Place(String);

impl Place {
    /// The place of a server.
    #[must_use]
    pub fn of(platform: Platform, base_url: &BaseUrl) -> Self {
        Self(format!("{} {base_url}", platform.key()))
    }

    /// The place as text, for the database.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A place from the database.
    #[must_use]
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// Platform and host, as visitors read it.
    #[must_use]
    pub fn label(&self) -> String {
        let Some((platform, base_url)) = self.0.split_once(' ') else { return self.0.clone() };
        let host = base_url.split_once("://").map_or(base_url, |(_, host)| host);
        match platform.parse::<Platform>() {
            Ok(platform) if host == "bitbucket.org" => platform.label().to_owned(),
            Ok(_) => format!("Bitbucket at {host}"),
            Err(_) => host.to_owned(),
        }
    }
}

/// Which of the addresses that a server tells count as verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmailTrust {
    /// Those that the server says it confirmed; the default of Bitbucket.
    Confirmed,
    /// None; the default of Data Center, which does not know.
    Never,
    /// All: whoever can type an address there counts as its owner. Only admins of the installation choose this.
    All,
}

impl EmailTrust {
    /// All three, in the order of the form.
    pub const ALL: [Self; 3] = [Self::Confirmed, Self::Never, Self::All];

    /// What a new button does.
    #[must_use]
    pub fn default_of(platform: Platform) -> Self {
        match platform {
            Platform::BitbucketCloud => Self::Confirmed,
            Platform::BitbucketDataCenter => Self::Never,
        }
    }

    /// The name in forms.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Never => "never",
            Self::All => "all",
        }
    }

    /// Whether an address counts, given whether the server says that it is confirmed.
    #[must_use]
    pub fn accepts(self, confirmed: bool) -> bool {
        match self {
            Self::Confirmed => confirmed,
            Self::Never => false,
            Self::All => true,
        }
    }
}

impl FromStr for EmailTrust {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let known = Self::ALL.into_iter().find(|trust| trust.key() == text);
        known.ok_or_else(|| Invalid::because("Choose from the list which addresses count as verified."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_server_is_another_place() {
        let at = |platform, url: &str| Place::of(platform, &url.parse().unwrap());
        let cloud = at(Platform::BitbucketCloud, "https://bitbucket.org/");
        assert_eq!(cloud, at(Platform::BitbucketCloud, "https://bitbucket.org"));
        assert_ne!(cloud, at(Platform::BitbucketDataCenter, "https://bitbucket.org"));
        assert_ne!(cloud, at(Platform::BitbucketCloud, "https://bitbucket.example"));
        assert_eq!(cloud.label(), "Bitbucket");
        assert_eq!(
            at(Platform::BitbucketDataCenter, "https://git.acme.example/bb").label(),
            "Bitbucket at git.acme.example/bb"
        );
    }
}
