//! Global Configuration.

use crate::{
    done::Done,
    error::PageError,
    form::{self, Form},
    frame::Frame,
    page::{Page, Refused},
};
use askama::Template;
use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use stave_app::{App, ConfigurationForm, Failure, MailRoute, Problems};

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/admin/configuration", get(edit).post(update))
        .route("/admin/configuration/mail", post(test_mail).get(edit_again))
}

#[derive(Template)]
#[template(path = "admin/setting.html")]
struct ConfigurationPage {
    frame: Frame,
    form: ConfigurationForm,
    problems: Problems,
    /// How mail goes out; `None` if it does not.
    mail: Option<MailRoute>,
    /// Why the test mail did not.
    mail_problem: Option<String>,
}

impl ConfigurationPage {
    fn of(app: &App, frame: Frame, form: ConfigurationForm) -> Self {
        let mail = app.mail_route().cloned();
        Self { frame, form, problems: Problems::default(), mail, mail_problem: None }
    }
}

/// A box that is not ticked is not sent.
#[derive(serde::Deserialize)]
struct Typed {
    limit_organization_creation: Option<String>,
    password_login: Option<String>,
    #[serde(default)]
    minutes_between_runs: String,
    #[serde(default)]
    keep_days: String,
    #[serde(default)]
    keep_newest: String,
}

/// `GET /admin/configuration`
async fn edit(State(app): State<App>, frame: Frame) -> Result<Page<ConfigurationPage>, PageError> {
    frame.actor.admin()?;
    let form = app.configuration().await?.into();
    Ok(Page(ConfigurationPage::of(&app, frame, form)))
}

/// `POST /admin/configuration`
async fn update(
    State(app): State<App>,
    frame: Frame,
    Form(typed): Form<Typed>,
) -> Result<Response, PageError> {
    let form = ConfigurationForm {
        limit_organization_creation: typed.limit_organization_creation.is_some(),
        password_login: typed.password_login.is_some(),
        minutes_between_runs: typed.minutes_between_runs,
        keep_days: typed.keep_days,
        keep_newest: typed.keep_newest,
    };
    match app.configuration_update(&frame.actor, &form).await {
        Ok(()) => Ok(Done::Saved.at("/admin/configuration").into_response()),
        Err(failure) => {
            let problems = form::problems(failure)?;
            let page = ConfigurationPage::of(&app, frame, form);
            Ok(Refused(ConfigurationPage { problems, ..page }).into_response())
        }
    }
}

/// `POST /admin/configuration/mail`: a test mail to whoever presses the button.
async fn test_mail(State(app): State<App>, frame: Frame) -> Result<Response, PageError> {
    let problem = match app.mail_test(&frame.actor).await {
        Ok(()) => return Ok(Done::MailSent.at("/admin/configuration").into_response()),
        Err(failure @ (Failure::Elsewhere { .. } | Failure::Conflict(_))) => failure.to_string(),
        Err(other) => return Err(other.into()),
    };
    let page = ConfigurationPage::of(&app, frame, app.configuration().await?.into());
    Ok(Refused(ConfigurationPage { mail_problem: Some(problem), ..page }).into_response())
}

/// Who reloads the page that the button led to.
async fn edit_again() -> Redirect {
    Redirect::to("/admin/configuration")
}

#[cfg(test)]
mod tests {
    use crate::testing::{ALL_SCOPES, TestSite};
    use axum::http::StatusCode;
    use stave_app::MailSettings;
    use stave_testkit::{FakeBitbucket, FakeMailServer};

    #[tokio::test]
    async fn an_admin_sends_a_test_mail_to_themselves() {
        let (server, bitbucket) = (FakeMailServer::start(), FakeBitbucket::start().await);
        let mail = MailSettings::new(server.url().parse().unwrap(), "stave@example.com").unwrap();
        let site = TestSite::start_with(Some(mail)).await;
        let mut ada = site.setup_browser().await;
        site.connect(&mut ada, &bitbucket, &ALL_SCOPES).await;
        ada.travel("/login/bitbucket", &bitbucket, "ada").await;
        let typed = [("username", "ada"), ("email", "ada@example.com"), ("name", "")];
        ada.post("/login/register", &typed).await;
        let page = ada.get("/admin/configuration").await.body;
        assert!(page.contains(&server.url().replace("smtp://", "")), "{page}");

        let sent = ada.post("/admin/configuration/mail", &[]).await;
        assert_eq!(sent.location, "/admin/configuration?done=mail-sent", "{}", sent.body);
        let mails = server.mails();
        assert_eq!((mails.len(), mails[0].to.as_slice()), (1, &["ada@example.com".to_owned()][..]));
        assert!(mails[0].text().contains("mail from Stave arrives"), "{}", mails[0].raw);

        server.refuse("550 5.7.1 No relaying");
        let refused = ada.post("/admin/configuration/mail", &[]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.body.contains("550 5.7.1 No relaying"), "{}", refused.body);
        server.heal().wants_login("stave", "secret");
        let refused = ada.post("/admin/configuration/mail", &[]).await;
        assert!(refused.body.contains("does not accept the user and the password"), "{}", refused.body);
        drop(server);
        let refused = ada.post("/admin/configuration/mail", &[]).await;
        assert!(refused.body.contains("cannot be reached"), "{}", refused.body);

        let mut linus = site.browser();
        linus.register(&bitbucket, "linus").await;
        assert_eq!(linus.post("/admin/configuration/mail", &[]).await.status, StatusCode::FORBIDDEN);
    }

    #[tokio::test]
    async fn without_a_mail_server_the_page_says_so() {
        let (_site, _bitbucket, [mut ada, _]) = TestSite::with_acme().await;
        let page = ada.get("/admin/configuration").await.body;
        assert!(page.contains("No mail server is named") && !page.contains("Send a test mail"), "{page}");
        let refused = ada.post("/admin/configuration/mail", &[]).await;
        assert!(refused.body.contains("No mail server is named, so Stave sends no mail"), "{}", refused.body);
    }
}
