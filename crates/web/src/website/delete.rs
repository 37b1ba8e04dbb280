//! The end of a website.

use super::place::{Place, Visit};
use crate::{
    done::Done,
    error::PageError,
    form::{self, Form},
    frame::Frame,
    page::{Page, Refused},
};
use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use stave_app::{App, Failure, Problems, WebsiteView};

#[derive(Template)]
#[template(path = "website/delete.html")]
pub(super) struct DeleteWebsite {
    frame: Frame,
    place: Place,
    view: WebsiteView,
    /// What was typed to confirm it.
    typed: String,
    problems: Problems,
}

#[derive(Default, serde::Deserialize)]
pub(super) struct DeleteForm {
    /// The slug of the website.
    #[serde(default)]
    typed: String,
}

impl DeleteWebsite {
    async fn of(app: &App, Visit { frame, place }: Visit, form: DeleteForm) -> Result<Self, Failure> {
        let (organization, website) = place.names();
        let view = app.website_show(&frame.actor, organization, website).await?;
        Ok(Self { frame, place, view, typed: form.typed, problems: Problems::default() })
    }
}

/// `GET /orgs/{organization}/websites/{website}/delete`: what would go with it.
pub(super) async fn ask(State(app): State<App>, visit: Visit) -> Result<Page<DeleteWebsite>, PageError> {
    Ok(Page(DeleteWebsite::of(&app, visit, DeleteForm::default()).await?))
}

/// `POST /orgs/{organization}/websites/{website}/delete`
pub(super) async fn delete(
    State(app): State<App>,
    visit: Visit,
    Form(form): Form<DeleteForm>,
) -> Result<Response, PageError> {
    let (organization, website) = visit.place.names();
    match app.website_delete(&visit.frame.actor, organization, website, &form.typed).await {
        Ok(()) => Ok(Done::Deleted.at(&format!("{}/websites", visit.place.home())).into_response()),
        Err(failure) => {
            let problems = form::problems(failure)?;
            let page = DeleteWebsite::of(&app, visit, form).await?;
            Ok(Refused(DeleteWebsite { problems, ..page }).into_response())
        }
    }
}
