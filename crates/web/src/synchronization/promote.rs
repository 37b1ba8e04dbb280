//! Making a synchronization the primary one: who gains and who loses, asked once.

use super::{page_in, page_of, parsed};
use crate::{
    actor::By,
    done::Done,
    error::PageError,
    frame::{Frame, home},
    page::Page,
};
use askama::Template;
use axum::{
    extract::{Path, State},
    response::Redirect,
};
use stave_app::{App, Promotion};

#[derive(Template)]
#[template(path = "synchronization/promote.html")]
pub(super) struct PromotePage {
    frame: Frame,
    home: String,
    promotion: Promotion,
}

impl PromotePage {
    fn address(&self) -> String {
        page_in(&self.promotion.organization, self.promotion.synchronization.id)
    }
}

/// `GET /orgs/{organization}/settings/synchronizations/{synchronization}/promote`
pub(super) async fn ask(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, id)): Path<(String, String)>,
) -> Result<Page<PromotePage>, PageError> {
    let promotion = app.synchronization_promotion(&frame.actor, &short_name, parsed(&id)?).await?;
    Ok(Page(PromotePage { home: home(&promotion.organization), frame, promotion }))
}

/// `POST /orgs/{organization}/settings/synchronizations/{synchronization}/promote`
pub(super) async fn promote(
    State(app): State<App>,
    By(actor): By,
    Path((short_name, id)): Path<(String, String)>,
) -> Result<Redirect, PageError> {
    let id = parsed(&id)?;
    app.synchronization_promote(&actor, &short_name, id).await?;
    Ok(Done::SynchronizationPromoted.at(&page_of(&short_name, id)))
}
