//! "Test sign-in": the way to the server and back with the draft's keys, and the sheet that tells what came of it.

use super::place::{Place, Visit};
use crate::{
    cookie::is_https, done::Done, error::PageError, form::Form, frame::Frame, issuer::Cookie, page::Page,
};
use askama::Template;
use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::{IntoResponse, Redirect, Response},
};
use stave_app::App;
use stave_domain::website::{Circle, Draft, TestReport};

#[derive(Template)]
#[template(path = "website/test.html")]
pub(super) struct TestPage {
    frame: Frame,
    place: Place,
    report: Option<TestReport>,
    /// The draft, by its version, if it is what was tested and would let a visitor in.
    to_save: Option<String>,
}

impl TestPage {
    fn again(&self, report: &TestReport) -> String {
        format!("{}/test/{}", self.place.base(), report.provider)
    }
}

/// The id of a workspace, which a setting can be limited to.
fn uuid(circle: &Circle) -> Option<&str> {
    match circle {
        Circle::Workspace { uuid, .. } => uuid.as_deref(),
        Circle::Group { .. } => None,
    }
}

/// `GET /orgs/{organization}/websites/{website}/test`: the sheet of the latest test of whoever asks.
pub(super) async fn show(
    State(app): State<App>,
    Visit { frame, place }: Visit,
) -> Result<Page<TestPage>, PageError> {
    let (organization, website) = place.names();
    let (_, _, report) = app.website_test_show(&frame.actor, organization, website).await?;
    let view = app.website_setting_show(&frame.actor, organization, website).await?;
    let is_tested = |draft: &Draft| {
        let good = report.as_ref().filter(|report| report.is_draft && report.is_good());
        good.is_some_and(|report| draft.changed_at <= report.tested_at)
    };
    let to_save = view.draft.as_ref().is_some_and(is_tested).then_some(view.form.version);
    Ok(Page(TestPage { frame, place, report, to_save }))
}

/// `POST /orgs/{organization}/websites/{website}/test/{provider}`: off to the server.
pub(super) async fn begin(
    State(app): State<App>,
    Visit { frame, place }: Visit,
    Path((_, _, provider)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let is_https = is_https(app.url());
    let browser = Cookie::Trip.read(is_https, &headers);
    let begun = app.website_test_begin(&frame.actor, place.names(), &provider, browser).await?;
    let Some(departure) = begun else {
        return Ok(Redirect::to(&format!("{}/test", place.base())).into_response());
    };
    let cookie = Cookie::Trip.put(is_https, &departure.browser);
    Ok((cookie, Redirect::to(departure.url.as_str())).into_response())
}

/// `GET /orgs/{organization}/websites/{website}/test/{provider}`: a reload, or a way back from the server.
pub(super) async fn show_again(visit: Visit) -> Redirect {
    Redirect::to(&format!("{}/preview", visit.place.base()))
}

/// What "Allow only this workspace" sends.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Chosen {
    uuid: String,
}

/// `POST /orgs/{organization}/websites/{website}/test`: only members of this workspace come in, by the draft.
pub(super) async fn allow(
    State(app): State<App>,
    Visit { frame, place }: Visit,
    Form(chosen): Form<Chosen>,
) -> Result<Redirect, PageError> {
    app.website_test_allow(&frame.actor, place.names(), &chosen.uuid).await?;
    Ok(Done::DraftApplied.at(&format!("{}/login", place.base())))
}
