//! Branches and tags.

use super::{caller::Caller, error::ApiError, listing::Listing, state::Fake, version::Version};
use crate::{Level, git::BareRepository};
use axum::{
    Json,
    extract::{OriginalUri, Path, State as Extract},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};
use std::sync::Arc;

/// The files of a repository that the caller may read.
fn readable(fake: &Fake, caller: &Caller, at: (&str, &str)) -> Result<BareRepository, ApiError> {
    Ok(caller.repository(&fake.state(), at, Level::Read)?.bare(fake))
}

/// One branch or tag by its full name; `None` if it points to no commit.
fn to_json(git: &BareRepository, name: &str, object: &str) -> Option<Value> {
    let commit = git.resolve(&format!("{object}^{{commit}}"))?;
    let mut reference = json!({"id": name, "latestCommit": commit, "latestChangeset": commit});
    if let Some(tag) = name.strip_prefix("refs/tags/") {
        reference["displayId"] = json!(tag);
        reference["type"] = json!("TAG");
        // The tag object of an annotated tag; a lightweight one has none.
        reference["hash"] = json!(Some(object).filter(|object| *object != commit));
    } else {
        let branch = name.trim_start_matches("refs/heads/");
        reference["displayId"] = json!(branch);
        reference["type"] = json!("BRANCH");
        reference["isDefault"] = json!(branch == git.head());
    }
    Some(reference)
}

/// A commit as it stands in the payload of a push.
pub(crate) fn commit_json(git: &BareRepository, hash: &str, version: Version) -> Value {
    let shown = git.git(&["show", "--no-patch", "--format=%an%x00%ae%x00%ct%x00%P%x00%B", hash]);
    let fields: Vec<&str> = shown.split('\0').collect();
    let [name, email, seconds, parents, message] = fields[..] else { return Value::Null };
    let at = jiff::Timestamp::from_second(seconds.parse().unwrap_or_default()).unwrap_or_default();
    let instant = if version.writes_instants_as_text() {
        json!(at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string())
    } else {
        json!(at.as_millisecond())
    };
    let short = |hash: &str| json!({"id": hash, "displayId": &hash[..11]});
    let author = json!({"name": name, "emailAddress": email});
    let mut commit = short(hash);
    commit["message"] = json!(message.trim_end());
    commit["author"] = author.clone();
    commit["authorTimestamp"] = instant.clone();
    commit["committer"] = author;
    commit["committerTimestamp"] = instant;
    commit["parents"] = parents.split_whitespace().map(short).collect();
    commit
}

fn list(git: &BareRepository, prefix: &str, listing: &Listing) -> Result<Response, ApiError> {
    let filter = listing.parameter("filterText").unwrap_or_default().to_lowercase();
    let all = git.references();
    let own = all.iter().filter_map(|(name, object)| Some((name, name.strip_prefix(prefix)?, object)));
    let wanted = own.filter(|(_, short, _)| short.to_lowercase().contains(&filter));
    listing.answer(wanted, |(name, _, object)| to_json(git, name, object))
}

/// `GET /rest/api/1.0/projects/{key}/repos/{slug}/branches?filterText=`
pub(crate) async fn branches(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path((key, slug)): Path<(String, String)>,
    listing: Listing,
) -> Result<Response, ApiError> {
    list(&readable(&fake, &caller, (&key, &slug))?, "refs/heads/", &listing)
}

/// `GET /rest/api/1.0/projects/{key}/repos/{slug}/tags?filterText=`
pub(crate) async fn tags(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path((key, slug)): Path<(String, String)>,
    listing: Listing,
) -> Result<Response, ApiError> {
    list(&readable(&fake, &caller, (&key, &slug))?, "refs/tags/", &listing)
}

/// `GET /rest/api/1.0/projects/{key}/repos/{slug}/tags/{name}`
pub(crate) async fn tag(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path((key, slug, name)): Path<(String, String, String)>,
) -> Result<Json<Value>, ApiError> {
    let git = readable(&fake, &caller, (&key, &slug))?;
    let full = format!("refs/tags/{name}");
    let found = git.references().get(&full).and_then(|object| to_json(&git, &full, object));
    found.map(Json).ok_or_else(|| no_branch(&name))
}

/// `GET /rest/api/1.0/projects/{key}/repos/{slug}/branches/default`: with its commit; 204 of an empty repository
pub(crate) async fn default_with_commit(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path((key, slug)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let git = readable(&fake, &caller, (&key, &slug))?;
    let references = git.references();
    if references.is_empty() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let full = format!("refs/heads/{}", git.head());
    let found = references.get(&full).and_then(|object| to_json(&git, &full, object));
    found.map(|found| Json(found).into_response()).ok_or_else(|| no_branch(&full))
}

/// `GET /rest/api/1.0/projects/{key}/repos/{slug}/default-branch`: as it is configured; 404 if it is not there
pub(crate) async fn default(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Path((key, slug)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    if !fake.state().version.has_default_branch() {
        return Err(ApiError::no_resource(uri.path()));
    }
    let git = readable(&fake, &caller, (&key, &slug))?;
    let head = git.head();
    let full = format!("refs/heads/{head}");
    if !git.references().contains_key(&full) {
        return Err(no_branch(&full));
    }
    Ok(Json(json!({"id": full, "displayId": head, "type": "BRANCH"})))
}

fn no_branch(name: &str) -> ApiError {
    let message = format!("'{name}' does not exist in this repository.");
    ApiError::new(StatusCode::NOT_FOUND, &message, "repository.NoSuchBranchException")
}
