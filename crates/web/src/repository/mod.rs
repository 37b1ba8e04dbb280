//! Repositories: the form "By URL", and a repository's page.

mod reading;

use crate::{
    actor::By,
    done::Done,
    error::PageError,
    form::{self, Form},
    frame::{Frame, home},
    organization::address,
    package::page_of as package_page,
    page::{Page, Refused},
};
use askama::Template;
use axum::{
    Router,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
pub(crate) use reading::{Log, Reading};
use stave_app::{App, Failure, Problems, RepositoryForm, RepositoryView};
use stave_domain::{
    id::RepositoryId,
    organization::{Organization, Role},
    repository::Repository,
    run::RunLevel,
};

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/orgs/{organization}/packages", post(create))
        .route("/orgs/{organization}/packages/new", get(new))
        .route("/orgs/{organization}/repositories/{repository}", get(show))
        .route("/orgs/{organization}/repositories/{repository}/edit", get(edit).post(change))
        .route("/orgs/{organization}/repositories/{repository}/update", post(update))
        .route("/orgs/{organization}/repositories/{repository}/delete", post(delete))
}

/// The form "By URL", for a new repository and for one that is here.
#[derive(Template)]
#[template(path = "repository_form.html")]
struct RepositoryFormPage {
    frame: Frame,
    organization: Organization,
    home: String,
    /// The repository that is changed; `None` is a new one.
    repository: Option<Repository>,
    form: RepositoryForm,
    problems: Problems,
    choices: Vec<(String, String)>,
}

impl RepositoryFormPage {
    async fn of(app: &App, frame: Frame, short_name: &str, form: RepositoryForm) -> Result<Self, Failure> {
        let choices = app.source_access_choices(&frame.actor, short_name).await?;
        let choices = choices.into_iter().map(|choice| (choice.value, choice.label)).collect();
        let organization = app.organization_extended(&frame.actor, short_name).await?;
        let home = home(&organization);
        let form = form.without_password();
        Ok(Self { frame, organization, home, repository: None, form, problems: Problems::default(), choices })
    }

    fn action(&self) -> String {
        match &self.repository {
            Some(repository) => format!("{}/repositories/{}/edit", self.home, repository.id),
            None => format!("{}/packages", self.home),
        }
    }

    fn back(&self) -> String {
        match &self.repository {
            Some(repository) => format!("{}/repositories/{}", self.home, repository.id),
            None => format!("{}/packages", self.home),
        }
    }

    /// Whether a synchronization says where it is and with whose rights it is read.
    fn is_followed(&self) -> bool {
        self.repository.as_ref().is_some_and(|repository| repository.followed.is_some())
    }
}

/// `GET /orgs/{organization}/packages/new`
async fn new(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
) -> Result<Page<RepositoryFormPage>, PageError> {
    let form = RepositoryForm { credential: "auto".into(), ..RepositoryForm::default() };
    Ok(Page(RepositoryFormPage::of(&app, frame, &short_name, form).await?))
}

/// `POST /orgs/{organization}/packages`
async fn create(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
    Form(form): Form<RepositoryForm>,
) -> Result<Response, PageError> {
    match app.repository_add(&frame.actor, &short_name, &form).await {
        Ok((_, Some(package))) => {
            Ok(Done::PackageAdded.at(&package_page(&short_name, package)).into_response())
        }
        Ok((id, None)) => {
            // Members of a team that may add packages do not see the page of a repository.
            let is_shown = app.repository_show(&frame.actor, &short_name, id).await.is_ok();
            let list = format!("{}/packages", address(&short_name));
            let page = if is_shown { page_of(&short_name, id) } else { list };
            Ok(Done::PackageAdded.at(&page).into_response())
        }
        Err(failure) => {
            let problems = form::problems(failure)?;
            let page = RepositoryFormPage::of(&app, frame, &short_name, form).await?;
            Ok(Refused(RepositoryFormPage { problems, ..page }).into_response())
        }
    }
}

#[derive(Template)]
#[template(path = "repository.html")]
struct RepositoryPage {
    frame: Frame,
    home: String,
    view: RepositoryView,
    reading: Reading,
    log: Option<Log>,
}

impl RepositoryPage {
    fn address(&self) -> String {
        self.repository_address()
    }

    fn repository_address(&self) -> String {
        format!("{}/repositories/{}", self.home, self.view.repository.id)
    }

    fn is_manager(&self) -> bool {
        self.view.role >= Role::Admin
    }

    /// Whether versions are served although something is wrong.
    fn serves(&self) -> bool {
        self.view.packages.iter().any(|package| package.name.is_some())
    }
}

/// `GET /orgs/{organization}/repositories/{repository}`
async fn show(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, id)): Path<(String, String)>,
) -> Result<Page<RepositoryPage>, PageError> {
    let view = app.repository_show(&frame.actor, &short_name, parsed(&id)?).await?;
    let (home, reading, log) = (home(&view.organization), Reading::of(&view), Log::of(&view, None));
    Ok(Page(RepositoryPage { frame, home, view, reading, log }))
}

/// `GET /orgs/{organization}/repositories/{repository}/edit`
async fn edit(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, id)): Path<(String, String)>,
) -> Result<Page<RepositoryFormPage>, PageError> {
    let repository = app.repository_show(&frame.actor, &short_name, parsed(&id)?).await?.repository;
    let form = app.repository_form(&repository);
    let page = RepositoryFormPage::of(&app, frame, &short_name, form).await?;
    Ok(Page(offer_as_it_is(RepositoryFormPage { repository: Some(repository), ..page })))
}

/// `POST /orgs/{organization}/repositories/{repository}/edit`
async fn change(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, id)): Path<(String, String)>,
    Form(form): Form<RepositoryForm>,
) -> Result<Response, PageError> {
    let id = parsed(&id)?;
    match app.repository_change(&frame.actor, &short_name, id, &form).await {
        Ok(()) => Ok(Done::UpdateStarted.at(&page_of(&short_name, id)).into_response()),
        Err(failure) => {
            let problems = form::problems(failure)?;
            let repository = app.repository_show(&frame.actor, &short_name, id).await?.repository;
            let page = RepositoryFormPage::of(&app, frame, &short_name, form).await?;
            Ok(Refused(RepositoryFormPage { repository: Some(repository), problems, ..page }).into_response())
        }
    }
}

/// Somebody else's account is not among the choices, and a browser would quietly select the first one.
fn offer_as_it_is(mut page: RepositoryFormPage) -> RepositoryFormPage {
    let is_offered = page.choices.iter().any(|(value, _)| *value == page.form.credential);
    if !is_offered {
        page.choices.insert(
            0,
            (
                page.form.credential.clone(),
                "Another member's connected account: choose what replaces it".into(),
            ),
        );
    }
    page
}

/// `POST /orgs/{organization}/repositories/{repository}/update`
async fn update(
    State(app): State<App>,
    By(actor): By,
    Path((short_name, id)): Path<(String, String)>,
) -> Result<Redirect, PageError> {
    let id = parsed(&id)?;
    app.repository_update(&actor, &short_name, id).await?;
    Ok(Done::UpdateStarted.at(&page_of(&short_name, id)))
}

/// `POST /orgs/{organization}/repositories/{repository}/delete`
async fn delete(
    State(app): State<App>,
    By(actor): By,
    Path((short_name, id)): Path<(String, String)>,
) -> Result<Redirect, PageError> {
    app.repository_delete(&actor, &short_name, parsed(&id)?).await?;
    Ok(Done::Deleted.at(&format!("{}/packages", address(&short_name))))
}

fn page_of(short_name: &str, id: RepositoryId) -> String {
    format!("{}/repositories/{id}", address(short_name))
}

fn parsed(id: &str) -> Result<RepositoryId, Failure> {
    id.parse().map_err(|_| Failure::NotFound("repository"))
}
