//! Settings > Security > Advisories: what an organization tells about faults of packages.

use crate::{
    actor::By,
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
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use stave_app::{AdvisoryForm, AdvisoryLine, App, Failure, Problems};
use stave_domain::{
    advisory::{Advisory, Severity},
    organization::Organization,
};
use std::borrow::Borrow as _;

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/orgs/{organization}/settings/security/advisories", get(list))
        .route("/orgs/{organization}/settings/security/advisories/new", get(new).post(create))
        .route("/orgs/{organization}/settings/security/advisories/{advisory}", get(show).post(change))
        .route("/orgs/{organization}/settings/security/advisories/{advisory}/delete", post(delete))
}

#[derive(Template)]
#[template(path = "advisory_list.html")]
struct AdvisoryList {
    frame: Frame,
    organization: Organization,
    home: String,
    lines: Vec<AdvisoryLine>,
}

/// `GET /orgs/{organization}/settings/security/advisories`
async fn list(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
) -> Result<Page<AdvisoryList>, PageError> {
    let (organization, lines) = app.advisory_list(&frame.actor, &short_name).await?;
    let home = home(&organization);
    Ok(Page(AdvisoryList { frame, organization, home, lines }))
}

#[derive(Template)]
#[template(path = "advisory_new.html")]
struct NewAdvisory {
    frame: Frame,
    organization: Organization,
    home: String,
    form: AdvisoryForm,
    problems: Problems,
}

impl NewAdvisory {
    async fn of(app: &App, frame: Frame, short_name: &str) -> Result<Self, Failure> {
        let organization = app.advisory_form_new(&frame.actor, short_name).await?;
        let home = home(&organization);
        Ok(Self { frame, organization, home, form: AdvisoryForm::default(), problems: Problems::default() })
    }
}

/// `GET /orgs/{organization}/settings/security/advisories/new`
async fn new(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
) -> Result<Page<NewAdvisory>, PageError> {
    Ok(Page(NewAdvisory::of(&app, frame, &short_name).await?))
}

/// `POST /orgs/{organization}/settings/security/advisories/new`
async fn create(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
    Form(form): Form<AdvisoryForm>,
) -> Result<Response, PageError> {
    match app.advisory_create(&frame.actor, &short_name, &form).await {
        Ok(()) => Ok(Done::AdvisoryTold.at(&list_of(&short_name)).into_response()),
        Err(failure) => {
            let problems = form::problems(failure)?;
            let page = NewAdvisory::of(&app, frame, &short_name).await?;
            Ok(Refused(NewAdvisory { form, problems, ..page }).into_response())
        }
    }
}

#[derive(Template)]
#[template(path = "advisory.html")]
struct AdvisoryPage {
    frame: Frame,
    organization: Organization,
    home: String,
    line: AdvisoryLine,
    form: AdvisoryForm,
    problems: Problems,
}

impl AdvisoryPage {
    async fn of(app: &App, frame: Frame, short_name: &str, id: &str) -> Result<Self, Failure> {
        let (organization, line) = app.advisory_show(&frame.actor, short_name, id).await?;
        let (home, form) = (home(&organization), AdvisoryForm::of(&line.advisory));
        Ok(Self { frame, organization, home, line, form, problems: Problems::default() })
    }

    fn address(&self) -> String {
        format!("{}/settings/security/advisories/{}", self.home, self.line.advisory.id)
    }
}

/// `GET /orgs/{organization}/settings/security/advisories/{advisory}`
async fn show(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, id)): Path<(String, String)>,
) -> Result<Page<AdvisoryPage>, PageError> {
    Ok(Page(AdvisoryPage::of(&app, frame, &short_name, &id).await?))
}

/// `POST /orgs/{organization}/settings/security/advisories/{advisory}`
async fn change(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, id)): Path<(String, String)>,
    Form(form): Form<AdvisoryForm>,
) -> Result<Response, PageError> {
    match app.advisory_change(&frame.actor, &short_name, &id, &form).await {
        Ok(()) => {
            let page = format!("{}/{id}", list_of(&short_name));
            Ok(Done::AdvisoryTold.at(&page).into_response())
        }
        Err(failure) => {
            let problems = form::problems(failure)?;
            let page = AdvisoryPage::of(&app, frame, &short_name, &id).await?;
            Ok(Refused(AdvisoryPage { form, problems, ..page }).into_response())
        }
    }
}

/// `POST /orgs/{organization}/settings/security/advisories/{advisory}/delete`
async fn delete(
    State(app): State<App>,
    By(actor): By,
    Path((short_name, id)): Path<(String, String)>,
) -> Result<Redirect, PageError> {
    app.advisory_delete(&actor, &short_name, &id).await?;
    Ok(Done::Deleted.at(&list_of(&short_name)))
}

fn list_of(short_name: &str) -> String {
    format!("{}/settings/security/advisories", address(short_name))
}

/// What can be chosen, the worst first.
fn severities() -> Vec<(String, String)> {
    let none = (String::new(), "Not judged".to_owned());
    let all = Severity::ALL.map(|severity| (severity.key().to_owned(), severity.label().to_owned()));
    std::iter::once(none).chain(all).collect()
}

/// How bad it is, with the tone of the badge.
fn badge(advisory: &Advisory) -> Option<(&'static str, &'static str)> {
    let severity = advisory.report.as_ref()?.severity?;
    let tone = match severity {
        Severity::Critical | Severity::High => "bad",
        Severity::Medium => "warn",
        Severity::Low => "",
    };
    Some((severity.label(), tone))
}

#[cfg(test)]
mod tests;
