//! An organization: making one, its Overview, its general settings.

use crate::{
    actor::By,
    composer_auth::ComposerAuth,
    done::Done,
    error::PageError,
    form::{self, Form},
    frame::{Frame, home},
    handover,
    page::{Page, Refused},
};
use askama::Template;
use axum::{
    Router,
    extract::{Path, State},
    http::HeaderMap,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use stave_app::{App, Failure, OrganizationForm, OrganizationView, Problems};
use stave_domain::{
    Secret,
    organization::{Organization, Role, ShortName},
};

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/orgs/new", get(new).post(create))
        .route("/orgs/{organization}", get(show))
        .route("/orgs/{organization}/token", get(show_again).post(make_token))
        .route("/orgs/{organization}/settings", get(settings))
        .route("/orgs/{organization}/settings/general", get(edit).post(rename))
        .route("/orgs/{organization}/settings/general/delete", get(ask).post(delete))
}

#[derive(Template)]
#[template(path = "organization_new.html")]
struct NewOrganization {
    frame: Frame,
    form: OrganizationForm,
    problems: Problems,
    /// Where its address begins.
    address: String,
}

/// `GET /orgs/new`
async fn new(State(app): State<App>, frame: Frame) -> Result<Page<NewOrganization>, PageError> {
    frame.actor.user()?;
    if !app.organization_may_create(&frame.actor).await? {
        return Err(Failure::Denied(
            "Only admins create organizations here. Ask one to create it for you.".into(),
        )
        .into());
    }
    let address = app.address("/orgs/");
    Ok(Page(NewOrganization {
        frame,
        form: OrganizationForm::default(),
        problems: Problems::default(),
        address,
    }))
}

/// `POST /orgs/new`
async fn create(
    State(app): State<App>,
    frame: Frame,
    Form(form): Form<OrganizationForm>,
) -> Result<Response, PageError> {
    match app.organization_create(&frame.actor, &form).await {
        Ok(organization) => Ok(Done::OrganizationCreated.at(&home(&organization)).into_response()),
        Err(failure) => {
            let problems = form::problems(failure)?;
            let address = app.address("/orgs/");
            Ok(Refused(NewOrganization { frame, form, problems, address }).into_response())
        }
    }
}

#[derive(Template)]
#[template(path = "organization.html")]
struct Overview {
    frame: Frame,
    view: OrganizationView,
    home: String,
    auth: ComposerAuth,
    /// What the second line does: it names the repository in composer.json.
    configure: String,
    /// What the third line installs.
    require: String,
    /// Whether Composer has to be told to accept plain http.
    is_http: bool,
    /// `COMPOSER_AUTH` for machines, without its token.
    environment: String,
    /// Where the button sends that makes a token.
    token_action: String,
    /// Whether `auth` holds a token that was made just now.
    is_token_new: bool,
}

impl Overview {
    fn of(app: &App, frame: Frame, view: OrganizationView, made: Option<Secret>) -> Result<Self, Failure> {
        let username = frame.actor.user()?.username.to_string();
        let is_token_new = made.is_some();
        let auth = made.map_or_else(
            || ComposerAuth::unknown(app.url(), &username),
            |token| ComposerAuth::of(app.url(), &username, token),
        );
        let is_http = app.url().scheme() == "http";
        let example = view.example.as_ref().map_or_else(|| "vendor/package".to_owned(), ToString::to_string);
        let home = home(&view.organization);
        let environment =
            format!("COMPOSER_AUTH='{}'", ComposerAuth::unknown(app.url(), "token").environment());
        Ok(Self {
            token_action: format!("{home}/token"),
            home,
            environment,
            configure: configure(&view, is_http),
            require: format!("composer require {example}"),
            is_token_new,
            frame,
            view,
            auth,
            is_http,
        })
    }

    fn is_owner(&self) -> bool {
        self.view.role == Role::Owner
    }
}

/// Composer refuses plain http, on this machine too, until the project allows it.
fn configure(view: &OrganizationView, is_http: bool) -> String {
    let allow = if is_http { "composer config secure-http false && " } else { "" };
    let name = &view.organization.short_name;
    format!(
        "test -e composer.json || echo '{{}}' > composer.json && {allow}composer config repositories.{name} composer {}",
        view.repository_url
    )
}

/// `GET /orgs/{organization}`; a token that was made here is shown this once.
async fn show(
    State(app): State<App>,
    frame: Frame,
    headers: HeaderMap,
    Path(short_name): Path<String>,
) -> Result<Response, PageError> {
    let view = app.organization_show(&frame.actor, &short_name).await?;
    let token = app.user_token_find(&frame.actor).await?;
    let made = token.and_then(|token| handover::receive(&app, &headers, &home(&view.organization), &token));
    let is_shown = made.is_some();
    let page = Page(Overview::of(&app, frame, view, made)?);
    Ok(if is_shown { (handover::end(&app), page).into_response() } else { page.into_response() })
}

/// `POST /orgs/{organization}/token`: the Overview then shows it once.
async fn make_token(
    State(app): State<App>,
    By(actor): By,
    Path(short_name): Path<String>,
) -> Result<Response, PageError> {
    let view = app.organization_show(&actor, &short_name).await?;
    let made = app.user_token_regenerate(&actor).await?;
    Ok(handover::send(&app, &made, &home(&view.organization), view.has_token))
}

/// `GET /orgs/{organization}/token`: the token was shown once, the Overview is still there.
async fn show_again(Path(short_name): Path<String>) -> Redirect {
    Redirect::to(&address(&short_name))
}

/// `GET /orgs/{organization}/settings`
async fn settings(Path(short_name): Path<String>) -> Redirect {
    Redirect::to(&format!("{}/settings/general", address(&short_name)))
}

#[derive(Template)]
#[template(path = "organization_edit.html")]
struct GeneralSettings {
    frame: Frame,
    organization: Organization,
    home: String,
    repository_url: String,
    /// The name as it was typed.
    typed: String,
    problems: Problems,
}

#[derive(serde::Deserialize)]
struct RenameForm {
    #[serde(default)]
    name: String,
}

/// `GET /orgs/{organization}/settings/general`
async fn edit(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
) -> Result<Page<GeneralSettings>, PageError> {
    let (organization, _) = app.organization_effect(&frame.actor, &short_name).await?;
    let name = organization.name.clone();
    Ok(Page(general(&app, frame, organization, name, Problems::default())))
}

/// `POST /orgs/{organization}/settings/general`
async fn rename(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
    Form(form): Form<RenameForm>,
) -> Result<Response, PageError> {
    match app.organization_rename(&frame.actor, &short_name, &form.name).await {
        Ok(()) => Ok(Done::Saved.at(&format!("{}/settings/general", address(&short_name))).into_response()),
        Err(failure) => {
            let problems = form::problems(failure)?;
            let (organization, _) = app.organization_effect(&frame.actor, &short_name).await?;
            Ok(Refused(general(&app, frame, organization, form.name, problems)).into_response())
        }
    }
}

fn general(
    app: &App,
    frame: Frame,
    organization: Organization,
    typed: String,
    problems: Problems,
) -> GeneralSettings {
    let repository_url = app.repository_url(&organization);
    GeneralSettings { frame, home: home(&organization), organization, repository_url, typed, problems }
}

#[derive(Template)]
#[template(path = "organization_delete.html")]
struct DeleteOrganization {
    frame: Frame,
    organization: Organization,
    home: String,
    repository_url: String,
    packages: u64,
}

/// `GET /orgs/{organization}/settings/general/delete`: what would go with it.
async fn ask(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
) -> Result<Page<DeleteOrganization>, PageError> {
    let (organization, packages) = app.organization_effect(&frame.actor, &short_name).await?;
    let (home, repository_url) = (home(&organization), app.repository_url(&organization));
    Ok(Page(DeleteOrganization { frame, organization, home, repository_url, packages }))
}

/// `POST /orgs/{organization}/settings/general/delete`
async fn delete(
    State(app): State<App>,
    By(actor): By,
    Path(short_name): Path<String>,
) -> Result<Redirect, PageError> {
    app.organization_delete(&actor, &short_name).await?;
    Ok(Done::Deleted.at("/"))
}

/// The address of the Overview, by what stood in the address that was asked for; what is no name leads to the start page.
pub(crate) fn address(short_name: &str) -> String {
    short_name.parse::<ShortName>().map_or_else(|_| "/".to_owned(), |name| format!("/orgs/{name}"))
}
