//! `downloads/`: what clients installed (`notify-batch`).

use super::ReadBy;
use crate::error::ApiError;
use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;
use stave_app::{App, Told};

/// What Composer sends after an install or update. What it sends besides is nobody's business.
#[derive(serde::Deserialize)]
struct Batch {
    downloads: Vec<Told>,
}

/// `POST /repo/{organization}/downloads/`: installs are counted. What is not here to be seen is passed over: lock files may name
/// versions of elsewhere. Composer looks at no answer; others may.
pub(super) async fn notify(
    State(app): State<App>,
    ReadBy(reader): ReadBy,
    body: Bytes,
) -> Result<Response, ApiError> {
    let Ok(Batch { downloads }) = serde_json::from_slice(&body) else {
        let sentence = "This is no list of installs. Send JSON like {\"downloads\": [{\"name\": \"acme/lib\", \"version\": \"1.0.0.0\"}]}.";
        return Err(ApiError::new(StatusCode::BAD_REQUEST, sentence));
    };
    let counted = app.composer_installed(&reader, &downloads).await?;
    if counted == downloads.len() {
        return Ok((StatusCode::CREATED, Json(json!({ "status": "success" }))).into_response());
    }
    let message = format!("{counted} of {} were counted; the others are not known here.", downloads.len());
    Ok(Json(json!({ "status": "partial", "message": message })).into_response())
}
