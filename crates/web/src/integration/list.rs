//! The integrations of an organization. Those of the installation are listed on the Admin Panel.

use super::{
    Condition,
    place::{Place, Visit},
};
use crate::{error::PageError, frame::Frame, page::Page};
use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use stave_app::App;
use stave_domain::integration::Integration;

#[derive(Template)]
#[template(path = "integration/list.html")]
struct IntegrationList {
    frame: Frame,
    place: Place,
    /// Each with its log-in link.
    integrations: Vec<(Integration, String)>,
}

/// `GET /admin/integrations`, `GET /orgs/{organization}/settings/integrations`
pub(super) async fn show(
    State(app): State<App>,
    Visit { frame, place }: Visit,
) -> Result<Response, PageError> {
    let Some(owner) = &place.owner else { return Ok(Redirect::to(&place.list()).into_response()) };
    let integrations = app.integration_list_at(&frame.actor, &place.level).await?;
    let with_link = |integration: Integration| {
        let link = app.login_link(owner, &integration);
        (integration, link)
    };
    let integrations = integrations.into_iter().map(with_link).collect();
    Ok(Page(IntegrationList { frame, place, integrations }).into_response())
}
