//! Settings > Log: who changed what in an organization.

use crate::{
    error::PageError,
    frame::{Frame, home},
    page::Page,
};
use askama::Template;
use axum::{
    Router,
    extract::{Path, Query, State},
    routing::get,
};
use stave_app::App;
use stave_domain::{log::LogEntry, organization::Organization};

pub(crate) fn router() -> Router<App> {
    Router::new().route("/orgs/{organization}/settings/log", get(list))
}

#[derive(Template)]
#[template(path = "log.html")]
struct OrganizationLog {
    frame: Frame,
    organization: Organization,
    home: String,
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

/// `GET /orgs/{organization}/settings/log`
async fn list(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
    Query(query): Query<LogQuery>,
) -> Result<Page<OrganizationLog>, PageError> {
    let before = query.before.parse().ok();
    let (organization, entries, more) = app.organization_log_list(&frame.actor, &short_name, before).await?;
    let home = home(&organization);
    let last = entries.last().filter(|_| more);
    let older = last.map(|entry| format!("{home}/settings/log?before={}", entry.id));
    let newest = before.is_some().then(|| format!("{home}/settings/log"));
    Ok(Page(OrganizationLog { frame, organization, home, entries, newest, older }))
}
