//! Numbers for whoever watches the machine, in the text format of Prometheus. Only counts and ages: no names, no secrets.

use crate::error::ApiError;
use axum::{
    Router,
    extract::State,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
    routing::get,
};
use stave_app::{App, Metrics};
use std::fmt::Write as _;

pub(crate) fn router() -> Router<App> {
    Router::new().route("/metrics", get(show))
}

/// `GET /metrics`
async fn show(State(app): State<App>) -> Result<Response, ApiError> {
    let metrics = app.metrics().await?;
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text(&metrics)).into_response())
}

/// The text format, version 0.0.4.
fn text(metrics: &Metrics) -> String {
    let mut text = String::new();
    gauge(&mut text, "stave_info", "The version of Stave.");
    line(&mut text, "stave_info", concat!("version=\"", env!("CARGO_PKG_VERSION"), "\""), 1);
    gauge(
        &mut text,
        "stave_jobs",
        "Jobs that run (running), wait for a free runner (due), or for their time (later).",
    );
    for count in &metrics.jobs {
        line(&mut text, "stave_jobs", &labels(&count.kind, count.state.key()), count.count);
    }
    gauge(
        &mut text,
        "stave_job_oldest_age_seconds",
        "How long ago the oldest of these jobs was put in the queue.",
    );
    for count in &metrics.jobs {
        let age = metrics.now.duration_since(count.oldest_at).as_secs().max(0).unsigned_abs();
        line(&mut text, "stave_job_oldest_age_seconds", &labels(&count.kind, count.state.key()), age);
    }
    gauge(
        &mut text,
        "stave_endpoints_failing",
        "Parts of platforms' interfaces that do not answer as they should.",
    );
    for (state, count) in [("removed", metrics.endpoints_gone), ("silent", metrics.endpoints_silent)] {
        line(&mut text, "stave_endpoints_failing", &format!("state=\"{state}\""), count);
    }
    gauge(
        &mut text,
        "stave_synchronizations",
        "Synchronizations that follow a workspace, by how their last run ended.",
    );
    for (state, count) in
        [("good", metrics.synchronizations_good), ("failing", metrics.synchronizations_failing)]
    {
        line(&mut text, "stave_synchronizations", &format!("state=\"{state}\""), count);
    }
    text
}

fn gauge(text: &mut String, name: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
}

fn line(text: &mut String, name: &str, labels: &str, value: u64) {
    let _ = writeln!(text, "{name}{{{labels}}} {value}");
}

/// What the queue calls a kind is letters and dashes; a newer Stave may have written anything.
fn labels(kind: &str, state: &str) -> String {
    let kind: String =
        kind.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
    format!("kind=\"{kind}\",state=\"{state}\"")
}
