//! A stored secret with which Stave reads repositories elsewhere.

use crate::{
    Invalid, Secret, Timestamp, expiry,
    id::{CredentialId, OrganizationId},
    integration::Platform,
    secret::Sealed,
};
use jiff::{SignedDuration, ToSpan as _, tz::TimeZone};
use std::{collections::BTreeSet, str::FromStr};
use url::Url;

/// What kind of secret it is, which says how a platform wants to see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialKind {
    /// User name and password (or token) for git over HTTP and for mirrors, at whatever host (RFC 7617). No platform's interface
    /// is asked with it.
    Password,
    /// Bitbucket Cloud: an API token of a person, with the e-mail address of its Atlassian account. It dies within a year.
    ApiToken,
    /// Bitbucket Cloud: an access token of a workspace, project or repository.
    AccessToken,
    /// Bitbucket Data Center: an HTTP access token of a person, project or repository.
    HttpAccessToken,
    /// A token that is sent as such (RFC 6750, section 2.1): for mirrors, and for git.
    Bearer,
    /// A header of its own, whose name stands in place of the user name: for mirrors.
    Header,
}

impl CredentialKind {
    /// All, in the order of the form.
    pub const ALL: [Self; 6] = [
        Self::ApiToken,
        Self::AccessToken,
        Self::HttpAccessToken,
        Self::Password,
        Self::Bearer,
        Self::Header,
    ];

    /// The name in the database and in forms.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::ApiToken => "api_token",
            Self::AccessToken => "access_token",
            Self::HttpAccessToken => "http_access_token",
            Self::Bearer => "bearer",
            Self::Header => "header",
        }
    }

    /// What people read.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Password => "HTTP Basic",
            Self::ApiToken => "Bitbucket API token",
            Self::AccessToken => "Bitbucket workspace, project or repository access token",
            Self::HttpAccessToken => "Bitbucket Data Center HTTP access token",
            Self::Bearer => "Bearer token",
            Self::Header => "HTTP header",
        }
    }

    /// The same in a few words, for lists.
    #[must_use]
    pub fn short_label(self) -> &'static str {
        match self {
            Self::Password => "Password",
            Self::ApiToken => "API token",
            Self::AccessToken => "Access token",
            Self::HttpAccessToken => "HTTP access token",
            Self::Bearer => "Bearer token",
            Self::Header => "HTTP header",
        }
    }

    /// The user name that git sends with it; `None` if it is the one that was typed.
    #[must_use]
    pub fn git_username(self) -> Option<&'static str> {
        match self {
            Self::Password | Self::Bearer | Self::Header => None,
            Self::ApiToken => Some("x-bitbucket-api-token-auth"),
            Self::AccessToken | Self::HttpAccessToken => Some(TOKEN_USERNAME),
        }
    }

    /// The kind of a secret that shows what it is: Atlassian's and newer Data Center's tokens begin with a mark.
    #[must_use]
    pub fn of_secret(secret: &Secret) -> Option<Self> {
        let begins = |mark| secret.expose().starts_with(mark);
        match () {
            () if begins("ATAT") => Some(Self::ApiToken),
            () if begins("ATCT") => Some(Self::AccessToken),
            () if begins("BBDC-") => Some(Self::HttpAccessToken),
            () => None,
        }
    }

    /// The platform whose interface can be asked with it.
    #[must_use]
    pub fn platform(self) -> Option<Platform> {
        match self {
            Self::Password | Self::Bearer | Self::Header => None,
            Self::ApiToken | Self::AccessToken => Some(Platform::BitbucketCloud),
            Self::HttpAccessToken => Some(Platform::BitbucketDataCenter),
        }
    }
}

impl FromStr for CredentialKind {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let found = Self::ALL.into_iter().find(|kind| kind.key() == text);
        found.ok_or_else(|| Invalid::because("Choose the kind of credential from the list."))
    }
}

/// What Bitbucket expects as user name beside an access token.
pub const TOKEN_USERNAME: &str = "x-token-auth";

/// So long before it dies, its owners are warned.
pub const WARN_BEFORE: SignedDuration = SignedDuration::from_hours(14 * 24);

/// A stored secret; several repositories and synchronizations may use one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCredential {
    /// Immutable.
    pub id: CredentialId,
    /// Whose.
    pub organization_id: OrganizationId,
    /// What it is for, in its maker's words.
    pub description: String,
    /// The only host it is sent to: `bitbucket.org`, `git.example.com:8443`.
    pub host: String,
    /// What kind of secret it is.
    pub kind: CredentialKind,
    /// The user name: for an API token the e-mail address, for access tokens `x-token-auth`, for a header its name, for a bearer
    /// token nothing.
    pub username: String,
    /// The password or token, sealed.
    pub secret: Sealed,
    /// When it was made.
    pub created_at: Timestamp,
    /// When the platform stops accepting it; `None` if nobody said.
    pub expires_at: Option<Timestamp>,
    /// When it was last tried.
    pub checked_at: Option<Timestamp>,
    /// Why it did not work then, in a sentence; `None` if it did.
    pub last_error: Option<String>,
    /// When its owners were warned that it expires.
    pub warned_at: Option<Timestamp>,
    /// What was seen of it when it was last tested and worked; `None` if it never was.
    pub seen: Option<CredentialSeen>,
}

/// What a platform says about a credential. What it does not say is absent or empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct CredentialSeen {
    /// Whose it is, as the platform calls them.
    pub account: Option<String>,
    /// What it may do, in the platform's words.
    pub scopes: BTreeSet<String>,
}

impl StoredCredential {
    /// The user name that git sends with it.
    #[must_use]
    pub fn git_username(&self) -> &str {
        self.kind.git_username().unwrap_or(&self.username)
    }

    /// Whether it dies soon, or is dead.
    #[must_use]
    pub fn expires_soon(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|expires_at| now + WARN_BEFORE >= expires_at)
    }

    /// Whether it is dead, as far as anybody said.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }
}

/// The end of the day (UTC) that somebody typed as the last one of a secret; `None` if the field is empty. Only a new secret or
/// a new day has to lie ahead: `is_new`.
pub fn expiry_parse(
    kind: CredentialKind,
    typed: &str,
    now: Timestamp,
    is_new: bool,
) -> Result<Option<Timestamp>, Invalid> {
    let is_new_api_token = is_new && kind == CredentialKind::ApiToken;
    if is_new_api_token && typed.trim().is_empty() {
        return Err(Invalid::because(
            "Enter the day on which the token expires: every API token has one, and Bitbucket does not tell it.",
        ));
    }
    let expires_at = expiry::parse(typed, now, is_new)?;
    let day = |at: Timestamp| at.to_zoned(TimeZone::UTC).date();
    // A day more: it may be tomorrow already where the token was made.
    let latest = day(now).saturating_add(1.year().days(1));
    if is_new_api_token && expires_at.is_some_and(|at| latest < day(at)) {
        return Err(Invalid::because("An API token lives for one year at most. Look at the day again."));
    }
    Ok(expires_at)
}

/// What of a credential's powers matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Power {
    /// Code and composer.json.
    ReadRepositories,
    /// Who is in the workspace.
    ReadPeople,
    /// Bells.
    InstallWebhooks,
}

impl Power {
    /// All, in the order of the page.
    pub const ALL: [Self; 3] = [Self::ReadRepositories, Self::ReadPeople, Self::InstallWebhooks];

    /// What people read.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::ReadRepositories => "Read repositories",
            Self::ReadPeople => "Read the workspace and its people",
            Self::InstallWebhooks => "Install webhooks",
        }
    }

    /// What it is needed for, in a sentence.
    #[must_use]
    pub fn why(self) -> &'static str {
        match self {
            Self::ReadRepositories => "Packages need it.",
            Self::ReadPeople => "Only a synchronization needs it.",
            Self::InstallWebhooks => {
                "Only a synchronization that installs webhooks needs it; without, changes are seen later."
            }
        }
    }

    /// Whether scopes of Bitbucket Cloud give it (REST, "Authentication methods"). Those of API tokens imply nothing.
    #[must_use]
    pub fn is_in(self, scopes: &BTreeSet<String>) -> bool {
        let has = |scope: &str| scopes.contains(scope);
        match self {
            Self::ReadRepositories => [
                "repository",
                "repository:write",
                "pullrequest",
                "pullrequest:write",
                "read:repository:bitbucket",
            ]
            .into_iter()
            .any(has),
            Self::ReadPeople => ["account", "account:write", "read:workspace:bitbucket"].into_iter().any(has),
            Self::InstallWebhooks => {
                has("webhook") || (has("read:webhook:bitbucket") && has("write:webhook:bitbucket"))
            }
        }
    }

    /// The scope to tick for it, by kind of credential.
    #[must_use]
    pub fn wanted_scope(self, kind: CredentialKind) -> &'static str {
        let is_api_token = kind == CredentialKind::ApiToken;
        match self {
            Self::ReadRepositories if is_api_token => "read:repository:bitbucket",
            Self::ReadRepositories => "repository",
            Self::ReadPeople if is_api_token => "read:workspace:bitbucket",
            Self::ReadPeople => "account",
            Self::InstallWebhooks if is_api_token => "read:webhook:bitbucket and write:webhook:bitbucket",
            Self::InstallWebhooks => "webhook",
        }
    }
}

/// A host as [`SourceUrl::authority`](crate::repository::SourceUrl::authority) has it: a name (in ASCII, in lower case) or
/// address, and the port if it is not the usual one.
pub fn host_parse(text: &str) -> Result<String, Invalid> {
    let text = text.trim();
    let text = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    host_of(&text).ok_or_else(|| {
        Invalid::because("A host is a name such as bitbucket.org, perhaps with a port: git.example.com:8443.")
    })
}

/// Headers with which a client says how it speaks, and not who it is: they are no place for a secret.
const NO_CREDENTIALS: [&str; 14] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "if-modified-since",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

/// The name of a header (RFC 9110, section 5.1) in which a secret is sent.
pub fn header_parse(text: &str) -> Result<String, Invalid> {
    let name = text.trim().trim_end_matches(':');
    let is_name = (1..=100).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if !is_name {
        return Err(Invalid::because(
            "The name of a header has letters, digits and dashes, such as X-Api-Key.",
        ));
    }
    if NO_CREDENTIALS.contains(&name.to_ascii_lowercase().as_str()) {
        return Err(Invalid::because(format!(
            "Stave says other things in the header {name}. Enter the name of another one."
        )));
    }
    Ok(name.to_owned())
}

/// The host of an address that says nothing else.
fn host_of(address: &str) -> Option<String> {
    let url = Url::parse(address).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let host = url.host_str()?;
    let rest = (url.username(), url.password(), url.path(), url.query(), url.fragment());
    (rest == ("", None, "/", None, None))
        .then(|| url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository::SourceUrl;

    #[test]
    fn a_host_is_what_the_address_of_a_repository_says() {
        for (typed, host) in [
            ("bitbucket.org", "bitbucket.org"),
            (" Bitbucket.org:443 ", "bitbucket.org"),
            ("https://bitbucket.org/", "bitbucket.org"),
            ("HTTP://git.example.com:80", "git.example.com"),
            ("git.example.com:8443", "git.example.com:8443"),
            ("[::1]:8080", "[::1]:8080"),
            ("bücher.example", "xn--bcher-kva.example"),
        ] {
            assert_eq!(host_parse(typed).unwrap(), host, "{typed}");
        }
        for address in ["https://Bücher.example:443/a/b.git", "http://127.0.0.1:8080/a/b.git"] {
            let source: SourceUrl = address.parse().unwrap();
            let typed = address.trim_end_matches("/a/b.git");
            assert_eq!(host_parse(typed).unwrap(), source.authority(), "{typed}");
        }
        for bad in
            ["", "host/path", "host#x", "host?x", "ada@host", "ada:secret@host", "ssh://host", "a b", ":80"]
        {
            assert!(host_parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_secret_has_a_header_of_its_own() {
        for (typed, name) in [
            ("X-Api-Key", "X-Api-Key"),
            (" PRIVATE-TOKEN: ", "PRIVATE-TOKEN"),
            ("Authorization", "Authorization"),
        ] {
            assert_eq!(header_parse(typed).unwrap(), name, "{typed}");
        }
        for bad in ["", "a b", "X: y", "é", "Host", "content-LENGTH", "x\r\ny"] {
            assert!(header_parse(bad).is_err(), "{bad}");
        }
        for kind in CredentialKind::ALL {
            assert_eq!(kind.key().parse(), Ok(kind));
        }
    }

    #[test]
    fn a_token_shows_its_kind() {
        for (secret, kind) in [
            ("ATATT3xFfGF0abc", Some(CredentialKind::ApiToken)),
            ("ATCTT3xFfGN0abc", Some(CredentialKind::AccessToken)),
            ("BBDC-abc", Some(CredentialKind::HttpAccessToken)),
            ("hunter2", None),
            ("", None),
        ] {
            assert_eq!(CredentialKind::of_secret(&Secret::new(secret)), kind, "{secret}");
        }
    }

    #[test]
    fn the_day_on_which_a_secret_dies() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let (api, other) = (CredentialKind::ApiToken, CredentialKind::AccessToken);
        let end = |day: &str| Ok(Some(format!("{day}T23:59:59Z").parse::<Timestamp>().unwrap()));
        for (kind, typed, is_new, expected) in [
            (api, " 2026-11-22 ", true, end("2026-11-22")),
            (api, "2027-11-23", true, end("2027-11-23")),
            (api, "2026-11-21", false, end("2026-11-21")),
            (api, "", false, Ok(None)),
            (other, "", true, Ok(None)),
            (other, "2030-01-01", true, end("2030-01-01")),
        ] {
            assert_eq!(expiry_parse(kind, typed, now, is_new), expected, "{typed}");
        }
        for (kind, typed) in
            [(api, ""), (api, "2026-11-21"), (api, "2027-11-24"), (other, "2026-11-21"), (other, "31.1.2027")]
        {
            assert!(expiry_parse(kind, typed, now, true).is_err(), "{typed}");
        }
    }

    #[test]
    fn scopes_give_powers() {
        let powers = |scopes: &[&str]| {
            let scopes = scopes.iter().map(ToString::to_string).collect();
            Power::ALL.map(|power| power.is_in(&scopes))
        };
        assert_eq!(powers(&["repository:write", "account", "webhook"]), [true, true, true]);
        assert_eq!(powers(&["read:repository:bitbucket", "read:webhook:bitbucket"]), [true, false, false]);
        assert_eq!(powers(&["write:webhook:bitbucket", "read:webhook:bitbucket"]), [false, false, true]);
        assert_eq!(powers(&["project"]), [false, false, false]);
    }
}
