//! Bitbucket's JSON, and nothing else. Only what is read is named; whatever may be absent is an `Option`.

use serde::Deserialize;
use serde_json::Value;

/// `GET /2.0/user`.
#[derive(Deserialize)]
pub(super) struct UserAnswer {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) uuid: Option<String>,
    /// A text; the other immutable id.
    #[serde(default)]
    pub(super) account_id: Value,
    pub(super) nickname: Option<String>,
    pub(super) username: Option<String>,
    pub(super) display_name: Option<String>,
    /// Objects with a `href`; `avatar` is the picture.
    #[serde(default)]
    pub(super) links: Value,
}

/// `GET /2.0/user/emails`, one page.
#[derive(Deserialize)]
pub(super) struct EmailPage {
    #[serde(default)]
    pub(super) values: Vec<EmailEntry>,
    pub(super) next: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct EmailEntry {
    pub(super) email: Option<String>,
    #[serde(default)]
    pub(super) is_primary: Option<bool>,
    #[serde(default)]
    pub(super) is_confirmed: Option<bool>,
}

/// `{"type":"error","error":{..}}`.
#[derive(Deserialize)]
pub(super) struct ErrorAnswer {
    pub(super) error: ErrorBody,
}

#[derive(Deserialize)]
pub(super) struct ErrorBody {
    /// May be in any language.
    pub(super) message: Option<String>,
    /// A text, or for a missing scope an object with `required` and `granted`.
    #[serde(default)]
    detail: Value,
    #[serde(default)]
    data: Value,
}

impl ErrorBody {
    /// The scopes that the request needs; empty if that is not what was wrong.
    pub(super) fn required(&self) -> impl Iterator<Item = &str> {
        texts(&self.detail, "required")
    }

    /// The scopes that the token has.
    pub(super) fn granted(&self) -> impl Iterator<Item = &str> {
        texts(&self.detail, "granted")
    }

    /// Where Bitbucket explains why something is no longer there.
    pub(super) fn announcement(&self) -> Option<&str> {
        self.data.get("announcement_url")?.as_str()
    }
}

fn texts<'a>(object: &'a Value, key: &str) -> impl Iterator<Item = &'a str> {
    object.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// A page of any list.
#[derive(Deserialize)]
pub(super) struct Page<T> {
    /// Always there: a page without it is no empty one.
    pub(super) values: Vec<T>,
    /// The address of the next page; the last one has none.
    pub(super) next: Option<String>,
    /// How long the whole list is, if Bitbucket says so.
    pub(super) size: Option<u64>,
}

/// `GET /2.0/user/workspaces`.
#[derive(Deserialize)]
pub(super) struct WorkspaceEntry {
    pub(super) workspace: Named,
}

/// What stands in an address for something; also `GET /2.0/workspaces/{workspace}`.
#[derive(Deserialize)]
pub(super) struct Named {
    pub(super) slug: Option<String>,
    pub(super) uuid: Option<String>,
}

impl Named {
    /// The slug, or the uuid in its braces.
    pub(super) fn name(&self) -> Option<&str> {
        [&self.slug, &self.uuid].into_iter().flatten().map(String::as_str).find(|name| !name.is_empty())
    }
}

/// `GET /2.0/workspaces/{workspace}`.
#[derive(Deserialize)]
pub(super) struct WorkspaceAnswer {
    pub(super) uuid: Option<String>,
    pub(super) slug: Option<String>,
    pub(super) name: Option<String>,
}

/// `GET /2.0/repositories/{workspace}`, and one of them.
#[derive(Deserialize)]
pub(super) struct RepositoryEntry {
    pub(super) uuid: Option<String>,
    pub(super) name: Option<String>,
    /// The slugs of workspace and repository.
    pub(super) full_name: Option<String>,
    pub(super) scm: Option<String>,
    /// Nothing if the repository is empty.
    pub(super) mainbranch: Option<BranchEntry>,
    pub(super) updated_on: Option<String>,
    pub(super) project: Option<ProjectEntry>,
    pub(super) workspace: Option<Named>,
}

#[derive(Deserialize)]
pub(super) struct BranchEntry {
    pub(super) name: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct ProjectEntry {
    pub(super) key: Option<String>,
}

/// `GET /2.0/workspaces/{workspace}/permissions`, and `GET /2.0/user/workspaces/{workspace}/permission`.
#[derive(Deserialize)]
pub(super) struct MembershipEntry {
    /// `owner`, `create-project`, `collaborator` or `member`.
    pub(super) permission: Option<String>,
    pub(super) user: Option<PersonEntry>,
    pub(super) workspace: Option<Named>,
}

/// `GET /2.0/workspaces/{workspace}/permissions/repositories`, and those of the person who asks.
#[derive(Deserialize)]
pub(super) struct RightEntry {
    /// `read`, `write` or `admin`.
    pub(super) permission: Option<String>,
    pub(super) user: Option<PersonEntry>,
    pub(super) repository: Option<Named>,
}

#[derive(Deserialize)]
pub(super) struct PersonEntry {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) uuid: Option<String>,
    pub(super) nickname: Option<String>,
    pub(super) display_name: Option<String>,
}

/// `GET /2.0/repositories/{workspace}/{repository}/src/{commit}/{path}?format=meta`.
#[derive(Deserialize)]
pub(super) struct FileAnswer {
    /// `commit_file` or `commit_directory`.
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
}

/// A webhook of a workspace or a repository.
#[derive(Deserialize)]
pub(super) struct WebhookEntry {
    pub(super) uuid: Option<String>,
    pub(super) url: Option<String>,
    #[serde(default)]
    pub(super) active: bool,
    #[serde(default)]
    pub(super) events: Vec<String>,
    #[serde(default)]
    pub(super) secret_set: bool,
}

/// What is read of a delivery.
#[derive(Deserialize)]
pub(super) struct DeliveryBody {
    pub(super) repository: Option<Named>,
}
