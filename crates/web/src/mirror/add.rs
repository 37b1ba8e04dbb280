//! "From Mirror": packages of a mirror are added by their names.

use crate::{
    error::PageError,
    form::{self, Form},
    frame::{Frame, home},
    page::{Page, Refused},
};
use askama::Template;
use axum::{
    Router,
    extract::{Path, State},
    response::{IntoResponse, Response},
    routing::get,
};
use stave_app::{App, Failure, MirrorAddForm, MirrorAddLine, MirrorAdded, Problems};
use stave_domain::organization::Organization;

pub(super) fn router() -> Router<App> {
    Router::new().route("/orgs/{organization}/packages/new/mirror", get(new).post(add))
}

#[derive(Template)]
#[template(path = "mirror/add.html")]
struct AddFromMirror {
    frame: Frame,
    organization: Organization,
    home: String,
    mirrors: Vec<(String, String)>,
    form: MirrorAddForm,
    problems: Problems,
    /// What came of each name, if some were sent.
    lines: Vec<MirrorAddLine>,
}

impl AddFromMirror {
    async fn of(app: &App, frame: Frame, short_name: &str, form: MirrorAddForm) -> Result<Self, Failure> {
        let (organization, mirrors) = app.mirror_add_choices(&frame.actor, short_name).await?;
        let mirrors = mirrors.into_iter().map(|mirror| (mirror.id.to_string(), mirror.name)).collect();
        let (home, problems) = (home(&organization), Problems::default());
        Ok(Self { frame, organization, home, mirrors, form, problems, lines: Vec::new() })
    }

    /// Where the settings of mirrors are, for who may change them.
    fn settings(&self) -> String {
        format!("{}/settings/mirroring", self.home)
    }
}

/// `GET /orgs/{organization}/packages/new/mirror`
async fn new(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
) -> Result<Page<AddFromMirror>, PageError> {
    Ok(Page(AddFromMirror::of(&app, frame, &short_name, MirrorAddForm::default()).await?))
}

/// `POST /orgs/{organization}/packages/new/mirror`: the page again, with what came of each name.
async fn add(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
    Form(form): Form<MirrorAddForm>,
) -> Result<Response, PageError> {
    match app.mirror_add(&frame.actor, &short_name, &form).await {
        Ok(lines) => {
            let page = AddFromMirror::of(&app, frame, &short_name, left(form, &lines)).await?;
            Ok(Page(AddFromMirror { lines, ..page }).into_response())
        }
        Err(failure) => {
            let problems = form::problems(failure)?;
            let page = AddFromMirror::of(&app, frame, &short_name, form).await?;
            Ok(Refused(AddFromMirror { problems, ..page }).into_response())
        }
    }
}

/// What is in the form again: only what could not be added.
fn left(form: MirrorAddForm, lines: &[MirrorAddLine]) -> MirrorAddForm {
    let refused = lines.iter().filter(|line| matches!(line.added, MirrorAdded::Refused(_)));
    let names: Vec<_> = refused.map(|line| line.name.as_str()).collect();
    MirrorAddForm { names: names.join("\n"), ..form }
}
