//! Bells that others ring: a webhook says that something changed, never what.

use crate::error::ApiError;
use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::json;
use stave_app::{App, Failure, Ring};
use stave_domain::Secret;

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/hooks/repositories/{repository}/{secret}", post(ring))
        // As it was called when a package was its repository. They had the same id, and hooks are still set to it.
        .route("/hooks/packages/{repository}/{secret}", post(ring))
        .route("/hooks/synchronizations/{synchronization}", post(ring_signed))
}

/// `POST /hooks/repositories/{repository}/{secret}`. The body is read to its end, so that the caller can send it, and not used.
async fn ring(
    State(app): State<App>,
    Path((repository, secret)): Path<(String, String)>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    body.map_err(|_| too_large())?;
    let repository = repository.parse().map_err(|_| Failure::NotFound("hook"))?;
    app.hook_ring(repository, &Secret::new(secret)).await?;
    Ok(accepted())
}

/// `POST /hooks/synchronizations/{synchronization}`: what Bitbucket delivers, signed.
async fn ring_signed(
    State(app): State<App>,
    Path(synchronization): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let body = body.map_err(|_| too_large())?;
    let id = synchronization.parse().map_err(|_| Failure::NotFound("webhook"))?;
    let header = |name: &str| Some(headers.get(name)?.to_str().ok()?.to_owned());
    let signature = header("x-hub-signature");
    let ring = Ring { signature: signature.as_deref(), body: &body };
    app.webhook_ring(id, ring, &header).await?;
    Ok(accepted())
}

fn accepted() -> Response {
    (StatusCode::ACCEPTED, Json(json!({ "status": "accepted" }))).into_response()
}

fn too_large() -> ApiError {
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "A webhook's body has at most 1 MiB.")
}
