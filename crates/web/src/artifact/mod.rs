//! Artifacts: the form to upload one, what is in it before it is saved, and the endpoints for machines.

mod body;
mod push;

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
    extract::{Path, Request, State},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use body::Received;
pub(crate) use push::router as calls;
use stave_app::{App, ArtifactForm, ArtifactView, Failure, Problems};
use stave_domain::{
    id::{PackageId, VersionId},
    organization::Organization,
};

/// What is shown and sent in forms.
pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/orgs/{organization}/packages/new/artifact", get(new))
        .route("/orgs/{organization}/packages/new/artifact/{upload}", get(show).post(save))
        .route("/orgs/{organization}/packages/new/artifact/{upload}/discard", post(discard))
        .route("/orgs/{organization}/packages/{package}/versions/{version}/delete", post(remove))
}

/// Where files come in. They may take their time.
pub(crate) fn uploads() -> Router<App> {
    Router::new().route("/orgs/{organization}/packages/new/artifact/file", post(receive))
}

#[derive(Template)]
#[template(path = "artifact_new.html")]
struct NewArtifact {
    frame: Frame,
    organization: Organization,
    home: String,
    problems: Problems,
    /// The command that uploads without a browser.
    command: String,
}

impl NewArtifact {
    async fn of(app: &App, frame: Frame, short_name: &str) -> Result<Self, Failure> {
        let organization = app.organization_extended(&frame.actor, short_name).await?;
        let command = format!(
            "curl --user token:YOUR_TOKEN --header 'X-FILENAME: package.zip' --data-binary @package.zip {}",
            app.address("/api/packages/artifacts/")
        );
        Ok(Self { home: home(&organization), frame, organization, problems: Problems::default(), command })
    }
}

/// `GET /orgs/{organization}/packages/new/artifact`
async fn new(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
) -> Result<Page<NewArtifact>, PageError> {
    Ok(Page(NewArtifact::of(&app, frame, &short_name).await?))
}

/// `POST /orgs/{organization}/packages/new/artifact/file`: the file. It is looked at, and nothing is saved yet.
async fn receive(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
    request: Request,
) -> Result<Response, PageError> {
    let upload = app.artifact_begin(&frame.actor, &short_name).await?;
    let received = match body::of_form(request, upload).await {
        Ok(Received::File(upload)) => app.artifact_receive(upload).await,
        Ok(Received::Nothing) => Err(Failure::invalid("file", "Choose the archive of the package.")),
        Err(failure) => Err(failure),
    };
    match received {
        Ok(upload) => Ok(Redirect::to(&waiting(&short_name, &upload)).into_response()),
        Err(failure) => {
            let problems = form::problems(failure)?;
            let page = NewArtifact::of(&app, frame, &short_name).await?;
            Ok(Refused(NewArtifact { problems, ..page }).into_response())
        }
    }
}

#[derive(Template)]
#[template(path = "artifact.html")]
struct ArtifactPage {
    frame: Frame,
    home: String,
    action: String,
    view: ArtifactView,
    form: ArtifactForm,
    problems: Problems,
}

impl ArtifactPage {
    async fn of(
        app: &App,
        frame: Frame,
        (short_name, upload): (&str, &str),
        form: ArtifactForm,
    ) -> Result<Self, Failure> {
        let view = app.artifact_show(&frame.actor, short_name, upload).await?;
        let (home, action) = (home(&view.organization), waiting(short_name, upload));
        Ok(Self { frame, home, action, view, form, problems: Problems::default() })
    }

    /// Whether something would be replaced, as far as that is known.
    fn asks_to_replace(&self) -> bool {
        self.view.replaces.is_some() || self.problems.of("replace").is_some()
    }
}

/// `GET /orgs/{organization}/packages/new/artifact/{upload}`: what is in an upload, before it is saved.
async fn show(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, upload)): Path<(String, String)>,
) -> Result<Page<ArtifactPage>, PageError> {
    let page = ArtifactPage::of(&app, frame, (&short_name, &upload), ArtifactForm::default()).await?;
    Ok(Page(page))
}

/// `POST /orgs/{organization}/packages/new/artifact/{upload}`: it becomes a version.
async fn save(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, upload)): Path<(String, String)>,
    Form(form): Form<ArtifactForm>,
) -> Result<Response, PageError> {
    match app.artifact_save(&frame.actor, &short_name, &upload, &form).await {
        Ok(package) => Ok(Done::VersionUploaded.at(&package_page(&short_name, package)).into_response()),
        Err(failure) => {
            let problems = form::problems(failure)?;
            let page = ArtifactPage::of(&app, frame, (&short_name, &upload), form).await?;
            Ok(Refused(ArtifactPage { problems, ..page }).into_response())
        }
    }
}

/// `POST /orgs/{organization}/packages/new/artifact/{upload}/discard`
async fn discard(
    State(app): State<App>,
    By(actor): By,
    Path((short_name, upload)): Path<(String, String)>,
) -> Result<Redirect, PageError> {
    app.artifact_discard(&actor, &short_name, &upload).await?;
    Ok(Done::Deleted.at(&format!("{}/packages", address(&short_name))))
}

/// `POST /orgs/{organization}/packages/{package}/versions/{version}/delete`
async fn remove(
    State(app): State<App>,
    By(actor): By,
    Path((short_name, package, version)): Path<(String, String, String)>,
) -> Result<Redirect, PageError> {
    let package: PackageId = package.parse().map_err(|_| Failure::NotFound("package"))?;
    let version: VersionId = version.parse().map_err(|_| Failure::NotFound("version"))?;
    app.artifact_remove(&actor, &short_name, package, version).await?;
    Ok(Done::Deleted.at(&package_page(&short_name, package)))
}

/// The page of an upload that waits.
fn waiting(short_name: &str, upload: &str) -> String {
    format!("{}/packages/new/artifact/{upload}", address(short_name))
}

/// A size for people: `68.2 kB`.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "templates hand over references")]
pub(crate) fn size(bytes: &u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "one digit after the point is shown")]
    let bytes = *bytes as f64;
    match bytes {
        0.0..1e3 => format!("{bytes} bytes"),
        1e3..1e6 => format!("{:.1} kB", bytes / 1e3),
        1e6..1e9 => format!("{:.1} MB", bytes / 1e6),
        _ => format!("{:.1} GB", bytes / 1e9),
    }
}

#[cfg(test)]
mod tests;
