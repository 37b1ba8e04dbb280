//! Who asks, as the cookies of a browser tell, and from where.

use crate::{cookie::Cookie, error::PageError, request::Caller};
use axum::{extract::FromRequestParts, http::request::Parts};
use stave_app::{Actor, App};

/// Who asks: `By(actor): By`. It may be nobody; the use case says whether that is enough.
pub(crate) struct By(pub(crate) Actor);

impl FromRequestParts<App> for By {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, PageError> {
        let read = |cookie: Cookie| cookie.read(app.url(), &parts.headers);
        let (login, setup) = (read(Cookie::Login), read(Cookie::Setup));
        let Ok(Caller(visitor)) = Caller::from_request_parts(parts, app).await;
        let actor = app.actor(login.as_ref(), setup.as_ref()).await?;
        Ok(Self(Actor { address: visitor.address, ..actor }))
    }
}
