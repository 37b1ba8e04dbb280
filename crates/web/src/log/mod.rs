//! The Log: who did what, when and from where. That of an organization is in its settings, that of the installation in the
//! Admin section.

mod export;
mod query;
#[cfg(test)]
mod tests;

use crate::{
    error::PageError,
    frame::{Frame, home},
    page::{Page, Refused},
};
use askama::Template;
use axum::{
    Router,
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
    routing::get,
};
use query::LogQuery;
use stave_app::{App, Level, LogPage, Problems};
use stave_domain::{log::LogEntry, organization::Organization};

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/admin/log", get(list))
        .route("/admin/log.csv", get(export::csv))
        .route("/admin/log.jsonl", get(export::json_lines))
        .route("/orgs/{organization}/settings/log", get(list))
        .route("/orgs/{organization}/settings/log.csv", get(export::csv))
        .route("/orgs/{organization}/settings/log.jsonl", get(export::json_lines))
}

/// Whose Log the address names; nobody's is that of the installation.
#[derive(serde::Deserialize)]
struct Named {
    organization: Option<String>,
}

impl Named {
    fn level(self) -> Level {
        self.organization.map_or(Level::Installation, Level::Organization)
    }
}

#[derive(Template)]
#[template(path = "log.html")]
struct LogList {
    frame: Frame,
    /// Whose Log; `None` is the installation.
    organization: Option<Organization>,
    entries: Vec<LogEntry>,
    query: LogQuery,
    problems: Problems,
    newest: Option<String>,
    older: Option<String>,
}

impl LogList {
    fn of(frame: Frame, page: LogPage, query: LogQuery) -> Self {
        let base = base(page.organization.as_ref());
        let last = page.entries.last().filter(|_| page.has_more);
        Self {
            frame,
            problems: Problems::default(),
            newest: (!query.before.is_empty()).then(|| query.at(&base, None)),
            older: last.map(|last| query.at(&base, Some(last.id))),
            organization: page.organization,
            entries: page.entries,
            query,
        }
    }

    fn base(&self) -> String {
        base(self.organization.as_ref())
    }

    /// The address of an export of what is looked for.
    fn export(&self, ending: &str) -> String {
        self.query.at(&format!("{}.{ending}", self.base()), None)
    }

    /// From where, in words: Stave itself is nowhere, and old lines do not know.
    fn from(entry: &LogEntry) -> &str {
        match (entry.address.as_str(), entry.user_id) {
            ("", None) if entry.actor == "Stave" => "Stave",
            ("", _) => "not known",
            (address, _) => address,
        }
    }
}

fn base(organization: Option<&Organization>) -> String {
    organization.map_or_else(|| "/admin/log".into(), |it| format!("{}/settings/log", home(it)))
}

/// `GET /admin/log`, `GET /orgs/{organization}/settings/log`
async fn list(
    State(app): State<App>,
    frame: Frame,
    Path(named): Path<Named>,
    Query(query): Query<LogQuery>,
) -> Result<Response, PageError> {
    let level = named.level();
    match query.filter() {
        Ok(filter) => {
            let page = app.log_list(&frame.actor, &level, &filter, query.before.parse().ok()).await?;
            Ok(Page(LogList::of(frame, page, query)).into_response())
        }
        Err(problems) => {
            let organization = app.log_owner(&frame.actor, &level).await?;
            let page = LogPage { organization, entries: Vec::new(), has_more: false };
            Ok(Refused(LogList { problems, ..LogList::of(frame, page, query) }).into_response())
        }
    }
}
