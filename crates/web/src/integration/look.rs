//! What is at a base URL, while it is typed.

use super::place::Visit;
use crate::{error::PageError, page::Page};
use askama::Template;
use axum::extract::{Query, State};
use stave_app::{App, Look};

/// A piece of a page: the script puts it into the form.
#[derive(Template)]
#[template(path = "integration/look.html")]
pub(super) struct LookPart {
    look: Look,
}

/// What is typed so far.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    platform: String,
    base_url: String,
}

/// `GET /admin/integrations/look`, `GET /orgs/{organization}/settings/integrations/look`
pub(super) async fn show(
    State(app): State<App>,
    Visit { frame, place }: Visit,
    Query(Asked { platform, base_url }): Query<Asked>,
) -> Result<Page<LookPart>, PageError> {
    let look = app.integration_look(&frame.actor, &place.level, (&platform, &base_url)).await?;
    Ok(Page(LookPart { look }))
}
