//! What an authorization request led to: a page for the visitor, or an answer that their browser carries to the application.

use super::{
    consent::ConsentPage,
    face::Face,
    here::Here,
    login::{LoginPage, Waiting, depart},
    problem::{Problem, Way},
};
use crate::page::{Page, render};
use askama::Template;
use axum::{
    http::{HeaderValue, StatusCode, header::REFERRER_POLICY},
    response::{IntoResponse, Redirect, Response},
};
use stave_app::{Answer, App, Authorized, Failure, Why};
use stave_domain::website::{Client, Member};

/// Shows what was decided. A button is pressed for the visitor only in a browser that was not signed in before: after a sign-out
/// the next log-in needs a click.
pub(crate) async fn show(app: &App, here: &Here, authorized: Authorized) -> Result<Response, Problem> {
    let issuer = &here.issuer;
    match authorized {
        Authorized::Login { request, hint: Some(provider), .. } if here.login.is_none() => {
            depart(app, here, provider.as_str(), Some(request)).await
        }
        Authorized::Login { request, client, why, .. } => ask(app, here, (request, *client), why, None).await,
        Authorized::Choose { request, client, member } => {
            ask(app, here, (request, *client), Why::SignedOut, Some(*member)).await
        }
        Authorized::Consent { request, proof, client, scopes } => {
            let member = here.signed_in.as_ref().ok_or(Failure::LogInNeeded)?.member.clone();
            Ok(Page(ConsentPage { face: Face::of(issuer), client: *client, member, scopes, request, proof })
                .into_response())
        }
        Authorized::Answer(answer) | Authorized::Refused(answer) => Ok(carry(here, answer)),
        Authorized::Page(sentence) => Err(Problem::new(StatusCode::BAD_REQUEST, sentence)
            .titled("This application cannot log you in")
            .leading(Way::home(&issuer.website))),
    }
}

async fn ask(
    app: &App,
    here: &Here,
    (request, client): (String, Client),
    why: Why,
    member: Option<Member>,
) -> Result<Response, Problem> {
    let refusal = app.issuer_refuse(&here.issuer, &request).await?;
    let waiting = Waiting { request, client, why, member, refusal };
    Ok(Page(LoginPage::waiting(&here.issuer, waiting)).into_response())
}

/// A form that sends itself to the application (OAuth 2.0 Form Post Response Mode); without script it has a button.
#[derive(Template)]
#[template(path = "issuer/answer.html")]
struct AnswerPage {
    face: Face,
    way: Way,
}

/// The browser carries an answer to the application. The address holds a code, so that the page before it is not told either.
fn carry(here: &Here, answer: Answer) -> Response {
    let mut response = if answer.form.is_some() {
        let way = Way::answer("Continue", answer);
        render(StatusCode::OK, &AnswerPage { face: Face::of(&here.issuer), way })
    } else {
        Redirect::to(answer.url.as_str()).into_response()
    };
    response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
