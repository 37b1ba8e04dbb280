//! Members of an organization: who they are, how they came, and whether they may come in.

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
use stave_app::{App, Failure, KnownLine, MemberLine, MemberListView, PeoplePage, PeopleSearch, Problems};
use stave_domain::{id::UserId, organization::Role, user::User};
use url::form_urlencoded::Serializer;

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/orgs/{organization}/members", get(list))
        .route("/orgs/{organization}/members/settings", post(change_settings))
        .route("/orgs/{organization}/members/{user}/activate", post(activate))
        .route("/orgs/{organization}/members/{user}/deactivate", post(deactivate))
        .route("/orgs/{organization}/teams", post(put))
        .route("/orgs/{organization}/teams/{user}/role", post(change))
        .route("/orgs/{organization}/teams/{user}/remove", post(remove))
}

/// `?q=&page=&known=`; what cannot be read counts as not said.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
struct MemberQuery {
    q: String,
    page: String,
    /// The page of the second list.
    known: String,
}

impl MemberQuery {
    fn members(&self) -> PeopleSearch {
        PeopleSearch { text: self.q.clone(), page: self.page.parse().unwrap_or(0) }
    }

    fn known(&self) -> PeopleSearch {
        PeopleSearch { text: self.q.clone(), page: self.known.parse().unwrap_or(0) }
    }

    /// The same list with both of its parts on these pages.
    fn address(&self, list: &str, members: usize, known: usize) -> String {
        let query = Serializer::new(String::new())
            .append_pair("q", &self.q)
            .append_pair("page", &members.to_string())
            .append_pair("known", &known.to_string())
            .finish();
        format!("{list}?{query}")
    }
}

#[derive(Template)]
#[template(path = "member_list.html")]
struct MemberList {
    frame: Frame,
    home: String,
    view: MemberListView,
    /// Who never logged in here; for owners and admins only, and only if a workspace is followed.
    known: Option<PeoplePage<KnownLine>>,
    query: MemberQuery,
    form: MemberForm,
    problems: Problems,
    roles: Vec<(String, String)>,
}

#[derive(serde::Deserialize)]
#[serde(default)]
pub(crate) struct MemberForm {
    /// A username or e-mail address.
    pub(crate) who: String,
    /// The key of a [`Role`].
    pub(crate) role: String,
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

/// The roles that somebody of this role may give: what the form sends, and what people read.
pub(crate) fn roles_given_by(own: Role) -> Vec<(String, String)> {
    let all = [
        (Role::Member, "Member: reads and installs packages"),
        (Role::Admin, "Admin: manages everything but owners, admins and the organization itself"),
        (Role::Owner, "Owner: does everything"),
    ];
    let given = all.into_iter().filter(|(role, _)| own.manages(*role));
    given.map(|(role, text)| (role.key().to_owned(), text.to_owned())).collect()
}

impl MemberList {
    async fn of(app: &App, frame: Frame, short_name: &str, query: MemberQuery) -> Result<Self, Failure> {
        let view = app.member_list(&frame.actor, short_name, &query.members()).await?;
        let known = match view.role {
            Role::Member => None,
            _ => app.member_list_waiting(&frame.actor, short_name, &query.known()).await?,
        };
        let (home, roles) = (home(&view.organization), roles_given_by(view.role));
        let (form, problems) = (MemberForm::default(), Problems::default());
        Ok(Self { frame, home, view, known, query, form, problems, roles })
    }

    fn is_manager(&self) -> bool {
        self.view.role >= Role::Admin
    }

    fn action(&self, user: &User, verb: &str) -> String {
        let below = if matches!(verb, "role" | "remove") { "teams" } else { "members" };
        format!("{}/{below}/{}/{verb}", self.home, user.id)
    }

    fn is_self(&self, user: &User) -> bool {
        self.frame.actor.user.as_ref().is_some_and(|actor| actor.id == user.id)
    }

    fn list(&self) -> String {
        format!("{}/members", self.home)
    }

    fn members_at(&self, page: usize) -> String {
        self.query.address(&self.list(), page, self.query.known().page)
    }

    fn known_at(&self, page: usize) -> String {
        format!("{}#known", self.query.address(&self.list(), self.query.members().page, page))
    }

    fn members_pages(&self) -> (Option<String>, Option<String>) {
        let page = self.query.members().page;
        let on = self.view.members.more.then(|| self.members_at(page.saturating_add(1)));
        (page.checked_sub(1).map(|page| self.members_at(page)), on)
    }

    fn known_pages(&self, known: &PeoplePage<KnownLine>) -> (Option<String>, Option<String>) {
        let page = self.query.known().page;
        let on = known.more.then(|| self.known_at(page.saturating_add(1)));
        (page.checked_sub(1).map(|page| self.known_at(page)), on)
    }
}

/// How somebody came to be a member, and what decides about what they may do.
fn origin(line: &MemberLine) -> String {
    match (&line.led_by, line.workspaces.as_slice(), line.member.given) {
        (Some(leader), ..) => format!("follows {leader} on Bitbucket"),
        (None, [], _) => "given by hand".into(),
        (None, workspaces, None) => format!("through {}", workspaces.join(", ")),
        (None, workspaces, Some(_)) => format!("given by hand; also through {}", workspaces.join(", ")),
    }
}

/// `GET /orgs/{organization}/members`
async fn list(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
    Query(query): Query<MemberQuery>,
) -> Result<Page<MemberList>, PageError> {
    Ok(Page(MemberList::of(&app, frame, &short_name, query).await?))
}

/// `POST /orgs/{organization}/teams`: somebody becomes a member.
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
        Ok(()) => Ok(Done::MemberAdded.at(&members(&short_name)).into_response()),
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
    match app.member_change(&frame.actor, &short_name, parsed(&user)?, form.role()?).await {
        Ok(()) => Ok(Done::Saved.at(&members(&short_name)).into_response()),
        Err(failure) => refused(&app, frame, &short_name, MemberForm::default(), failure).await,
    }
}

/// `POST /orgs/{organization}/members/{user}/activate`
async fn activate(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, user)): Path<(String, String)>,
) -> Result<Response, PageError> {
    match app.member_activate(&frame.actor, &short_name, parsed(&user)?, true).await {
        Ok(()) => Ok(Done::MemberActivated.at(&members(&short_name)).into_response()),
        Err(failure) => refused(&app, frame, &short_name, MemberForm::default(), failure).await,
    }
}

/// `POST /orgs/{organization}/members/{user}/deactivate`
async fn deactivate(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, user)): Path<(String, String)>,
) -> Result<Response, PageError> {
    match app.member_activate(&frame.actor, &short_name, parsed(&user)?, false).await {
        Ok(()) => Ok(Done::MemberDeactivated.at(&members(&short_name)).into_response()),
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
        Ok(()) => Ok(Done::MemberRemoved.at(&members(&short_name)).into_response()),
        Err(failure) => refused(&app, frame, &short_name, MemberForm::default(), failure).await,
    }
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct SettingsForm {
    /// Sent if the box is ticked.
    deactivates_found: Option<String>,
}

/// `POST /orgs/{organization}/members/settings`
async fn change_settings(
    State(app): State<App>,
    By(actor): By,
    Path(short_name): Path<String>,
    Form(form): Form<SettingsForm>,
) -> Result<Redirect, PageError> {
    app.member_setting_update(&actor, &short_name, form.deactivates_found.is_some()).await?;
    Ok(Done::Saved.at(&members(&short_name)))
}

async fn refused(
    app: &App,
    frame: Frame,
    short_name: &str,
    form: MemberForm,
    failure: Failure,
) -> Result<Response, PageError> {
    let problems = form::problems(failure)?;
    let page = MemberList::of(app, frame, short_name, MemberQuery::default()).await?;
    Ok(Refused(MemberList { form, problems, ..page }).into_response())
}

fn members(short_name: &str) -> String {
    format!("{}/members", address(short_name))
}

pub(crate) fn parsed(id: &str) -> Result<UserId, Failure> {
    id.parse().map_err(|_| Failure::NotFound("member"))
}

#[cfg(test)]
mod tests;
