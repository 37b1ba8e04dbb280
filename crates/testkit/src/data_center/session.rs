//! Browsers that are logged in to the fake: nobody needs a password, everybody says who they are.

use super::state::Fake;
use crate::common::{
    chance, cookie,
    page::{Page, escape, query_value},
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
pub(crate) const COOKIE: &str = "fake_data_center_session";

/// The id of the person in this browser.
pub(crate) fn user(fake: &Fake, headers: &HeaderMap) -> Option<u32> {
    let state = fake.state();
    let id = *state.sessions.get(cookie(headers, COOKIE)?)?;
    state.user(id).filter(|user| user.is_active).map(|user| user.id)
}

/// 302 to the page to log in; afterwards the browser goes to `next`, a path with its query.
pub(crate) fn log_in(fake: &Fake, next: &str) -> Response {
    let to = fake.path(&format!("/login?next={}", query_value(next)));
    (StatusCode::FOUND, [(header::LOCATION, to)]).into_response()
}

/// A link to become another person on this page, as HTML.
pub(crate) fn somebody_else(fake: &Fake, next: &str) -> String {
    let to = fake.path(&format!("/login?next={}", query_value(next)));
    format!("<p><a href=\"{to}\">Log in as somebody else</a></p>")
}

#[derive(Deserialize)]
pub(crate) struct Next {
    next: Option<String>,
}

/// `GET /login?next=`
pub(crate) async fn show(Extract(fake): Extract<Arc<Fake>>, Query(query): Query<Next>) -> Response {
    form(&fake, query.next.as_deref().unwrap_or_default(), "")
}

fn form(fake: &Fake, next: &str, complaint: &str) -> Response {
    let mut text = format!(
        "<p>{complaint}</p><form method=\"post\" action=\"{action}\">\
         <input type=\"hidden\" name=\"next\" value=\"{next}\">\
         <p><label>Username <input name=\"username\" autofocus></label></p>\
         <p><label>Password <input type=\"password\" name=\"password\"></label></p>\
         <p><button>Log in</button></p></form>\
         <p>This Bitbucket is a fake: it does not look at the password. Or choose:</p>\
         <form method=\"post\" action=\"{action}\"><input type=\"hidden\" name=\"next\" value=\"{next}\">",
        action = fake.path("/login"),
        next = escape(next)
    );
    for user in fake.state().users.iter().filter(|user| user.is_active) {
        let name = escape(&user.name);
        let _ = write!(text, "<p><button name=\"username\" value=\"{name}\">Log in as {name}</button></p>");
    }
    text.push_str("</form>");
    Page::new("Log in", text).into_response()
}

#[derive(Deserialize)]
pub(crate) struct Chosen {
    username: String,
    next: String,
}

/// `POST /login`
pub(crate) async fn create(Extract(fake): Extract<Arc<Fake>>, Form(chosen): Form<Chosen>) -> Response {
    let mut state = fake.state();
    let known = state.user_named(chosen.username.trim()).filter(|user| user.is_active).map(|user| user.id);
    let Some(user) = known else {
        drop(state);
        return form(&fake, &chosen.next, "Invalid username or password.");
    };
    let session = chance(16);
    state.sessions.insert(session.clone(), user);
    let cookie = format!("{COOKIE}={session}; Path={}; HttpOnly; SameSite=Lax", fake.path("/"));
    let is_own_path = chosen.next.starts_with('/') && !chosen.next.starts_with("//");
    let next = if is_own_path { chosen.next } else { fake.path("/") };
    (StatusCode::SEE_OTHER, [(header::SET_COOKIE, cookie), (header::LOCATION, next)]).into_response()
}
