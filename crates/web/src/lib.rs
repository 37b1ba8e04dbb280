//! HTTP, HTML and cookies: routes, pages, Composer endpoints.
//!
//! How a page is made. Its file has the name of its noun, here `src/team.rs` and `templates/team.html`:
//!
//! ```ignore
//! pub(crate) fn router() -> Router<App> {
//!     Router::new().route("/teams/new", get(new).post(create))
//! }
//!
//! #[derive(Template)]
//! #[template(path = "team_new.html")]
//! struct NewTeam {
//!     frame: Frame,          // every page has one: layout.html reads it
//!     form: TeamForm,        // what was typed
//!     problems: Problems,    // what is wrong with it, a sentence per field
//! }
//!
//! /// `GET /teams/new`
//! async fn new(frame: Frame) -> Result<Page<NewTeam>, PageError> {
//!     frame.actor.user()?;
//!     Ok(Page(NewTeam { frame, form: TeamForm::default(), problems: Problems::default() }))
//! }
//!
//! /// `POST /teams/new`
//! async fn create(State(app): State<App>, frame: Frame, Form(form): Form<TeamForm>) -> Result<Response, PageError> {
//!     match app.team_create(&frame.actor, &form).await {
//!         Ok(team) => Ok(Done::Saved.at(&format!("/teams/{}", team.id)).into_response()),
//!         Err(failure) => {
//!             let problems = form::problems(failure)?;   // any other failure becomes its own page
//!             Ok(Refused(NewTeam { frame, form, problems }).into_response())
//!         }
//!     }
//! }
//! ```
//!
//! - Who asks is `frame.actor`, or [`By`](actor::By) where no page is shown. Rights are asked by the use case, not here.
//! - A failure that nobody handles is a [`PageError`](error::PageError) or, for machines, an [`ApiError`](error::ApiError).
//! - After a form: [`Done`](done::Done) redirects and names the sentence that the next page shows.
//! - A template extends `layout.html` (blocks `title`, `crumb`, `heading`, `actions`, `tabs`, `width`, `content`) and imports
//!   `components.html` as `ui`: `{{ ui::field("Name", "name", form.name, problems.of("name"), hint="..") }}`. A secret is a
//!   `ui::secret`, which has no value. What may not be undone is a `ui::confirm`.
//! - Work in progress is `<div id="run" data-refresh="2s">`: the script fetches the page again and puts the new element in its
//!   place, until it comes without the attribute.
//! - A form that depends on what is chosen in it (`data-when`, `data-fill`, `data-preset-..`) has everything in it: the script only
//!   hides what does not concern the choice, so each part says for whom it is.

mod access;
mod actor;
mod admin;
mod advisory;
mod artifact;
mod asset;
#[cfg(test)]
mod attack;
mod browser;
mod composer;
mod composer_auth;
mod cookie;
mod credential;
mod csv;
mod definition;
mod docs;
mod done;
mod endpoint;
mod error;
mod form;
mod frame;
mod front;
mod handover;
mod health;
mod home;
mod hook;
mod import;
mod integration;
mod issuer;
mod job;
mod layers;
mod log;
mod login;
mod login_link;
mod member;
mod metrics;
mod mirror;
mod organization;
mod package;
mod page;
mod profile;
mod repository;
mod request;
mod return_to;
mod security;
mod setup;
mod sign_in;
mod stranded;
mod synchronization;
mod team;
#[cfg(test)]
mod testing;
mod throttle;
mod time;
mod token;
mod website;

pub use front::Front;

use axum::{
    Router,
    http::{StatusCode, Uri},
    middleware::from_fn,
    response::{IntoResponse, Response},
};
use error::{ApiError, PageError};
use stave_app::App;

/// Everything that is answered over HTTP. Serve it with `into_make_service_with_connect_info::<SocketAddr>()`, so that the list
/// of log-ins can say from where.
pub fn router(app: App) -> Router {
    let pages = Router::new()
        .merge(asset::router())
        .merge(home::router())
        .merge(organization::router())
        .merge(package::router())
        .merge(repository::router())
        .merge(artifact::router())
        .merge(definition::router())
        .merge(import::router())
        .merge(member::router())
        .merge(team::router())
        .merge(credential::router())
        .merge(mirror::router())
        .merge(synchronization::router())
        .merge(token::router())
        .merge(security::router())
        .merge(advisory::router())
        .merge(log::router())
        .merge(job::router())
        .merge(access::router())
        .merge(setup::router())
        .merge(login::router())
        .merge(login_link::router())
        .merge(sign_in::router())
        .merge(profile::router())
        .merge(admin::router())
        .merge(integration::router())
        .merge(issuer::pages())
        .merge(website::router())
        .merge(docs::router())
        .fallback(nowhere)
        .method_not_allowed_fallback(wrong_method);
    let quick = Router::new()
        .merge(health::router())
        .merge(metrics::router())
        .merge(hook::router())
        .layer(from_fn(layers::limit_api_time));
    let machines =
        quick.merge(composer::router()).merge(artifact::calls()).method_not_allowed_fallback(wrong_call);
    let arrivals = issuer::arrivals().method_not_allowed_fallback(wrong_method);
    Router::new()
        .merge(layers::for_people(pages, &app))
        .merge(layers::for_uploads(artifact::uploads(), &app))
        .merge(layers::for_arrivals(arrivals, &app))
        .merge(layers::for_applications(issuer::calls(&app)))
        .merge(layers::for_sites(issuer::sites(), &app))
        .merge(issuer::plain())
        .merge(layers::for_machines(machines))
        .with_state(app)
}

/// Addresses below which only machines ask.
const FOR_MACHINES: [&str; 3] = ["/repo/", "/api/", "/hooks/"];

async fn nowhere(address: Uri) -> Response {
    if FOR_MACHINES.iter().any(|prefix| address.path().starts_with(prefix)) {
        let sentence = "Stave has no such endpoint. Check the address.";
        return ApiError::new(StatusCode::NOT_FOUND, sentence).into_response();
    }
    nowhere_page().into_response()
}

/// What stands at every address that nobody knows.
fn nowhere_page() -> PageError {
    PageError::new(StatusCode::NOT_FOUND, "There is no page at this address.")
}

async fn wrong_method() -> PageError {
    PageError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "This address cannot be used like that. Open it from the page that links to it.",
    )
}

async fn wrong_call() -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "This endpoint cannot be called with this method.")
}
