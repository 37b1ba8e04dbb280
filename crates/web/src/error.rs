//! Failures, one type per audience: a page for people, JSON for Composer and the API.
//!
//! Both travel in the response until the layer of their audience ([`crate::layers`]) logs the chain of causes once and writes
//! the body, because only there the request id and the frame of the page are known.

use crate::{frame::Frame, login_link, page::render, request::RequestId, return_to::ReturnTo};
use askama::Template;
use axum::{
    Json,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CONTENT_TYPE, RETRY_AFTER},
    },
    response::{IntoResponse, Redirect, Response},
};
use serde_json::json;
use stave_app::{Failure, LogInThrough};
use std::{borrow::Cow, error::Error, sync::Arc};

/// A failure on its way to a page.
#[derive(Debug, Clone)]
pub(crate) struct PageError(Box<Told>);

/// A failure on its way to Composer or a client of the API.
#[derive(Debug, Clone)]
pub(crate) struct ApiError(Told);

/// What the client is told, and what the log keeps.
#[derive(Debug, Clone)]
struct Told {
    status: StatusCode,
    sentence: String,
    cause: Option<Arc<Failure>>,
    next: Option<Next>,
    /// A second way on.
    also: Option<Link>,
}

/// The text of a button and its address.
pub(crate) type Link = (&'static str, Cow<'static, str>);

/// What a page says instead of the usual about its kind of failure, and where to go on.
#[derive(Debug, Clone)]
pub(crate) struct Next {
    pub(crate) title: &'static str,
    /// What to do next.
    pub(crate) advice: &'static str,
    /// Where it can be done.
    pub(crate) link: Link,
}

impl PageError {
    /// A failure that only this room knows: a wrong method, a form that cannot be read.
    pub(crate) fn new(status: StatusCode, sentence: impl Into<String>) -> Self {
        Self(Box::new(Told::new(status, sentence)))
    }

    /// The same failure with another way on.
    pub(crate) fn leading(mut self, next: Next) -> Self {
        self.0.next = Some(next);
        self
    }

    /// The same failure with a second way on.
    pub(crate) fn or(mut self, link: Link) -> Self {
        self.0.also = Some(link);
        self
    }

    /// What it is answered with.
    pub(crate) fn status(&self) -> StatusCode {
        self.0.status
    }

    /// When to try again, if that is known (RFC 9110, section 10.2.3).
    pub(crate) fn retry_after(&self) -> HeaderMap {
        let wait = match self.0.cause.as_deref() {
            Some(Failure::TooOften { wait, .. }) => Some(wait.as_secs().max(1)),
            _ => None,
        };
        wait.map(|seconds| (RETRY_AFTER, HeaderValue::from(seconds))).into_iter().collect()
    }

    /// What the client is told.
    pub(crate) fn sentence(&self) -> &str {
        &self.0.sentence
    }

    /// Writes the failure into the log, for whoever shows it.
    pub(crate) fn log(&self) {
        self.0.log();
    }

    /// The same failure with another status.
    pub(crate) fn answered(mut self, status: StatusCode) -> Self {
        self.0.status = status;
        self
    }
}

impl ApiError {
    /// A failure that only this room knows: a wrong method, a body that cannot be read.
    pub(crate) fn new(status: StatusCode, sentence: impl Into<String>) -> Self {
        Self(Told::new(status, sentence))
    }
}

impl Told {
    fn new(status: StatusCode, sentence: impl Into<String>) -> Self {
        Self { status, sentence: sentence.into(), cause: None, next: None, also: None }
    }

    /// A defect or a machine that is broken is an error in the log; everything else is somebody's daily life.
    fn log(&self) {
        let causes = self.cause.as_deref().map(|failure| causes(failure)).unwrap_or_default();
        if matches!(self.status, StatusCode::INTERNAL_SERVER_ERROR | StatusCode::INSUFFICIENT_STORAGE) {
            tracing::error!(sentence = self.sentence, causes, "failed");
        } else if self.status.is_server_error() {
            tracing::warn!(sentence = self.sentence, causes, "failed");
        } else {
            tracing::debug!(sentence = self.sentence, causes, "refused");
        }
    }
}

/// What lies behind a failure, for the log only.
pub(crate) fn causes(failure: &dyn Error) -> String {
    let (mut chain, mut next) = (Vec::new(), failure.source());
    while let Some(cause) = next {
        chain.push(cause.to_string());
        next = cause.source();
    }
    chain.join(": ")
}

impl From<Failure> for Told {
    fn from(failure: Failure) -> Self {
        let status = match &failure {
            Failure::NotFound(_) | Failure::Absent(_) => StatusCode::NOT_FOUND,
            Failure::Gone(_) => StatusCode::GONE,
            Failure::Denied(_) | Failure::LogInThrough(_) => StatusCode::FORBIDDEN,
            Failure::LogInNeeded => StatusCode::UNAUTHORIZED,
            Failure::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Failure::Conflict(_) => StatusCode::CONFLICT,
            Failure::TooOften { .. } => StatusCode::TOO_MANY_REQUESTS,
            Failure::Elsewhere { .. } => StatusCode::BAD_GATEWAY,
            Failure::Disk(_) => StatusCode::INSUFFICIENT_STORAGE,
            Failure::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self { status, sentence: failure.to_string(), cause: Some(Arc::new(failure)), next: None, also: None }
    }
}

impl From<Failure> for PageError {
    fn from(failure: Failure) -> Self {
        Self(Box::new(failure.into()))
    }
}

impl From<Failure> for ApiError {
    fn from(failure: Failure) -> Self {
        Self(failure.into())
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let mut response = (self.0.status, self.retry_after()).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.0.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The page that shows a failure.
#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    frame: Frame,
    status: u16,
    sentence: String,
    way: Way,
    /// A second way on.
    also: Option<Link>,
    id: String,
}

/// What the page says about a kind of failure, and where it leads.
struct Way {
    title: Cow<'static, str>,
    /// What to do next.
    advice: &'static str,
    /// Where it can be done: the text of a button and its address.
    link: (Cow<'static, str>, String),
}

impl Way {
    fn new(title: &'static str, advice: &'static str, (text, address): (&'static str, &str)) -> Self {
        Self { title: title.into(), advice, link: (text.into(), address.to_owned()) }
    }

    /// What is usual for a status. `back` is the page that was asked for.
    fn usual(status: StatusCode, back: Option<&ReturnTo>) -> Self {
        let start = ("Go to the start page", "/");
        let again = ("Try again", back.map_or("/", ReturnTo::as_str));
        match status {
            StatusCode::NOT_FOUND => Self::new(
                "There is nothing here",
                "Check the address, or look for it from the start page.",
                start,
            ),
            StatusCode::FORBIDDEN => {
                Self::new("You may not do this", "If you should be able to, ask an owner or an admin.", start)
            }
            StatusCode::CONFLICT => Self::new(
                "This does not fit what is there",
                "Go back, reload the page and look at it again.",
                start,
            ),
            StatusCode::BAD_GATEWAY => Self::new(
                "Another server did not do its part",
                "What was typed is kept if you go back.",
                again,
            ),
            StatusCode::SERVICE_UNAVAILABLE => {
                Self::new("Stave is busy", "Wait a moment and try again.", again)
            }
            status if status.is_server_error() => Self::new(
                "Something went wrong",
                "Whoever runs this server finds the cause in its log by the request number below.",
                again,
            ),
            _ => Self::new("This cannot be done", "Go back to the page that you came from.", start),
        }
    }

    /// To the log-in that an organization asks for, and from there to the page that was asked for.
    fn through(asked: &LogInThrough, back: Option<&ReturnTo>) -> Self {
        let LogInThrough { organization, integration } = asked;
        let address = login_link::address(organization, integration);
        Self {
            title: format!("Log in with {}", integration.name).into(),
            advice: "You stay logged in here: this browser only shows once who you are there.",
            link: (
                format!("Log in with {}", integration.name).into(),
                back.map_or_else(|| address.clone(), |back| back.after(&address)),
            ),
        }
    }
}

impl From<Next> for Way {
    fn from(Next { title, advice, link: (text, address) }: Next) -> Self {
        Self::new(title, advice, (text, &address))
    }
}

impl PageError {
    /// Logs the failure and makes its page. Who is not logged in is sent to the log-in page and, if the request only looked at
    /// something, from there back to it.
    pub(crate) fn show(self, id: RequestId, frame: Frame, back: Option<&ReturnTo>) -> Response {
        let Self(told) = self;
        told.log();
        if told.status == StatusCode::UNAUTHORIZED {
            return Redirect::to(&back.cloned().unwrap_or_default().login()).into_response();
        }
        let way = match (told.next, told.cause.as_deref()) {
            (Some(next), _) => next.into(),
            (None, Some(Failure::LogInThrough(asked))) => Way::through(asked, back),
            (None, _) => Way::usual(told.status, back),
        };
        let page = ErrorPage {
            frame,
            status: told.status.as_u16(),
            sentence: told.sentence,
            way,
            also: told.also,
            id: id.to_string(),
        };
        render(told.status, &page)
    }
}

impl ApiError {
    /// Logs the failure and makes its JSON. Composer prints `warning` only if the content type has no parameter
    /// (Composer 2.2 to 2.10, `RepositoryFactory`/`HttpDownloader::outputWarnings`).
    pub(crate) fn show(self, id: RequestId) -> Response {
        let Self(told) = self;
        told.log();
        let sentence = if told.status.is_server_error() {
            format!("{} (Request {id}.)", told.sentence)
        } else {
            told.sentence
        };
        let body = Json(json!({ "status": "error", "message": sentence, "warning": sentence }));
        let mut response = (told.status, body).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}
