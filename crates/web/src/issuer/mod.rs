//! A website as its visitors meet it: everything below `/w/{slug}`.
//!
//! Pages for visitors extend `issuer/layout.html`, which has the look of the website and nothing of Stave's header; each has a
//! field `face`. Who is where comes from [`here::Here`]; a failure is a [`problem::Problem`], which becomes a page in the same look.

mod account;
mod authorize;
mod authorized;
mod callback;
mod consent;
mod cookie;
mod discovery;
mod door;
mod error;
pub(crate) mod face;
mod forward_auth;
mod here;
mod login;
mod logout;
mod look;
mod problem;
mod script;
mod share;
mod site;
#[cfg(test)]
mod tests;
mod token;
mod user_info;

pub(crate) use callback::UNHEARD;
pub(crate) use cookie::Cookie;
pub(crate) use error::{OAuthError, show_oauth_errors};
pub(crate) use login::{LoginButton, LoginForm};
pub(crate) use problem::show_problems;
pub(crate) use site::finish as finish_site;

use axum::{
    Router,
    http::{StatusCode, Uri},
    middleware::from_fn_with_state,
};
use stave_app::App;

/// What people see: wrapped like every page ([`crate::layers::for_people`]).
pub(crate) fn pages() -> Router<App> {
    Router::new()
        .merge(login::router())
        .merge(callback::router())
        .merge(consent::router())
        .merge(account::router())
        .merge(look::router())
        .merge(logout::own_router())
}

/// Where applications send visitors, by a link or a form ([`crate::layers::for_arrivals`]).
pub(crate) fn arrivals() -> Router<App> {
    Router::new().merge(authorize::router()).merge(logout::router())
}

/// What applications call themselves ([`crate::layers::for_applications`]).
pub(crate) fn calls(app: &App) -> Router<App> {
    // The layer is the outer one: browsers ask with OPTIONS first.
    let shared = token::router()
        .merge(user_info::router())
        .method_not_allowed_fallback(wrong_call)
        .layer(from_fn_with_state(app.clone(), share::share_with_pages));
    discovery::router().method_not_allowed_fallback(wrong_call).merge(shared)
}

async fn wrong_call() -> OAuthError {
    let sentence = "This endpoint cannot be called with this method.";
    OAuthError::new(StatusCode::METHOD_NOT_ALLOWED, "invalid_request", sentence)
}

/// What proxies ask for every page of a site, and the script that sites load: nothing stands around it.
pub(crate) fn plain() -> Router<App> {
    Router::new().merge(forward_auth::router()).merge(script::router())
}

/// What the visitors of a site behind a proxy see of Stave there ([`crate::layers::for_sites`]).
pub(crate) fn sites() -> Router<App> {
    site::router()
}

/// The website that an address names: `/w/{slug}/..`.
fn slug_in(address: &Uri) -> Option<&str> {
    let (slug, _) = address.path().strip_prefix("/w/")?.split_once('/')?;
    Some(slug)
}
