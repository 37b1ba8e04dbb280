//! The members of a website: the list, one of them, and a table to take along.

use super::place::{Place, Visit};
use crate::{
    browser, csv,
    done::Done,
    error::PageError,
    form::{self, Form},
    frame::Frame,
    page::{Page, Refused},
};
use askama::Template;
use axum::{
    Router,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use stave_app::{App, Failure, MemberAddress, MemberPage, MemberSearch, MemberView, Problems};
use stave_domain::{
    id::WebsiteMemberId,
    website::{Member, MemberIdentity, MemberStatus},
};
use url::form_urlencoded::Serializer;

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/members", get(list))
        .route("/members.csv", get(export))
        .route("/members/{member}", get(show))
        .route("/members/{member}/roles", post(change_roles).get(show_again))
        .route("/members/{member}/status", post(change_status).get(show_again))
        .route("/members/{member}/log-out", post(log_out).get(show_again))
        .route("/members/{member}/logins/{login}/end", post(end_login).get(show_again))
        .route("/members/{member}/delete", post(delete).get(show_again))
}

/// `?q=&status=&page=`; what cannot be read counts as not said.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
struct MemberQuery {
    q: String,
    status: String,
    page: String,
}

impl MemberQuery {
    fn search(&self) -> MemberSearch {
        let page = self.page.parse().unwrap_or(0);
        MemberSearch { text: self.q.clone(), status: self.status.parse().ok(), page }
    }

    fn address(&self, list: &str, page: u64) -> String {
        let query = Serializer::new(String::new())
            .append_pair("q", &self.q)
            .append_pair("status", &self.status)
            .append_pair("page", &page.to_string())
            .finish();
        format!("{list}?{query}")
    }

    fn is_everybody(&self) -> bool {
        self.q.trim().is_empty() && self.status.is_empty()
    }
}

#[derive(Template)]
#[template(path = "website/member_list.html")]
struct MemberList {
    frame: Frame,
    place: Place,
    found: MemberPage,
    query: MemberQuery,
    statuses: Vec<(String, String)>,
    back: Option<String>,
    on: Option<String>,
}

/// `GET /orgs/{organization}/websites/{website}/members`
async fn list(
    State(app): State<App>,
    Visit { frame, place }: Visit,
    Query(query): Query<MemberQuery>,
) -> Result<Page<MemberList>, PageError> {
    let (organization, website) = place.names();
    let search = query.search();
    let found = app.website_member_list(&frame.actor, organization, website, &search).await?;
    let list = format!("{}/members", place.base());
    let back = search.page.checked_sub(1).map(|page| query.address(&list, page));
    let on = found.more.then(|| query.address(&list, search.page.saturating_add(1)));
    let all = std::iter::once((String::new(), "Everybody".to_owned()));
    let each = MemberStatus::ALL.map(|status| (status.key().to_owned(), named(status).0.to_owned()));
    Ok(Page(MemberList { frame, place, found, query, statuses: all.chain(each).collect(), back, on }))
}

/// A status and its tone, as a badge shows them.
fn named(status: MemberStatus) -> (&'static str, &'static str) {
    match status {
        MemberStatus::Active => ("Active", "good"),
        MemberStatus::Pending => ("Waiting for approval", "warn"),
        MemberStatus::Blocked => ("Blocked", "bad"),
    }
}

/// `GET /orgs/{organization}/websites/{website}/members.csv`
async fn export(
    State(app): State<App>,
    Visit { frame, place }: Visit,
) -> Result<impl IntoResponse, PageError> {
    let (organization, website) = place.names();
    let members = app.website_member_export(&frame.actor, organization, website).await?;
    Ok(csv::file(&format!("{website}-members"), table(&members)))
}

fn table(members: &[(Member, Vec<MemberIdentity>)]) -> String {
    let head = "id,name,handle,email,email_verified,roles,status,servers,first_sign_in,last_sign_in\r\n";
    let line = |(member, identities): &(Member, Vec<MemberIdentity>)| {
        let email = member.email.as_ref();
        let servers: Vec<_> = identities.iter().map(|identity| identity.place.label()).collect();
        let cells = [
            member.sub.clone(),
            member.name.clone(),
            member.handle.clone(),
            email.map(|email| email.address.to_string()).unwrap_or_default(),
            email.map(|email| email.is_verified.to_string()).unwrap_or_default(),
            member.roles.to_string(),
            member.status.key().to_owned(),
            servers.join("; "),
            crate::time::machine(&member.created_at),
            crate::time::machine(&member.signed_in_at),
        ];
        csv::line(cells)
    };
    std::iter::once(head.to_owned()).chain(members.iter().map(line)).collect()
}

#[derive(Template)]
#[template(path = "website/member.html")]
struct MemberPageOfOne {
    frame: Frame,
    place: Place,
    view: MemberView,
    /// The roles as they were typed.
    roles: String,
    problems: Problems,
}

/// Which member, and perhaps which of their browsers.
#[derive(serde::Deserialize)]
struct Named {
    member: String,
    #[serde(default)]
    login: String,
}

impl Named {
    fn id(&self) -> Result<WebsiteMemberId, Failure> {
        self.member.parse().map_err(|_| Failure::NotFound("member"))
    }

    fn of<'a>(&self, place: &'a Place) -> Result<MemberAddress<'a>, Failure> {
        let (organization, website) = place.names();
        Ok(MemberAddress { organization, website, id: self.id()? })
    }
}

impl MemberPageOfOne {
    async fn of(app: &App, Visit { frame, place }: Visit, named: &Named) -> Result<Self, Failure> {
        let view = app.website_member_show(&frame.actor, named.of(&place)?).await?;
        let roles = view.member.roles.names().collect::<Vec<_>>().join(", ");
        Ok(Self { frame, place, view, roles, problems: Problems::default() })
    }

    fn action(&self, verb: &str) -> String {
        format!("{}/{verb}", page_of(&self.place, self.view.member.id))
    }
}

/// `GET /orgs/{organization}/websites/{website}/members/{member}`
async fn show(
    State(app): State<App>,
    visit: Visit,
    Path(named): Path<Named>,
) -> Result<Page<MemberPageOfOne>, PageError> {
    Ok(Page(MemberPageOfOne::of(&app, visit, &named).await?))
}

#[derive(serde::Deserialize)]
#[serde(default)]
struct MemberForm {
    /// With commas between them.
    roles: String,
    /// The key of a [`MemberStatus`].
    status: String,
}

impl Default for MemberForm {
    fn default() -> Self {
        Self { roles: String::new(), status: MemberStatus::Active.key().into() }
    }
}

/// `POST /orgs/{organization}/websites/{website}/members/{member}/roles`
async fn change_roles(
    State(app): State<App>,
    visit: Visit,
    Path(named): Path<Named>,
    Form(form): Form<MemberForm>,
) -> Result<Response, PageError> {
    let address = named.of(&visit.place)?;
    match app.website_member_roles(&visit.frame.actor, address, &form.roles).await {
        Ok(()) => Ok(Done::Saved.at(&page_of(&visit.place, named.id()?)).into_response()),
        Err(failure) => {
            let problems = form::problems(failure)?;
            let page = MemberPageOfOne::of(&app, visit, &named).await?;
            Ok(Refused(MemberPageOfOne { problems, roles: form.roles, ..page }).into_response())
        }
    }
}

/// `POST /orgs/{organization}/websites/{website}/members/{member}/status`
async fn change_status(
    State(app): State<App>,
    Visit { frame, place }: Visit,
    Path(named): Path<Named>,
    Form(form): Form<MemberForm>,
) -> Result<Redirect, PageError> {
    let chosen = form.status.parse().ok().filter(|status| *status != MemberStatus::Pending);
    let status = chosen.ok_or_else(|| Failure::invalid("status", "Choose whether they may come in."))?;
    app.website_member_status(&frame.actor, named.of(&place)?, status).await?;
    let done = if status == MemberStatus::Active { Done::MemberLetIn } else { Done::MemberBlocked };
    Ok(done.at(&page_of(&place, named.id()?)))
}

/// `POST /orgs/{organization}/websites/{website}/members/{member}/log-out`
async fn log_out(
    State(app): State<App>,
    Visit { frame, place }: Visit,
    Path(named): Path<Named>,
) -> Result<Redirect, PageError> {
    app.website_member_log_out(&frame.actor, named.of(&place)?).await?;
    Ok(Done::MemberSignedOut.at(&page_of(&place, named.id()?)))
}

/// `POST /orgs/{organization}/websites/{website}/members/{member}/logins/{login}/end`
async fn end_login(
    State(app): State<App>,
    Visit { frame, place }: Visit,
    Path(named): Path<Named>,
) -> Result<Redirect, PageError> {
    let login = named.login.parse().map_err(|_| Failure::NotFound("browser"))?;
    app.website_member_login_end(&frame.actor, named.of(&place)?, login).await?;
    Ok(Done::LoginEnded.at(&page_of(&place, named.id()?)))
}

/// `POST /orgs/{organization}/websites/{website}/members/{member}/delete`
async fn delete(
    State(app): State<App>,
    Visit { frame, place }: Visit,
    Path(named): Path<Named>,
) -> Result<Redirect, PageError> {
    app.website_member_delete(&frame.actor, named.of(&place)?).await?;
    Ok(Done::Deleted.at(&format!("{}/members", place.base())))
}

/// A form's address that was opened again: the page of the member is still there.
async fn show_again(Visit { place, .. }: Visit, Path(named): Path<Named>) -> Result<Redirect, PageError> {
    Ok(Redirect::to(&page_of(&place, named.id()?)))
}

fn page_of(place: &Place, member: WebsiteMemberId) -> String {
    format!("{}/members/{member}", place.base())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_keep_what_is_looked_for() {
        let query = MemberQuery { q: "a&b".into(), status: "blocked".into(), page: "2".into() };
        assert_eq!(query.address("/members", 3), "/members?q=a%26b&status=blocked&page=3");
        let search = query.search();
        assert_eq!((search.page, search.status), (2, Some(MemberStatus::Blocked)));
        let nonsense = MemberQuery { status: "x".into(), page: "x".into(), ..query }.search();
        assert_eq!((nonsense.page, nonsense.status), (0, None));
    }
}
