//! The Admin section: Admin Panel, Global Configuration, all organizations, users and jobs. The integrations that the panel lists
//! have their pages in [`crate::integration`], and the Log has its own in [`crate::log`].
//!
//! Every use case here asks whether the actor is an admin or holds the setup link.

mod job;
mod organization;
mod search;
mod setting;
mod user;

use crate::{
    done::Done,
    error::PageError,
    form::{self, Form},
    frame::Frame,
    integration::Condition,
    page::{Page, Refused},
};
use askama::Template;
use axum::{
    Router,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use stave_app::{App, FailingEndpoint, Failure, Problems};
use stave_domain::{integration::Integration, user::User};

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/admin", get(show))
        .route("/admin/admins", post(grant).get(show_again))
        .route("/admin/admins/{user}/revoke", post(revoke).get(show_again))
        .merge(setting::router())
        .merge(organization::router())
        .merge(user::router())
        .merge(job::router())
}

#[derive(Template)]
#[template(path = "admin/panel.html")]
struct AdminPanel {
    frame: Frame,
    integrations: Vec<Integration>,
    /// What of the platforms' interfaces does not answer as it should.
    failing: Vec<FailingEndpoint>,
    admins: Vec<User>,
    /// The username or e-mail address as it was typed.
    who: String,
    problems: Problems,
}

impl AdminPanel {
    async fn of(app: &App, frame: Frame) -> Result<Self, Failure> {
        let admins = app.admin_list(&frame.actor).await?;
        let integrations = app.integration_list().await?;
        let failing = app.endpoint_list_failing(&frame.actor).await?;
        Ok(Self { frame, integrations, failing, admins, who: String::new(), problems: Problems::default() })
    }

    fn is_self(&self, user: &User) -> bool {
        self.frame.actor.user.as_ref().is_some_and(|actor| actor.id == user.id)
    }

    /// Whoever gives up their own permissions is asked first; the last admin is told that they cannot.
    fn asks_first(&self, user: &User) -> bool {
        self.is_self(user) && self.admins.len() > 1
    }

    fn revoke_action(user: &User) -> String {
        format!("/admin/admins/{}/revoke", user.id)
    }
}

/// `GET /admin`
async fn show(State(app): State<App>, frame: Frame) -> Result<Page<AdminPanel>, PageError> {
    Ok(Page(AdminPanel::of(&app, frame).await?))
}

/// `GET` of what is only sent: a reload after a refusal.
async fn show_again() -> Redirect {
    Redirect::to("/admin")
}

/// The Admin Panel with what is wrong.
pub(crate) async fn refused(app: &App, frame: Frame, problems: Problems) -> Result<Response, PageError> {
    let page = AdminPanel::of(app, frame).await?;
    Ok(Refused(AdminPanel { problems, ..page }).into_response())
}

#[derive(serde::Deserialize)]
struct GrantForm {
    /// A username or e-mail address.
    #[serde(default)]
    who: String,
}

/// `POST /admin/admins`
async fn grant(
    State(app): State<App>,
    frame: Frame,
    Form(GrantForm { who }): Form<GrantForm>,
) -> Result<Response, PageError> {
    match app.admin_grant(&frame.actor, &who).await {
        Ok(()) => Ok(Done::AdminGranted.at("/admin").into_response()),
        Err(failure) => {
            let problems = form::problems(failure)?;
            let page = AdminPanel::of(&app, frame).await?;
            Ok(Refused(AdminPanel { who, problems, ..page }).into_response())
        }
    }
}

/// `POST /admin/admins/{user}/revoke`
async fn revoke(
    State(app): State<App>,
    frame: Frame,
    Path(user): Path<String>,
) -> Result<Response, PageError> {
    let id = user.parse().map_err(|_| Failure::NotFound("admin"))?;
    match app.admin_revoke(&frame.actor, id).await {
        Ok(()) => {
            let is_out = !frame.actor.is_setup && frame.actor.user.is_some_and(|actor| actor.id == id);
            Ok(Done::AdminRevoked.at(if is_out { "/profile" } else { "/admin" }).into_response())
        }
        Err(failure) => refused(&app, frame, form::problems(failure)?).await,
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{ALL_SCOPES, TestSite};
    use axum::http::StatusCode;
    use stave_testkit::FakeBitbucket;

    const PAGES: [&str; 9] = [
        "/admin",
        "/admin/integrations/new",
        "/admin/configuration",
        "/admin/users",
        "/admin/organizations",
        "/admin/jobs",
        "/admin/log",
        "/admin/log.csv",
        "/admin/log.jsonl",
    ];

    #[tokio::test]
    async fn the_admin_section_is_for_admins() {
        let (site, bitbucket) = (TestSite::start().await, FakeBitbucket::start().await);
        let mut ada = site.setup_browser().await;
        site.connect(&mut ada, &bitbucket, &ALL_SCOPES).await;
        ada.register(&bitbucket, "ada").await;
        let (mut grace, mut stranger) = (site.browser(), site.browser());
        grace.register(&bitbucket, "grace").await;
        for page in PAGES {
            assert_eq!(ada.get(page).await.status, StatusCode::OK, "{page}");
            assert_eq!(grace.get(page).await.status, StatusCode::FORBIDDEN, "{page}");
            assert_eq!(stranger.get(page).await.location, format!("/login?return_to={page}"));
        }
        for action in
            ["/admin/admins", "/admin/configuration", "/admin/setup/leave", "/admin/integrations/new"]
        {
            assert_eq!(grace.post(action, &[]).await.status, StatusCode::FORBIDDEN, "{action}");
            assert_eq!(stranger.post(action, &[]).await.location, "/login", "{action}");
        }
    }

    #[tokio::test]
    async fn admins_are_made_and_unmade_but_one_stays() {
        let (site, bitbucket) = (TestSite::start().await, FakeBitbucket::start().await);
        let mut ada = site.setup_browser().await;
        site.connect(&mut ada, &bitbucket, &ALL_SCOPES).await;
        ada.register(&bitbucket, "ada").await;
        let mut grace = site.browser();
        grace.register(&bitbucket, "grace").await;
        let panel = ada.get("/admin").await.body;
        let revoke_ada = panel.split('"').find(|text| text.ends_with("/revoke")).unwrap().to_owned();
        let last = ada.post(&revoke_ada, &[]).await;
        assert!(last.body.contains("ada is the last admin"), "{}", last.body);
        let nobody = ada.post("/admin/admins", &[("who", "nobody")]).await;
        assert_eq!(nobody.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(nobody.body.contains("value=\"nobody\""), "{}", nobody.body);
        assert_eq!(
            ada.post("/admin/admins", &[("who", "grace")]).await.location,
            "/admin?done=admin-granted"
        );
        ada.post("/admin/setup/leave", &[]).await;
        assert_eq!(ada.post(&revoke_ada, &[]).await.location, "/profile?done=admin-revoked");
        assert_eq!(ada.get("/admin").await.status, StatusCode::FORBIDDEN);
        assert_eq!(grace.get("/admin").await.status, StatusCode::OK);
    }
}
