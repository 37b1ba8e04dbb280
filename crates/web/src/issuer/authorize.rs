//! An application sends its visitor here to log in (OpenID Connect Core, section 3.1.2).

use super::{authorized, here::Here, problem::Problem};
use axum::{
    Router,
    extract::{RawForm, RawQuery, State},
    http::{StatusCode, Uri},
    response::{Redirect, Response},
    routing::get,
};
use stave_app::App;
use url::form_urlencoded;

pub(crate) fn router() -> Router<App> {
    Router::new().route("/w/{slug}/authorize", get(ask).post(ask_again))
}

/// `GET /w/{slug}/authorize`
async fn ask(State(app): State<App>, here: Here, RawQuery(query): RawQuery) -> Result<Response, Problem> {
    let authorized =
        app.issuer_authorize(&here.issuer, &parameters(query.as_deref()), here.signed_in.as_ref()).await?;
    authorized::show(&app, &here, authorized).await
}

/// `POST /w/{slug}/authorize`: browsers keep the cookie of the login from a form of another site, and send it when they are led
/// here by a redirect.
async fn ask_again(
    address: Uri,
    form: Result<RawForm, axum::extract::rejection::RawFormRejection>,
) -> Result<Redirect, Problem> {
    by_redirect(&address, form)
}

/// The same address with what was sent as its query. Both are read alike.
pub(super) fn by_redirect(
    address: &Uri,
    form: Result<RawForm, axum::extract::rejection::RawFormRejection>,
) -> Result<Redirect, Problem> {
    let unread =
        |_| Problem::new(StatusCode::BAD_REQUEST, "The application sent a form that cannot be read.");
    let RawForm(form) = form.map_err(unread)?;
    let query =
        form_urlencoded::Serializer::new(String::new()).extend_pairs(form_urlencoded::parse(&form)).finish();
    Ok(Redirect::to(&format!("{}?{query}", address.path())))
}

/// What a query says, decoded, in order.
pub(super) fn parameters(query: Option<&str>) -> Vec<(String, String)> {
    form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect()
}
