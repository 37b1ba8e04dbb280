//! A new website.

use super::FIELDS;
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
use stave_app::{App, Failure, Problems, WebsiteForm};
use stave_domain::organization::Organization;

#[derive(Template)]
#[template(path = "website/new.html")]
pub(super) struct NewWebsite {
    frame: Frame,
    organization: Organization,
    home: String,
    form: WebsiteForm,
    problems: Problems,
    /// Where its issuer begins.
    issuers: String,
}

impl NewWebsite {
    async fn of(app: &App, frame: Frame, short_name: &str, form: WebsiteForm) -> Result<Self, Failure> {
        let (organization, _) = app.website_list(&frame.actor, short_name).await?;
        let (home, issuers) = (home(&organization), app.address("/w/"));
        Ok(Self { frame, organization, home, form, problems: Problems::default(), issuers })
    }
}

/// `GET /orgs/{organization}/websites/new`
pub(super) async fn show(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
) -> Result<Page<NewWebsite>, PageError> {
    Ok(Page(NewWebsite::of(&app, frame, &short_name, WebsiteForm::default()).await?))
}

/// `POST /orgs/{organization}/websites`
pub(super) async fn create(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
    Form(form): Form<WebsiteForm>,
) -> Result<Response, PageError> {
    match app.website_create(&frame.actor, &short_name, &form).await {
        Ok(website) => {
            let list = format!("{}/websites", crate::organization::address(&short_name));
            Ok(Done::WebsiteCreated.at(&format!("{list}/{}/login", website.slug)).into_response())
        }
        Err(failure) => {
            let problems = form::problems(failure)?;
            let page = NewWebsite::of(&app, frame, &short_name, form).await?;
            Ok(Refused(NewWebsite { problems, ..page }).into_response())
        }
    }
}
