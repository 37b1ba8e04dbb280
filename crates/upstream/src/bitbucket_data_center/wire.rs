//! Bitbucket's JSON, and nothing else. Only what is read is named; whatever may be absent is an `Option`.

use serde::Deserialize;
use serde_json::Value;

/// `GET /rest/api/1.0/application-properties`.
#[derive(Deserialize)]
pub(super) struct Properties {
    pub(super) version: Option<String>,
    #[serde(rename = "buildNumber")]
    pub(super) build_number: Option<Value>,
    /// An admin can change it.
    #[serde(rename = "displayName")]
    pub(super) display_name: Option<String>,
}

/// `GET /rest/authconfig/1.0/login-options`; the list has another name than everywhere else.
#[derive(Deserialize)]
pub(super) struct LoginOptions {
    #[serde(default)]
    pub(super) results: Vec<LoginOption>,
}

#[derive(Deserialize)]
pub(super) struct LoginOption {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    #[serde(rename = "buttonText")]
    pub(super) button: Option<String>,
}

/// `GET /rest/api/1.0/users/{slug}`.
#[derive(Deserialize)]
pub(super) struct UserAnswer {
    pub(super) name: String,
    /// What stands in addresses.
    pub(super) slug: Option<String>,
    pub(super) id: Option<i64>,
    #[serde(rename = "displayName")]
    pub(super) display_name: Option<String>,
    #[serde(rename = "emailAddress")]
    pub(super) email: Option<String>,
    pub(super) active: Option<bool>,
    /// From the root of the host, or whole; only if a size was asked for.
    #[serde(rename = "avatarUrl")]
    pub(super) avatar: Option<String>,
    /// `NORMAL` or `SERVICE`.
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
}

/// A page of any list.
#[derive(Deserialize)]
pub(super) struct Page<T> {
    /// Always there: a page without it is no empty one.
    pub(super) values: Vec<T>,
    /// Not `start` plus `limit`: what was filtered out counts.
    #[serde(rename = "nextPageStart")]
    pub(super) next: Option<u64>,
    #[serde(rename = "isLastPage")]
    pub(super) is_last: Option<bool>,
}

/// `GET /rest/api/1.0/repos`, `GET /rest/api/1.0/projects/{key}/repos`, and one of them.
#[derive(Deserialize)]
pub(super) struct RepositoryEntry {
    pub(super) slug: String,
    pub(super) id: Option<i64>,
    pub(super) name: Option<String>,
    #[serde(rename = "scmId")]
    pub(super) scm: Option<String>,
    /// `AVAILABLE`, or while it is made `INITIALISING`.
    pub(super) state: Option<String>,
    /// From version 8 on.
    #[serde(default)]
    pub(super) archived: bool,
    pub(super) project: ProjectEntry,
}

/// `GET /rest/api/1.0/projects`, and one of them.
#[derive(Deserialize)]
pub(super) struct ProjectEntry {
    pub(super) key: String,
    pub(super) id: Option<i64>,
    pub(super) name: Option<String>,
}

/// `GET /rest/api/1.0/projects/{key}/permissions/groups`.
#[derive(Deserialize)]
pub(super) struct GroupEntry {
    pub(super) group: GroupName,
}

#[derive(Deserialize)]
pub(super) struct GroupName {
    pub(super) name: String,
}

/// `{"errors":[{..}]}`.
#[derive(Deserialize)]
pub(super) struct ErrorAnswer {
    pub(super) errors: Vec<ErrorEntry>,
}

#[derive(Deserialize)]
pub(super) struct ErrorEntry {
    /// May be in any language.
    pub(super) message: Option<String>,
    /// Says what is wrong, in every language.
    #[serde(rename = "exceptionName")]
    pub(super) exception: Option<String>,
}

/// A webhook of a project or a repository.
#[derive(Deserialize)]
pub(super) struct WebhookEntry {
    pub(super) id: Option<i64>,
    pub(super) url: Option<String>,
    #[serde(default)]
    pub(super) active: bool,
    #[serde(default)]
    pub(super) events: Vec<String>,
    /// May hold the secret in clear.
    #[serde(default)]
    pub(super) configuration: Value,
}

/// What is read of a delivery.
#[derive(Deserialize)]
pub(super) struct DeliveryBody {
    pub(super) repository: Option<Numbered>,
    /// What a repository has become.
    pub(super) new: Option<Numbered>,
}

#[derive(Deserialize)]
pub(super) struct Numbered {
    pub(super) id: Option<i64>,
}
