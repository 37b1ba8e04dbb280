//! An application sends its visitor here to log out (OpenID Connect RP-Initiated Logout 1.0).

use super::{
    authorize::{by_redirect, parameters},
    cookie::Cookie,
    face::{self, Face},
    here::Here,
    problem::Problem,
};
use crate::{cookie::is_https, form::Form, page::Page};
use askama::Template;
use axum::{
    Router,
    extract::{RawForm, RawQuery, State, rejection::RawFormRejection},
    http::{
        Uri,
        header::{CACHE_CONTROL, REFERRER_POLICY},
    },
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use stave_app::{App, LogOut};
use stave_domain::website::{Client, Member};

/// Where applications send visitors.
pub(crate) fn router() -> Router<App> {
    Router::new().route("/w/{slug}/logout", get(begin).post(begin_again))
}

/// What visitors send from our own page.
pub(crate) fn own_router() -> Router<App> {
    Router::new().route("/w/{slug}/logout/confirm", post(confirm).get(confirm_again))
}

/// The question.
#[derive(Template)]
#[template(path = "issuer/logout.html")]
struct LogOutPage {
    face: Face,
    heading: String,
    member: Member,
    /// Who sent them, if that is known.
    client: Option<Client>,
    request: String,
}

/// What the page sends back.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Confirmed {
    request: String,
}

/// `GET /w/{slug}/logout`: asks, unless the application shows that it means this sign-in.
async fn begin(State(app): State<App>, here: Here, RawQuery(query): RawQuery) -> Result<Response, Problem> {
    let parameters = parameters(query.as_deref());
    let outcome = app.issuer_log_out_begin(&here.issuer, &parameters, here.signed_in.as_ref()).await?;
    Ok(show(&app, &here, outcome))
}

/// `POST /w/{slug}/logout`: as [`super::authorize`], for the cookie.
async fn begin_again(address: Uri, form: Result<RawForm, RawFormRejection>) -> Result<Redirect, Problem> {
    by_redirect(&address, form)
}

/// `POST /w/{slug}/logout/confirm`
async fn confirm(
    State(app): State<App>,
    here: Here,
    Form(form): Form<Confirmed>,
) -> Result<Response, Problem> {
    let signed_in = here.signed_in.as_ref();
    let outcome = app.issuer_log_out_confirm(&here.issuer, &form.request, signed_in).await?;
    Ok(show(&app, &here, outcome))
}

/// `GET /w/{slug}/logout/confirm`: a reload.
async fn confirm_again(here: Here) -> Redirect {
    Redirect::to(&format!("{}/logout", face::path(&here.issuer.website)))
}

fn show(app: &App, here: &Here, outcome: LogOut) -> Response {
    let face = Face::of(&here.issuer);
    match outcome {
        LogOut::Ask { request, member, client } => {
            let client = client.map(|client| *client);
            let heading = format!("Log out of {}?", face.name);
            Page(LogOutPage { face, heading, member: *member, client, request }).into_response()
        }
        LogOut::Done { back } => {
            let over = Cookie::Login(&here.issuer).end(is_https(app.url()));
            let signed_out = format!("{}/login?after=sign-out", face.path);
            let on = back.map_or(signed_out, String::from);
            let headers = [(CACHE_CONTROL, "no-store"), (REFERRER_POLICY, "no-referrer")];
            (over, headers, Redirect::to(&on)).into_response()
        }
    }
}
