//! How a new token gets from the form that made it to the page that shows it: in a cookie for that page, which the page takes
//! away again. So a reload makes no other token, and no address holds one.

use crate::{
    cookie::{Cookie, SetCookie},
    done::Done,
};
use axum::{
    http::HeaderMap,
    response::{IntoResponse, Redirect, Response},
};
use stave_app::{App, NewToken};
use stave_domain::{Secret, secret::SecretHash, token::Token};

/// `303 See Other` to the page that shows the token once. `is_instead` tells whether an older text stopped working.
pub(crate) fn send(app: &App, made: &NewToken, page: &str, is_instead: bool) -> Response {
    let there = if is_instead { Done::TokenReplaced.at(page) } else { Redirect::to(page) };
    carry(app, &made.secret, page, there)
}

/// The same for any secret: `page` is the path of the page that shows it, `there` leads to it.
pub(crate) fn carry(app: &App, secret: &Secret, page: &str, there: Redirect) -> Response {
    let parcel = Secret::new(format!("{page}.{}", secret.expose()));
    (Cookie::Token.put(app.url(), &parcel), there).into_response()
}

/// The text of this token, if it was sent to this page less than a minute ago. Whatever else the cookie holds is not shown:
/// the token may be somebody else's, or made anew since.
pub(crate) fn receive(app: &App, headers: &HeaderMap, page: &str, token: &Token) -> Option<Secret> {
    fetch(app, headers, page, &token.secret_hash)
}

/// The same for any secret, by its hash.
pub(crate) fn fetch(app: &App, headers: &HeaderMap, page: &str, hash: &SecretHash) -> Option<Secret> {
    let parcel = Cookie::Token.read(app.url(), headers)?;
    let (address, secret) = parcel.expose().rsplit_once('.')?;
    let secret = Secret::new(secret);
    (address == page && SecretHash::of(&secret) == *hash).then_some(secret)
}

/// Takes the cookie away: `(handover::end(&app), Page(..))`.
pub(crate) fn end(app: &App) -> SetCookie {
    Cookie::Token.remove(app.url())
}
