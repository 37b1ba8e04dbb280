//! The files of the repository.

use super::{
    Composer1, document,
    state::{Fake, State, http_date},
};
use axum::{
    body::Body,
    extract::{Path, State as Extract},
    http::{HeaderMap, Response, StatusCode, header},
};
use serde_json::{Map, Value, json};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::sync::Arc;

type Answer = Response<Body>;

/// `GET /packages.json`
pub(super) async fn root(Extract(fake): Extract<Arc<Fake>>) -> Answer {
    let state = fake.state();
    let mut root = match state.composer1 {
        None => modern(&fake, &state),
        Some(Composer1::Lazy) => json!({"packages": [], "providers-lazy-url": "/p1/%package%.json"}),
        Some(Composer1::Hashed) => json!({
            "packages": [],
            "providers-url": "/p/%package%$%hash%.json",
            "provider-includes": {"p/all$%hash%.json": {"sha256": hash::<Sha256>(&listed(&state))}},
        }),
        Some(Composer1::Included) => {
            let file = included(&state);
            json!({"packages": [], "includes": {format!("include/all${}.json", hash::<Sha1>(&file)): {"sha1": hash::<Sha1>(&file)}}})
        }
        Some(Composer1::Inline) => all(&state),
    };
    let keys = root.as_object_mut().expect("packages.json is an object");
    keys.extend(state.root_keys.clone());
    keys.retain(|_, value| !value.is_null());
    drop(state);
    json_answer(root.to_string())
}

fn modern(fake: &Fake, state: &State) -> Value {
    let mut root = json!({
        "packages": [],
        "metadata-url": "/p2/%package%.json",
        "metadata-changes-url": "/metadata/changes.json",
        "notify-batch": format!("{}/downloads/", fake.base),
        "security-advisories": {"metadata": true, "api-url": format!("{}/api/security-advisories/", fake.base)},
        "filter": {"metadata": true, "lists": {"malware": {"enabled": true}}, "summary-url": "/filter/summary.json",
            "api-url": "/api/filter"},
    });
    if state.tells_names {
        let names = state.packages.keys().filter(|name| state.present(name).is_some());
        root["available-packages"] = names.cloned().collect();
    }
    root
}

/// `GET /p2/{vendor}/{name}.json`, `GET /p2/{vendor}/{name}~dev.json`
pub(super) async fn metadata(
    Extract(fake): Extract<Arc<Fake>>,
    Path((vendor, file)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    let state = fake.state();
    let file = file.strip_suffix(".json").unwrap_or(&file);
    let (name, is_dev) = file.strip_suffix("~dev").map_or((file, false), |name| (name, true));
    let name = format!("{vendor}/{name}");
    let found = state.present(&name).filter(|_| state.composer1.is_none());
    let file = found.and_then(|package| {
        Some((document::metadata(&name, package, is_dev)?, package.modified[usize::from(is_dev)]))
    });
    match file {
        Some((file, modified)) => dated(&state, &file, modified, &headers),
        None => not_found(),
    }
}

/// `GET /p1/{vendor}/{name}.json`
pub(super) async fn lazy(
    Extract(fake): Extract<Arc<Fake>>,
    Path((vendor, file)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    let state = fake.state();
    let name = format!("{vendor}/{}", file.strip_suffix(".json").unwrap_or(&file));
    match state.present(&name).filter(|_| state.composer1 == Some(Composer1::Lazy)) {
        Some(package) => {
            let file = json!({"packages": {&name: document::versions(package)}});
            dated(&state, &file, package.modified.into_iter().max().unwrap_or_default(), &headers)
        }
        None => not_found(),
    }
}

/// `GET /p/{vendor}/{name}${sha256}.json`: only what it is now.
pub(super) async fn hashed(
    Extract(fake): Extract<Arc<Fake>>,
    Path((vendor, file)): Path<(String, String)>,
) -> Answer {
    let state = fake.state();
    let Some((name, hash)) = file.strip_suffix(".json").and_then(|file| file.split_once('$')) else {
        return not_found();
    };
    let file = provider(&state, &format!("{vendor}/{name}"));
    file.filter(|file| self::hash::<Sha256>(file) == hash).map_or_else(not_found, json_answer)
}

/// `GET /p/all${sha256}.json`
pub(super) async fn list(Extract(fake): Extract<Arc<Fake>>, Path(file): Path<String>) -> Answer {
    let list = listed(&fake.state());
    if file == format!("all${}.json", hash::<Sha256>(&list)) { json_answer(list) } else { not_found() }
}

/// `GET /include/all${sha1}.json`
pub(super) async fn include(Extract(fake): Extract<Arc<Fake>>, Path(file): Path<String>) -> Answer {
    let all = included(&fake.state());
    if file == format!("all${}.json", hash::<Sha1>(&all)) { json_answer(all) } else { not_found() }
}

/// `GET /dists/{vendor}/{name}/{number}.zip`
pub(super) async fn dist(
    Extract(fake): Extract<Arc<Fake>>,
    Path((vendor, name, file)): Path<(String, String, String)>,
) -> Answer {
    match fake.state().archives.get(&format!("/dists/{vendor}/{name}/{file}")) {
        Some(bytes) => answer(StatusCode::OK, "application/zip", bytes.clone()),
        None => not_found(),
    }
}

/// The file of a package in Composer 1; there is nobody else in it who provides or replaces it.
fn provider(state: &State, name: &str) -> Option<String> {
    let package = state.present(name)?;
    Some(json!({"packages": {name: document::versions(package)}}).to_string())
}

fn listed(state: &State) -> String {
    let mut providers = Map::new();
    for name in state.packages.keys() {
        if let Some(file) = provider(state, name) {
            providers.insert(name.clone(), json!({"sha256": hash::<Sha256>(&file)}));
        }
    }
    json!({"providers": providers}).to_string()
}

fn all(state: &State) -> Value {
    let mut packages = Map::new();
    for name in state.packages.keys() {
        if let Some(package) = state.present(name) {
            packages.insert(name.clone(), document::versions(package));
        }
    }
    json!({"packages": packages})
}

fn included(state: &State) -> String {
    all(state).to_string()
}

fn hash<D: Digest>(text: &str) -> String {
    hex::encode(D::digest(text))
}

/// A file that clients ask for again only if it has changed.
fn dated(state: &State, file: &Value, modified: i64, headers: &HeaderMap) -> Answer {
    if state.hides_times {
        return json_answer(file.to_string());
    }
    let modified = http_date(modified);
    let is_known = headers.get(header::IF_MODIFIED_SINCE).is_some_and(|seen| *seen == *modified);
    let mut answer = if is_known { Response::new(Body::empty()) } else { json_answer(file.to_string()) };
    if is_known {
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
    }
    answer.headers_mut().insert(header::LAST_MODIFIED, modified.parse().expect("a date is a header"));
    answer
}

pub(super) fn json_answer(text: String) -> Answer {
    answer(StatusCode::OK, "application/json", text.into_bytes())
}

pub(super) fn not_found() -> Answer {
    answer(
        StatusCode::NOT_FOUND,
        "text/html; charset=utf-8",
        b"<html><title>404 Not Found</title></html>".to_vec(),
    )
}

pub(super) fn answer(status: StatusCode, kind: &'static str, bytes: Vec<u8>) -> Answer {
    let mut answer = Response::new(Body::from(bytes));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    answer
}
