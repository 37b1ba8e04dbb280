//! Global Configuration.

use crate::{
    done::Done,
    error::PageError,
    form::{self, Form},
    frame::Frame,
    page::{Page, Refused},
};
use askama::Template;
use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use stave_app::{App, Problems};
use stave_domain::setting::Settings;

pub(super) fn router() -> Router<App> {
    Router::new().route("/admin/configuration", get(edit).post(update))
}

#[derive(Template)]
#[template(path = "admin/setting.html")]
struct ConfigurationPage {
    frame: Frame,
    settings: Settings,
    problems: Problems,
}

/// A box that is not ticked is not sent.
#[derive(serde::Deserialize)]
struct ConfigurationForm {
    limit_organization_creation: Option<String>,
    password_login: Option<String>,
}

/// `GET /admin/configuration`
async fn edit(State(app): State<App>, frame: Frame) -> Result<Page<ConfigurationPage>, PageError> {
    frame.actor.admin()?;
    let settings = app.configuration().await?;
    Ok(Page(ConfigurationPage { frame, settings, problems: Problems::default() }))
}

/// `POST /admin/configuration`
async fn update(
    State(app): State<App>,
    frame: Frame,
    Form(form): Form<ConfigurationForm>,
) -> Result<Response, PageError> {
    let settings = Settings {
        limit_organization_creation: form.limit_organization_creation.is_some(),
        password_login: form.password_login.is_some(),
    };
    match app.configuration_update(&frame.actor, settings).await {
        Ok(()) => Ok(Done::Saved.at("/admin/configuration").into_response()),
        Err(failure) => {
            let problems = form::problems(failure)?;
            Ok(Refused(ConfigurationPage { frame, settings, problems }).into_response())
        }
    }
}
