//! Uploads by machines: a token of an organization that may update, and the file as the body.

use super::body;
use crate::{error::ApiError, request::caller_address};
use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Path, Query, Request, State},
    http::{
        HeaderValue, StatusCode,
        header::{AUTHORIZATION, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::json;
use stave_app::{App, ArtifactPush, Failure};
use stave_domain::token::in_authorization;

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/api/packages/artifacts/", post(push))
        .route("/api/packages/{vendor}/{name}/artifacts/", post(push_to))
        .layer(DefaultBodyLimit::disable())
}

/// What may stand in the address.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct PushQuery {
    /// Where composer.json names none.
    version: String,
    /// `1` or `true` if it takes the place of what is there.
    replace: String,
}

impl PushQuery {
    fn push(self, package: Option<String>) -> ArtifactPush {
        let may_replace = matches!(self.replace.as_str(), "1" | "true" | "yes" | "on");
        ArtifactPush { package, version: self.version, may_replace }
    }
}

/// `POST /api/packages/artifacts/`: a package of whatever name, new or not.
async fn push(
    State(app): State<App>,
    Query(query): Query<PushQuery>,
    request: Request,
) -> Result<Response, ApiError> {
    Ok(pushed(&app, query.push(None), request).await)
}

/// `POST /api/packages/{vendor}/{name}/artifacts/`: a version of a package that is there.
async fn push_to(
    State(app): State<App>,
    Path((vendor, name)): Path<(String, String)>,
    Query(query): Query<PushQuery>,
    request: Request,
) -> Result<Response, ApiError> {
    Ok(pushed(&app, query.push(Some(format!("{vendor}/{name}"))), request).await)
}

async fn pushed(app: &App, push: ArtifactPush, request: Request) -> Response {
    match take(app, push, request).await {
        Ok(answer) => answer,
        Err(Failure::LogInNeeded) => token_needed(),
        Err(failure) => ApiError::from(failure).into_response(),
    }
}

async fn take(app: &App, push: ArtifactPush, request: Request) -> Result<Response, Failure> {
    let (parts, body) = request.into_parts();
    let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let shown = header.and_then(in_authorization);
    // Before the first byte of the file is read.
    let (reader, upload) =
        app.artifact_push_begin(shown.as_ref(), caller_address(&parts, app), &push).await?;
    let upload = body::whole(&parts.headers, body, upload).await?;
    let pushed = app.artifact_push(&reader, upload, &push).await?;
    let status = if pushed.is_changed { StatusCode::CREATED } else { StatusCode::OK };
    let answer = json!({
        "id": pushed.id.to_string(),
        "package": { "id": pushed.package_id.to_string(), "name": pushed.name.as_str() },
        "name": pushed.name.as_str(),
        "version": pushed.version,
        "shasum": pushed.shasum,
    });
    Ok((status, Json(answer)).into_response())
}

fn token_needed() -> Response {
    let sentence = "Send a token of the organization that may update, as password of Basic or as Bearer: Settings > Authentication Tokens.";
    let challenge = [(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"Stave\""))];
    (challenge, ApiError::new(StatusCode::UNAUTHORIZED, sentence)).into_response()
}
