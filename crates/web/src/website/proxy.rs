//! The second way to connect a website: a proxy that lets nobody through who is not signed in.

use super::{
    place::{Place, Visit},
    proxy_text::{Family, KEY, ProxyText, Target},
};
use crate::{
    done::Done,
    error::PageError,
    form::{self, Form},
    frame::Frame,
    handover,
    page::{Page, Refused},
};
use askama::Template;
use axum::{
    Router,
    extract::{Query, State},
    http::HeaderMap,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use stave_app::{App, Finding, Problems};
use stave_domain::{Secret, website::Origin};
use url::form_urlencoded::Serializer;

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/connect/proxy", get(show))
        .route("/connect/proxy/key", post(make_key).get(show_again))
        .route("/connect/proxy/key/retire", post(retire_key).get(show_again))
        .route("/connect/proxy/test", post(test).get(show_again))
}

/// What the texts are made for, and what "Test it" looks at.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(default)]
struct ProxyForm {
    /// One of the website's addresses.
    origin: String,
    /// A [`Family`]'s key.
    family: String,
    /// A folder or the address of an application.
    target: String,
    /// A page that is protected.
    path: String,
}

impl Default for ProxyForm {
    fn default() -> Self {
        Self {
            origin: String::new(),
            family: Family::Remote.key().into(),
            target: "http://127.0.0.1:3000".into(),
            path: "/".into(),
        }
    }
}

#[derive(Template)]
#[template(path = "website/proxy.html")]
struct ProxyPage {
    frame: Frame,
    place: Place,
    form: ProxyForm,
    /// Shown this once.
    key: Option<Secret>,
    text: ProxyText,
    findings: Option<Vec<Finding>>,
    problems: Problems,
}

impl ProxyPage {
    /// The page for these choices. What cannot be used is said beside its field, and the texts are made for what is usual.
    fn of(app: &App, Visit { frame, place }: Visit, mut form: ProxyForm, key: Option<Secret>) -> Self {
        let mut problems = Problems::default();
        let known = place.website.origins.iter().find(|origin| origin.as_str() == form.origin);
        let origin = known.unwrap_or_else(|| place.website.origin()).clone();
        form.origin = origin.to_string();
        let family = problems.parse::<Family>("family", &form.family).unwrap_or(Family::Remote);
        let target = problems.parse::<Target>("target", &form.target).unwrap_or_default();
        let text = ProxyText {
            stave: Origin::of(app.url()),
            issuer: place.issuer.clone(),
            origin,
            family,
            target,
            key: key.as_ref().map_or(KEY, Secret::expose).to_owned(),
        };
        Self { frame, place, form, key, text, findings: None, problems }
    }

    fn action(&self, verb: &str) -> String {
        format!("{}/{verb}", page_of(&self.place))
    }

    fn origins(&self) -> Vec<(String, String)> {
        self.place.website.origins.iter().map(|origin| (origin.to_string(), origin.to_string())).collect()
    }

    fn visit(&self) -> String {
        let path = if self.form.path.starts_with('/') { self.form.path.as_str() } else { "/" };
        self.text.origin.at(path)
    }
}

/// `GET /orgs/{organization}/websites/{website}/connect/proxy`; a key that was made just now is shown this once.
async fn show(
    State(app): State<App>,
    visit: Visit,
    headers: HeaderMap,
    Query(form): Query<ProxyForm>,
) -> Response {
    let path = page_of(&visit.place);
    let newest = visit.place.website.proxy_keys.first();
    let key = newest.and_then(|held| handover::fetch(&app, &headers, &path, &held.hash));
    let is_shown = key.is_some();
    let page = ProxyPage::of(&app, visit, form, key);
    match (is_shown, page.problems.is_empty()) {
        (true, _) => (handover::end(&app), Page(page)).into_response(),
        (false, true) => Page(page).into_response(),
        (false, false) => Refused(page).into_response(),
    }
}

/// `POST /orgs/{organization}/websites/{website}/connect/proxy/key`: the page then shows it once, in the texts for what was chosen.
async fn make_key(
    State(app): State<App>,
    visit: Visit,
    Form(form): Form<ProxyForm>,
) -> Result<Response, PageError> {
    let (organization, website) = visit.place.names();
    match app.website_proxy_key_add(&visit.frame.actor, organization, website).await {
        Ok(key) => {
            let there = Redirect::to(&format!("{}#texts", address_of(&visit.place, &form)));
            Ok(handover::carry(&app, &key, &page_of(&visit.place), there))
        }
        Err(failure) => {
            let problems = form::problems(failure)?;
            let page = ProxyPage::of(&app, visit, form, None);
            Ok(Refused(ProxyPage { problems, ..page }).into_response())
        }
    }
}

/// `POST /orgs/{organization}/websites/{website}/connect/proxy/key/retire`
async fn retire_key(State(app): State<App>, Visit { frame, place }: Visit) -> Result<Redirect, PageError> {
    let (organization, website) = place.names();
    app.website_proxy_key_retire(&frame.actor, organization, website).await?;
    Ok(Done::ProxyKeyRemoved.at(&page_of(&place)))
}

/// `POST /orgs/{organization}/websites/{website}/connect/proxy/test`
async fn test(
    State(app): State<App>,
    visit: Visit,
    Form(form): Form<ProxyForm>,
) -> Result<Response, PageError> {
    let found =
        app.website_wiring_proxy(&visit.frame.actor, visit.place.names(), &form.origin, &form.path).await;
    let page = ProxyPage::of(&app, visit, form, None);
    match found {
        Ok(findings) => Ok(Page(ProxyPage { findings: Some(findings), ..page }).into_response()),
        Err(failure) => {
            let problems = form::problems(failure)?;
            Ok(Refused(ProxyPage { problems, ..page }).into_response())
        }
    }
}

/// A form's address that was opened again: neither a key nor what was found is kept.
async fn show_again(visit: Visit) -> Redirect {
    Redirect::to(&page_of(&visit.place))
}

fn page_of(place: &Place) -> String {
    format!("{}/connect/proxy", place.base())
}

fn address_of(place: &Place, form: &ProxyForm) -> String {
    let query = Serializer::new(String::new())
        .append_pair("origin", &form.origin)
        .append_pair("family", &form.family)
        .append_pair("target", &form.target)
        .finish();
    format!("{}?{query}", page_of(place))
}
