//! The page of an integration: how it does, what is to be mended, what to enter at Bitbucket.

use super::{
    changeover::Words,
    condition::{Condition, by_heading},
    form::application_links,
    place::{Place, Visit},
};
use crate::{error::PageError, frame::Frame, page::Page};
use askama::Template;
use axum::{extract::State, response::Redirect};
use stave_app::{App, ApplicationLink, Changeover, EndpointsView, Failure, IntegrationEffect};
use stave_domain::{
    check::{Check, Outcome, Step},
    integration::{ApiTimeout, Integration, OAuthVersion, Platform},
};

#[derive(Template)]
#[template(path = "integration/show.html")]
pub(super) struct IntegrationPage {
    frame: Frame,
    place: Place,
    effect: IntegrationEffect,
    condition: Condition,
    callback: String,
    /// What to enter at a Bitbucket Server, if it is a link by OAuth 1.
    link: Option<ApplicationLink>,
    /// The latest check.
    check: Option<Check>,
    changeover: Option<Changeover>,
    endpoints: EndpointsView,
    /// The address to share, if an organization manages it.
    login_link: Option<String>,
}

impl IntegrationPage {
    async fn of(app: &App, Visit { frame, place }: Visit) -> Result<Self, Failure> {
        let effect = app.integration_effect(&frame.actor, &place.level, place.id()?).await?;
        let integration = &effect.integration;
        Ok(Self {
            condition: Condition::of(integration),
            callback: app.integration_callback(integration.slug.as_str()),
            link: app.integration_link(integration),
            check: app.check_show(integration).await?,
            changeover: app.changeover_show(integration).await?,
            endpoints: app.endpoint_list(integration).await?,
            login_link: place.owner.as_ref().map(|owner| app.login_link(owner, integration)),
            frame,
            place,
            effect,
        })
    }

    fn it(&self) -> &Integration {
        &self.effect.integration
    }

    fn is_cloud(&self) -> bool {
        self.it().platform == Platform::BitbucketCloud
    }

    fn speaks_oauth1(&self) -> bool {
        self.it().client.oauth() == OAuthVersion::One
    }

    /// Whether somebody has come through once.
    fn is_proven(&self) -> bool {
        matches!(self.condition, Condition::Good | Condition::Lacking(_)) || self.effect.accounts > 0
    }

    /// The address of something below this page.
    fn below(&self, part: &str) -> String {
        format!("{}/{part}", self.place.page(self.it()))
    }

    /// Where application links are made.
    fn setup_link(&self) -> String {
        application_links(self.it().base_url.as_str())
    }

    fn missing(&self) -> Vec<(&'static str, Vec<&'static str>)> {
        by_heading(self.condition.missing())
    }

    fn callback_hint(&self) -> String {
        format!("The {} on Bitbucket has exactly this one.", self.it().platform.application())
    }

    fn check_label(&self) -> &'static str {
        if self.check.as_ref().is_some_and(|check| check.is_away) {
            "Check again"
        } else {
            "Check the connection"
        }
    }

    fn timeout(&self) -> String {
        match self.it().api_timeout {
            ApiTimeout(None) => "default: 30 seconds".into(),
            ApiTimeout(Some(0)) => "no limit".into(),
            ApiTimeout(Some(1)) => "1 second".into(),
            ApiTimeout(Some(seconds)) => format!("{seconds} seconds"),
        }
    }

    /// The mark before a step, in words, and its sentence.
    fn outcome(step: &Step) -> (&'static str, &str) {
        match &step.outcome {
            Outcome::Passed(sentence) => ("passed", sentence),
            Outcome::Noted(sentence) => ("noted", sentence),
            Outcome::Failed(sentence) => ("failed", sentence),
        }
    }
}

/// `GET /admin/integrations/{integration}` and the same in an organization
pub(super) async fn show(State(app): State<App>, visit: Visit) -> Result<Page<IntegrationPage>, PageError> {
    Ok(Page(IntegrationPage::of(&app, visit).await?))
}

/// `GET` of what is only sent: a reload on the way back.
pub(super) async fn show_again(Visit { place, .. }: Visit) -> Result<Redirect, PageError> {
    Ok(Redirect::to(&format!("{}/{}", place.base(), place.id()?)))
}
