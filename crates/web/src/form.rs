//! Forms, as browsers send them.

use crate::error::PageError;
use axum::{
    extract::{FromRequest, Request, rejection::FormRejection},
    http::StatusCode,
};
use serde::de::DeserializeOwned;
use stave_app::{Failure, Problems};

/// What was typed into a form. The fields of `T` are texts with `#[serde(default)]`, so that every form that arrives whole can
/// be read, and what is wrong with it is said beside the field.
pub(crate) struct Form<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Form<T> {
    type Rejection = PageError;

    async fn from_request(request: Request, state: &S) -> Result<Self, PageError> {
        match axum::Form::<T>::from_request(request, state).await {
            Ok(axum::Form(typed)) => Ok(Self(typed)),
            Err(rejection) => Err(refusal(&rejection)),
        }
    }
}

/// What is wrong with a form, to show it again. A failure that is about nothing that was typed is handed on.
pub(crate) fn problems(failure: Failure) -> Result<Problems, PageError> {
    match failure {
        Failure::Invalid(problems) => Ok(problems),
        Failure::Conflict(sentence) => {
            let mut problems = Problems::default();
            problems.add("", sentence);
            Ok(problems)
        }
        other => Err(other.into()),
    }
}

/// The rejection itself is not logged: it may quote what was typed.
fn refusal(rejection: &FormRejection) -> PageError {
    let status = rejection.status();
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        return PageError::new(
            status,
            "The form is too large: at most 1 MiB. Nothing was saved. Go back and shorten it.",
        );
    }
    PageError::new(
        StatusCode::BAD_REQUEST,
        "The form did not arrive as it was made. Nothing was saved. Go back, reload the page and fill it in again.",
    )
}
