//! What an application is told when it gets nothing: the JSON of the standards (RFC 6749, section 5.2).

use crate::{error::causes, layers::kept_headers, request::RequestId};
use axum::{
    Json,
    extract::Request,
    http::{
        HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::json;
use stave_app::{CallRefused, Failure};
use std::sync::Arc;

/// A failure on its way to an application.
#[derive(Debug, Clone)]
pub(crate) struct OAuthError {
    status: StatusCode,
    code: &'static str,
    description: String,
    /// What the application has to show: `WWW-Authenticate`.
    challenge: Option<HeaderValue>,
    /// In seconds.
    retry_after: Option<i64>,
    cause: Option<Arc<Failure>>,
}

impl OAuthError {
    /// A failure that only this room knows: a wrong method, a body that cannot be read.
    pub(crate) fn new(status: StatusCode, code: &'static str, description: impl Into<String>) -> Self {
        let description = description.into();
        Self { status, code, description, challenge: None, retry_after: None, cause: None }
    }

    /// A request that cannot be read.
    pub(super) fn unread(description: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", description)
    }

    /// The same failure with what has to be shown instead, if it is about that.
    pub(super) fn asking_for(mut self, challenge: &str) -> Self {
        if matches!(self.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) && !challenge.is_empty() {
            self.challenge = challenge.parse().ok();
        }
        self
    }

    fn log(&self) {
        let causes = self.cause.as_deref().map(|failure| causes(failure)).unwrap_or_default();
        if self.status.is_server_error() {
            tracing::error!(sentence = self.description, causes, "failed");
        } else {
            tracing::debug!(sentence = self.description, causes, "refused");
        }
    }

    fn show(self, id: RequestId) -> Response {
        self.log();
        let description = if self.status.is_server_error() {
            format!("{} (Request {id}.)", self.description)
        } else {
            self.description
        };
        let body = Json(json!({ "error": self.code, "error_description": plain(&description) }));
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if let Some(challenge) = self.challenge {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

impl From<Failure> for OAuthError {
    fn from(failure: Failure) -> Self {
        let (status, code) = match &failure {
            Failure::NotFound(_) | Failure::Absent(_) => (StatusCode::NOT_FOUND, "invalid_request"),
            Failure::Internal(_) | Failure::Disk(_) => (StatusCode::INTERNAL_SERVER_ERROR, "server_error"),
            _ => (StatusCode::BAD_REQUEST, "invalid_request"),
        };
        let description = failure.to_string();
        Self { cause: Some(Arc::new(failure)), ..Self::new(status, code, description) }
    }
}

impl From<CallRefused> for OAuthError {
    fn from(refused: CallRefused) -> Self {
        match refused {
            CallRefused::Wrong(error) if error.code == "invalid_client" => {
                Self::new(StatusCode::UNAUTHORIZED, error.code, error.description)
            }
            CallRefused::Wrong(error) => Self::new(StatusCode::BAD_REQUEST, error.code, error.description),
            CallRefused::TooOften(wait) => Self {
                retry_after: Some(wait.as_secs().max(1)),
                ..Self::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    "temporarily_unavailable",
                    "There were too many failures. Try again later.",
                )
            },
            CallRefused::Failed(failure) => failure.into(),
        }
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Turns an [`OAuthError`] into its JSON; headers such as `Allow` stay.
pub(crate) async fn show_oauth_errors(request: Request, next: Next) -> Response {
    let id = RequestId::of(request.extensions());
    let mut response = next.run(request).await;
    match response.extensions_mut().remove::<OAuthError>() {
        Some(error) => {
            let headers = kept_headers(&mut response);
            (headers, error.show(id)).into_response()
        }
        None => response,
    }
}

/// What may stand in a description: ASCII without quotes and backslashes (RFC 6749, section 5.2).
fn plain(text: &str) -> String {
    let is_plain = |c: &char| (' '..='~').contains(c) && !matches!(c, '"' | '\\');
    text.chars().filter(is_plain).collect()
}

/// A JSON answer that nobody else may keep.
pub(super) fn answer(body: &serde_json::Value) -> Response {
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")];
    (headers, [("pragma", "no-cache")], body.to_string()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_machine_cannot_do_is_no_fault_of_the_client() {
        for failure in
            [Failure::Disk(std::io::ErrorKind::StorageFull.into()), Failure::internal("the database failed")]
        {
            let error = OAuthError::from(failure);
            assert_eq!((error.status, error.code), (StatusCode::INTERNAL_SERVER_ERROR, "server_error"));
        }
    }
}
