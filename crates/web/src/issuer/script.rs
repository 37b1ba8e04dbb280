//! The script that a site loads which has only HTML: it shows who is signed in, and signs in and out. It does not protect anything.

use axum::{
    Router,
    http::{
        HeaderName,
        header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
    },
    response::IntoResponse,
    routing::get,
};
use stave_app::App;

const SCRIPT: &str = include_str!("../../static/site.js");

pub(crate) fn router() -> Router<App> {
    Router::new().route("/w/{slug}/site.js", get(show))
}

/// `GET /w/{slug}/site.js`: the same for every website; the script reads from its own address which one it is for. Any site may
/// load it, and a new version is there within an hour.
async fn show() -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (CACHE_CONTROL, "public, max-age=3600"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ];
    (headers, SCRIPT)
}
