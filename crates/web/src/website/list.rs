//! The websites of an organization.

use crate::{
    error::PageError,
    frame::{Frame, home},
    page::Page,
};
use askama::Template;
use axum::extract::{Path, State};
use stave_app::{App, WebsiteLine};
use stave_domain::{organization::Organization, website::Website};

#[derive(Template)]
#[template(path = "website/list.html")]
pub(super) struct WebsiteList {
    frame: Frame,
    organization: Organization,
    home: String,
    websites: Vec<WebsiteLine>,
}

impl WebsiteList {
    fn page(&self, website: &Website) -> String {
        format!("{}/websites/{}", self.home, website.slug)
    }
}

/// `GET /orgs/{organization}/websites`
pub(super) async fn show(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
) -> Result<Page<WebsiteList>, PageError> {
    let (organization, websites) = app.website_list(&frame.actor, &short_name).await?;
    Ok(Page(WebsiteList { frame, home: home(&organization), organization, websites }))
}
