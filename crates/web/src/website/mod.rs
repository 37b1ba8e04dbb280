//! Websites as their owners manage them: the list, a new one, and the tabs of one.
//!
//! Every page of a website begins with a [`place::Visit`], which turns away whoever does not own it.

mod client;
mod connect;
mod delete;
mod edit;
mod event;
mod list;
mod member;
mod new;
mod place;
mod preview;
mod proxy;
mod proxy_text;
mod script;
mod sent;
mod setting;
mod test;
#[cfg(test)]
mod tests;
mod text;

pub(crate) use connect::outcome;

use axum::{
    Router,
    routing::{get, post},
};
use stave_app::App;

/// The fields of a website's form, in their order: names, and what stands above them.
const FIELDS: [(&str, &str); 4] =
    [("name", "Name"), ("slug", "Slug"), ("origin", "Address of the site"), ("origins", "Further addresses")];

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/orgs/{organization}/websites", get(list::show).post(new::create))
        .route("/orgs/{organization}/websites/new", get(new::show))
        .nest("/orgs/{organization}/websites/{website}", pages())
}

/// What follows the slug of a website.
fn pages() -> Router<App> {
    Router::new()
        .route("/", get(edit::show).post(edit::update))
        .route("/key", post(edit::make_key).get(edit::show_again))
        .route("/delete", get(delete::ask).post(delete::delete))
        .route("/connect", get(connect::choose))
        .route("/connect/openid", get(connect::show))
        .route("/connect/openid/test", post(connect::test).get(connect::show_again))
        .merge(proxy::router())
        .merge(script::router())
        .merge(client::router())
        .merge(member::router())
        .route("/login", get(setting::show).post(setting::change))
        .route("/login/shown", post(setting::sketch))
        .route("/preview", get(preview::show))
        .route("/preview/form", get(preview::form))
        .route("/test", get(test::show).post(test::allow))
        .route("/test/{provider}", post(test::begin).get(test::show_again))
        .route("/history", get(preview::history))
        .route("/history/{revision}", get(preview::revision))
        .route("/history/{revision}/restore", post(preview::restore).get(preview::restore_again))
        .route("/log", get(event::list))
}
