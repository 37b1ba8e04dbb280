//! The boxes that are ticked where an OAuth application is made.

use super::Platform;
use crate::Invalid;
use std::{collections::BTreeSet, fmt, str::FromStr};

/// A box to tick where the OAuth application is made. Labels and scopes: Bitbucket Cloud REST, "OAuth 2 scopes"; Bitbucket
/// Data Center, "Application links", permissions of an incoming link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
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
    /// Every box, in the order of Bitbucket's form.
    pub const ALL: [Self; 6] = [
        Self::AccountEmail,
        Self::AccountRead,
        Self::WorkspaceMembershipRead,
        Self::RepositoriesRead,
        Self::PullRequestsRead,
        Self::WebhooksReadWrite,
    ];

    /// The boxes that a platform's setup form asks for, in the order of that form.
    #[must_use]
    pub fn wanted_on(platform: Platform) -> &'static [Self] {
        match platform {
            Platform::BitbucketCloud => &Self::ALL,
            Platform::BitbucketDataCenter => &[Self::RepositoriesRead],
        }
    }

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

    /// The scope that the box gives on Bitbucket Cloud; also its name in the database.
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
    pub fn missing_from(platform: Platform, scopes: &BTreeSet<String>) -> Vec<Self> {
        if scopes.is_empty() {
            return Vec::new();
        }
        let wanted = Self::wanted_on(platform).iter().copied();
        match platform {
            Platform::BitbucketCloud => {
                wanted.filter(|permission| !cloud_grants(scopes, permission.scope())).collect()
            }
            // The one box that is wanted, and those that include it.
            Platform::BitbucketDataCenter => {
                let reads = |scope: &String| READING_SCOPES.contains(&scope.as_str());
                wanted.filter(|_| !scopes.iter().any(reads)).collect()
            }
        }
    }
}

/// The scopes of Bitbucket Data Center with which repositories can be read.
const READING_SCOPES: [&str; 6] =
    ["REPO_READ", "REPO_WRITE", "REPO_ADMIN", "PROJECT_ADMIN", "ADMIN_WRITE", "SYSTEM_ADMIN"];

/// Bitbucket Cloud: project, pullrequest and a writing level imply reading; the admin levels imply nothing.
fn cloud_grants(scopes: &BTreeSet<String>, wanted: &str) -> bool {
    scopes.iter().any(|scope| {
        let (name, level) = scope.split_once(':').unwrap_or((scope, ""));
        match name {
            _ if scope == wanted => true,
            "project" => wanted == "repository" && level.is_empty(),
            "pullrequest" => wanted == "repository" || (wanted == "pullrequest" && level == "write"),
            "account" | "team" | "repository" => wanted == name && level == "write",
            _ => false,
        }
    })
}

impl fmt::Display for Permission {
    /// `Account: Email`: the heading and the box.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (heading, label) = self.label();
        write!(f, "{heading}: {label}")
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

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(list: &[&str]) -> BTreeSet<String> {
        list.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn missing_permissions_are_named() {
        assert_eq!(
            Permission::missing_from(
                Platform::BitbucketCloud,
                &scopes(&["account", "email", "team", "repository", "webhook", "pullrequest"])
            ),
            []
        );
        assert_eq!(Permission::missing_from(Platform::BitbucketCloud, &scopes(&[])), []);
        assert_eq!(
            Permission::missing_from(
                Platform::BitbucketCloud,
                &scopes(&["account", "email", "team:write", "pullrequest:write"])
            ),
            [Permission::WebhooksReadWrite]
        );
        assert_eq!(
            Permission::missing_from(
                Platform::BitbucketCloud,
                &scopes(&["account", "email", "team", "webhook", "pullrequest", "repository:admin"])
            ),
            [],
            "pull requests imply repositories"
        );
        assert_eq!(
            Permission::missing_from(Platform::BitbucketCloud, &scopes(&["repository:admin"])).len(),
            6,
            "repository:admin implies nothing"
        );
    }

    #[test]
    fn one_box_is_enough_on_data_center() {
        let missing = |list: &[&str]| Permission::missing_from(Platform::BitbucketDataCenter, &scopes(list));
        for enough in [&["REPO_READ"][..], &["PUBLIC_REPOS", "REPO_ADMIN"], &[]] {
            assert_eq!(missing(enough), [], "{enough:?}");
        }
        assert_eq!(missing(&["PUBLIC_REPOS", "ACCOUNT_WRITE"]), [Permission::RepositoriesRead]);
    }
}
