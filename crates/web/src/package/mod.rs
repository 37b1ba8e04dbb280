//! Packages: the list, a package's page.

mod chart;
mod readme;
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
use stave_app::{App, Failure, PackageFilter};
use stave_domain::{
    id::PackageId,
    organization::{Organization, Role},
    package::{Origin, OriginKind, Package},
    repository::Repository,
};
use view::PackagePage;

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/orgs/{organization}/packages", get(list))
        .route("/orgs/{organization}/packages/{package}", get(show))
        .route("/orgs/{organization}/packages/{package}/edit", get(edit))
        .route("/orgs/{organization}/packages/{package}/update", post(update))
        .route("/orgs/{organization}/packages/{package}/abandon", post(abandon))
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
    packages: Vec<(Package, Option<Repository>)>,
    filter: PackageFilter,
    previous: Option<String>,
    next: Option<String>,
}

impl PackageList {
    fn is_manager(&self) -> bool {
        self.role >= Role::Admin
    }

    fn is_filtered(&self) -> bool {
        !self.filter.search.is_empty() || self.filter.origin.is_some() || self.filter.is_abandoned
    }

    /// The kinds of origins to choose from, with the one that is chosen.
    fn origins(&self) -> Vec<(&'static str, &'static str, bool)> {
        let chosen = self.filter.origin;
        let each = OriginKind::ALL.into_iter().map(|kind| (kind.key(), kind.label(), chosen == Some(kind)));
        std::iter::once(("", "anywhere", chosen.is_none())).chain(each).collect()
    }
}

/// What stands in the address of a list.
#[derive(serde::Deserialize)]
struct ListQuery {
    #[serde(default)]
    q: String,
    /// The key of a kind of origin.
    #[serde(default)]
    from: String,
    /// Not empty: only those that are abandoned.
    #[serde(default)]
    abandoned: String,
    #[serde(default)]
    page: String,
}

impl ListQuery {
    fn filter(&self) -> PackageFilter {
        PackageFilter {
            search: self.q.clone(),
            origin: OriginKind::ALL.into_iter().find(|kind| kind.key() == self.from),
            is_abandoned: !self.abandoned.is_empty(),
            page: self.page.parse().unwrap_or(0),
        }
    }

    /// The address of another page of the same list.
    fn at(&self, home: &str, page: usize) -> String {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("q", &self.q)
            .append_pair("from", &self.from)
            .append_pair("abandoned", &self.abandoned)
            .append_pair("page", &page.to_string())
            .finish();
        format!("{home}/packages?{query}")
    }
}

/// `GET /orgs/{organization}/packages`
async fn list(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
    Query(query): Query<ListQuery>,
) -> Result<Page<PackageList>, PageError> {
    let filter = query.filter();
    let (organization, role, packages, more) = app.package_list(&frame.actor, &short_name, &filter).await?;
    let adds = app.may_add_packages(&frame.actor, &organization).await?;
    let home = home(&organization);
    let previous = filter.page.checked_sub(1).map(|page| query.at(&home, page));
    let next = more.then(|| query.at(&home, filter.page.saturating_add(1)));
    Ok(Page(PackageList { frame, organization, home, role, adds, packages, filter, previous, next }))
}

/// What stands in the address of a package.
#[derive(serde::Deserialize)]
struct PackageQuery {
    /// `all`, or the newest.
    #[serde(default)]
    versions: String,
}

/// `GET /orgs/{organization}/packages/{package}`
async fn show(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, id)): Path<(String, String)>,
    Query(query): Query<PackageQuery>,
) -> Result<Page<PackagePage>, PageError> {
    let view = app.package_show(&frame.actor, &short_name, parsed(&id)?).await?;
    Ok(Page(PackagePage::of(frame, view, query.versions == "all")))
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
    let home = address(&short_name);
    Ok(Redirect::to(&match (view.package.repository_id(), &view.package.origin) {
        (Some(repository), _) => format!("{home}/repositories/{repository}/edit"),
        (None, Origin::Custom) => format!("{home}/packages/{}/custom", view.package.id),
        (None, _) => return Err(Failure::NotFound("repository").into()),
    }))
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

/// What is typed to call a package abandoned.
#[derive(serde::Deserialize)]
struct Abandoning {
    /// A package name, or nothing.
    #[serde(default)]
    replacement: String,
    /// Not empty: it is not abandoned after all.
    #[serde(default)]
    take_back: String,
}

/// `POST /orgs/{organization}/packages/{package}/abandon`
async fn abandon(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, id)): Path<(String, String)>,
    Form(typed): Form<Abandoning>,
) -> Result<Response, PageError> {
    let id = parsed(&id)?;
    let replacement = Some(typed.replacement.as_str()).filter(|_| typed.take_back.is_empty());
    match app.package_give_up(&frame.actor, &short_name, id, replacement).await {
        Ok(()) => Ok(Done::Saved.at(&page_of(&short_name, id)).into_response()),
        Err(failure) => {
            let problems = form::problems(failure)?;
            let view = app.package_show(&frame.actor, &short_name, id).await?;
            let page = PackagePage::of(frame, view, false).refused(typed.replacement, problems);
            Ok(Refused(page).into_response())
        }
    }
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
