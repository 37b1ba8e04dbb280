//! Files at a commit.

use super::{
    caller::Caller, collection::Listing, error::ApiError, permission::Level, reference::commit_hash,
    scope::REPOSITORY, state::Fake,
};
use crate::git::BareRepository;
use axum::{
    body::Body,
    extract::{Path, State as Extract},
    http::{HeaderValue, header},
    response::{IntoResponse as _, Redirect, Response},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use std::sync::Arc;

/// `GET /2.0/repositories/{workspace}/{repository}/src`: goes on to the root of the default branch
pub(crate) async fn root(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path((workspace, id)): Path<(String, String)>,
) -> Result<Redirect, ApiError> {
    let repository = caller.repository(&workspace, &id, REPOSITORY, Level::Read)?;
    let hash = commit_hash(&repository.bare(&fake), "HEAD")?;
    Ok(Redirect::to(&fake.api(&format!("/repositories/{}/src/{hash}/", repository.full_name(&fake.state())))))
}

/// `GET /2.0/repositories/{workspace}/{repository}/src/{commit}/`
pub(crate) async fn top(
    extract: Extract<Arc<Fake>>,
    caller: Caller,
    Path((workspace, id, commit)): Path<(String, String, String)>,
    listing: Listing,
) -> Result<Response, ApiError> {
    show(extract, caller, Path((workspace, id, commit, String::new())), listing).await
}

/// `GET /2.0/repositories/{workspace}/{repository}/src/{commit}/{path}`: the bytes of a file, or the entries of a
/// folder; with `format=meta`, what is known about either
pub(crate) async fn show(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path((workspace, id, commit, path)): Path<(String, String, String, String)>,
    listing: Listing,
) -> Result<Response, ApiError> {
    let repository = caller.repository(&workspace, &id, REPOSITORY, Level::Read)?;
    let full_name = repository.full_name(&fake.state());
    let path = path.trim_matches('/');
    let is_meta = listing.parameter("format") == Some("meta");
    if let Some(sketch) = repository.sketch_only(&fake).filter(|_| is_meta && !path.is_empty())
        && let Some(hash) = sketch.commit().filter(|hash| ["main", "HEAD", hash].contains(&commit.as_str()))
    {
        let size = sketch.content(path).ok_or_else(|| no_file(path))?.len();
        let place = Place { fake: &fake, full_name: &full_name, commit: &hash };
        return Ok(listing.object(place.file_json(path, size as u64)));
    }
    let git = repository.bare(&fake);
    let commit = commit_hash(&git, &commit)?;
    let place = Place { fake: &fake, full_name: &full_name, commit: &commit };
    let object = git.resolve(&format!("{commit}:{path}"));
    let object = object.ok_or_else(|| no_file(path))?;
    let is_folder = git.git(&["cat-file", "-t", &object]).trim() == "tree";
    match (is_folder, is_meta) {
        (false, false) => Ok(file(&git, &object, path)),
        (false, true) => Ok(listing.object(place.file_json(path, size_bytes(&git, &object)))),
        (true, true) => Ok(listing.object(place.folder_json(path))),
        (true, false) => {
            let depth = listing.parameter("max_depth").and_then(|depth| depth.parse().ok()).unwrap_or(1);
            listing.answer_uncounted(&fake, place.entries(&git, path, depth))
        }
    }
}

fn no_file(path: &str) -> ApiError {
    ApiError::not_found(format!("No such file or directory: {path}"))
}

fn file(git: &BareRepository, object: &str, path: &str) -> Response {
    let content = git.try_git(&["cat-file", "blob", object]).stdout;
    let name = path.rsplit('/').next().unwrap_or(path).replace(['"', '\\'], "_");
    let kind = match name.rsplit('.').next() {
        Some("json") => "application/json",
        Some("md") => "text/markdown",
        Some("php") => "application/x-httpd-php",
        _ => "text/plain",
    };
    let mut response = Body::from(content).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    for (header, value) in [
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (header::ETAG, format!("\"{object}\"")),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(header, value);
        }
    }
    response
}

fn size_bytes(git: &BareRepository, object: &str) -> u64 {
    git.git(&["cat-file", "-s", object]).trim().parse().unwrap_or_default()
}

/// What is encoded of a path in a link.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_');

struct Place<'a> {
    fake: &'a Fake,
    full_name: &'a str,
    commit: &'a str,
}

impl Place<'_> {
    /// What is in a folder, this many levels deep.
    fn entries(&self, git: &BareRepository, folder: &str, depth: usize) -> Vec<Value> {
        let tree = format!("{}:{folder}", self.commit);
        let listed = git.git(&["ls-tree", "-r", "-t", "-l", "-z", &tree]);
        let start = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let entry = |line: &str| {
            let (about, path) = line.split_once('\t')?;
            let [_, kind, _, size] = about.split_whitespace().collect::<Vec<_>>().try_into().ok()?;
            let full = format!("{start}{path}");
            let is_near = path.matches('/').count() < depth;
            is_near.then(|| match kind {
                "tree" => self.folder_json(&full),
                _ => self.file_json(&full, size.parse().unwrap_or_default()),
            })
        };
        listed.split('\0').filter_map(entry).collect()
    }

    fn file_json(&self, path: &str, size_bytes: u64) -> Value {
        let mut entry = self.entry_json("commit_file", path, path);
        entry["size"] = json!(size_bytes);
        entry["escaped_path"] = json!(path);
        entry
    }

    fn folder_json(&self, path: &str) -> Value {
        self.entry_json("commit_directory", path, &format!("{path}/"))
    }

    fn entry_json(&self, kind: &str, path: &str, link: &str) -> Value {
        let Self { fake, full_name, commit } = self;
        let link = utf8_percent_encode(link, PATH);
        let here = fake.api(&format!("/repositories/{full_name}/src/{commit}/{link}"));
        let meta = format!("{here}?format=meta");
        let of_commit = fake.api(&format!("/repositories/{full_name}/commit/{commit}"));
        json!({
            "type": kind,
            "path": path,
            "commit": {"type": "commit", "hash": commit, "links": {"self": {"href": of_commit}}},
            "links": {"self": {"href": here}, "meta": {"href": meta}},
        })
    }
}
