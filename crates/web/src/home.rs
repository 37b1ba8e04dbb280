//! The start page: the organizations of whoever is logged in.

use crate::{error::PageError, frame::Frame, page::Page};
use askama::Template;
use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use stave_app::App;
use stave_domain::organization::{Organization, Role};

pub(crate) fn router() -> Router<App> {
    Router::new().route("/", get(show))
}

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    frame: Frame,
    organizations: Vec<(Organization, Role)>,
    may_create: bool,
}

/// `GET /`
async fn show(State(app): State<App>, frame: Frame) -> Result<Response, PageError> {
    if frame.actor.user.is_none() {
        let door = if frame.actor.is_setup { "/admin" } else { "/login" };
        return Ok(Redirect::to(door).into_response());
    }
    let organizations = app.organization_list_own(&frame.actor).await?;
    let may_create = app.organization_may_create(&frame.actor).await?;
    Ok(Page(HomePage { frame, organizations, may_create }).into_response())
}
