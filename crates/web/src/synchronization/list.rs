//! Settings > Synchronizations.

use super::{page_in, words};
use crate::{
    error::PageError,
    frame::{Frame, home},
    page::Page,
};
use askama::Template;
use axum::extract::{Path, State};
use stave_app::{App, SynchronizationLine, SynchronizationListView};

#[derive(Template)]
#[template(path = "synchronization/list.html")]
pub(super) struct SynchronizationList {
    frame: Frame,
    home: String,
    view: SynchronizationListView,
}

impl SynchronizationList {
    fn page(&self, line: &SynchronizationLine) -> String {
        page_in(&self.view.organization, line.synchronization.id)
    }

    fn is_busy(&self) -> bool {
        self.view.lines.iter().any(|line| line.is_busy)
    }
}

/// `GET /orgs/{organization}/settings/synchronizations`
pub(super) async fn show(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
) -> Result<Page<SynchronizationList>, PageError> {
    let view = app.synchronization_list(&frame.actor, &short_name).await?;
    Ok(Page(SynchronizationList { home: home(&view.organization), frame, view }))
}
