//! The Log to take along: as a table (RFC 4180), and as JSON lines. It is sent while it is read.

use super::{Named, query::LogQuery};
use crate::{actor::By, csv, error::PageError};
use axum::{
    body::Body,
    extract::{Path, Query, State},
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use futures::{StreamExt as _, TryStreamExt as _, future::ready, stream};
use stave_app::{Actor, App, Failure, Level, Problems};
use stave_domain::log::LogEntry;

const COLUMNS: [&str; 4] = ["when", "who", "what", "address"];

/// `GET /admin/log.csv`, `GET /orgs/{organization}/settings/log.csv`
pub(super) async fn csv(
    State(app): State<App>,
    By(actor): By,
    Path(named): Path<Named>,
    Query(query): Query<LogQuery>,
) -> Result<Response, PageError> {
    let format =
        Format { head: csv::line(COLUMNS), line: as_row, kind: "text/csv; charset=utf-8", ending: "csv" };
    send(&app, &actor, (named.level(), &query), format).await
}

/// `GET /admin/log.jsonl`, `GET /orgs/{organization}/settings/log.jsonl`
pub(super) async fn json_lines(
    State(app): State<App>,
    By(actor): By,
    Path(named): Path<Named>,
    Query(query): Query<LogQuery>,
) -> Result<Response, PageError> {
    let format = Format { head: String::new(), line: as_json, kind: "application/jsonl", ending: "jsonl" };
    send(&app, &actor, (named.level(), &query), format).await
}

/// How a line is written.
struct Format {
    head: String,
    line: fn(&LogEntry) -> String,
    kind: &'static str,
    ending: &'static str,
}

async fn send(
    app: &App,
    actor: &Actor,
    (level, query): (Level, &LogQuery),
    Format { head, line, kind, ending }: Format,
) -> Result<Response, PageError> {
    let filter = query.filter().map_err(Problems::into_failure)?;
    let pages = app.log_export(actor, &level, filter).await?;
    let pages = pages.map_ok(move |entries| entries.iter().map(line).collect::<String>());
    let whole = stream::once(ready(Ok(head))).chain(pages).inspect_err(broke_off);
    let name = match level {
        Level::Installation => format!("log.{ending}"),
        Level::Organization(short_name) => format!("log-{}.{ending}", short_name.to_lowercase()),
    };
    let disposition = format!("attachment; filename=\"{name}\"");
    let head = [(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, disposition)];
    Ok((head, Body::from_stream(whole)).into_response())
}

/// Whoever downloads sees that something is missing: the connection breaks off.
fn broke_off(failure: &Failure) {
    tracing::error!(causes = crate::error::causes(failure), "the export of a Log broke off");
}

fn as_row(entry: &LogEntry) -> String {
    let at = entry.created_at.to_string();
    csv::line([at.as_str(), &entry.actor, &entry.action, &entry.address])
}

/// What a line of JSON says.
#[derive(serde::Serialize)]
struct Line<'a> {
    id: String,
    when: String,
    who: &'a str,
    /// The id of the user; `null` if it was none.
    user: Option<String>,
    what: &'a str,
    /// `null` if it was not sent from anywhere.
    address: Option<&'a str>,
}

fn as_json(entry: &LogEntry) -> String {
    let line = Line {
        id: entry.id.to_string(),
        when: entry.created_at.to_string(),
        who: &entry.actor,
        user: entry.user_id.map(|user| user.to_string()),
        what: &entry.action,
        address: Some(entry.address.as_str()).filter(|address| !address.is_empty()),
    };
    format!("{}\n", serde_json::to_string(&line).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_line_of_both_kinds() {
        let entry = LogEntry {
            id: Uuid::nil().into(),
            organization_id: None,
            user_id: None,
            actor: "=cmd".into(),
            action: "created the token “a, \"b\"\n”".into(),
            address: "192.0.2.1".into(),
            created_at: "2026-11-22T01:05:09.5Z".parse().unwrap(),
        };
        assert_eq!(
            as_row(&entry),
            "\"2026-11-22T01:05:09.5Z\",\"'=cmd\",\"created the token “a, \"\"b\"\"\n”\",\"192.0.2.1\"\r\n"
        );
        assert_eq!(
            as_json(&entry),
            "{\"id\":\"00000000-0000-0000-0000-000000000000\",\"when\":\"2026-11-22T01:05:09.5Z\",\"who\":\"=cmd\",\"user\":null,\"what\":\"created the token “a, \\\"b\\\"\\n”\",\"address\":\"192.0.2.1\"}\n"
        );
    }
}
