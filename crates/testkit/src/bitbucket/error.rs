//! Refusals of the API: `{"type": "error", "error": {...}}`.

use crate::common::fault::GONE;
use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

/// A refusal.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    error: Value,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, error: json!({"message": message.into()}) }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(crate) fn unauthorized(message: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, message)
    }

    pub(crate) fn forbidden(message: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// Not there, or not visible: the answer is the same.
    pub(crate) fn no_repository() -> Self {
        Self::not_found(
            "You may not have access to this repository or it no longer exists in this workspace.",
        )
    }

    /// The credential lacks a scope; `detail` is an object here and a text elsewhere.
    pub(crate) fn scope(required: &str, granted: &[String]) -> Self {
        let message = "Your credentials lack one or more required privilege scopes.";
        let detail = json!({"required": [required], "granted": granted});
        Self { status: StatusCode::FORBIDDEN, error: json!({"message": message, "detail": detail}) }
    }

    /// An endpoint across workspaces that went away on 14 April 2026.
    pub(crate) fn gone() -> Self {
        let said: Value = serde_json::from_str(GONE).expect("it is JSON");
        Self { status: StatusCode::GONE, error: said["error"].clone() }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.status, Json(json!({"type": "error", "error": self.error}))).into_response()
    }
}
