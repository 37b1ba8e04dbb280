//! "Test now": the parts of the platform's interface are tried.

use super::place::Visit;
use crate::{done::Done, error::PageError};
use axum::{extract::State, response::Redirect};
use stave_app::App;

/// `POST /admin/integrations/{integration}/endpoints` and the same in an organization
pub(super) async fn try_now(
    State(app): State<App>,
    Visit { frame, place }: Visit,
) -> Result<Redirect, PageError> {
    let id = place.id()?;
    app.endpoints_try_now(&frame.actor, &place.level, id).await?;
    Ok(Done::EndpointsTried.at(&format!("{}/{id}#endpoints", place.base())))
}
