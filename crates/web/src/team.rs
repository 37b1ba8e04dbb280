//! Teams: who is in them, and which packages were given to them.

use crate::{
    actor::By,
    done::Done,
    error::PageError,
    form::{self, Form},
    frame::{Frame, home},
    member::{self, MemberForm, roles_given_by},
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
use stave_app::{App, Failure, Problems, TeamForm, TeamListView, TeamView};
use stave_domain::{
    id::TeamId,
    organization::{Organization, Role},
    user::User,
};

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/orgs/{organization}/teams", get(list))
        .route("/orgs/{organization}/teams/new", get(new).post(create))
        .route("/orgs/{organization}/teams/{team}", get(show).post(change))
        .route("/orgs/{organization}/teams/{team}/delete", post(delete))
        .route("/orgs/{organization}/teams/{team}/members", post(add_member).get(show_again))
        .route("/orgs/{organization}/teams/{team}/members/{user}/remove", post(remove_member))
        .route("/orgs/{organization}/teams/{team}/packages", post(give_package).get(show_again))
        .route("/orgs/{organization}/teams/{team}/packages/{package}/take", post(take_package))
}

#[derive(Template)]
#[template(path = "team_list.html")]
struct TeamList {
    frame: Frame,
    home: String,
    view: TeamListView,
    form: MemberForm,
    problems: Problems,
    roles: Vec<(String, String)>,
}

impl TeamList {
    fn is_manager(&self) -> bool {
        self.view.role >= Role::Admin
    }

    fn who_are(&self, wanted: Role) -> Vec<&User> {
        self.view.members.iter().filter(|(_, role)| *role == wanted).map(|(user, _)| user).collect()
    }
}

/// `GET /orgs/{organization}/teams`
async fn list(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
) -> Result<Page<TeamList>, PageError> {
    let view = app.team_list(&frame.actor, &short_name).await?;
    let (home, roles) = (home(&view.organization), roles_given_by(view.role));
    let (form, problems) = (MemberForm::default(), Problems::default());
    Ok(Page(TeamList { frame, home, view, form, problems, roles }))
}

#[derive(Template)]
#[template(path = "team_new.html")]
struct NewTeam {
    frame: Frame,
    organization: Organization,
    home: String,
    form: TeamForm,
    problems: Problems,
}

impl NewTeam {
    async fn of(app: &App, frame: Frame, short_name: &str) -> Result<Self, Failure> {
        let organization = app.team_form_new(&frame.actor, short_name).await?;
        let home = home(&organization);
        Ok(Self { frame, organization, home, form: TeamForm::default(), problems: Problems::default() })
    }
}

/// `GET /orgs/{organization}/teams/new`
async fn new(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
) -> Result<Page<NewTeam>, PageError> {
    Ok(Page(NewTeam::of(&app, frame, &short_name).await?))
}

/// `POST /orgs/{organization}/teams/new`
async fn create(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
    Form(form): Form<TeamForm>,
) -> Result<Response, PageError> {
    match app.team_create(&frame.actor, &short_name, &form).await {
        Ok(id) => Ok(Done::TeamCreated.at(&page_of(&short_name, id)).into_response()),
        Err(failure) => {
            let problems = form::problems(failure)?;
            let page = NewTeam::of(&app, frame, &short_name).await?;
            Ok(Refused(NewTeam { form, problems, ..page }).into_response())
        }
    }
}

#[derive(Template)]
#[template(path = "team.html")]
struct TeamPage {
    frame: Frame,
    home: String,
    view: TeamView,
    form: TeamForm,
    /// What was typed into the other two forms.
    typed: TypedForm,
    problems: Problems,
}

/// The forms that add somebody or something.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct TypedForm {
    /// A username or e-mail address.
    who: String,
    /// The name of a package.
    package: String,
}

impl TeamPage {
    async fn of(app: &App, frame: Frame, short_name: &str, id: TeamId) -> Result<Self, Failure> {
        let view = app.team_show(&frame.actor, short_name, id).await?;
        let (home, form) = (home(&view.organization), TeamForm::of(&view.team));
        Ok(Self { frame, home, view, form, typed: TypedForm::default(), problems: Problems::default() })
    }

    fn address(&self) -> String {
        format!("{}/teams/{}", self.home, self.view.team.id)
    }
}

/// `GET /orgs/{organization}/teams/{team}`
async fn show(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, team)): Path<(String, String)>,
) -> Result<Page<TeamPage>, PageError> {
    Ok(Page(TeamPage::of(&app, frame, &short_name, parsed(&team)?).await?))
}

/// A form's address that was opened again: the page of the team is still there.
async fn show_again(Path((short_name, team)): Path<(String, String)>) -> Result<Redirect, PageError> {
    Ok(Redirect::to(&page_of(&short_name, parsed(&team)?)))
}

/// `POST /orgs/{organization}/teams/{team}`
async fn change(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, team)): Path<(String, String)>,
    Form(form): Form<TeamForm>,
) -> Result<Response, PageError> {
    let id = parsed(&team)?;
    match app.team_change(&frame.actor, &short_name, id, &form).await {
        Ok(()) => Ok(Done::Saved.at(&page_of(&short_name, id)).into_response()),
        Err(failure) => {
            let problems = form::problems(failure)?;
            let page = TeamPage::of(&app, frame, &short_name, id).await?;
            Ok(Refused(TeamPage { form, problems, ..page }).into_response())
        }
    }
}

/// `POST /orgs/{organization}/teams/{team}/delete`
async fn delete(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, team)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let id = parsed(&team)?;
    match app.team_delete(&frame.actor, &short_name, id).await {
        Ok(()) => Ok(Done::Deleted.at(&format!("{}/teams", address(&short_name))).into_response()),
        Err(failure) => refused(&app, frame, (&short_name, id), TypedForm::default(), failure).await,
    }
}

/// `POST /orgs/{organization}/teams/{team}/members`
async fn add_member(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, team)): Path<(String, String)>,
    Form(typed): Form<TypedForm>,
) -> Result<Response, PageError> {
    let id = parsed(&team)?;
    match app.team_member_add(&frame.actor, &short_name, id, &typed.who).await {
        Ok(()) => Ok(Done::Saved.at(&page_of(&short_name, id)).into_response()),
        Err(failure) => refused(&app, frame, (&short_name, id), typed, failure).await,
    }
}

/// `POST /orgs/{organization}/teams/{team}/members/{user}/remove`
async fn remove_member(
    State(app): State<App>,
    By(actor): By,
    Path((short_name, team, user)): Path<(String, String, String)>,
) -> Result<Redirect, PageError> {
    let id = parsed(&team)?;
    app.team_member_remove(&actor, &short_name, id, member::parsed(&user)?).await?;
    Ok(Done::Saved.at(&page_of(&short_name, id)))
}

/// `POST /orgs/{organization}/teams/{team}/packages`
async fn give_package(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, team)): Path<(String, String)>,
    Form(typed): Form<TypedForm>,
) -> Result<Response, PageError> {
    let id = parsed(&team)?;
    match app.team_package_give(&frame.actor, &short_name, id, &typed.package).await {
        Ok(()) => Ok(Done::Saved.at(&page_of(&short_name, id)).into_response()),
        Err(failure) => refused(&app, frame, (&short_name, id), typed, failure).await,
    }
}

/// `POST /orgs/{organization}/teams/{team}/packages/{package}/take`
async fn take_package(
    State(app): State<App>,
    By(actor): By,
    Path((short_name, team, package)): Path<(String, String, String)>,
) -> Result<Redirect, PageError> {
    let id = parsed(&team)?;
    let package = package.parse().map_err(|_| Failure::NotFound("package"))?;
    app.team_package_take(&actor, &short_name, id, package).await?;
    Ok(Done::Saved.at(&page_of(&short_name, id)))
}

async fn refused(
    app: &App,
    frame: Frame,
    (short_name, id): (&str, TeamId),
    typed: TypedForm,
    failure: Failure,
) -> Result<Response, PageError> {
    let problems = form::problems(failure)?;
    let page = TeamPage::of(app, frame, short_name, id).await?;
    Ok(Refused(TeamPage { typed, problems, ..page }).into_response())
}

fn page_of(short_name: &str, id: TeamId) -> String {
    format!("{}/teams/{id}", address(short_name))
}

fn parsed(id: &str) -> Result<TeamId, Failure> {
    id.parse().map_err(|_| Failure::NotFound("team"))
}

#[cfg(test)]
mod tests;
