//! Three ways to connect a website, and the first of them: OpenID Connect.

use super::place::{Place, Visit};
use crate::{error::PageError, frame::Frame, page::Page};
use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect},
};
use stave_app::{App, Failure, Finding};
use stave_domain::{
    check::Outcome,
    website::{Client, ClientKind, RedirectUri},
};

#[derive(Template)]
#[template(path = "website/connect.html")]
pub(super) struct Ways {
    frame: Frame,
    place: Place,
}

#[derive(Template)]
#[template(path = "website/openid.html")]
pub(super) struct OpenId {
    frame: Frame,
    place: Place,
    clients: Vec<Client>,
    findings: Option<Vec<Finding>>,
}

impl OpenId {
    async fn of(app: &App, Visit { frame, place }: Visit) -> Result<Self, Failure> {
        let (organization, website) = place.names();
        let clients = app.website_client_list(&frame.actor, organization, website).await?;
        Ok(Self { frame, place, clients, findings: None })
    }

    fn first_address(client: &Client) -> &str {
        client.redirect_uris.first().map_or("", RedirectUri::as_str)
    }
}

/// `GET /orgs/{organization}/websites/{website}/connect`
pub(super) async fn choose(Visit { frame, place }: Visit) -> impl IntoResponse {
    Page(Ways { frame, place })
}

/// `GET /orgs/{organization}/websites/{website}/connect/openid`
pub(super) async fn show(State(app): State<App>, visit: Visit) -> Result<Page<OpenId>, PageError> {
    Ok(Page(OpenId::of(&app, visit).await?))
}

/// `POST /orgs/{organization}/websites/{website}/connect/openid/test`
pub(super) async fn test(State(app): State<App>, visit: Visit) -> Result<Page<OpenId>, PageError> {
    let (organization, website) = visit.place.names();
    let findings = app.website_wiring_openid(&visit.frame.actor, organization, website).await?;
    let page = OpenId::of(&app, visit).await?;
    Ok(Page(OpenId { findings: Some(findings), ..page }))
}

/// `GET /orgs/{organization}/websites/{website}/connect/openid/test`: what was found is not kept.
pub(super) async fn show_again(visit: Visit) -> Redirect {
    Redirect::to(&format!("{}/connect/openid", visit.place.base()))
}

/// The mark of an outcome in a list of checks, and its sentence.
pub(crate) fn outcome(outcome: &Outcome) -> (&'static str, &str) {
    match outcome {
        Outcome::Passed(sentence) => ("passed", sentence),
        Outcome::Noted(sentence) => ("noted", sentence),
        Outcome::Failed(sentence) => ("failed", sentence),
    }
}
