//! The question whether an application may know somebody.

use super::{authorized, face::Face, here::Here, problem::Problem};
use crate::form::Form;
use askama::Template;
use axum::{Router, extract::State, response::Response, routing::post};
use stave_app::App;
use stave_domain::{
    Secret,
    website::{Client, Member, Scopes},
};

pub(crate) fn router() -> Router<App> {
    Router::new().route("/w/{slug}/consent", post(answer))
}

/// The page that asks.
#[derive(Template)]
#[template(path = "issuer/consent.html")]
pub(crate) struct ConsentPage {
    pub(crate) face: Face,
    /// Who asks.
    pub(crate) client: Client,
    /// Who is asked.
    pub(crate) member: Member,
    /// What it would know.
    pub(crate) scopes: Scopes,
    pub(crate) request: String,
    /// That everything else was asked already.
    pub(crate) proof: Secret,
}

/// What was pressed.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Answered {
    request: String,
    proof: Secret,
    /// `yes` or anything else.
    answer: String,
}

/// `POST /w/{slug}/consent`
async fn answer(State(app): State<App>, here: Here, Form(form): Form<Answered>) -> Result<Response, Problem> {
    let question = (form.request.as_str(), &form.proof);
    let is_given = form.answer == "yes";
    let authorized = app.issuer_consent(&here.issuer, here.signed_in.as_ref(), question, is_given).await?;
    authorized::show(&app, &here, authorized).await
}
