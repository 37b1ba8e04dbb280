//! The settings of a website: its name, its addresses, its keys.

use super::{
    FIELDS,
    place::{Place, Visit},
};
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
    response::{IntoResponse, Redirect, Response},
};
use stave_app::{App, Failure, KeyState, Problems, WebsiteForm, WebsiteView};

#[derive(Template)]
#[template(path = "website/edit.html")]
pub(super) struct WebsiteSettings {
    frame: Frame,
    place: Place,
    view: WebsiteView,
    form: WebsiteForm,
    problems: Problems,
}

impl WebsiteSettings {
    async fn of(app: &App, Visit { frame, place }: Visit, form: WebsiteForm) -> Result<Self, Failure> {
        let (organization, website) = place.names();
        let view = app.website_show(&frame.actor, organization, website).await?;
        Ok(Self { frame, place, view, form, problems: Problems::default() })
    }
}

/// What a key does now: a badge and its tone, and what that means.
fn state_of(state: KeyState) -> (&'static str, &'static str, &'static str) {
    match state {
        KeyState::Next => ("next", "busy", "published, signs an hour after it was made"),
        KeyState::Signing => ("signing", "good", "signs tokens"),
        KeyState::Retiring => ("retiring", "", "published until its last tokens are over"),
        KeyState::Retired => ("retired", "", "no longer published"),
    }
}

/// `GET /orgs/{organization}/websites/{website}`
pub(super) async fn show(State(app): State<App>, visit: Visit) -> Result<Page<WebsiteSettings>, PageError> {
    let form = WebsiteForm::of(&visit.place.website);
    Ok(Page(WebsiteSettings::of(&app, visit, form).await?))
}

/// `POST /orgs/{organization}/websites/{website}`
pub(super) async fn update(
    State(app): State<App>,
    visit: Visit,
    Form(form): Form<WebsiteForm>,
) -> Result<Response, PageError> {
    let (organization, website) = visit.place.names();
    match app.website_update(&visit.frame.actor, organization, website, &form).await {
        Ok(()) => Ok(Done::Saved.at(&visit.place.base()).into_response()),
        Err(failure) => {
            let problems = form::problems(failure)?;
            let page = WebsiteSettings::of(&app, visit, form).await?;
            Ok(Refused(WebsiteSettings { problems, ..page }).into_response())
        }
    }
}

/// `POST /orgs/{organization}/websites/{website}/key`
pub(super) async fn make_key(State(app): State<App>, visit: Visit) -> Result<Response, PageError> {
    let (organization, website) = visit.place.names();
    match app.website_key_rotate(&visit.frame.actor, organization, website).await {
        Ok(()) => Ok(Done::SigningKeyMade.at(&keys(&visit.place)).into_response()),
        Err(failure) => {
            let problems = form::problems(failure)?;
            let form = WebsiteForm::of(&visit.place.website);
            let page = WebsiteSettings::of(&app, visit, form).await?;
            Ok(Refused(WebsiteSettings { problems, ..page }).into_response())
        }
    }
}

/// `GET /orgs/{organization}/websites/{website}/key`: the keys are on the page of the settings.
pub(super) async fn show_again(visit: Visit) -> Redirect {
    Redirect::to(&keys(&visit.place))
}

fn keys(place: &Place) -> String {
    format!("{}#keys", place.base())
}
