//! Settings > Security of an organization: what it lets Composer see and download.

use crate::{
    done::Done,
    error::PageError,
    form::{self, Form},
    frame::{Frame, home},
    organization::address,
    page::{Page, Refused},
};
use askama::Template;
use axum::{
    Router,
    extract::{Path, State},
    response::{IntoResponse, Response},
    routing::get,
};
use stave_app::{App, Failure, Problems, SecurityForm};
use stave_domain::{
    organization::Organization,
    security::{ClientPolicy, HideSource},
};

pub(crate) fn router() -> Router<App> {
    Router::new().route("/orgs/{organization}/settings/security", get(show).post(change))
}

#[derive(Template)]
#[template(path = "security.html")]
struct SecurityPage {
    frame: Frame,
    organization: Organization,
    home: String,
    form: SecurityForm,
    /// Whether what is refused now can still be cloned.
    is_passed_by: bool,
    problems: Problems,
}

impl SecurityPage {
    async fn of(app: &App, frame: Frame, short_name: &str) -> Result<Self, Failure> {
        let (organization, settings) = app.security_show(&frame.actor, short_name).await?;
        Ok(Self {
            frame,
            home: home(&organization),
            organization,
            form: SecurityForm::from(&settings),
            is_passed_by: settings.is_passed_by(),
            problems: Problems::default(),
        })
    }
}

/// `GET /orgs/{organization}/settings/security`
async fn show(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
) -> Result<Page<SecurityPage>, PageError> {
    Ok(Page(SecurityPage::of(&app, frame, &short_name).await?))
}

/// `POST /orgs/{organization}/settings/security`
async fn change(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
    Form(form): Form<SecurityForm>,
) -> Result<Response, PageError> {
    match app.security_update(&frame.actor, &short_name, &form).await {
        Ok(()) => Ok(Done::Saved.at(&format!("{}/settings/security", address(&short_name))).into_response()),
        Err(failure) => {
            let problems = form::problems(failure)?;
            let page = SecurityPage::of(&app, frame, &short_name).await?;
            Ok(Refused(SecurityPage { form, problems, ..page }).into_response())
        }
    }
}

#[cfg(test)]
mod tests;
