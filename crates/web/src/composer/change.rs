//! `metadata/changes.json`: what changed, for others that mirror the repository.

use super::{ReadBy, answer};
use crate::error::ApiError;
use axum::{
    Json,
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use stave_app::{App, ChangeAction};
use url::form_urlencoded::parse;

/// `GET /repo/{organization}/metadata/changes.json?since=`: ten-thousandths of a second since 1970, as the answer before named
/// them. Without, it is the answer itself that names them.
pub(super) async fn changes(
    State(app): State<App>,
    ReadBy(reader): ReadBy,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let query = query.unwrap_or_default();
    let since =
        parse(query.as_bytes()).find(|(key, _)| key == "since").and_then(|(_, value)| value.parse().ok());
    let feed = app.composer_changes(&reader, since).await?;
    let Some(actions) = feed.actions else {
        let error = "Say since when, in ten-thousandths of a second since 1970: begin with the timestamp of this answer.";
        let body = json!({ "error": error, "timestamp": feed.timestamp });
        return Ok((StatusCode::BAD_REQUEST, Json(body)).into_response());
    };
    let actions: Vec<Value> = actions.iter().map(action).collect();
    let body = json!({ "actions": actions, "timestamp": feed.timestamp });
    Ok(answer::fresh(&headers, body.to_string().into_bytes()))
}

fn action(action: &ChangeAction) -> Value {
    json!({ "type": action.kind.key(), "package": action.package, "time": action.at.as_second() })
}
