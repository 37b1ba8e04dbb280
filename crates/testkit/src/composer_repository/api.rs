//! The interfaces beside the files.

use super::{
    files::{answer, json_answer},
    state::Fake,
};
use axum::{
    body::{Body, Bytes},
    extract::{RawQuery, State as Extract},
    http::{Response, StatusCode},
};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use url::form_urlencoded;

/// `GET /metadata/changes.json?since=`: ten-thousandths of a second; the changes at that time are in the answer.
pub(super) async fn changes(Extract(fake): Extract<Arc<Fake>>, RawQuery(query): RawQuery) -> Response<Body> {
    let mut state = fake.state();
    let now = state.tick();
    let query = query.unwrap_or_default();
    let since = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "since");
    let Some(since) =
        since.and_then(|(_, value)| value.parse::<i64>().ok()).filter(|since| *since > 1_000_000_000_000)
    else {
        let body = json!({"error": "Invalid or missing \"since\" query parameter", "timestamp": now});
        return answer(StatusCode::BAD_REQUEST, "application/json", body.to_string().into_bytes());
    };
    let first = state.changes.first().map_or(now, |change| change.at);
    let actions: Vec<Value> = if since < first {
        vec![json!({"type": "resync", "package": "*", "time": now / 10_000})]
    } else {
        let new = state.changes.iter().filter(|change| change.at >= since);
        new.map(|change| json!({"type": change.kind, "package": change.file, "time": change.at / 10_000}))
            .collect()
    };
    json_answer(json!({"actions": actions, "timestamp": now}).to_string())
}

/// `POST /api/security-advisories/`, `GET /api/security-advisories/?packages[]=`
pub(super) async fn advisories(
    Extract(fake): Extract<Arc<Fake>>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response<Body> {
    let query = query.unwrap_or_default();
    let pairs = form_urlencoded::parse(query.as_bytes()).chain(form_urlencoded::parse(&body));
    let state = fake.state();
    let mut found = Map::new();
    for (_, name) in pairs.filter(|(key, _)| key.starts_with("packages[")) {
        if let Some(package) = state.present(&name) {
            found.insert(name.into_owned(), json!(package.advisories));
        }
    }
    // PHP writes an empty object as `[]`.
    json_answer(
        if found.is_empty() { json!({"advisories": []}) } else { json!({"advisories": found}) }.to_string(),
    )
}

/// `POST /api/filter`
pub(super) async fn filter(Extract(fake): Extract<Arc<Fake>>, body: Bytes) -> Response<Body> {
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let names = asked["packages"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let state = fake.state();
    let mut entries = Vec::new();
    for name in names.filter_map(|name| name.strip_prefix("pkg://composer/")) {
        for entry in state.present(name).into_iter().flat_map(|package| &package.malware) {
            let mut entry = entry.clone();
            entry["package"] = json!(name);
            entries.push(entry);
        }
    }
    json_answer(json!({"filter": {"malware": entries}}).to_string())
}

/// `GET /filter/summary.json`
pub(super) async fn filter_summary(Extract(fake): Extract<Arc<Fake>>) -> Response<Body> {
    let mut listed = Map::new();
    for (name, package) in &fake.state().packages {
        let constraints: Vec<_> =
            package.malware.iter().filter_map(|entry| entry["constraint"].as_str()).collect();
        if !constraints.is_empty() {
            listed.insert(name.clone(), json!(constraints.join("|")));
        }
    }
    json_answer(json!({"filter": {"malware": listed}}).to_string())
}

/// `POST /downloads/`
pub(super) async fn notify(Extract(fake): Extract<Arc<Fake>>, body: Bytes) -> Response<Body> {
    let told: Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let downloads = told["downloads"].as_array().into_iter().flatten();
    let downloads = downloads.map(|download| (text(&download["name"]), text(&download["version"])));
    fake.state().notified.extend(downloads);
    answer(StatusCode::CREATED, "application/json", b"{\"status\":\"success\"}".to_vec())
}
