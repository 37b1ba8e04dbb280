//! Whether Stave lives and whether it can work: for load balancers and service managers.

use axum::{Router, extract::State, http::StatusCode, routing::get};
use stave_app::App;

pub(crate) fn router() -> Router<App> {
    Router::new().route("/healthz", get(alive)).route("/readyz", get(ready))
}

/// `GET /healthz`: the process answers.
async fn alive() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: the database and the blobs answer.
async fn ready(State(app): State<App>) -> (StatusCode, &'static str) {
    match app.ready().await {
        Ok(()) => (StatusCode::OK, "ok\n"),
        Err(failure) => {
            tracing::error!(
                causes = crate::error::causes(&failure),
                "the database or the blobs do not answer"
            );
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "The database or the blob store does not answer. The log of the server tells more.\n",
            )
        }
    }
}
