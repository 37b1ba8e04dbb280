//! Packages: the list, a package's page.

mod view;

use crate::{
    actor::By,
    done::Done,
    error::PageError,
    frame::{Frame, home},
    organization::address,
    page::Page,
};
use askama::Template;
use axum::{
    Router,
    extract::{Path, Query, State},
    response::Redirect,
    routing::{get, post},
};
use stave_app::{App, Failure};
use stave_domain::{
    id::PackageId,
    organization::{Organization, Role},
    package::Package,
    repository::Repository,
};
use view::PackagePage;

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/orgs/{organization}/packages", get(list))
        .route("/orgs/{organization}/packages/{package}", get(show))
        .route("/orgs/{organization}/packages/{package}/edit", get(edit))
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
    /// Whether they may add packages.
    adds: bool,
    packages: Vec<(Package, Repository)>,
    search: String,
    previous: Option<String>,
    next: Option<String>,
}

impl PackageList {
    fn is_manager(&self) -> bool {
        self.role >= Role::Admin
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
    let adds = app.may_add_packages(&frame.actor, &organization).await?;
    let home = home(&organization);
    let at = |page: usize| {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("q", &query.q)
            .append_pair("page", &page.to_string())
            .finish();
        format!("{home}/packages?{query}")
    };
    let (previous, next) = (page.checked_sub(1).map(at), more.then(|| at(page.saturating_add(1))));
    let search = query.q;
    Ok(Page(PackageList { frame, organization, home, role, adds, packages, search, previous, next }))
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

/// `GET /orgs/{organization}/packages/{package}/edit`: what can be changed is the repository.
async fn edit(
    State(app): State<App>,
    By(actor): By,
    Path((short_name, id)): Path<(String, String)>,
) -> Result<Redirect, PageError> {
    let view = app.package_show(&actor, &short_name, parsed(&id)?).await?;
    let repository = view.package.repository_id;
    Ok(Redirect::to(&format!("{}/repositories/{repository}/edit", address(&short_name))))
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

pub(crate) fn page_of(short_name: &str, id: PackageId) -> String {
    format!("{}/packages/{id}", address(short_name))
}

fn parsed(id: &str) -> Result<PackageId, Failure> {
    id.parse().map_err(|_| Failure::NotFound("package"))
}
