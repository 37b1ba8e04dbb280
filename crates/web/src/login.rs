//! Log-in: the page with every way in, e-mail address and password, log-out.

use crate::{
    actor::By,
    cookie::Cookie,
    done::Done,
    error::PageError,
    form::{self, Form},
    frame::Frame,
    page::{Page, Refused, render},
    request::Caller,
    return_to::{Back, ReturnTo},
    throttle::Throttle,
};
use askama::Template;
use axum::{
    Extension, Router,
    extract::{FromRequestParts, Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use jiff::SignedDuration;
use stave_app::{App, Failure, PasswordForm, Problems};
use stave_domain::{Secret, integration::Integration};
use std::sync::Arc;

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/login", get(show).post(log_in))
        .route("/register", get(new).post(register))
        .route("/logout", post(log_out))
        .layer(Extension(Arc::new(Throttle::default())))
}

/// Whoever is on the way in: what every page there needs.
#[derive(FromRequestParts)]
#[from_request(state(App))]
pub(crate) struct Guest {
    pub(crate) frame: Frame,
    pub(crate) caller: Caller,
    #[from_request(via(Query))]
    back: Back,
}

impl Guest {
    /// Lets them in: this browser's earlier log-in ends, it gets the new cookie and goes on to `page`.
    pub(crate) async fn welcome(
        &self,
        app: &App,
        login: &Secret,
        page: &ReturnTo,
    ) -> Result<Response, PageError> {
        app.log_out(&self.frame.actor).await?;
        Ok((Cookie::Login.put(app.url(), login), Redirect::to(page.as_str())).into_response())
    }

    /// Where a new account goes: the first admin back to the Admin section.
    pub(crate) fn first_page(&self, return_to: ReturnTo) -> ReturnTo {
        if self.frame.makes_first_admin() { "/admin".into() } else { return_to }
    }
}

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    frame: Frame,
    return_to: ReturnTo,
    integrations: Vec<Integration>,
    /// Whether e-mail address and password are a way in.
    has_password: bool,
    email: String,
    problems: Problems,
}

impl LoginPage {
    async fn of(app: &App, guest: Guest) -> Result<Self, Failure> {
        let integrations = app.integration_list().await?;
        let has_password = app.configuration().await?.password_login;
        let Guest { frame, back: Back { return_to }, .. } = guest;
        Ok(Self {
            frame,
            return_to,
            integrations,
            has_password,
            email: String::new(),
            problems: Problems::default(),
        })
    }
}

/// `GET /login`
async fn show(State(app): State<App>, guest: Guest) -> Result<Response, PageError> {
    if guest.frame.actor.user.is_some() {
        return Ok(Redirect::to(guest.back.return_to.as_str()).into_response());
    }
    Ok(Page(LoginPage::of(&app, guest).await?).into_response())
}

/// `POST /login`
async fn log_in(
    State(app): State<App>,
    Extension(throttle): Extension<Arc<Throttle>>,
    guest: Guest,
    Form(form): Form<PasswordForm>,
) -> Result<Response, PageError> {
    let visitor = &guest.caller.0;
    if let Err(wait) = throttle.begin(&form.email, &visitor.address, app.clock().now()) {
        return too_many(&app, guest, form.email, wait).await;
    }
    match app.password_log_in(&form, visitor).await {
        Ok(login) => {
            throttle.succeed(&form.email, &visitor.address);
            guest.welcome(&app, &login, &guest.back.return_to).await
        }
        Err(failure) => {
            let problems = form::problems(failure)?;
            let page = LoginPage::of(&app, guest).await?;
            Ok(Refused(LoginPage { email: form.email, problems, ..page }).into_response())
        }
    }
}

async fn too_many(
    app: &App,
    guest: Guest,
    email: String,
    wait: SignedDuration,
) -> Result<Response, PageError> {
    let minutes = (wait.as_secs() + 59) / 60;
    let minutes = if minutes <= 1 { "a minute".to_owned() } else { format!("{minutes} minutes") };
    let mut problems = Problems::default();
    problems.add("password", format!("Those were too many tries. Wait {minutes}, then try again."));
    let page = LoginPage { email, problems, ..LoginPage::of(app, guest).await? };
    Ok(render(StatusCode::TOO_MANY_REQUESTS, &page))
}

#[derive(Template)]
#[template(path = "register.html")]
struct RegisterPage {
    frame: Frame,
    return_to: ReturnTo,
    form: PasswordForm,
    problems: Problems,
}

/// `GET /register`
async fn new(State(app): State<App>, guest: Guest) -> Result<Response, PageError> {
    if guest.frame.actor.user.is_some() {
        return Ok(Redirect::to(guest.back.return_to.as_str()).into_response());
    }
    if !app.configuration().await?.password_login {
        return Err(Failure::NotFound("way to log in").into());
    }
    let Guest { frame, back: Back { return_to }, .. } = guest;
    let (form, problems) = (PasswordForm::default(), Problems::default());
    Ok(Page(RegisterPage { frame, return_to, form, problems }).into_response())
}

/// `POST /register`
async fn register(
    State(app): State<App>,
    guest: Guest,
    Form(form): Form<PasswordForm>,
) -> Result<Response, PageError> {
    match app.password_register(&form, (&guest.frame.actor, &guest.caller.0)).await {
        Ok(login) => {
            let page = guest.first_page(guest.back.return_to.clone());
            guest.welcome(&app, &login, &page).await
        }
        Err(failure) => {
            let mut problems = form::problems(failure)?;
            if !form.password.is_empty() && problems.of("password").is_none() {
                problems.add("password", "Type the password again: it is not sent back to the browser.");
            }
            let Guest { frame, back: Back { return_to }, .. } = guest;
            Ok(Refused(RegisterPage { frame, return_to, form, problems }).into_response())
        }
    }
}

/// `POST /logout`
async fn log_out(State(app): State<App>, By(actor): By) -> Result<Response, PageError> {
    app.log_out(&actor).await?;
    Ok((Cookie::Login.remove(app.url()), Done::LoggedOut.at("/login")).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestSite;

    #[tokio::test]
    async fn without_a_way_in_the_page_says_so() {
        let site = TestSite::start().await;
        assert!(site.browser().get("/login").await.body.contains("There is no way in yet"));
        let register = site.browser().get("/register").await;
        assert_eq!(register.status, StatusCode::NOT_FOUND, "passwords are off");
    }

    #[tokio::test]
    async fn with_a_password() {
        let site = TestSite::start().await;
        let mut admin = site.setup_browser().await;
        admin.post("/admin/configuration", &[("password_login", "on")]).await;
        let mut ada = site.browser();
        let empty = ada.post("/register", &[]).await;
        assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
        let form = [("username", "ada"), ("email", "ada@example.com"), ("password", "a short sentence")];
        assert_eq!(ada.post("/register?return_to=/orgs/new", &form).await.location, "/orgs/new");
        assert_eq!(
            ada.get("/admin").await.status,
            StatusCode::FORBIDDEN,
            "another browser holds the setup link"
        );

        ada.post("/logout", &[]).await;
        let right = [("email", "Ada@example.com"), ("password", "a short sentence")];
        let wrong = [("email", "ada@example.com"), ("password", "a long sentence")];
        let refused = ada.post("/login?return_to=/orgs/new", &wrong).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.body.contains("The e-mail address or the password is wrong."));
        assert!(refused.body.contains("return_to=/orgs/new"), "the way back is kept");
        assert!(!refused.body.contains("a long sentence"));
        assert_eq!(ada.post("/login?return_to=/orgs/new", &right).await.location, "/orgs/new");
        for _ in 0..10 {
            site.browser().post("/login", &wrong).await;
        }
        let waits = site.browser().post("/login", &right).await;
        assert_eq!(waits.status, StatusCode::TOO_MANY_REQUESTS);
        assert!(waits.body.contains("Wait 10 minutes"), "{}", waits.body);
    }
}
