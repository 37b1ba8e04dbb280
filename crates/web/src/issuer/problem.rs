//! What does not work for a visitor, as a page in the look of the website, with a next step.

use super::{face::Face, slug_in};
use crate::{error::PageError, page::render, request::RequestId};
use askama::Template;
use axum::{
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header::REFERRER_POLICY},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use stave_app::{Answer, App, Failure, Issuer};
use stave_domain::website::Website;

/// A failure on its way to a page in the look of the website. Handlers return it; [`show_problems`] makes the page, because it
/// knows which website the address names.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    error: Box<PageError>,
    title: Option<String>,
    ways: Vec<Way>,
}

/// Where a visitor can go on: a link or, if there are fields, a form that is sent to another site.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    /// The words on the button.
    pub(crate) text: String,
    /// Where it leads.
    pub(crate) address: String,
    /// The fields of the form.
    pub(crate) form: Option<Vec<(String, String)>>,
}

impl Way {
    /// A link.
    pub(crate) fn to(text: impl Into<String>, address: impl Into<String>) -> Self {
        Self { text: text.into(), address: address.into(), form: None }
    }

    /// The website itself.
    pub(crate) fn home(website: &Website) -> Self {
        Self::to(format!("Go to {}", website.name), website.origin().at("/"))
    }

    /// Back to an application, with an answer.
    pub(crate) fn answer(text: impl Into<String>, answer: Answer) -> Self {
        Self { text: text.into(), address: answer.url.into(), form: answer.form }
    }
}

impl Problem {
    /// A failure that only this room knows.
    pub(crate) fn new(status: StatusCode, sentence: impl Into<String>) -> Self {
        PageError::new(status, sentence).into()
    }

    /// What it is answered with.
    pub(crate) fn status(&self) -> StatusCode {
        self.error.status()
    }

    /// The same with another status.
    pub(crate) fn answered(mut self, status: StatusCode) -> Self {
        self.error = Box::new(self.error.answered(status));
        self
    }

    /// The same with another heading.
    pub(crate) fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// The same with a way on; the first is the one to take.
    pub(crate) fn leading(mut self, way: Way) -> Self {
        self.ways.push(way);
        self
    }
}

impl From<PageError> for Problem {
    fn from(error: PageError) -> Self {
        Self { error: Box::new(error), title: None, ways: Vec::new() }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        PageError::from(failure).into()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.error.status(), self.error.retry_after()).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[derive(Template)]
#[template(path = "issuer/problem.html")]
struct ProblemPage {
    face: Face,
    title: String,
    sentence: String,
    ways: Vec<Way>,
    id: String,
}

/// Turns a [`Problem`], and every [`PageError`] below the address of a website, into a page in the look of that website. Where
/// there is no such website the failure goes on as a page of Stave.
pub(crate) async fn show_problems(State(app): State<App>, request: Request, next: Next) -> Response {
    let Some(slug) = slug_in(request.uri()).map(str::to_owned) else { return next.run(request).await };
    let id = RequestId::of(request.extensions());
    let mut response = next.run(request).await;
    let extensions = response.extensions_mut();
    let problem = extensions.remove::<Problem>();
    let Some(problem) = problem.or_else(|| extensions.remove::<PageError>().map(Problem::from)) else {
        return response;
    };
    if problem.error.status() == StatusCode::UNAUTHORIZED {
        return Redirect::to(&format!("/w/{slug}/login")).into_response();
    }
    match app.issuer(&slug).await {
        Ok(issuer) => {
            let headers = crate::layers::kept_headers(&mut response);
            (headers, problem.show(id, &issuer)).into_response()
        }
        Err(_) => problem.error.into_response(),
    }
}

impl Problem {
    /// Its page. The address of a page that failed may hold a code: no other page hears of it.
    pub(crate) fn show(self, id: RequestId, issuer: &Issuer) -> Response {
        self.error.log();
        let status = self.error.status();
        let title = self.title.unwrap_or_else(|| usual_title(status).to_owned());
        let ways = if self.ways.is_empty() { vec![Way::home(&issuer.website)] } else { self.ways };
        let page = ProblemPage {
            face: Face::of(issuer),
            title,
            sentence: self.error.sentence().to_owned(),
            ways,
            id: id.to_string(),
        };
        let mut response = render(status, &page);
        response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        response
    }
}

fn usual_title(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "There is nothing here",
        StatusCode::BAD_GATEWAY => "Another server did not do its part",
        StatusCode::SERVICE_UNAVAILABLE => "This takes too long",
        status if status.is_server_error() => "Something went wrong",
        _ => "This does not work",
    }
}
