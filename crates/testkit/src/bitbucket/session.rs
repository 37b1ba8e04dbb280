//! Browsers that are logged in to the fake: nobody types a password, everybody chooses who they are.

use super::state::Fake;
use crate::common::{
    chance, cookie,
    page::{Page, escape},
};
use axum::{
    Form,
    extract::{Query, State as Extract},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use std::{fmt::Write as _, sync::Arc};

/// A name of its own: cookies of 127.0.0.1 are seen by every port.
pub(crate) const COOKIE: &str = "fake_bitbucket_session";

/// The uuid of the person in this browser.
pub(crate) fn user(fake: &Fake, headers: &HeaderMap) -> Option<String> {
    fake.state().sessions.get(cookie(headers, COOKIE)?).cloned()
}

/// The page on which one chooses who one is; afterwards the browser goes to `next`, a path with its query.
pub(crate) fn choice(fake: &Fake, next: &str) -> Response {
    let mut text = format!(
        "<p>This Bitbucket is a fake. Choose who you are.</p><form method=\"post\" action=\"/account/signin\">\
         <input type=\"hidden\" name=\"next\" value=\"{}\">",
        escape(next)
    );
    for user in fake.state().users.iter() {
        let name = escape(&user.nickname);
        let _ = write!(
            text,
            "<p><button name=\"user\" value=\"{}\">Log in as {name}</button></p>",
            escape(&user.uuid)
        );
    }
    text.push_str("</form>");
    Page::new("Log in to Bitbucket", text).into_response()
}

#[derive(Deserialize)]
pub(crate) struct Next {
    next: Option<String>,
}

/// `GET /account/signin`
pub(crate) async fn show(Extract(fake): Extract<Arc<Fake>>, Query(query): Query<Next>) -> Response {
    choice(&fake, &query.next.unwrap_or_else(|| "/".to_owned()))
}

#[derive(Deserialize)]
pub(crate) struct Chosen {
    user: String,
    next: String,
}

/// `POST /account/signin`
pub(crate) async fn create(Extract(fake): Extract<Arc<Fake>>, Form(chosen): Form<Chosen>) -> Response {
    let mut state = fake.state();
    if state.user(&chosen.user).is_none() {
        return Page::new("Unknown person", "<p>There is no such person.</p>".to_owned())
            .with_status(StatusCode::BAD_REQUEST)
            .into_response();
    }
    let session = chance(16);
    state.sessions.insert(session.clone(), chosen.user);
    let cookie = format!("{COOKIE}={session}; Path=/; HttpOnly; SameSite=Lax");
    let is_own_path = chosen.next.starts_with('/') && !chosen.next.starts_with("//");
    let next = if is_own_path { chosen.next } else { "/".to_owned() };
    (StatusCode::SEE_OTHER, [(header::SET_COOKIE, cookie), (header::LOCATION, next)]).into_response()
}
