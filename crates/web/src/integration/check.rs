//! "Check the connection".

use super::place::Visit;
use crate::{cookie::Cookie, error::PageError, sign_in};
use axum::{
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Redirect, Response},
};
use stave_app::{App, CheckBegun};

/// `POST /admin/integrations/{integration}/check` and the same in an organization: off to the platform, or back to the page
/// with what is in the way.
pub(super) async fn begin(
    State(app): State<App>,
    Visit { frame, place }: Visit,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let id = place.id()?;
    let page = format!("{}/{id}#check", place.base());
    let browser = Cookie::Attempt.read(app.url(), &headers);
    match app.check_begin(&frame.actor, (&place.level, id), &page, browser).await? {
        CheckBegun::Over => Ok(Redirect::to(&page).into_response()),
        CheckBegun::Away(departure) => Ok(sign_in::leave(&app, &departure)),
    }
}
