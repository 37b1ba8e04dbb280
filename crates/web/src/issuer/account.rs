//! A member's own page: what a website keeps of them, and how they end it.

use super::{
    cookie::Cookie,
    face::{self, Face},
    here::Here,
    problem::{Problem, Way},
};
use crate::{cookie::is_https, form::Form, page::Page};
use askama::Template;
use axum::{
    Router,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use stave_app::{App, Failure, IssuerAccount};
use stave_domain::website::{Login, Member};

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/w/{slug}/account", get(show))
        .route("/w/{slug}/account/connect/{provider}", post_only(post(connect)))
        .route("/w/{slug}/account/disconnect", post_only(post(disconnect)))
        .route("/w/{slug}/account/logins/{login}/end", post_only(post(end_login)))
        .route("/w/{slug}/account/sign-out-everywhere", post_only(post(sign_out_everywhere)))
        .route("/w/{slug}/account/applications/{client}/withdraw", post_only(post(withdraw)))
        .route("/w/{slug}/account/delete", post_only(post(delete)))
}

/// What is only sent leads back to the page: a reload after a refusal, or a way back from a server.
fn post_only(handler: axum::routing::MethodRouter<App>) -> axum::routing::MethodRouter<App> {
    handler.get(|here: Here| async move { Redirect::to(&address(&here)) })
}

fn address(here: &Here) -> String {
    format!("{}/account", face::path(&here.issuer.website))
}

#[derive(Template)]
#[template(path = "issuer/account.html")]
struct AccountPage {
    face: Face,
    member: Member,
    account: IssuerAccount,
    /// The login of this browser.
    login: Login,
    /// What was just done.
    done: Option<&'static str>,
}

impl AccountPage {
    /// Their name; an id says nothing to them.
    fn heading(&self) -> &str {
        let member = &self.member;
        [&member.name, &member.handle]
            .into_iter()
            .find(|name| !name.is_empty())
            .map_or("Your account", |name| name)
    }

    fn is_this(&self, login: &Login) -> bool {
        self.login.id == login.id
    }
}

/// The query of the page: a word for what was done, and never a text.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Back {
    done: String,
}

impl Back {
    fn sentence(&self) -> Option<&'static str> {
        match self.done.as_str() {
            "connected" => Some("The account is connected. You can log in with it from now on."),
            "disconnected" => Some("The account is no longer connected."),
            "ended" => Some("That browser is logged out."),
            "withdrawn" => Some("The application may no longer know you. It has to ask again."),
            _ => None,
        }
    }
}

/// `GET /w/{slug}/account`
async fn show(
    State(app): State<App>,
    here: Here,
    Query(back): Query<Back>,
) -> Result<Page<AccountPage>, Problem> {
    let signed_in = here.signed_in()?;
    let account = app.issuer_account(&here.issuer, signed_in).await?;
    Ok(Page(AccountPage {
        face: Face::of(&here.issuer),
        member: signed_in.member.clone(),
        account,
        login: signed_in.login.clone(),
        done: back.sentence(),
    }))
}

/// `POST /w/{slug}/account/connect/{provider}`: off to another server. Whoever proved too long ago who they are does so first.
async fn connect(
    State(app): State<App>,
    here: Here,
    Path((_, provider)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let signed_in = here.signed_in()?;
    let browser = (here.trip.clone(), &here.visitor);
    match app.issuer_connect_begin(&here.issuer, signed_in, &provider, browser).await {
        Ok(departure) => {
            let cookie = Cookie::Trip.put(is_https(app.url()), &departure.browser);
            Ok((cookie, Redirect::to(departure.url.as_str())).into_response())
        }
        Err(Failure::LogInNeeded) => {
            let form = format!("{}/login?after=again", face::path(&here.issuer.website));
            Ok(Redirect::to(&form).into_response())
        }
        Err(failure) => Err(unchanged(&here, failure)),
    }
}

/// What did not work on the account page leads back to it.
fn unchanged(here: &Here, failure: Failure) -> Problem {
    let problem = Problem::from(failure);
    if problem.status() == StatusCode::UNAUTHORIZED {
        return problem;
    }
    problem.titled("Nothing has changed").leading(Way::to("Back to your account", address(here)))
}

/// Which server is disconnected.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Disconnected {
    place: String,
}

/// `POST /w/{slug}/account/disconnect`
async fn disconnect(
    State(app): State<App>,
    here: Here,
    Form(form): Form<Disconnected>,
) -> Result<Redirect, Problem> {
    let signed_in = here.signed_in()?;
    let done = app.issuer_disconnect(&here.issuer, signed_in, &form.place, &here.visitor).await;
    done.map_err(|failure| unchanged(&here, failure))?;
    Ok(Redirect::to(&format!("{}?done=disconnected", address(&here))))
}

/// `POST /w/{slug}/account/logins/{login}/end`
async fn end_login(
    State(app): State<App>,
    here: Here,
    Path((_, login)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let signed_in = here.signed_in()?;
    let login = login.parse().map_err(|_| Failure::NotFound("browser that is logged in"));
    let login = login.map_err(|failure| unchanged(&here, failure))?;
    let done = app.issuer_login_end(&here.issuer, signed_in, login).await;
    done.map_err(|failure| unchanged(&here, failure))?;
    if login == signed_in.login.id {
        return Ok(leave(&app, &here, "sign-out"));
    }
    Ok(Redirect::to(&format!("{}?done=ended", address(&here))).into_response())
}

/// `POST /w/{slug}/account/sign-out-everywhere`
async fn sign_out_everywhere(State(app): State<App>, here: Here) -> Result<Response, Problem> {
    app.issuer_sign_out_everywhere(&here.issuer, here.signed_in()?, &here.visitor).await?;
    Ok(leave(&app, &here, "sign-out"))
}

/// `POST /w/{slug}/account/applications/{client}/withdraw`
async fn withdraw(
    State(app): State<App>,
    here: Here,
    Path((_, client)): Path<(String, String)>,
) -> Result<Redirect, Problem> {
    let signed_in = here.signed_in()?;
    let client = client.parse().map_err(|_| Failure::NotFound("application with your consent"));
    let client = client.map_err(|failure| unchanged(&here, failure))?;
    let done = app.issuer_consent_withdraw(&here.issuer, signed_in, client).await;
    done.map_err(|failure| unchanged(&here, failure))?;
    Ok(Redirect::to(&format!("{}?done=withdrawn", address(&here))))
}

/// `POST /w/{slug}/account/delete`
async fn delete(State(app): State<App>, here: Here) -> Result<Response, Problem> {
    app.issuer_member_delete(&here.issuer, here.signed_in()?, &here.visitor).await?;
    Ok(leave(&app, &here, "delete"))
}

/// The browser is signed out: the login form says why it is shown.
fn leave(app: &App, here: &Here, after: &str) -> Response {
    let cookie = Cookie::Login(&here.issuer).end(is_https(app.url()));
    let form = format!("{}/login?after={after}", face::path(&here.issuer.website));
    (cookie, Redirect::to(&form)).into_response()
}
