//! All organizations, and the end of one, also for admins who are no members.

use super::search::Search;
use crate::{actor::By, done::Done, error::PageError, frame::Frame, page::Page};
use askama::Template;
use axum::{
    Router,
    extract::{Path, Query, State},
    response::Redirect,
    routing::get,
};
use stave_app::App;
use stave_domain::organization::Organization;

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/admin/organizations", get(list))
        .route("/admin/organizations/{organization}/delete", get(ask).post(delete))
}

#[derive(Template)]
#[template(path = "admin/organization_list.html")]
struct OrganizationList {
    frame: Frame,
    organizations: Vec<Organization>,
    search: Search,
    back: Option<String>,
    on: Option<String>,
}

/// `GET /admin/organizations`
async fn list(
    State(app): State<App>,
    frame: Frame,
    Query(search): Query<Search>,
) -> Result<Page<OrganizationList>, PageError> {
    let (organizations, more) = app.organization_list(&frame.actor, &search.q, search.page()).await?;
    let (back, on) = (search.back("/admin/organizations"), search.on("/admin/organizations", more));
    Ok(Page(OrganizationList { frame, organizations, search, back, on }))
}

#[derive(Template)]
#[template(path = "admin/organization_delete.html")]
struct DeleteOrganization {
    frame: Frame,
    organization: Organization,
    packages: u64,
    repository_url: String,
}

/// `GET /admin/organizations/{organization}/delete`: what would go with it.
async fn ask(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
) -> Result<Page<DeleteOrganization>, PageError> {
    frame.actor.admin()?;
    let (organization, packages) = app.organization_effect(&frame.actor, &short_name).await?;
    let repository_url = app.repository_url(&organization);
    Ok(Page(DeleteOrganization { frame, organization, packages, repository_url }))
}

/// `POST /admin/organizations/{organization}/delete`
async fn delete(
    State(app): State<App>,
    By(actor): By,
    Path(short_name): Path<String>,
) -> Result<Redirect, PageError> {
    actor.admin()?;
    app.organization_delete(&actor, &short_name).await?;
    Ok(Done::Deleted.at("/admin/organizations"))
}
