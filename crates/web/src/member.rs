//! Members of an organization, under "Teams".

use crate::{
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
    response::{IntoResponse, Response},
    routing::{get, post},
};
use stave_app::{App, Failure, Problems};
use stave_domain::{
    id::UserId,
    organization::{Member, Organization, Role},
    user::User,
};

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/orgs/{organization}/teams", get(list).post(put))
        .route("/orgs/{organization}/teams/{user}/role", post(change))
        .route("/orgs/{organization}/teams/{user}/remove", post(remove))
}

#[derive(Template)]
#[template(path = "member_list.html")]
struct MemberList {
    frame: Frame,
    organization: Organization,
    home: String,
    role: Role,
    members: Vec<(User, Member)>,
    form: MemberForm,
    problems: Problems,
    roles: Vec<(String, String)>,
}

#[derive(serde::Deserialize)]
#[serde(default)]
struct MemberForm {
    /// A username or e-mail address.
    who: String,
    /// The key of a [`Role`].
    role: String,
}

impl Default for MemberForm {
    fn default() -> Self {
        Self { who: String::new(), role: Role::Member.key().into() }
    }
}

impl MemberForm {
    fn role(&self) -> Result<Role, Failure> {
        self.role.parse().map_err(|_| Failure::invalid("role", "Choose what they may do."))
    }
}

impl MemberList {
    async fn of(app: &App, frame: Frame, short_name: &str, form: MemberForm) -> Result<Self, Failure> {
        let (organization, role, members) = app.member_list(&frame.actor, short_name).await?;
        let home = home(&organization);
        let roles = vec![
            (Role::Member.key().to_owned(), "Member: reads and installs packages".to_owned()),
            (Role::Owner.key().to_owned(), "Owner: does everything".to_owned()),
        ];
        Ok(Self { frame, organization, home, role, members, form, problems: Problems::default(), roles })
    }

    fn is_owner(&self) -> bool {
        self.role == Role::Owner
    }

    fn remove_action(&self, user: &User) -> String {
        format!("{}/teams/{}/remove", self.home, user.id)
    }

    fn is_self(&self, user: &User) -> bool {
        self.frame.actor.user.as_ref().is_some_and(|actor| actor.id == user.id)
    }
}

/// `GET /orgs/{organization}/teams`
async fn list(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
) -> Result<Page<MemberList>, PageError> {
    Ok(Page(MemberList::of(&app, frame, &short_name, MemberForm::default()).await?))
}

/// `POST /orgs/{organization}/teams`
async fn put(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
    Form(form): Form<MemberForm>,
) -> Result<Response, PageError> {
    let added = match form.role() {
        Ok(role) => app.member_put(&frame.actor, &short_name, &form.who, role).await,
        Err(failure) => Err(failure),
    };
    match added {
        Ok(()) => Ok(Done::MemberAdded.at(&teams(&short_name)).into_response()),
        Err(failure) => refused(&app, frame, &short_name, form, failure).await,
    }
}

/// `POST /orgs/{organization}/teams/{user}/role`
async fn change(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, user)): Path<(String, String)>,
    Form(form): Form<MemberForm>,
) -> Result<Response, PageError> {
    let id = parsed(&user)?;
    let (_, _, members) = app.member_list(&frame.actor, &short_name).await?;
    let (user, _) = members.iter().find(|(user, _)| user.id == id).ok_or(Failure::NotFound("member"))?;
    match app.member_put(&frame.actor, &short_name, user.username.as_str(), form.role()?).await {
        Ok(()) => Ok(Done::Saved.at(&teams(&short_name)).into_response()),
        Err(failure) => refused(&app, frame, &short_name, MemberForm::default(), failure).await,
    }
}

/// `POST /orgs/{organization}/teams/{user}/remove`; for oneself this is leaving.
async fn remove(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, user)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let id = parsed(&user)?;
    match app.member_remove(&frame.actor, &short_name, id).await {
        Ok(()) if frame.actor.user()?.id == id => Ok(Done::OrganizationLeft.at("/").into_response()),
        Ok(()) => Ok(Done::MemberRemoved.at(&teams(&short_name)).into_response()),
        Err(failure) => refused(&app, frame, &short_name, MemberForm::default(), failure).await,
    }
}

async fn refused(
    app: &App,
    frame: Frame,
    short_name: &str,
    form: MemberForm,
    failure: Failure,
) -> Result<Response, PageError> {
    let problems = form::problems(failure)?;
    let page = MemberList::of(app, frame, short_name, form).await?;
    Ok(Refused(MemberList { problems, ..page }).into_response())
}

fn teams(short_name: &str) -> String {
    format!("{}/teams", address(short_name))
}

fn parsed(id: &str) -> Result<UserId, Failure> {
    id.parse().map_err(|_| Failure::NotFound("member"))
}
