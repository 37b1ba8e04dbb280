//! Packages: the list, the form "By URL", a package's page.

mod view;

use crate::{
    actor::By,
    done::Done,
    error::PageError,
    form::{self, Form},
    frame::{Frame, home},
    organization::address,
    page::{Page, Refused},
};
use askama::Template;
use axum::{
    Router,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use stave_app::{App, Failure, PackageForm, Problems};
use stave_domain::{
    id::PackageId,
    organization::{Organization, Role},
    package::Package,
};
use view::PackagePage;

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/orgs/{organization}/packages", get(list).post(create))
        .route("/orgs/{organization}/packages/new", get(new))
        .route("/orgs/{organization}/packages/{package}", get(show))
        .route("/orgs/{organization}/packages/{package}/edit", get(edit).post(change))
        .route("/orgs/{organization}/packages/{package}/update", post(update))
        .route("/orgs/{organization}/packages/{package}/delete", post(delete))
        .route("/orgs/{organization}/packages/{vendor}/{name}", get(show_named))
}

#[derive(Template)]
#[template(path = "package_list.html")]
struct PackageList {
    frame: Frame,
    organization: Organization,
    home: String,
    role: Role,
    packages: Vec<Package>,
    search: String,
    previous: Option<String>,
    next: Option<String>,
}

impl PackageList {
    fn is_owner(&self) -> bool {
        self.role == Role::Owner
    }
}

/// What stands in the address of a list.
#[derive(serde::Deserialize)]
struct ListQuery {
    #[serde(default)]
    q: String,
    #[serde(default)]
    page: String,
}

/// `GET /orgs/{organization}/packages`
async fn list(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
    Query(query): Query<ListQuery>,
) -> Result<Page<PackageList>, PageError> {
    let page = query.page.parse().unwrap_or(0);
    let (organization, role, packages, more) =
        app.package_list(&frame.actor, &short_name, &query.q, page).await?;
    let home = home(&organization);
    let at = |page: u64| {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("q", &query.q)
            .append_pair("page", &page.to_string())
            .finish();
        format!("{home}/packages?{query}")
    };
    let (previous, next) = (page.checked_sub(1).map(at), more.then(|| at(page.saturating_add(1))));
    Ok(Page(PackageList { frame, organization, home, role, packages, search: query.q, previous, next }))
}

/// The form "By URL", for a new package and for one that exists.
#[derive(Template)]
#[template(path = "package_form.html")]
struct PackageFormPage {
    frame: Frame,
    organization: Organization,
    home: String,
    /// The package whose source is changed; `None` is a new one.
    package: Option<Package>,
    form: PackageForm,
    problems: Problems,
    choices: Vec<(String, String)>,
}

impl PackageFormPage {
    async fn of(app: &App, frame: Frame, short_name: &str, form: PackageForm) -> Result<Self, Failure> {
        let choices = app.package_access_choices(&frame.actor, short_name).await?;
        let choices = choices.into_iter().map(|choice| (choice.value, choice.label)).collect();
        let (organization, _) = app.organization_effect(&frame.actor, short_name).await?;
        let home = home(&organization);
        let form = form.without_password();
        Ok(Self { frame, organization, home, package: None, form, problems: Problems::default(), choices })
    }

    fn action(&self) -> String {
        match &self.package {
            Some(package) => format!("{}/packages/{}/edit", self.home, package.id),
            None => format!("{}/packages", self.home),
        }
    }

    fn back(&self) -> String {
        match &self.package {
            Some(package) => format!("{}/packages/{}", self.home, package.id),
            None => format!("{}/packages", self.home),
        }
    }
}

/// `GET /orgs/{organization}/packages/new`
async fn new(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
) -> Result<Page<PackageFormPage>, PageError> {
    let form = PackageForm { credential: "auto".into(), ..PackageForm::default() };
    Ok(Page(PackageFormPage::of(&app, frame, &short_name, form).await?))
}

/// `POST /orgs/{organization}/packages`
async fn create(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
    Form(form): Form<PackageForm>,
) -> Result<Response, PageError> {
    match app.package_add(&frame.actor, &short_name, &form).await {
        Ok(id) => Ok(Done::PackageAdded.at(&page_of(&short_name, id)).into_response()),
        Err(failure) => {
            let problems = form::problems(failure)?;
            let page = PackageFormPage::of(&app, frame, &short_name, form).await?;
            Ok(Refused(PackageFormPage { problems, ..page }).into_response())
        }
    }
}

/// `GET /orgs/{organization}/packages/{package}`
async fn show(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, id)): Path<(String, String)>,
) -> Result<Page<PackagePage>, PageError> {
    let view = app.package_show(&frame.actor, &short_name, parsed(&id)?).await?;
    Ok(Page(PackagePage::of(frame, view)))
}

/// `GET /orgs/{organization}/packages/{vendor}/{name}`: a name leads to the package that has it today.
async fn show_named(
    State(app): State<App>,
    By(actor): By,
    Path((short_name, vendor, name)): Path<(String, String, String)>,
) -> Result<Redirect, PageError> {
    let id = app.package_named(&actor, &short_name, &format!("{vendor}/{name}")).await?;
    Ok(Redirect::to(&page_of(&short_name, id)))
}

/// `GET /orgs/{organization}/packages/{package}/edit`
async fn edit(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, id)): Path<(String, String)>,
) -> Result<Page<PackageFormPage>, PageError> {
    let package = app.package_show(&frame.actor, &short_name, parsed(&id)?).await?.package;
    let form = app.package_form(&package);
    let page = PackageFormPage::of(&app, frame, &short_name, form).await?;
    Ok(Page(offer_as_it_is(PackageFormPage { package: Some(package), ..page })))
}

/// `POST /orgs/{organization}/packages/{package}/edit`
async fn change(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, id)): Path<(String, String)>,
    Form(form): Form<PackageForm>,
) -> Result<Response, PageError> {
    let id = parsed(&id)?;
    match app.package_change(&frame.actor, &short_name, id, &form).await {
        Ok(()) => Ok(Done::UpdateStarted.at(&page_of(&short_name, id)).into_response()),
        Err(failure) => {
            let problems = form::problems(failure)?;
            let package = app.package_show(&frame.actor, &short_name, id).await?.package;
            let page = PackageFormPage::of(&app, frame, &short_name, form).await?;
            Ok(Refused(PackageFormPage { package: Some(package), problems, ..page }).into_response())
        }
    }
}

/// Somebody else's account is not among the choices, and a browser would quietly select the first one.
fn offer_as_it_is(mut page: PackageFormPage) -> PackageFormPage {
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

/// `POST /orgs/{organization}/packages/{package}/update`
async fn update(
    State(app): State<App>,
    By(actor): By,
    Path((short_name, id)): Path<(String, String)>,
) -> Result<Redirect, PageError> {
    let id = parsed(&id)?;
    app.package_update(&actor, &short_name, id).await?;
    Ok(Done::UpdateStarted.at(&page_of(&short_name, id)))
}

/// `POST /orgs/{organization}/packages/{package}/delete`
async fn delete(
    State(app): State<App>,
    By(actor): By,
    Path((short_name, id)): Path<(String, String)>,
) -> Result<Redirect, PageError> {
    app.package_delete(&actor, &short_name, parsed(&id)?).await?;
    Ok(Done::Deleted.at(&format!("{}/packages", address(&short_name))))
}

fn page_of(short_name: &str, id: PackageId) -> String {
    format!("{}/packages/{id}", address(short_name))
}

fn parsed(id: &str) -> Result<PackageId, Failure> {
    id.parse().map_err(|_| Failure::NotFound("package"))
}
