//! The login form of a website, and the way from its buttons to a server.

use super::{
    authorized,
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
    http::{StatusCode, Uri},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use stave_app::{Answer, App, Failure, Issuer, Why};
use stave_domain::website::{Client, Member, Setting, TripPurpose, Website};

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/w/{slug}", get(come))
        .route("/w/{slug}/login", get(show))
        .route("/w/{slug}/login/{provider}", post(leave).get(show_again))
        .route("/w/{slug}/continue", post(go_on).get(show_again))
}

/// The login form as visitors see it: a template by itself, so that its owner sees the same (`{{ form|safe }}`). The page around
/// it links `issuer.css` and [`face::colours`], and has it in an element of the class `issuer-card` in one of `issuer-stage`.
#[derive(Template)]
#[template(path = "issuer/form.html")]
pub(crate) struct LoginForm {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) message: String,
    pub(crate) footer: String,
    /// The address of the picture.
    pub(crate) logo: Option<String>,
    pub(crate) buttons: Vec<LoginButton>,
    /// Whether nothing in it can be pressed.
    pub(crate) is_inert: bool,
}

/// A button of the form.
pub(crate) struct LoginButton {
    pub(crate) label: String,
    /// Where it sends the form.
    pub(crate) action: String,
}

impl LoginForm {
    /// The form that a setting makes.
    pub(crate) fn of(website: &Website, setting: &Setting, is_inert: bool) -> Self {
        let look = &setting.look;
        let title = match look.title.trim() {
            "" => format!("Log in to {}", website.name),
            title => title.to_owned(),
        };
        let buttons = setting.offered().map(|provider| LoginButton {
            label: provider.label.clone(),
            action: format!("{}/login/{}", face::path(website), provider.key),
        });
        Self {
            name: website.name.clone(),
            title,
            message: look.message.clone(),
            footer: look.footer.clone(),
            logo: face::logo(website, look),
            buttons: buttons.collect(),
            is_inert,
        }
    }
}

/// An application that waits for a visitor to log in.
pub(crate) struct Waiting {
    /// Its request: the query string.
    pub(crate) request: String,
    /// Which one.
    pub(crate) client: Client,
    /// Why the form is shown.
    pub(crate) why: Why,
    /// Who is signed in and may go on as they are.
    pub(crate) member: Option<Member>,
    /// What it hears if they do not want to.
    pub(crate) refusal: Option<Answer>,
}

#[derive(Template)]
#[template(path = "issuer/login.html")]
pub(crate) struct LoginPage {
    face: Face,
    form: LoginForm,
    /// A sentence above the form.
    told: Option<String>,
    request: Option<String>,
    member: Option<Member>,
    cancel: Option<Way>,
}

impl LoginPage {
    /// The form that lets somebody in who comes by themselves.
    fn of(issuer: &Issuer, told: Option<&str>) -> Self {
        Self {
            face: Face::of(issuer),
            form: LoginForm::of(&issuer.website, &issuer.setting, false),
            told: told.map(str::to_owned),
            request: None,
            member: None,
            cancel: None,
        }
    }

    /// The form for an application that waits.
    pub(crate) fn waiting(issuer: &Issuer, waiting: Waiting) -> Self {
        let name = &waiting.client.name;
        let told = match waiting.why {
            Why::SignedOut => None,
            Why::Asked => Some(format!("{name} asks you to log in once more.")),
            Why::TooOld => Some(format!("{name} asks you to log in once more: it has been a while.")),
            Why::SomebodyElse => {
                Some(format!("{name} expects somebody else. Log in with the other account."))
            }
        };
        Self {
            told,
            request: Some(waiting.request),
            member: waiting.member,
            cancel: waiting.refusal.map(|answer| Way::answer("Cancel", answer)),
            ..Self::of(issuer, None)
        }
    }
}

/// The query of the page: a word for why somebody is here, and never a text.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Coming {
    after: String,
}

impl Coming {
    fn sentence(&self) -> Option<&'static str> {
        match self.after.as_str() {
            "sign-out" => Some("You are logged out."),
            "delete" => Some("You are deleted here. Whoever logs in again begins anew."),
            "again" => Some("To connect another account, show once more who you are."),
            _ => None,
        }
    }
}

/// `GET /w/{slug}`: what people type who have read the name of the issuer.
async fn come(address: Uri) -> Redirect {
    Redirect::to(&format!("{}/login", address.path()))
}

/// `GET /w/{slug}/login`: somebody comes by themselves; it ends on their account page.
async fn show(here: Here, Query(coming): Query<Coming>) -> Response {
    if here.signed_in.is_some() && coming.after != "again" {
        return Redirect::to(&format!("{}/account", face::path(&here.issuer.website))).into_response();
    }
    Page(LoginPage::of(&here.issuer, coming.sentence())).into_response()
}

/// `GET` of what is only sent: a reload, or a way back from the server.
async fn show_again(here: Here) -> Redirect {
    Redirect::to(&format!("{}/login", face::path(&here.issuer.website)))
}

/// The hidden field of the form.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Sent {
    /// The request that waits; empty for a visitor who came by themselves. It is checked again when they are back.
    request: String,
}

/// How long a request may be that is kept until the visitor is back, in bytes.
const REQUEST_LIMIT_BYTES: usize = 16 * 1024;

/// `POST /w/{slug}/login/{provider}`: off to the server.
async fn leave(
    State(app): State<App>,
    here: Here,
    Path((_, provider)): Path<(String, String)>,
    Form(sent): Form<Sent>,
) -> Result<Response, Problem> {
    let request = Some(sent.request).filter(|request| !request.is_empty());
    depart(&app, &here, &provider, request).await
}

/// Sends the browser to the server behind a button, with the cookie that opens the way back.
pub(super) async fn depart(
    app: &App,
    here: &Here,
    provider: &str,
    request: Option<String>,
) -> Result<Response, Problem> {
    let issuer = &here.issuer;
    if request.as_ref().is_some_and(|request| request.len() > REQUEST_LIMIT_BYTES) {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "The request of this application is too long to be kept while you log in. Tell whoever runs the application.",
        ));
    }
    let purpose = TripPurpose::SignIn { request: request.clone() };
    match app.issuer_depart(issuer, provider, purpose, (here.trip.clone(), &here.visitor)).await {
        Ok(departure) => {
            let cookie = Cookie::Trip.put(is_https(app.url()), &departure.browser);
            Ok((cookie, Redirect::to(departure.url.as_str())).into_response())
        }
        Err(failure) => Err(not_in(app, issuer, failure.into(), request.as_deref()).await?),
    }
}

/// A problem on the way in, with the ways on: try again, or back to the application that waits.
pub(super) async fn not_in(
    app: &App,
    issuer: &Issuer,
    problem: Problem,
    request: Option<&str>,
) -> Result<Problem, Failure> {
    let path = face::path(&issuer.website);
    let problem = problem.titled("You are not logged in");
    let Some(request) = request else {
        let again = Way::to("Try again", format!("{path}/login"));
        return Ok(problem.leading(again).leading(Way::home(&issuer.website)));
    };
    let problem = problem.leading(Way::to("Try again", format!("{path}/authorize?{request}")));
    Ok(match app.issuer_refuse(issuer, request).await? {
        Some(answer) => problem.leading(Way::answer("Back to the application", answer)),
        None => problem,
    })
}

/// `POST /w/{slug}/continue`: whoever is signed in goes on as who they are.
async fn go_on(State(app): State<App>, here: Here, Form(sent): Form<Sent>) -> Result<Response, Problem> {
    let signed_in = here.signed_in.as_ref();
    let authorized = app.issuer_authorize_chosen(&here.issuer, signed_in, &sent.request).await?;
    authorized::show(&app, &here, authorized).await
}
