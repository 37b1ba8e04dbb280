//! Integrations: the form with the way through Bitbucket, the page of one, its end.

use crate::{
    actor::By,
    done::Done,
    error::PageError,
    form::{self, Form},
    frame::Frame,
    page::{Page, Refused},
};
use askama::Template;
use axum::{
    Router,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use stave_app::{App, Failure, IntegrationEffect, IntegrationForm, IntegrationSaved, Problems};
use stave_domain::{
    id::IntegrationId,
    integration::{ApiTimeout, Integration, Permission, Platform},
};

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/admin/integrations", get(list))
        .route("/admin/integrations/new", get(new).post(create))
        .route("/admin/integrations/{integration}", get(show))
        .route("/admin/integrations/{integration}/edit", get(edit).post(update))
        .route("/admin/integrations/{integration}/delete", get(ask).post(delete))
}

/// How an integration does, as the last log-in with it showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    /// Nobody has logged in with it yet.
    Unused,
    /// The last log-in went through with every permission.
    Good,
    /// The last log-in went through, but these boxes were not ticked.
    Lacking(Vec<Permission>),
    /// Nobody can log in until an admin mends this; with the boxes that were not ticked.
    Broken(String, Vec<Permission>),
}

impl Condition {
    pub(super) fn of(integration: &Integration) -> Self {
        let missing = integration.missing_permissions.clone();
        match (&integration.last_error, missing) {
            (Some(error), missing) => Self::Broken(error.clone(), missing.unwrap_or_default()),
            (None, None) => Self::Unused,
            (None, Some(missing)) if missing.is_empty() => Self::Good,
            (None, Some(missing)) => Self::Lacking(missing),
        }
    }

    /// In a word or two.
    pub(super) fn text(&self) -> &'static str {
        match self {
            Self::Unused => "not used yet",
            Self::Good => "OK",
            Self::Lacking(_) => "permissions missing",
            Self::Broken(..) => "log-in fails",
        }
    }

    /// The tone of its badge.
    pub(super) fn tone(&self) -> &'static str {
        match self {
            Self::Unused => "",
            Self::Good => "good",
            Self::Lacking(_) => "warn",
            Self::Broken(..) => "bad",
        }
    }

    /// The boxes that were not ticked.
    fn missing(&self) -> &[Permission] {
        match self {
            Self::Lacking(missing) | Self::Broken(_, missing) => missing,
            Self::Unused | Self::Good => &[],
        }
    }
}

/// The form of a new integration, or of one that exists.
#[derive(Template)]
#[template(path = "admin/integration_form.html")]
struct IntegrationFormPage {
    frame: Frame,
    /// Which; `None` is a new one.
    integration: Option<Integration>,
    sent: Sent,
    callback: String,
    problems: Problems,
    /// Whether it can be saved although the base URL does not look right.
    is_doubtful: bool,
}

/// What is sent with the form. The workspace is not part of an integration: it only completes the link to Bitbucket.
#[derive(Debug, Default, serde::Deserialize)]
struct Sent {
    #[serde(flatten)]
    form: IntegrationForm,
    #[serde(default)]
    workspace_name: String,
}

impl IntegrationFormPage {
    fn of(app: &App, frame: Frame, integration: Option<Integration>, sent: Sent) -> Self {
        let callback = app.integration_callback(&sent.form.slug);
        Self { frame, integration, sent, callback, problems: Problems::default(), is_doubtful: false }
    }

    /// Shows the form again. The secret is not sent back, so it has to be pasted once more.
    fn refused(mut self, mut problems: Problems, is_doubtful: bool) -> Response {
        if !self.sent.form.client_secret.is_empty() && problems.of("client_secret").is_none() {
            problems
                .add("client_secret", "Paste the secret again: Stave never sends it back to the browser.");
        }
        self.is_doubtful = is_doubtful || self.sent.form.save_anyway.is_some();
        self.problems = problems;
        Refused(self).into_response()
    }

    fn action(&self) -> String {
        self.integration
            .as_ref()
            .map_or_else(|| "/admin/integrations/new".into(), |known| format!("{}/edit", address(known)))
    }

    fn back(&self) -> String {
        self.integration.as_ref().map_or_else(|| "/admin".into(), address)
    }

    fn platforms() -> Vec<(String, String)> {
        Platform::ALL
            .into_iter()
            .map(|platform| (platform.key().to_owned(), platform.label().to_owned()))
            .collect()
    }

    /// Where the consumer is made; what is not typed yet stands there as a placeholder.
    fn setup_link(&self) -> String {
        let typed = |text: &str, blank: &str| {
            let text = text.trim().trim_end_matches('/');
            if text.is_empty() { blank.to_owned() } else { text.to_owned() }
        };
        format!(
            "{}/{}/workspace/settings/oauth-consumers/new",
            typed(&self.sent.form.base_url, "<BASE_URL>"),
            typed(&self.sent.workspace_name, "<WORKSPACE_NAME>")
        )
    }

    fn secret_hint(&self) -> &'static str {
        match self.integration {
            Some(_) => {
                "Leave it empty to keep the one that is stored; for another server it has to be typed again. It is never shown."
            }
            None => "It is sealed when it is stored, and never shown again.",
        }
    }

    fn permissions() -> Vec<(&'static str, Vec<&'static str>)> {
        by_heading(&Permission::ALL)
    }
}

/// Boxes below their headings, in the order of Bitbucket's form.
fn by_heading(permissions: &[Permission]) -> Vec<(&'static str, Vec<&'static str>)> {
    let mut headings: Vec<(&'static str, Vec<&'static str>)> = Vec::new();
    for permission in permissions {
        let (heading, label) = permission.label();
        match headings.last_mut() {
            Some((last, labels)) if *last == heading => labels.push(label),
            _ => headings.push((heading, vec![label])),
        }
    }
    headings
}

/// `GET /admin/integrations`: they are listed on the Admin Panel.
async fn list() -> Redirect {
    Redirect::to("/admin")
}

/// `GET /admin/integrations/new`
async fn new(State(app): State<App>, frame: Frame) -> Result<Page<IntegrationFormPage>, PageError> {
    let form = app.integration_form_new(&frame.actor).await?;
    Ok(Page(IntegrationFormPage::of(&app, frame, None, Sent { form, ..Sent::default() })))
}

/// `POST /admin/integrations/new`
async fn create(State(app): State<App>, frame: Frame, Form(sent): Form<Sent>) -> Result<Response, PageError> {
    match app.integration_create(&frame.actor, &sent.form).await {
        Ok(IntegrationSaved::Saved(_)) => Ok(Done::IntegrationCreated.at("/admin").into_response()),
        Ok(IntegrationSaved::Doubtful(doubt)) => {
            Ok(IntegrationFormPage::of(&app, frame, None, sent).refused(about_base_url(doubt), true))
        }
        Err(failure) => {
            let problems = form::problems(failure)?;
            Ok(IntegrationFormPage::of(&app, frame, None, sent).refused(problems, false))
        }
    }
}

/// `GET /admin/integrations/{integration}/edit`
async fn edit(
    State(app): State<App>,
    frame: Frame,
    Path(id): Path<String>,
) -> Result<Page<IntegrationFormPage>, PageError> {
    let integration = app.integration_show(&frame.actor, parsed(&id)?).await?;
    let sent = Sent { form: app.integration_form(&integration), ..Sent::default() };
    Ok(Page(IntegrationFormPage::of(&app, frame, Some(integration), sent)))
}

/// `POST /admin/integrations/{integration}/edit`
async fn update(
    State(app): State<App>,
    frame: Frame,
    Path(id): Path<String>,
    Form(mut sent): Form<Sent>,
) -> Result<Response, PageError> {
    let integration = app.integration_show(&frame.actor, parsed(&id)?).await?;
    sent.form.slug = integration.slug.to_string();
    match app.integration_update(&frame.actor, integration.id, &sent.form).await {
        Ok(IntegrationSaved::Saved(saved)) => Ok(Done::Saved.at(&address(&saved)).into_response()),
        Ok(IntegrationSaved::Doubtful(doubt)) => {
            Ok(IntegrationFormPage::of(&app, frame, Some(integration), sent)
                .refused(about_base_url(doubt), true))
        }
        Err(failure) => {
            let problems = form::problems(failure)?;
            Ok(IntegrationFormPage::of(&app, frame, Some(integration), sent).refused(problems, false))
        }
    }
}

fn about_base_url(doubt: String) -> Problems {
    let mut problems = Problems::default();
    problems.add("base_url", doubt);
    problems
}

/// The page of an integration: how it does, what is to be mended, where people come back.
#[derive(Template)]
#[template(path = "admin/integration.html")]
struct IntegrationPage {
    frame: Frame,
    effect: IntegrationEffect,
    condition: Condition,
    callback: String,
}

impl IntegrationPage {
    fn missing(&self) -> Vec<(&'static str, Vec<&'static str>)> {
        by_heading(self.condition.missing())
    }

    fn timeout(&self) -> String {
        match self.effect.integration.api_timeout {
            ApiTimeout(None) => "default: 30 seconds".into(),
            ApiTimeout(Some(0)) => "no limit".into(),
            ApiTimeout(Some(1)) => "1 second".into(),
            ApiTimeout(Some(seconds)) => format!("{seconds} seconds"),
        }
    }
}

/// `GET /admin/integrations/{integration}`
async fn show(
    State(app): State<App>,
    frame: Frame,
    Path(id): Path<String>,
) -> Result<Page<IntegrationPage>, PageError> {
    let effect = app.integration_effect(&frame.actor, parsed(&id)?).await?;
    let condition = Condition::of(&effect.integration);
    let callback = app.integration_callback(effect.integration.slug.as_str());
    Ok(Page(IntegrationPage { frame, effect, condition, callback }))
}

#[derive(Template)]
#[template(path = "admin/integration_delete.html")]
struct DeleteIntegration {
    frame: Frame,
    effect: IntegrationEffect,
    /// Whether nobody could log in without it.
    is_last_way_in: bool,
}

/// `GET /admin/integrations/{integration}/delete`: what would go with it.
async fn ask(
    State(app): State<App>,
    frame: Frame,
    Path(id): Path<String>,
) -> Result<Page<DeleteIntegration>, PageError> {
    let effect = app.integration_effect(&frame.actor, parsed(&id)?).await?;
    let is_last_way_in =
        app.integration_list().await?.len() == 1 && !app.configuration().await?.password_login;
    Ok(Page(DeleteIntegration { frame, effect, is_last_way_in }))
}

/// `POST /admin/integrations/{integration}/delete`
async fn delete(
    State(app): State<App>,
    By(actor): By,
    Path(id): Path<String>,
) -> Result<Redirect, PageError> {
    app.integration_delete(&actor, parsed(&id)?).await?;
    Ok(Done::Deleted.at("/admin"))
}

fn address(integration: &Integration) -> String {
    format!("/admin/integrations/{}", integration.id)
}

fn parsed(id: &str) -> Result<IntegrationId, Failure> {
    id.parse().map_err(|_| Failure::NotFound("integration"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestSite;
    use axum::http::StatusCode;

    #[tokio::test]
    async fn a_doubtful_base_url_can_be_saved_anyway() {
        let site = TestSite::start().await;
        let mut admin = site.setup_browser().await;
        let shown = admin.get("/admin/integrations/new").await.body;
        let callback = "http://127.0.0.1:8080/oauth/callback/bitbucket";
        assert!(shown.contains(callback) && !shown.contains("Save anyway"), "{shown}");

        let mut form = vec![
            ("name", "Bitbucket"),
            ("platform", "bitbucket"),
            ("base_url", "http://127.0.0.1:1"),
            ("workspace_name", "acme"),
            ("client_id", "key"),
            ("client_secret", "hush hush"),
            ("slug", "bitbucket"),
        ];
        let doubt = admin.post("/admin/integrations/new", &form).await;
        assert_eq!(doubt.status, StatusCode::UNPROCESSABLE_ENTITY);
        for kept in [
            callback,
            "Save anyway",
            "value=\"http://127.0.0.1:1\"",
            "value=\"acme\"",
            "Paste the secret again",
        ] {
            assert!(doubt.body.contains(kept), "{kept}: {}", doubt.body);
        }
        assert!(!doubt.body.contains("hush hush"));
        form.push(("save_anyway", "on"));
        let without: Vec<_> = form.iter().copied().filter(|(name, _)| *name != "client_secret").collect();
        let refused = admin.post("/admin/integrations/new", &without).await;
        assert!(refused.body.contains("Save anyway"), "the button stays: {}", refused.body);
        assert_eq!(
            admin.post("/admin/integrations/new", &form).await.location,
            "/admin?done=integration-created"
        );
        let panel = admin.get("/admin").await.body;
        assert!(panel.contains("http://127.0.0.1:1") && panel.contains("not used yet"), "{panel}");

        let start = panel.find("/admin/integrations/0").expect("an integration is listed");
        let page = panel[start..].split('"').next().unwrap();
        let edited = |base_url: &'static str, client_secret: &'static str| {
            let mut edited = form.clone();
            edited[2].1 = base_url;
            edited[5].1 = client_secret;
            edited
        };
        for (base_url, secret, is_saved) in [
            ("http://127.0.0.1:1/path", "", true),
            ("http://127.0.0.1:2", "", false),
            ("https://127.0.0.1:1", "", false),
            ("http://127.0.0.1:2", "another", true),
        ] {
            let answer = admin.post(&format!("{page}/edit"), &edited(base_url, secret)).await;
            assert_eq!(answer.location.ends_with("done=saved"), is_saved, "{base_url} {}", answer.body);
            assert_eq!(answer.body.contains("has to be typed again."), !is_saved, "{base_url}");
        }
    }

    #[test]
    fn boxes_are_named_by_heading() {
        assert_eq!(
            by_heading(&Permission::ALL),
            [
                ("Account", vec!["Email", "Read"]),
                ("Workspace membership", vec!["Read"]),
                ("Repositories", vec!["Read"]),
                ("Pull requests", vec!["Read"]),
                ("Webhooks", vec!["Read and write"]),
            ]
        );
    }
}
