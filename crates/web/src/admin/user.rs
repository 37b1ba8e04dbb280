//! All users, and the end of an account.

use super::search::Search;
use crate::{
    done::Done,
    error::PageError,
    form,
    frame::Frame,
    page::{Page, Refused},
};
use askama::Template;
use axum::{
    Router,
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
    routing::get,
};
use stave_app::{App, Failure, Problems};
use stave_domain::{
    id::UserId,
    organization::{Organization, Role},
    user::User,
};

pub(super) fn router() -> Router<App> {
    Router::new().route("/admin/users", get(list)).route("/admin/users/{user}/delete", get(ask).post(delete))
}

#[derive(Template)]
#[template(path = "admin/user_list.html")]
struct UserList {
    frame: Frame,
    users: Vec<User>,
    search: Search,
    back: Option<String>,
    on: Option<String>,
}

/// `GET /admin/users`
async fn list(
    State(app): State<App>,
    frame: Frame,
    Query(search): Query<Search>,
) -> Result<Page<UserList>, PageError> {
    let (users, more) = app.user_list(&frame.actor, &search.q, search.page()).await?;
    let (back, on) = (search.back("/admin/users"), search.on("/admin/users", more));
    Ok(Page(UserList { frame, users, search, back, on }))
}

#[derive(Template)]
#[template(path = "admin/user_delete.html")]
struct DeleteUser {
    frame: Frame,
    user: User,
    organizations: Vec<(Organization, Role)>,
    problems: Problems,
}

impl DeleteUser {
    async fn of(app: &App, frame: Frame, id: UserId) -> Result<Self, Failure> {
        let (user, organizations) = app.user_show(&frame.actor, id).await?;
        Ok(Self { frame, user, organizations, problems: Problems::default() })
    }

    fn is_self(&self) -> bool {
        self.frame.actor.user.as_ref().is_some_and(|actor| actor.id == self.user.id)
    }
}

/// `GET /admin/users/{user}/delete`: what would go with them.
async fn ask(
    State(app): State<App>,
    frame: Frame,
    Path(user): Path<String>,
) -> Result<Page<DeleteUser>, PageError> {
    Ok(Page(DeleteUser::of(&app, frame, parsed(&user)?).await?))
}

/// `POST /admin/users/{user}/delete`
async fn delete(
    State(app): State<App>,
    frame: Frame,
    Path(user): Path<String>,
) -> Result<Response, PageError> {
    let id = parsed(&user)?;
    match app.user_delete(&frame.actor, id).await {
        Ok(()) => Ok(Done::Deleted.at("/admin/users").into_response()),
        Err(failure) => {
            let problems = form::problems(failure)?;
            let page = DeleteUser::of(&app, frame, id).await?;
            Ok(Refused(DeleteUser { problems, ..page }).into_response())
        }
    }
}

fn parsed(id: &str) -> Result<UserId, Failure> {
    id.parse().map_err(|_| Failure::NotFound("user"))
}

#[cfg(test)]
mod tests {
    use crate::testing::{ALL_SCOPES, TestSite};
    use axum::http::StatusCode;
    use stave_testkit::FakeBitbucket;

    #[tokio::test]
    async fn users_and_organizations_are_deleted_after_a_question() {
        let (site, bitbucket) = (TestSite::start().await, FakeBitbucket::start().await);
        let mut ada = site.setup_browser().await;
        site.connect(&mut ada, &bitbucket, &ALL_SCOPES).await;
        ada.register(&bitbucket, "ada").await;
        let mut grace = site.browser();
        grace.register(&bitbucket, "grace").await;
        grace.post("/orgs/new", &[("name", "Acme & Sons"), ("short_name", "acme")]).await;

        let ask = |page: String| page.split('"').find(|text| text.ends_with("/delete")).unwrap().to_owned();
        let delete_integration = ask(ada.get("/admin").await.body);
        assert!(ada.get(&delete_integration).await.body.contains("It is the last way in"));
        let delete_grace = ask(ada.get("/admin/users?q=GRACE").await.body);
        let question = ada.get(&delete_grace).await;
        assert!(
            question.body.contains("<b>Acme &#38; Sons</b>") && question.body.contains("owner"),
            "{}",
            question.body
        );
        assert_eq!(grace.post(&delete_grace, &[]).await.status, StatusCode::FORBIDDEN);
        let owner = ada.post(&delete_grace, &[]).await;
        assert_eq!(owner.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            owner.body.contains("grace is the last owner of the organization Acme &#38; Sons"),
            "{}",
            owner.body
        );
        assert_eq!(
            ada.get("/orgs/acme").await.status,
            StatusCode::NOT_FOUND,
            "its content is not for admins"
        );
        assert!(ada.get("/orgs/acme/teams").await.body.contains("Add a member"), "its owners are");
        assert_eq!(
            ada.post("/orgs/acme/teams", &[("who", "ada"), ("role", "owner")]).await.status,
            StatusCode::SEE_OTHER
        );
        assert_eq!(ada.post(&delete_grace, &[]).await.location, "/admin/users?done=deleted");
        assert_eq!(grace.get("/profile").await.location, "/login?return_to=/profile", "logged out at once");
        assert!(ada.get("/admin/users?q=grace").await.body.contains("Nobody found"));

        let delete_ada = ask(ada.get("/admin/users").await.body);
        let last = ada.post(&delete_ada, &[]).await;
        assert_eq!(last.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(last.body.contains("ada is the last admin"), "{}", last.body);

        let delete_acme = ask(ada.get("/admin/organizations?q=sons").await.body);
        assert!(ada.get(&delete_acme).await.body.contains("/repo/acme/"));
        assert_eq!(ada.post(&delete_acme, &[]).await.location, "/admin/organizations?done=deleted");
        assert!(ada.get("/admin/organizations").await.body.contains("No organizations yet"));
        let log = ada.get("/admin/log").await.body;
        assert!(
            log.contains("deleted the user grace") && log.contains("deleted the organization acme"),
            "{log}"
        );
    }
}
