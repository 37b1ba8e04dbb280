//! The form of an integration, for a new one and for one that exists.

use super::{
    condition::by_heading,
    place::{Place, Visit},
};
use crate::{
    done::Done,
    error::PageError,
    form::{self, Form},
    frame::Frame,
    page::{Page, Refused},
};
use askama::Template;
use axum::{
    extract::{Query, State},
    http::header::CACHE_CONTROL,
    response::{IntoResponse, Response},
};
use stave_app::{App, Doubt, Failure, IntegrationForm, IntegrationSaved, Look, Problems};
use stave_domain::integration::{Integration, OAuthVersion, Permission, Platform};

/// The form of a new integration, or of one that exists.
#[derive(Template)]
#[template(path = "integration/form.html")]
pub(super) struct IntegrationFormPage {
    frame: Frame,
    place: Place,
    /// Which; `None` is a new one.
    integration: Option<Integration>,
    sent: Sent,
    callback: String,
    problems: Problems,
    /// Whether it can be saved although a field does not fit what was seen.
    is_doubtful: bool,
    /// Whether it was sent before: what stands in it is somebody's choice.
    is_sent: bool,
    /// What was seen at the base URL, if somebody without script asked for it.
    look: Option<Look>,
}

/// What is sent with the form. The workspace is not part of an integration: it only completes the link to Bitbucket.
#[derive(Debug, Default, serde::Deserialize)]
pub(super) struct Sent {
    #[serde(flatten)]
    form: IntegrationForm,
    #[serde(default)]
    workspace_name: String,
    /// Present if the button was "Look".
    look: Option<String>,
}

impl IntegrationFormPage {
    fn of(app: &App, Visit { frame, place }: Visit, integration: Option<Integration>, sent: Sent) -> Self {
        let callback = app.integration_callback(&sent.form.slug);
        Self {
            frame,
            place,
            integration,
            sent,
            callback,
            problems: Problems::default(),
            is_doubtful: false,
            is_sent: false,
            look: None,
        }
    }

    /// The form with everything that was typed. A secret goes along, sealed.
    fn again(app: &App, visit: Visit, integration: Option<Integration>, sent: Sent) -> Self {
        let form = app.integration_form_kept(sent.form);
        let page = Self::of(app, visit, integration, Sent { form, ..sent });
        Self { is_doubtful: page.sent.form.save_anyway.is_some(), is_sent: true, ..page }
    }

    /// The answer to a form that was not stored.
    fn refused(self, saved: Result<IntegrationSaved, Failure>) -> Result<Response, PageError> {
        let (problems, is_doubtful) = match saved {
            Ok(IntegrationSaved::Saved(_)) => (Problems::default(), false),
            Ok(IntegrationSaved::Doubtful(Doubt { field, sentence })) => {
                let mut problems = Problems::default();
                problems.add(field, sentence);
                (problems, true)
            }
            Err(failure) => (form::problems(failure)?, false),
        };
        let is_doubtful = is_doubtful || self.is_doubtful;
        Ok(Refused(Self { problems, is_doubtful, ..self }).into_response())
    }

    /// The form with what is at the base URL.
    async fn looked(self, app: &App) -> Result<Response, PageError> {
        let typed = &self.sent.form;
        let asked = (typed.platform.as_str(), typed.base_url.as_str());
        let look = app.integration_look(&self.frame.actor, &self.place.level, asked).await?;
        Ok(Page(Self { look: Some(look), ..self }).into_response())
    }

    fn action(&self) -> String {
        match &self.integration {
            None => format!("{}/new", self.place.base()),
            Some(known) => format!("{}/edit", self.place.page(known)),
        }
    }

    fn back(&self) -> String {
        self.integration.as_ref().map_or_else(|| self.place.list(), |known| self.place.page(known))
    }

    fn platforms() -> Vec<(String, String)> {
        Platform::ALL
            .into_iter()
            .map(|platform| (platform.key().to_owned(), platform.label().to_owned()))
            .collect()
    }

    /// Whether the form can be about Bitbucket Cloud.
    fn may_be_cloud(&self) -> bool {
        self.integration.as_ref().is_none_or(|known| known.platform == Platform::BitbucketCloud)
    }

    /// Whether the form can be about Bitbucket Data Center.
    fn may_be_data_center(&self) -> bool {
        self.integration.as_ref().is_none_or(|known| known.platform == Platform::BitbucketDataCenter)
    }

    /// Whether OAuth 1 can be chosen: from OAuth 2 there is no way back.
    fn may_be_oauth1(&self) -> bool {
        self.may_be_data_center() && self.integration.as_ref().is_none_or(speaks_oauth1)
    }

    /// Whether an OAuth 1 integration is edited.
    fn is_upgrade(&self) -> bool {
        self.integration.as_ref().is_some_and(speaks_oauth1)
    }

    fn is_oauth1_chosen(&self) -> bool {
        self.sent.form.oauth == OAuthVersion::One.key()
    }

    /// Whether the script looks at the base URL as soon as the page is there.
    fn looks_at_once(&self) -> bool {
        let url = self.sent.form.base_url.trim();
        self.look.is_none()
            && !url.is_empty()
            && url != "https://bitbucket.org"
            && self.problems.of("base_url").is_none()
    }

    /// Where the consumer is made; what is not typed yet stands there as a placeholder.
    fn consumer_link(&self) -> String {
        format!(
            "{}/{}/workspace/settings/oauth-consumers/new",
            typed(&self.sent.form.base_url, "<BASE_URL>"),
            typed(&self.sent.workspace_name, "<WORKSPACE_NAME>")
        )
    }

    /// Where the application link is made.
    fn application_links(&self) -> String {
        application_links(&typed(&self.sent.form.base_url, "<BASE_URL>"))
    }

    fn client_hint(&self) -> &'static str {
        match &self.integration {
            Some(known) if speaks_oauth1(known) => "That of the new link.",
            Some(_) => {
                "People stay connected. A new one means that everybody is asked to log in once more, while the old one keeps working."
            }
            None => "",
        }
    }

    fn secret_hint(&self) -> &'static str {
        match &self.integration {
            _ if !self.sent.form.kept_secret.is_empty() => {
                "The secret that you pasted is kept. Paste another one to replace it."
            }
            Some(known) if !speaks_oauth1(known) => {
                "Leave it empty to keep the one that is stored; for another base URL it has to be typed again. It is never shown."
            }
            _ => "It is sealed when it is stored, and never shown again.",
        }
    }

    fn permissions() -> Vec<(&'static str, Vec<&'static str>)> {
        by_heading(Permission::wanted_on(Platform::BitbucketCloud))
    }
}

fn speaks_oauth1(integration: &Integration) -> bool {
    integration.client.oauth() == OAuthVersion::One
}

fn typed(text: &str, blank: &str) -> String {
    let text = text.trim().trim_end_matches('/');
    if text.is_empty() { blank.to_owned() } else { text.to_owned() }
}

/// Bitbucket Data Center's list of application links: Administration > Application links.
pub(super) fn application_links(base_url: &str) -> String {
    format!("{base_url}/plugins/servlet/applinks/listApplicationLinks")
}

/// `GET /admin/integrations/new`, `GET /orgs/{organization}/settings/integrations/new`
///
/// Who leaves the page and comes back finds what was typed, so the browser may keep it; there is no secret on it.
pub(super) async fn new(
    State(app): State<App>,
    visit: Visit,
    Query(again): Query<Again>,
) -> Result<Response, PageError> {
    let form = app.integration_form_new(&visit.frame.actor, &visit.place.level, &again.slug).await?;
    let page = Page(IntegrationFormPage::of(&app, visit, None, Sent { form, ..Sent::default() }));
    Ok(([(CACHE_CONTROL, "private, no-cache")], page).into_response())
}

/// The query of a form that was opened before.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Again {
    /// The slug that it showed.
    slug: String,
}

/// `POST /admin/integrations/new`, `POST /orgs/{organization}/settings/integrations/new`: by OAuth 1 the page of the
/// integration follows, which says what to enter at Bitbucket.
pub(super) async fn create(
    State(app): State<App>,
    visit: Visit,
    Form(sent): Form<Sent>,
) -> Result<Response, PageError> {
    if sent.look.is_some() {
        return IntegrationFormPage::again(&app, visit, None, sent).looked(&app).await;
    }
    match app.integration_create(&visit.frame.actor, &visit.place.level, &sent.form).await {
        Ok(IntegrationSaved::Saved(made)) if speaks_oauth1(&made) => {
            Ok(Done::IntegrationBegun.at(&visit.place.page(&made)).into_response())
        }
        Ok(IntegrationSaved::Saved(_)) => {
            Ok(Done::IntegrationCreated.at(&visit.place.list()).into_response())
        }
        saved => IntegrationFormPage::again(&app, visit, None, sent).refused(saved),
    }
}

/// The query of the link "Upgrade to OAuth 2".
#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Preset {
    oauth: String,
}

/// `GET /admin/integrations/{integration}/edit` and the same in an organization
pub(super) async fn edit(
    State(app): State<App>,
    visit: Visit,
    Query(preset): Query<Preset>,
) -> Result<Page<IntegrationFormPage>, PageError> {
    let Visit { frame, place } = &visit;
    let integration = app.integration_show(&frame.actor, &place.level, place.id()?).await?;
    let mut form = app.integration_form(&integration);
    if preset.oauth == OAuthVersion::Two.key() {
        form.oauth = preset.oauth;
    }
    let sent = Sent { form, ..Sent::default() };
    Ok(Page(IntegrationFormPage::of(&app, visit, Some(integration), sent)))
}

/// `POST /admin/integrations/{integration}/edit` and the same in an organization
pub(super) async fn update(
    State(app): State<App>,
    visit: Visit,
    Form(mut sent): Form<Sent>,
) -> Result<Response, PageError> {
    let Visit { frame, place } = &visit;
    let integration = app.integration_show(&frame.actor, &place.level, place.id()?).await?;
    sent.form.slug = integration.slug.to_string();
    sent.form.platform = integration.platform.key().into();
    if sent.look.is_some() {
        return IntegrationFormPage::again(&app, visit, Some(integration), sent).looked(&app).await;
    }
    match app.integration_update(&frame.actor, &place.level, integration.id, &sent.form).await {
        Ok(IntegrationSaved::Saved(saved)) => Ok(Done::Saved.at(&place.page(&saved)).into_response()),
        saved => IntegrationFormPage::again(&app, visit, Some(integration), sent).refused(saved),
    }
}
