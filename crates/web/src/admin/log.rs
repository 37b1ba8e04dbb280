//! The Log of the installation: every change that an admin made, and registrations.

use crate::{error::PageError, frame::Frame, page::Page};
use askama::Template;
use axum::{
    Router,
    extract::{Query, State},
    routing::get,
};
use stave_app::App;
use stave_domain::log::LogEntry;

pub(super) fn router() -> Router<App> {
    Router::new().route("/admin/log", get(list))
}

#[derive(Template)]
#[template(path = "admin/log.html")]
struct LogPage {
    frame: Frame,
    entries: Vec<LogEntry>,
    newest: Option<String>,
    older: Option<String>,
}

#[derive(serde::Deserialize)]
struct LogQuery {
    /// The id of the line before which the page begins.
    #[serde(default)]
    before: String,
}

/// `GET /admin/log`
async fn list(
    State(app): State<App>,
    frame: Frame,
    Query(query): Query<LogQuery>,
) -> Result<Page<LogPage>, PageError> {
    let before = query.before.parse().ok();
    let (entries, more) = app.log_list(&frame.actor, before).await?;
    let last = entries.last().filter(|_| more);
    let older = last.map(|entry| format!("/admin/log?before={}", entry.id));
    let newest = before.is_some().then(|| "/admin/log".to_owned());
    Ok(Page(LogPage { frame, entries, newest, older }))
}
