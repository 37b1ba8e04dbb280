//! Answers to people: a page, or a form shown again.

use crate::error::PageError;
use askama::Template;
use axum::{
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};

/// A page: `Ok(Page(PackagePage { frame, package }))`.
pub(crate) struct Page<T>(pub(crate) T);

/// A form shown again with what was typed and what is wrong, as `422 Unprocessable Content`.
pub(crate) struct Refused<T>(pub(crate) T);

impl<T: Template> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        render(StatusCode::OK, &self.0)
    }
}

impl<T: Template> IntoResponse for Refused<T> {
    fn into_response(self) -> Response {
        render(StatusCode::UNPROCESSABLE_ENTITY, &self.0)
    }
}

pub(crate) fn render(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (status, [(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))], html)
            .into_response(),
        Err(error) => PageError::from(stave_app::Failure::internal(error)).into_response(),
    }
}

/// Whether two values look the same on a page. Templates hold some as references and some not, so `==` cannot tell.
pub(crate) fn same(one: &impl ToString, other: &impl ToString) -> bool {
    one.to_string() == other.to_string()
}
