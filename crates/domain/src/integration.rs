//! One registered OAuth application on one host.

use crate::{Invalid, Timestamp, id::IntegrationId, secret::Sealed};
use std::{collections::BTreeSet, fmt, str::FromStr, time::Duration};
use url::Url;

/// A kind of code host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Platform {
    /// bitbucket.org, or a stand-in that speaks its language.
    BitbucketCloud,
}

impl Platform {
    /// Every platform, in the order of the form.
    pub const ALL: [Self; 1] = [Self::BitbucketCloud];

    /// The name in forms and lists.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::BitbucketCloud => "Bitbucket",
        }
    }

    /// The name in addresses and the database.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::BitbucketCloud => "bitbucket",
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

/// A box to tick on Bitbucket's consumer form. Labels and scopes: Bitbucket Cloud REST, "OAuth 2 scopes".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Permission {
    /// Own e-mail addresses.
    AccountEmail,
    /// Who is it.
    AccountRead,
    /// In which workspaces they are.
    WorkspaceMembershipRead,
    /// Code, to read.
    RepositoriesRead,
    /// Bells that ring when code changes.
    WebhooksReadWrite,
    /// Pull requests, to read and comment on.
    PullRequestsRead,
}

impl Permission {
    /// Every box that the setup form asks for, in the order of Bitbucket's form.
    pub const ALL: [Self; 6] = [
        Self::AccountEmail,
        Self::AccountRead,
        Self::WorkspaceMembershipRead,
        Self::RepositoriesRead,
        Self::PullRequestsRead,
        Self::WebhooksReadWrite,
    ];

    /// The heading on Bitbucket's form and the box below it.
    #[must_use]
    pub fn label(self) -> (&'static str, &'static str) {
        match self {
            Self::AccountEmail => ("Account", "Email"),
            Self::AccountRead => ("Account", "Read"),
            Self::WorkspaceMembershipRead => ("Workspace membership", "Read"),
            Self::RepositoriesRead => ("Repositories", "Read"),
            Self::PullRequestsRead => ("Pull requests", "Read"),
            Self::WebhooksReadWrite => ("Webhooks", "Read and write"),
        }
    }

    /// The scope that the box gives.
    #[must_use]
    pub fn scope(self) -> &'static str {
        match self {
            Self::AccountEmail => "email",
            Self::AccountRead => "account",
            Self::WorkspaceMembershipRead => "team",
            Self::RepositoriesRead => "repository",
            Self::PullRequestsRead => "pullrequest",
            Self::WebhooksReadWrite => "webhook",
        }
    }

    /// The boxes that were not ticked, given the scopes of a token. An empty list of scopes says nothing.
    #[must_use]
    pub fn missing_from(scopes: &BTreeSet<String>) -> Vec<Self> {
        if scopes.is_empty() {
            return Vec::new();
        }
        let granted = |wanted: &str| {
            scopes.iter().any(|scope| {
                let (name, level) = scope.split_once(':').unwrap_or((scope, ""));
                match name {
                    _ if scope == wanted => true,
                    // Bitbucket: project, pullrequest and a writing level imply reading; the admin levels imply nothing.
                    "project" => wanted == "repository" && level.is_empty(),
                    "pullrequest" => wanted == "repository" || (wanted == "pullrequest" && level == "write"),
                    "account" | "team" | "repository" => wanted == name && level == "write",
                    _ => false,
                }
            })
        };
        Self::ALL.into_iter().filter(|permission| !granted(permission.scope())).collect()
    }
}

impl FromStr for Permission {
    type Err = Invalid;

    fn from_str(scope: &str) -> Result<Self, Invalid> {
        Self::ALL
            .into_iter()
            .find(|p| p.scope() == scope)
            .ok_or_else(|| Invalid::because("There is no such permission."))
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
    /// Shown on log-in buttons.
    pub name: String,
    /// What kind of host.
    pub platform: Platform,
    /// Where it is.
    pub base_url: BaseUrl,
    /// Bitbucket's "Key".
    pub client_id: String,
    /// Bitbucket's "Secret", sealed.
    pub client_secret: Sealed,
    /// Whether addresses that the platform did not confirm count as verified.
    pub trust_email: bool,
    /// How long one API request may take.
    pub api_timeout: ApiTimeout,
    /// Boxes that were not ticked, as the last sign-in showed; `None` before the first one.
    pub missing_permissions: Option<Vec<Permission>>,
    /// Why the last sign-in failed for a reason that an admin must mend, in a sentence.
    pub last_error: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(list: &[&str]) -> BTreeSet<String> {
        list.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn missing_permissions_are_named() {
        assert_eq!(
            Permission::missing_from(&scopes(&[
                "account",
                "email",
                "team",
                "repository",
                "webhook",
                "pullrequest"
            ])),
            []
        );
        assert_eq!(Permission::missing_from(&scopes(&[])), []);
        assert_eq!(
            Permission::missing_from(&scopes(&["account", "email", "team:write", "pullrequest:write"])),
            [Permission::WebhooksReadWrite]
        );
        assert_eq!(
            Permission::missing_from(&scopes(&[
                "account",
                "email",
                "team",
                "webhook",
                "pullrequest",
                "repository:admin"
            ])),
            [],
            "pull requests imply repositories"
        );
        assert_eq!(
            Permission::missing_from(&scopes(&["repository:admin"])).len(),
            6,
            "repository:admin implies nothing"
        );
    }

    #[test]
    fn base_urls() {
        assert!("https://bitbucket.org/".parse::<BaseUrl>().unwrap().is_bitbucket_org());
        assert_eq!("http://127.0.0.1:9/x/".parse::<BaseUrl>().unwrap().as_str(), "http://127.0.0.1:9/x");
        for bad in ["bitbucket.org", "ftp://x", "https://", "https://u:p@x", "https://x/?a", "https://x/#a"] {
            assert!(bad.parse::<BaseUrl>().is_err(), "{bad}");
        }
    }
}
