//! Files at a commit.

use super::{caller::Caller, error::ApiError, listing::Listing, state::Fake};
use crate::Level;
use axum::{
    body::Body,
    extract::{Path, State as Extract},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use std::sync::Arc;

/// `GET /rest/api/1.0/projects/{key}/repos/{slug}/raw/{path}?at=`: the bytes of a file; without `at`, on the default branch
pub(crate) async fn raw(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path((key, slug, path)): Path<(String, String, String)>,
    listing: Listing,
) -> Result<Response, ApiError> {
    let record = caller.repository(&fake.state(), (&key, &slug), Level::Read)?.clone();
    let at = listing.parameter("at").unwrap_or("HEAD");
    if let Some(sketch) = record.sketch_only(&fake).filter(|_| at == "HEAD") {
        if sketch.commit().is_none() {
            return Err(no_default_branch());
        }
        let content = sketch.content(&path).ok_or_else(|| no_path(&path))?;
        return Ok(file(content.to_owned().into_bytes()));
    }
    let git = record.bare(&fake);
    let commit = git.resolve(&format!("{at}^{{commit}}"));
    let commit = commit.ok_or_else(|| if at == "HEAD" { no_default_branch() } else { no_commit(at) })?;
    let found = git.try_git(&["cat-file", "blob", &format!("{commit}:{path}")]);
    if found.status.success() { Ok(file(found.stdout)) } else { Err(no_path(&path)) }
}

fn file(content: Vec<u8>) -> Response {
    let mut response = Body::from(content).into_response();
    let kind = HeaderValue::from_static("text/plain;charset=UTF-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn no_default_branch() -> ApiError {
    let message = "The repository has no default branch.";
    ApiError::new(StatusCode::NOT_FOUND, message, "repository.NoDefaultBranchException")
}

fn no_commit(at: &str) -> ApiError {
    let message = format!("Commit '{at}' does not exist in this repository.");
    ApiError::new(StatusCode::NOT_FOUND, &message, "commit.NoSuchCommitException")
}

fn no_path(path: &str) -> ApiError {
    let message = format!("The path \"{path}\" does not exist at this revision.");
    ApiError::new(StatusCode::NOT_FOUND, &message, "content.NoSuchPathException")
}
