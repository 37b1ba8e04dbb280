//! One registered OAuth application on one host.

mod client;
mod permission;
mod seen;

pub use client::{Client, OAuthVersion};
pub use permission::Permission;
pub use seen::{Seen, ServerVersion};

use crate::{
    Invalid, Timestamp,
    id::{IntegrationId, OrganizationId},
    identity::Identity,
};
use std::{fmt, str::FromStr, time::Duration};
use url::Url;

/// A kind of code host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Platform {
    /// bitbucket.org, or a stand-in that speaks its language.
    #[serde(rename = "bitbucket")]
    BitbucketCloud,
    /// Bitbucket Data Center, or Bitbucket Server as it was called before.
    #[serde(rename = "bitbucket-data-center")]
    BitbucketDataCenter,
}

impl Platform {
    /// Every platform, in the order of the form.
    pub const ALL: [Self; 2] = [Self::BitbucketCloud, Self::BitbucketDataCenter];

    /// The name in forms and lists.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::BitbucketCloud => "Bitbucket",
            Self::BitbucketDataCenter => "Bitbucket Data Center / Server",
        }
    }

    /// What Stave is registered as there, in the platform's words.
    #[must_use]
    pub fn application(self) -> &'static str {
        match self {
            Self::BitbucketCloud => "OAuth consumer",
            Self::BitbucketDataCenter => "application link",
        }
    }

    /// The name in addresses and the database.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::BitbucketCloud => "bitbucket",
            Self::BitbucketDataCenter => "bitbucket-data-center",
        }
    }
}

impl FromStr for Platform {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::ALL
            .into_iter()
            .find(|p| p.key() == text)
            .ok_or_else(|| Invalid::because("Choose a platform from the list."))
    }
}

/// Where a code host lives: http or https, a host, perhaps a port and a path; no trailing slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl(Url);

impl BaseUrl {
    /// The address without trailing slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }

    /// The address as a URL.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// Host and, if it is not the usual one, port.
    #[must_use]
    pub fn authority(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        self.0.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Whether this is Bitbucket's own service, whose API has a host of its own.
    #[must_use]
    pub fn is_bitbucket_org(&self) -> bool {
        self.as_str() == "https://bitbucket.org"
    }
}

impl FromStr for BaseUrl {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let url = Url::parse(text.trim()).map_err(|_| {
            Invalid::because("This is not a URL. It starts with https://, for example https://bitbucket.org.")
        })?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
            return Err(Invalid::because(
                "A base URL starts with https:// and names a host, for example https://bitbucket.org.",
            ));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Invalid::because(
                "A base URL has no user name or password in it. Leave out everything up to the @.",
            ));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(Invalid::because(
                "A base URL ends with the host or a path. Leave out everything from the ? or #.",
            ));
        }
        Ok(Self(url))
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The part of the callback address that names the integration; made before the integration and never changed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IntegrationSlug(String);

impl IntegrationSlug {
    /// The slug as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for IntegrationSlug {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let fits = (1..=60).contains(&text.len())
            && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if fits { Ok(Self(text.to_owned())) } else { Err(Invalid::because("There is no such integration.")) }
    }
}

impl fmt::Display for IntegrationSlug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How long one API request may take: `None` is the default of 30 seconds, `Some(0)` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ApiTimeout(pub Option<u32>);

impl ApiTimeout {
    /// The limit; `None` is no limit.
    #[must_use]
    pub fn duration(self) -> Option<Duration> {
        match self.0 {
            None => Some(Duration::from_secs(30)),
            Some(0) => None,
            Some(seconds) => Some(Duration::from_secs(seconds.into())),
        }
    }
}

impl FromStr for ApiTimeout {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text.trim() {
            "" => Ok(Self(None)),
            digits => match digits.parse() {
                Ok(seconds) if seconds <= 3600 => Ok(Self(Some(seconds))),
                _ => Err(Invalid::because("The timeout is a number of seconds from 0 to 3600, or empty.")),
            },
        }
    }
}

/// One registered OAuth application on one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Integration {
    /// Immutable.
    pub id: IntegrationId,
    /// Names the callback; immutable.
    pub slug: IntegrationSlug,
    /// Whose it is; `None` is everybody's, managed in the Admin section.
    pub organization_id: Option<OrganizationId>,
    /// Shown on log-in buttons.
    pub name: String,
    /// What kind of host.
    pub platform: Platform,
    /// Where it is.
    pub base_url: BaseUrl,
    /// What Stave is registered as there.
    pub client: Client,
    /// What it was registered as before: it serves the grants that it gave until their owners have logged in with `client`.
    pub previous: Option<Client>,
    /// Whether addresses that the platform did not confirm count as verified.
    pub trust_email: bool,
    /// How long one API request may take.
    pub api_timeout: ApiTimeout,
    /// Boxes that were not ticked, as the last sign-in showed; `None` before the first one.
    pub missing_permissions: Option<Vec<Permission>>,
    /// Why the last sign-in failed for a reason that an admin must mend, in a sentence.
    pub last_error: Option<String>,
    /// What was last seen at the base URL; `None` if nothing was.
    pub seen: Option<Seen>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Integration {
    /// The client that gave a grant, if it is still known.
    #[must_use]
    pub fn client_with(&self, id: &str) -> Option<&Client> {
        [Some(&self.client), self.previous.as_ref()].into_iter().flatten().find(|client| client.id() == id)
    }

    /// Whether its word counts beyond one organization: for an e-mail address that it calls confirmed, for who may see what.
    /// Who owns an organization's integration decides where Bitbucket sends people, and so who they seem to be.
    #[must_use]
    pub fn is_believed(&self) -> bool {
        self.organization_id.is_none()
    }

    /// Whether an account waits to log in with the client that took over.
    #[must_use]
    pub fn awaits(&self, account: &Identity) -> bool {
        self.previous.is_some() && account.broken_because.is_none() && account.client_id != self.client.id()
    }

    /// Whether a new client took over with which nobody has come back yet: a mistake in it would lock people out.
    #[must_use]
    pub fn is_untried_successor(&self) -> bool {
        self.previous.is_some() && self.missing_permissions.is_none()
    }

    /// Whether an OAuth 1 integration could be upgraded: its server speaks OAuth 2.
    #[must_use]
    pub fn can_be_upgraded(&self) -> bool {
        self.client.oauth() == OAuthVersion::One && self.seen.as_ref().is_some_and(|seen| seen.speaks_oauth2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_urls() {
        assert!("https://bitbucket.org/".parse::<BaseUrl>().unwrap().is_bitbucket_org());
        assert_eq!("http://127.0.0.1:9/x/".parse::<BaseUrl>().unwrap().as_str(), "http://127.0.0.1:9/x");
        for bad in ["bitbucket.org", "ftp://x", "https://", "https://u:p@x", "https://x/?a", "https://x/#a"] {
            assert!(bad.parse::<BaseUrl>().is_err(), "{bad}");
        }
    }
}
