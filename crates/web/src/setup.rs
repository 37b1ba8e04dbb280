//! Setup Mode: the way in by the one-time link, and the way out.

use crate::{
    actor::By,
    admin,
    cookie::Cookie,
    done::Done,
    error::{Next, PageError},
    form,
    frame::Frame,
};
use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use stave_app::App;
use stave_domain::Secret;

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/setup/{token}", get(enter).head(look))
        .route("/admin/setup/leave", post(leave).get(leave_again))
}

/// `GET /setup/{token}`: the token works once; the browser that used it has a cookie from then on.
async fn enter(
    State(app): State<App>,
    By(actor): By,
    headers: HeaderMap,
    Path(token): Path<String>,
) -> Result<Response, PageError> {
    if is_prefetch(&headers) {
        return Ok(StatusCode::SERVICE_UNAVAILABLE.into_response());
    }
    if actor.is_admin() {
        return Ok(Redirect::to("/admin").into_response());
    }
    match app.setup_enter(&actor, &Secret::new(token)).await? {
        Some(session) => Ok((Cookie::Setup.put(app.url(), &session), Redirect::to("/admin")).into_response()),
        None => Err(refusal(app.setup_is_on().await?)),
    }
}

/// `HEAD /setup/{token}`: whoever only looks does not use the token up.
async fn look() -> StatusCode {
    StatusCode::OK
}

/// Browsers that guess where people go next say so (W3C Prefetch: `Sec-Purpose`; older ones `Purpose` or `X-Moz`).
fn is_prefetch(headers: &HeaderMap) -> bool {
    ["sec-purpose", "purpose", "x-moz"].into_iter().any(|name| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.contains("prefetch"))
    })
}

fn refusal(is_on: bool) -> PageError {
    let (sentence, advice, link) = if is_on {
        (
            "This setup link is not the latest one, or it was used already.",
            "Run “stave setup-link” on the server: it prints a new link. If you used this one yourself, go back to the browser in which you opened it.",
            ("Go to the start page", "/".into()),
        )
    } else {
        (
            "Setup Mode is over, so setup links no longer work.",
            "Log in as an admin. If every admin is locked out, “stave setup-link --reopen” on the server turns Setup Mode on again.",
            ("Log in", "/login".into()),
        )
    };
    PageError::new(StatusCode::FORBIDDEN, sentence).leading(Next {
        title: "This link does not open Setup Mode",
        advice,
        link,
    })
}

/// `POST /admin/setup/leave`
async fn leave(State(app): State<App>, frame: Frame) -> Result<Response, PageError> {
    if let Err(failure) = app.setup_leave(&frame.actor).await {
        let problems = form::problems(failure)?;
        return admin::refused(&app, frame, problems).await;
    }
    let is_admin = frame.actor.user.is_some_and(|user| user.is_admin);
    let page = if is_admin { "/admin" } else { "/login" };
    Ok((Cookie::Setup.remove(app.url()), Done::SetupLeft.at(page)).into_response())
}

/// `GET /admin/setup/leave`: a reload after the form was refused.
async fn leave_again() -> Redirect {
    Redirect::to("/admin")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestSite;
    use axum::http::Request;

    #[tokio::test]
    async fn the_link_works_once_and_for_visits_only() {
        let site = TestSite::start().await;
        let link = site.setup_path().await;
        let (mut ada, mut mallory) = (site.browser(), site.browser());
        assert_eq!(ada.send(Request::head(&link), "").await.status, StatusCode::OK);
        ada.send(Request::get(&link).header("sec-purpose", "prefetch"), "").await;
        assert!(ada.cookies.is_empty(), "nothing of this was a visit");
        let wrong = ada.get("/setup/wrong").await;
        assert_eq!(wrong.status, StatusCode::FORBIDDEN);
        assert!(wrong.body.contains("stave setup-link"), "{}", wrong.body);

        assert_eq!(ada.get(&link).await.location, "/admin");
        assert_eq!(ada.get("/admin").await.status, StatusCode::OK);
        assert_eq!(ada.get(&link).await.location, "/admin", "whoever is inside is shown in");
        assert_eq!(mallory.get(&link).await.status, StatusCode::FORBIDDEN);
        assert_eq!(mallory.get("/admin").await.location, "/login?return_to=/admin");
    }

    #[tokio::test]
    async fn setup_mode_is_left_when_an_admin_can_come_back() {
        let site = TestSite::start().await;
        let mut ada = site.setup_browser().await;
        let early = ada.post("/admin/setup/leave", &[]).await;
        assert_eq!(early.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(early.body.contains("Nobody could log in yet"), "{}", early.body);

        ada.post("/admin/configuration", &[("password_login", "on")]).await;
        let form = [("username", "ada"), ("email", "ada@example.com"), ("password", "a short sentence")];
        assert_eq!(
            ada.post("/register?return_to=/profile", &form).await.location,
            "/admin",
            "the first admin"
        );
        assert_eq!(ada.post("/admin/setup/leave", &[]).await.location, "/admin?done=setup-left");
        assert_eq!(ada.cookies.keys().collect::<Vec<_>>(), ["stave_login"]);
        assert!(!ada.get("/admin").await.body.contains("Setup Mode is on"));
        let over = site.browser().get("/setup/anything").await;
        assert!(over.body.contains("Setup Mode is over"), "{}", over.body);
    }

    #[test]
    fn a_guess_of_the_browser_is_no_visit() {
        let headers = |name: &'static str, value: &str| {
            HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())])
        };
        assert!(is_prefetch(&headers("sec-purpose", "prefetch;prerender")));
        assert!(is_prefetch(&headers("purpose", "prefetch")));
        assert!(!is_prefetch(&headers("sec-fetch-dest", "document")));
    }
}
