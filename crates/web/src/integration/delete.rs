//! The end of an integration.

use super::place::{Place, Visit};
use crate::{
    done::Done,
    error::PageError,
    form,
    frame::Frame,
    page::{Page, Refused},
};
use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use stave_app::{App, Failure, IntegrationEffect, Problems};
use stave_domain::integration::OAuthVersion;

#[derive(Template)]
#[template(path = "integration/delete.html")]
pub(super) struct DeleteIntegration {
    frame: Frame,
    place: Place,
    effect: IntegrationEffect,
    /// Whether nobody could log in without it.
    is_last_way_in: bool,
    problems: Problems,
}

impl DeleteIntegration {
    async fn of(app: &App, Visit { frame, place }: Visit) -> Result<Self, Failure> {
        let effect = app.integration_effect(&frame.actor, &place.level, place.id()?).await?;
        let is_last_way_in = place.is_admin()
            && app.integration_list().await?.len() == 1
            && !app.configuration().await?.password_login;
        Ok(Self { frame, place, effect, is_last_way_in, problems: Problems::default() })
    }

    /// Whether something has to be changed first.
    fn is_in_use(&self) -> bool {
        let is_used = !self.effect.enforced_by.is_empty() || !self.effect.synchronizations.is_empty();
        !self.place.is_admin() && is_used
    }

    fn action(&self) -> String {
        format!("{}/delete", self.place.page(&self.effect.integration))
    }
}

/// `GET /admin/integrations/{integration}/delete` and the same in an organization: what would go with it.
pub(super) async fn ask(State(app): State<App>, visit: Visit) -> Result<Page<DeleteIntegration>, PageError> {
    Ok(Page(DeleteIntegration::of(&app, visit).await?))
}

/// `POST /admin/integrations/{integration}/delete` and the same in an organization
pub(super) async fn delete(State(app): State<App>, visit: Visit) -> Result<Response, PageError> {
    let Visit { frame, place } = &visit;
    match app.integration_delete(&frame.actor, &place.level, place.id()?).await {
        Ok(()) => Ok(Done::Deleted.at(&place.list()).into_response()),
        Err(failure) => {
            let problems = form::problems(failure)?;
            let page = DeleteIntegration::of(&app, visit).await?;
            Ok(Refused(DeleteIntegration { problems, ..page }).into_response())
        }
    }
}
