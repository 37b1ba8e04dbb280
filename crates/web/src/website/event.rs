//! A website's own log: who signed in, who could not, and why.

use super::place::{Place, Visit};
use crate::{error::PageError, frame::Frame, page::Page};
use askama::Template;
use axum::extract::{Query, State};
use stave_app::{App, EventPage};
use stave_domain::{
    id::WebsiteMemberId,
    website::{Event, Member},
};
use std::collections::HashMap;

#[derive(Template)]
#[template(path = "website/event_list.html")]
pub(super) struct EventList {
    frame: Frame,
    place: Place,
    events: Vec<Event>,
    members: HashMap<WebsiteMemberId, Member>,
    newest: Option<String>,
    older: Option<String>,
}

#[derive(serde::Deserialize)]
pub(super) struct EventQuery {
    /// The id of the line before which the page begins.
    #[serde(default)]
    before: String,
}

/// `GET /orgs/{organization}/websites/{website}/log`
pub(super) async fn list(
    State(app): State<App>,
    Visit { frame, place }: Visit,
    Query(query): Query<EventQuery>,
) -> Result<Page<EventList>, PageError> {
    let before = query.before.parse().ok();
    let (organization, website) = place.names();
    let EventPage { events, members, more } =
        app.website_event_list(&frame.actor, organization, website, before).await?;
    let log = format!("{}/log", place.base());
    let last = events.last().filter(|_| more);
    let older = last.map(|event| format!("{log}?before={}", event.id));
    let newest = before.is_some().then_some(log);
    Ok(Page(EventList { frame, place, events, members, newest, older }))
}
