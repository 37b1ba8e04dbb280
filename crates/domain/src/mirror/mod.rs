//! A Composer repository of somebody else that is followed: where it is, what it says of itself, what is in it.

pub mod advisory;
pub mod listing;
pub mod package;
mod raw;
pub mod root;
pub mod template;

use crate::{
    Invalid, Timestamp,
    composer::metadata::Keys,
    id::{CredentialId, MirrorId, OrganizationId, PackageId},
};
pub use advisory::MirrorAdvisory;
pub use package::{LeftOut, MirrorPackage};
pub use root::{AdvisorySource, FilterSource, MirrorRoot};
use std::{str::FromStr, time::Duration};
pub use template::{DistOf, Template};
use url::Url;

/// A Composer repository of somebody else, as an organization follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    /// Immutable.
    pub id: MirrorId,
    /// Whose.
    pub organization_id: OrganizationId,
    /// What people call it.
    pub name: String,
    /// Where it is: the folder of its packages.json, or that file.
    pub url: Url,
    /// With what it is asked; `None` if everybody may.
    pub credential_id: Option<CredentialId>,
    /// How long its answers may take.
    pub timeout: MirrorTimeout,
    /// Who adds packages of it.
    pub adds: Adds,
    /// Its place among those of the organization: 0 is asked first.
    pub position: u32,
    /// What it said of itself when it was last reached; `None` if it never was. Such a one has no packages.
    pub root: Option<MirrorRoot>,
    /// Up to where its feed of changes was read, in its own count; `None` if it has none, or it was not read yet.
    pub changes_since: Option<i64>,
    /// When it was last asked.
    pub checked_at: Option<Timestamp>,
    /// Why it could not be read then, in a sentence; `None` if it could.
    pub last_error: Option<String>,
    /// Since when every try has failed; `None` if the last one did not.
    pub failing_since: Option<Timestamp>,
    /// When it was added.
    pub created_at: Timestamp,
}

/// Who adds packages of a mirror.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Adds {
    /// Whoever runs `composer update` or `require` with a token that may; never `composer install`.
    #[default]
    Automatically,
    /// Any member, by hand.
    ByMembers,
    /// Admins and owners, by hand.
    ByManagers,
    /// Nobody: it is not asked any more. What is there stays installable.
    Disabled,
}

impl Adds {
    /// All, in the order of the form.
    pub const ALL: [Self; 4] = [Self::Automatically, Self::ByMembers, Self::ByManagers, Self::Disabled];

    /// The name in the database and in forms.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Automatically => "automatically",
            Self::ByMembers => "members",
            Self::ByManagers => "managers",
            Self::Disabled => "disabled",
        }
    }

    /// What people read.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Automatically => "Packages are added automatically on composer update and composer require",
            Self::ByMembers => "Packages are added manually by any member",
            Self::ByManagers => "Packages are added manually by admins and owners only",
            Self::Disabled => "Disabled: it is not asked, and its packages stay installable",
        }
    }

    /// The same in a few words, for lists.
    #[must_use]
    pub fn short_label(self) -> &'static str {
        match self {
            Self::Automatically => "Automatically",
            Self::ByMembers => "Any member",
            Self::ByManagers => "Admins and owners",
            Self::Disabled => "Disabled",
        }
    }
}

impl FromStr for Adds {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let found = Self::ALL.into_iter().find(|adds| adds.key() == text);
        found.ok_or_else(|| Invalid::because("Choose from the list who adds packages."))
    }
}

/// How long a mirror may take to answer, in seconds from 5 to 30; `None` is the usual time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MirrorTimeout(pub Option<u32>);

impl MirrorTimeout {
    /// The limit: for an answer as a whole, and of an archive for each piece of it. Clients wait for an unseen package, so the
    /// usual time is short of the ten seconds in which they want to be connected.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.0.unwrap_or(9).into())
    }
}

impl FromStr for MirrorTimeout {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text.trim() {
            "" => Ok(Self(None)),
            digits => match digits.parse() {
                Ok(seconds) if (5..=30).contains(&seconds) => Ok(Self(Some(seconds))),
                _ => Err(Invalid::because("The timeout is a number of seconds from 5 to 30, or empty.")),
            },
        }
    }
}

/// What is remembered of a package because it is a mirror's.
#[derive(Debug, Clone, PartialEq)]
pub struct MirroredPackage {
    /// Which package.
    pub package_id: PackageId,
    /// By what the mirror recognises the file of its releases as it was last read here; `None` if there was none.
    pub last_modified: Option<String>,
    /// The same of the file of its branches.
    pub dev_last_modified: Option<String>,
    /// When it was last asked for.
    pub checked_at: Option<Timestamp>,
    /// Why it could not be read then, in a sentence; `None` if it could.
    pub last_error: Option<String>,
    /// Since when the mirror does not have it any more. It stays here, marked as abandoned.
    pub gone_at: Option<Timestamp>,
    /// What the mirror warns of.
    pub advisories: Vec<MirrorAdvisory>,
    /// What the mirror's lists say against versions, by the name of the list, as in its metadata.
    pub filter: Keys,
    /// Versions of its file that cannot be used.
    pub left_out: LeftOut,
}

impl MirroredPackage {
    /// Of a package that was not read yet.
    #[must_use]
    pub fn new(package_id: PackageId) -> Self {
        Self {
            package_id,
            last_modified: None,
            dev_last_modified: None,
            checked_at: None,
            last_error: None,
            gone_at: None,
            advisories: Vec::new(),
            filter: Keys::new(),
            left_out: LeftOut::default(),
        }
    }
}

/// Longer addresses are typing errors.
const LONGEST_URL: usize = 2_000;

/// The address of a Composer repository as somebody types it: the folder of its packages.json, or that file.
pub fn url_parse(text: &str) -> Result<Url, Invalid> {
    let text = text.trim();
    let example = "It looks like https://repo.example.com.";
    if text.is_empty() {
        return Err(Invalid::because(format!("Enter the address of the Composer repository. {example}")));
    }
    let mut url = Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host() && text.len() <= LONGEST_URL)
        .ok_or_else(|| Invalid::because(format!("This is not the address of a web server. {example}")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Invalid::because(
            "An address with a user name or password in it would show them to everybody. Store them as a credential, and choose that.",
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Invalid::because(format!(
            "The address of a Composer repository ends before “?” and “#”. {example}"
        )));
    }
    if url.path().trim_end_matches('/').to_ascii_lowercase().strip_suffix(".git").is_some() {
        return Err(Invalid::because(
            "This is a git repository. Add it as a package by URL; a mirror is a Composer repository with many packages.",
        ));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

/// Where the packages.json of a mirror is (`ComposerRepository::getPackagesJsonUrl`).
#[must_use]
pub fn root_url(url: &Url) -> Url {
    let mut root = url.clone();
    if !url.path().contains(".json") {
        root.set_path(&format!("{}/packages.json", url.path().trim_end_matches('/')));
    }
    root
}

/// Host and, if it is not the usual one, port of an address: what the host of a stored credential is compared with.
#[must_use]
pub fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_the_folder_or_the_file() {
        for (typed, url, root) in [
            (
                " https://repo.example.com ",
                "https://repo.example.com/",
                "https://repo.example.com/packages.json",
            ),
            (
                "https://Repo.Example.com:443/acme//",
                "https://repo.example.com/acme",
                "https://repo.example.com/acme/packages.json",
            ),
            (
                "http://127.0.0.1:8080/x/satis.json",
                "http://127.0.0.1:8080/x/satis.json",
                "http://127.0.0.1:8080/x/satis.json",
            ),
        ] {
            let parsed = url_parse(typed).unwrap();
            assert_eq!((parsed.as_str(), root_url(&parsed).as_str()), (url, root), "{typed}");
        }
        for bad in [
            "",
            "repo.example.com",
            "ssh://git@repo.example.com/x",
            "https://ada:secret@repo.example.com",
            "https://repo.example.com/?a=b",
            "https://repo.example.com/#top",
            "https://git.example.com/acme/mailer.git/",
            "https://",
        ] {
            assert!(url_parse(bad).is_err(), "{bad}");
        }
        assert_eq!(
            authority(&url_parse("https://repo.example.com:8443/x").unwrap()),
            "repo.example.com:8443"
        );
    }

    #[test]
    fn a_timeout_is_short() {
        for (typed, timeout) in [("", Ok(None)), (" 5 ", Ok(Some(5))), ("30", Ok(Some(30)))] {
            assert_eq!(typed.parse::<MirrorTimeout>().map(|timeout| timeout.0), timeout, "{typed}");
        }
        for bad in ["4", "31", "-5", "x"] {
            assert!(bad.parse::<MirrorTimeout>().is_err(), "{bad}");
        }
        for adds in Adds::ALL {
            assert_eq!(adds.key().parse(), Ok(adds));
        }
    }
}
