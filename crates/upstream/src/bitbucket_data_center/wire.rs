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
}

/// `GET /rest/api/1.0/repos`.
#[derive(Deserialize)]
pub(super) struct RepositoryEntry {
    pub(super) slug: String,
    pub(super) project: ProjectEntry,
}

#[derive(Deserialize)]
pub(super) struct ProjectEntry {
    pub(super) key: String,
}
