//! Refusals of the API: `{"errors": [{...}]}`.

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
    body: Value,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, message: &str, exception: &str) -> Self {
        let error = json!({"context": null, "message": message, "exceptionName": format!("com.atlassian.bitbucket.{exception}")});
        Self { status, body: json!({"errors": [error]}) }
    }

    /// `context` is the field that is wrong.
    pub(crate) fn invalid(context: &str, message: &str) -> Self {
        let error = json!({"context": context, "message": message, "exceptionName": null});
        Self { status: StatusCode::BAD_REQUEST, body: json!({"errors": [error]}) }
    }

    /// The credential is wrong.
    pub(crate) fn credential() -> Self {
        let message = "Authentication failed. Please check your credentials and try again.";
        Self::new(StatusCode::UNAUTHORIZED, message, "auth.IncorrectPasswordAuthenticationException")
    }

    /// Nobody in particular, or somebody without the right: Bitbucket answers both with 401.
    pub(crate) fn not_permitted() -> Self {
        let message = "You are not permitted to access this resource";
        Self::new(StatusCode::UNAUTHORIZED, message, "AuthorisationException")
    }

    pub(crate) fn no_project(key: &str) -> Self {
        let message = format!("Project {key} does not exist.");
        Self::new(StatusCode::NOT_FOUND, &message, "project.NoSuchProjectException")
    }

    pub(crate) fn no_repository(key: &str, slug: &str) -> Self {
        let message = format!("Repository {key}/{slug} does not exist.");
        Self::new(StatusCode::NOT_FOUND, &message, "repository.NoSuchRepositoryException")
    }

    pub(crate) fn no_user(slug: &str) -> Self {
        let message = format!("User '{slug}' does not exist.");
        Self::new(StatusCode::NOT_FOUND, &message, "user.NoSuchUserException")
    }

    /// A path that the REST layer does not know; it answers in another shape.
    pub(crate) fn no_resource(path: &str) -> Self {
        let body = json!({"status-code": 404, "message": format!("null for uri: {path}")});
        Self { status: StatusCode::NOT_FOUND, body }
    }

    pub(crate) fn rate_limited() -> Self {
        let message = "You are being rate limited. Please try again later.";
        Self::new(StatusCode::TOO_MANY_REQUESTS, message, "ratelimit.RateLimitedException")
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.status, Json(self.body)).into_response()
    }
}
