//! Integrations: the list, the form with the way through Bitbucket, the page of one, its check, its end.
//!
//! The same pages are there twice ([`place`]): below `/admin/integrations` for the whole installation, and in the settings of an
//! organization for its own.

mod changeover;
mod check;
mod condition;
mod delete;
mod endpoint;
mod form;
mod list;
mod look;
mod place;
mod show;
#[cfg(test)]
mod tests;

pub(crate) use condition::Condition;

use axum::{
    Router,
    routing::{get, post},
};
use stave_app::App;

pub(crate) fn router() -> Router<App> {
    Router::new()
        .nest("/admin/integrations", pages())
        .nest("/orgs/{organization}/settings/integrations", pages())
}

/// What follows below the list of a level.
fn pages() -> Router<App> {
    Router::new()
        .route("/", get(list::show))
        .route("/new", get(form::new).post(form::create))
        .route("/look", get(look::show))
        .route("/{integration}", get(show::show))
        .route("/{integration}/edit", get(form::edit).post(form::update))
        .route("/{integration}/check", post(check::begin).get(show::show_again))
        .route("/{integration}/finish", post(changeover::finish).get(show::show_again))
        .route("/{integration}/call-off", post(changeover::call_off).get(show::show_again))
        .route("/{integration}/key", post(changeover::renew_key).get(show::show_again))
        .route("/{integration}/endpoints", post(endpoint::try_now).get(show::show_again))
        .route("/{integration}/delete", get(delete::ask).post(delete::delete))
}
