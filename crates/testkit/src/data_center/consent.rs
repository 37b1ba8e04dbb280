//! The question that both versions of OAuth ask a person, and where the answer leads.

use super::{
    session,
    state::{Fake, State},
};
use crate::common::page::{Page, escape};
use axum::{
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use std::fmt::Write as _;
use url::{Url, form_urlencoded};

/// Who wants what.
pub(crate) struct Question<'a> {
    /// The name of the application.
    pub(crate) who: &'a str,
    /// What it wants, as HTML of list items.
    pub(crate) wish: &'a str,
    /// Where the answer goes: a path with its query.
    pub(crate) action: &'a str,
}

/// The page with the buttons "Allow" and "Deny".
pub(crate) fn page(fake: &Fake, state: &State, user: u32, question: &Question<'_>) -> Response {
    let name = state.user(user).map(|user| user.name.as_str()).unwrap_or_default();
    let mut text = format!(
        "<p><strong>{}</strong> wants to use your account, {}:</p><ul>{}</ul>",
        escape(question.who),
        escape(name),
        question.wish
    );
    let _ = write!(
        text,
        "<form method=\"post\" action=\"{}\"><button name=\"decision\" value=\"allow\">Allow</button> \
         <button class=\"plain\" name=\"decision\" value=\"deny\">Deny</button></form>{}",
        escape(question.action),
        session::somebody_else(fake, question.action)
    );
    Page::new("Authorize application", text).into_response()
}

/// Whether "Allow" was pressed.
pub(crate) fn is_allowed(form: &[u8]) -> bool {
    form_urlencoded::parse(form).any(|(name, value)| name == "decision" && value == "allow")
}

/// 302 to another site.
pub(crate) fn found(to: &Url) -> Response {
    (StatusCode::FOUND, [(header::LOCATION, to.to_string())]).into_response()
}
