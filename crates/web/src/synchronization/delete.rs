//! The end of a synchronization, and of what it brought.

use super::{list_of, page_in, parsed, words};
use crate::{
    done::Done,
    error::PageError,
    form::{self, Form},
    frame::{Frame, home},
    page::{Page, Refused},
};
use askama::Template;
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use stave_app::{App, Ending, Failure, Problems};

#[derive(Template)]
#[template(path = "synchronization/delete.html")]
pub(super) struct DeletePage {
    frame: Frame,
    home: String,
    ending: Ending,
    /// The name as it was typed.
    typed: String,
    problems: Problems,
}

impl DeletePage {
    async fn of(app: &App, frame: Frame, short_name: &str, id: &str) -> Result<Self, Failure> {
        let ending = app.synchronization_ending(&frame.actor, short_name, parsed(id)?).await?;
        let home = home(&ending.organization);
        Ok(Self { frame, home, ending, typed: String::new(), problems: Problems::default() })
    }

    fn address(&self) -> String {
        page_in(&self.ending.organization, self.ending.synchronization.id)
    }

    fn question(&self) -> String {
        format!("Type {} to show that you mean it", self.ending.synchronization.workspace.key)
    }
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct DeleteForm {
    name: String,
}

/// `GET /orgs/{organization}/settings/synchronizations/{synchronization}/delete`: what would go with it.
pub(super) async fn ask(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, id)): Path<(String, String)>,
) -> Result<Page<DeletePage>, PageError> {
    Ok(Page(DeletePage::of(&app, frame, &short_name, &id).await?))
}

/// `POST /orgs/{organization}/settings/synchronizations/{synchronization}/delete`
pub(super) async fn delete(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, id)): Path<(String, String)>,
    Form(form): Form<DeleteForm>,
) -> Result<Response, PageError> {
    match app.synchronization_delete(&frame.actor, &short_name, parsed(&id)?, &form.name).await {
        Ok(stayed) => {
            let done = if stayed.is_empty() {
                Done::SynchronizationDeleted
            } else {
                Done::SynchronizationDeletedBut
            };
            Ok(done.at(&list_of(&short_name)).into_response())
        }
        Err(failure) => {
            let problems = form::problems(failure)?;
            let page = DeletePage::of(&app, frame, &short_name, &id).await?;
            Ok(Refused(DeletePage { typed: form.name, problems, ..page }).into_response())
        }
    }
}
