//! Settings > Mirrored repositories: Composer repositories of others, whose packages are installed from here.

mod add;
mod words;

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
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use stave_app::{App, Failure, MirrorForm, MirrorLine, MirrorListView, MirrorView, Problems};
use stave_domain::{
    credential::StoredCredential,
    id::MirrorId,
    mirror::{Adds, Mirror},
    organization::Organization,
};

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/orgs/{organization}/settings/mirroring", get(list).post(create))
        .route("/orgs/{organization}/settings/mirroring/new", get(new))
        .route("/orgs/{organization}/settings/mirroring/{mirror}", get(show).post(change))
        .route("/orgs/{organization}/settings/mirroring/{mirror}/move", post(rearrange))
        .route("/orgs/{organization}/settings/mirroring/{mirror}/update", post(update))
        .route("/orgs/{organization}/settings/mirroring/{mirror}/delete", post(delete))
        .merge(add::router())
}

#[derive(Template)]
#[template(path = "mirror/list.html")]
struct MirrorList {
    frame: Frame,
    home: String,
    view: MirrorListView,
}

impl MirrorList {
    fn page(&self, line: &MirrorLine) -> String {
        format!("{}/settings/mirroring/{}", self.home, line.mirror.id)
    }

    /// Those that can be asked earlier or later than others.
    fn movable(&self) -> usize {
        self.view.lines.iter().filter(|line| !line.is_fixed).count()
    }

    fn is_busy(&self) -> bool {
        self.view.lines.iter().any(words::is_first_read)
    }
}

/// `GET /orgs/{organization}/settings/mirroring`
async fn list(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
) -> Result<Page<MirrorList>, PageError> {
    let view = app.mirror_list(&frame.actor, &short_name).await?;
    Ok(Page(MirrorList { frame, home: home(&view.organization), view }))
}

/// A new mirror.
#[derive(Template)]
#[template(path = "mirror/new.html")]
struct NewMirror {
    frame: Frame,
    organization: Organization,
    home: String,
    form: MirrorForm,
    problems: Problems,
    credentials: Vec<(String, String)>,
}

impl NewMirror {
    async fn of(
        app: &App,
        frame: Frame,
        short_name: &str,
        (form, problems): (MirrorForm, Problems),
    ) -> Result<Self, Failure> {
        let (organization, credentials) = app.mirror_choices(&frame.actor, short_name).await?;
        let (home, credentials) = (home(&organization), choices(&credentials));
        Ok(Self { frame, organization, home, form, problems, credentials })
    }

    fn adds() -> Vec<(&'static str, &'static str)> {
        adds()
    }

    #[expect(clippy::unused_self, reason = "the fields of both forms ask for it")]
    fn is_fixed(&self) -> bool {
        false
    }
}

/// `GET /orgs/{organization}/settings/mirroring/new`
async fn new(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
) -> Result<Page<NewMirror>, PageError> {
    let empty = (MirrorForm::empty(), Problems::default());
    Ok(Page(NewMirror::of(&app, frame, &short_name, empty).await?))
}

/// `POST /orgs/{organization}/settings/mirroring`
async fn create(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
    Form(form): Form<MirrorForm>,
) -> Result<Response, PageError> {
    match app.mirror_create(&frame.actor, &short_name, &form).await {
        Ok(id) => Ok(Done::MirrorAdded.at(&page(&short_name, id)).into_response()),
        Err(failure) => {
            let problems = form::problems(failure)?;
            Ok(Refused(NewMirror::of(&app, frame, &short_name, (form, problems)).await?).into_response())
        }
    }
}

/// A mirror: how it fares, what it offers, its form.
#[derive(Template)]
#[template(path = "mirror/show.html")]
struct ShownMirror {
    frame: Frame,
    home: String,
    view: MirrorView,
    form: MirrorForm,
    problems: Problems,
    credentials: Vec<(String, String)>,
}

impl ShownMirror {
    async fn of(app: &App, frame: Frame, short_name: &str, id: MirrorId) -> Result<Self, Failure> {
        let view = app.mirror_show(&frame.actor, short_name, id).await?;
        let (_, credentials) = app.mirror_choices(&frame.actor, short_name).await?;
        let (home, credentials) = (home(&view.organization), choices(&credentials));
        let form = MirrorForm::of(&view.line.mirror);
        Ok(Self { frame, home, view, form, problems: Problems::default(), credentials })
    }

    fn it(&self) -> &Mirror {
        &self.view.line.mirror
    }

    fn page(&self) -> String {
        format!("{}/settings/mirroring/{}", self.home, self.it().id)
    }

    fn below(&self, action: &str) -> String {
        format!("{}/{action}", self.page())
    }

    fn adds() -> Vec<(&'static str, &'static str)> {
        adds()
    }

    fn is_fixed(&self) -> bool {
        self.view.line.is_fixed
    }

    /// What deleting it takes along.
    fn question(&self) -> String {
        match self.view.line.packages {
            0 => "None of its packages is here. It can be added again.".to_owned(),
            count => format!(
                "{} of it can no longer be installed from here, also from lock files that exist, and their zips are gone. This cannot be undone.",
                words::packages(count)
            ),
        }
    }
}

/// `GET /orgs/{organization}/settings/mirroring/{mirror}`
async fn show(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, id)): Path<(String, String)>,
) -> Result<Page<ShownMirror>, PageError> {
    Ok(Page(ShownMirror::of(&app, frame, &short_name, parsed(&id)?).await?))
}

/// `POST /orgs/{organization}/settings/mirroring/{mirror}`
async fn change(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, id)): Path<(String, String)>,
    Form(form): Form<MirrorForm>,
) -> Result<Response, PageError> {
    let id = parsed(&id)?;
    match app.mirror_change(&frame.actor, &short_name, id, &form).await {
        Ok(()) => Ok(Done::Saved.at(&page(&short_name, id)).into_response()),
        Err(failure) => {
            let problems = form::problems(failure)?;
            let shown = ShownMirror::of(&app, frame, &short_name, id).await?;
            Ok(Refused(ShownMirror { form, problems, ..shown }).into_response())
        }
    }
}

/// Where a mirror shall be: as a button says, or where it was dropped.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Place {
    /// Counted from 0.
    place: String,
}

/// `POST /orgs/{organization}/settings/mirroring/{mirror}/move`
async fn rearrange(
    State(app): State<App>,
    By(actor): By,
    Path((short_name, id)): Path<(String, String)>,
    Form(Place { place }): Form<Place>,
) -> Result<Redirect, PageError> {
    let place = place.parse().map_err(|_| Failure::invalid("place", "The place is a number."))?;
    app.mirror_move(&actor, &short_name, parsed(&id)?, place).await?;
    Ok(Done::Saved.at(&mirrors(&short_name)))
}

/// `POST /orgs/{organization}/settings/mirroring/{mirror}/update`
async fn update(
    State(app): State<App>,
    By(actor): By,
    Path((short_name, id)): Path<(String, String)>,
) -> Result<Redirect, PageError> {
    let id = parsed(&id)?;
    app.mirror_update(&actor, &short_name, id).await?;
    Ok(Done::UpdateStarted.at(&page(&short_name, id)))
}

/// What whoever deletes a mirror was told.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Deletion {
    /// How many packages go.
    packages: String,
}

/// `POST /orgs/{organization}/settings/mirroring/{mirror}/delete`
async fn delete(
    State(app): State<App>,
    By(actor): By,
    Path((short_name, id)): Path<(String, String)>,
    Form(Deletion { packages }): Form<Deletion>,
) -> Result<Redirect, PageError> {
    let told = packages.parse().unwrap_or_default();
    app.mirror_delete(&actor, &short_name, parsed(&id)?, told).await?;
    Ok(Done::Deleted.at(&mirrors(&short_name)))
}

fn choices(credentials: &[StoredCredential]) -> Vec<(String, String)> {
    let choice = |it: &StoredCredential| {
        (it.id.to_string(), format!("{} ({} for {})", it.description, it.kind.short_label(), it.host))
    };
    let none = (String::new(), "None: everybody may read it".to_owned());
    std::iter::once(none).chain(credentials.iter().map(choice)).collect()
}

fn adds() -> Vec<(&'static str, &'static str)> {
    Adds::ALL.into_iter().map(|adds| (adds.key(), adds.label())).collect()
}

fn mirrors(short_name: &str) -> String {
    format!("{}/settings/mirroring", address(short_name))
}

fn page(short_name: &str, id: MirrorId) -> String {
    format!("{}/{id}", mirrors(short_name))
}

fn parsed(id: &str) -> Result<MirrorId, Failure> {
    id.parse().map_err(|_| Failure::NotFound("mirror"))
}

#[cfg(test)]
mod tests;
