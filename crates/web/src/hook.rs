//! Bells that others ring: a webhook says that something changed, never what.

use crate::error::ApiError;
use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State, rejection::BytesRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::json;
use stave_app::{App, Failure};
use stave_domain::Secret;

pub(crate) fn router() -> Router<App> {
    Router::new().route("/hooks/packages/{package}/{secret}", post(ring))
}

/// `POST /hooks/packages/{package}/{secret}`. The body is read to its end, so that the caller can send it, and not used.
async fn ring(
    State(app): State<App>,
    Path((package, secret)): Path<(String, String)>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    body.map_err(|_| ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "A webhook's body has at most 1 MiB."))?;
    let package = package.parse().map_err(|_| Failure::NotFound("hook"))?;
    app.hook_ring(package, &Secret::new(secret)).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "status": "accepted" }))).into_response())
}
