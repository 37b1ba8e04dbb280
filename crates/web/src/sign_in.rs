//! Signing in through a platform: the way there, the way back, and the registration step.

use crate::{
    cookie::Cookie,
    done::Done,
    error::PageError,
    form::{self, Form},
    frame::Frame,
    issuer,
    login::Guest,
    page::{Page, Refused},
    return_to::ReturnTo,
    stranded::{NOT_LOGGED_IN, stranded},
};
use askama::Template;
use axum::{
    Router,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use stave_app::{App, Arrival, Departure, Failure, Problems, RegistrationForm, RegistrationView};
use std::collections::BTreeMap;

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/login/{integration}", get(begin))
        .route("/oauth/callback/{integration}", get(finish))
        .route("/login/register", get(new).post(register))
        .route("/login/register/cancel", post(cancel))
}

/// The query of a log-in button.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Leaving {
    return_to: ReturnTo,
    /// `before`: with the client that a changeover has not let go yet.
    r#as: String,
}

/// `GET /login/{integration}`: off to the platform.
async fn begin(
    State(app): State<App>,
    frame: Frame,
    headers: HeaderMap,
    Path(slug): Path<String>,
    Query(leaving): Query<Leaving>,
) -> Result<Response, PageError> {
    if frame.actor.user.is_some() && is_from_another_site(&headers) {
        return Err(PageError::new(
            StatusCode::FORBIDDEN,
            "A page of another site wanted to log you in here, but you are logged in already. To log in as somebody else, log out first.",
        ));
    }
    let browser = Cookie::Attempt.read(app.url(), &headers);
    match app.sign_in_begin(&slug, leaving.r#as == "before", leaving.return_to.as_str(), browser).await {
        Ok(departure) => Ok(leave(&app, &departure)),
        Err(failure) => Err(stranded(&app, &frame, failure, (&slug, &leaving.return_to)).await?),
    }
}

/// Whether a page of another site sent the browser here (Fetch Metadata, `Sec-Fetch-Site`): it may want somebody to go on as
/// somebody else without noticing.
fn is_from_another_site(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site")
}

/// Sends the browser to the platform, with the cookie that opens the way back.
pub(crate) fn leave(app: &App, departure: &Departure) -> Response {
    (Cookie::Attempt.put(app.url(), &departure.browser), Redirect::to(departure.url.as_str())).into_response()
}

/// `GET /oauth/callback/{integration}`: back from the platform. The cookie of the trip stays: another tab may be on its way.
/// Whoever left from the login form of a website goes on there: an integration has one callback for all that it serves.
async fn finish(
    State(app): State<App>,
    guest: Guest,
    headers: HeaderMap,
    Path(slug): Path<String>,
    address: Uri,
) -> Result<Response, PageError> {
    let Query(query) = Query::<BTreeMap<String, String>>::try_from_uri(&address).map_err(|_| {
        PageError::new(StatusCode::BAD_REQUEST, "The address is not one that a platform makes.")
    })?;
    if let Some(website) = app.issuer_of_trip(&query, &slug).await? {
        let on = format!("{website}?{}", address.query().unwrap_or_default());
        return Ok((issuer::UNHEARD, Redirect::to(&on)).into_response());
    }
    let browser = Cookie::Attempt.read(app.url(), &headers);
    let who = (&guest.frame.actor, &guest.caller.0);
    let arrival = match app.sign_in_finish(&slug, &query, browser.as_ref(), who).await {
        Ok(arrival) => arrival,
        Err(failure) => {
            return Err(stranded(&app, &guest.frame, failure, (&slug, &ReturnTo::default())).await?);
        }
    };
    match arrival {
        Arrival::LoggedIn { login, return_to } => guest.welcome(&app, &login, &return_to.into()).await,
        Arrival::Register { browser } => {
            let cookie = Cookie::Registration.put(app.url(), &browser);
            Ok((cookie, Redirect::to("/login/register")).into_response())
        }
        Arrival::Connected { login, return_to } => {
            let page = Done::AccountConnected.address(ReturnTo::from(return_to).as_str());
            guest.welcome(&app, &login, &page.into()).await
        }
        Arrival::Checked { return_to } => {
            Ok(Redirect::to(ReturnTo::from(return_to).as_str()).into_response())
        }
    }
}

#[derive(Template)]
#[template(path = "sign_in_register.html")]
struct RegistrationPage {
    frame: Frame,
    view: RegistrationView,
    problems: Problems,
}

impl RegistrationPage {
    async fn of(app: &App, frame: Frame, headers: &HeaderMap) -> Result<Self, PageError> {
        let browser = Cookie::Registration.read(app.url(), headers);
        let view = app.registration_show(browser.as_ref()).await?.ok_or_else(|| {
            let sentence =
                "No registration waits in this browser: it took more than an hour, or it was sent already.";
            PageError::new(StatusCode::NOT_FOUND, sentence).leading(NOT_LOGGED_IN)
        })?;
        Ok(Self { frame, view, problems: Problems::default() })
    }

    /// Whose word counts for the address.
    fn email_hint(&self) -> String {
        let RegistrationView { integration, profile, is_trusted, .. } = &self.view;
        let platform = &integration.name;
        match &profile.email {
            None => format!("{platform} told no address. You may leave this empty."),
            Some(email) if *is_trusted => format!(
                "Verified: {platform} vouches for {}. Another address counts as not verified. You may leave this empty.",
                email.address
            ),
            Some(email) if email.confirmed => format!(
                "Not verified: {platform} is one organization's own, so its word for {} does not count. You may leave this empty.",
                email.address
            ),
            Some(email) => format!(
                "Not verified: {platform} has not confirmed {}. You may leave this empty.",
                email.address
            ),
        }
    }
}

/// `GET /login/register`
async fn new(
    State(app): State<App>,
    frame: Frame,
    headers: HeaderMap,
) -> Result<Page<RegistrationPage>, PageError> {
    Ok(Page(RegistrationPage::of(&app, frame, &headers).await?))
}

/// `POST /login/register`
async fn register(
    State(app): State<App>,
    guest: Guest,
    headers: HeaderMap,
    Form(form): Form<RegistrationForm>,
) -> Result<Response, PageError> {
    let browser = Cookie::Registration.read(app.url(), &headers);
    let who = (&guest.frame.actor, &guest.caller.0);
    match app.registration_finish(browser.as_ref(), &form, who).await {
        Ok((login, return_to)) => {
            let page = guest.first_page(return_to.into());
            let welcome = guest.welcome(&app, &login, &page).await?;
            Ok((Cookie::Registration.remove(app.url()), welcome).into_response())
        }
        Err(failure @ Failure::Denied(_)) => Err(PageError::from(failure).leading(NOT_LOGGED_IN)),
        Err(failure) => {
            let problems = form::problems(failure)?;
            let mut page = RegistrationPage::of(&app, guest.frame, &headers).await?;
            page.view.form = form;
            Ok(Refused(RegistrationPage { problems, ..page }).into_response())
        }
    }
}

/// `POST /login/register/cancel`: what the platform said is forgotten, here and in the browser.
async fn cancel(State(app): State<App>, headers: HeaderMap) -> Result<Response, PageError> {
    let browser = Cookie::Registration.read(app.url(), &headers);
    app.registration_cancel(browser.as_ref()).await?;
    Ok((Cookie::Registration.remove(app.url()), Redirect::to("/login")).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ALL_SCOPES, TestSite, path_of};
    use stave_testkit::{Email, FakeBitbucket, Fault};

    #[tokio::test]
    async fn the_first_person_becomes_the_admin_and_comes_back_later() {
        let (site, bitbucket) = (TestSite::start().await, FakeBitbucket::start().await);
        bitbucket.user("ada").emails(&[Email::primary("ada@example.com")]);
        let mut ada = site.setup_browser().await;
        site.connect(&mut ada, &bitbucket, &ALL_SCOPES).await;

        let away = ada.get("/login/bitbucket?return_to=/profile").await;
        assert_eq!(ada.grant(&away, &bitbucket, "ada").await.location, "/login/register");
        let page = ada.get("/login/register").await;
        assert!(page.body.contains("Create an account for ada at Bitbucket"), "{}", page.body);
        assert!(page.body.contains("Bitbucket vouches for ada@example.com"), "{}", page.body);
        let refused =
            ada.post("/login/register", &[("username", "-"), ("email", "nonsense"), ("name", "Ada")]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            refused.body.contains("value=\"nonsense\"")
                && refused.body.contains("This is not an e-mail address")
        );
        let form = [("username", "ada"), ("email", "ada@example.com"), ("name", "Ada")];
        assert_eq!(ada.post("/login/register", &form).await.location, "/admin");
        assert!(!ada.cookies.contains_key("stave_registration"));
        assert!(ada.get("/profile").await.body.contains("verified"));

        assert_eq!(ada.post("/logout", &[]).await.location, "/login?done=logged-out");
        let away = ada.get("/login/bitbucket?return_to=/profile%3Fa%3Db").await;
        assert_eq!(ada.grant(&away, &bitbucket, "ada").await.location, "/profile?a=b");
        assert_eq!(ada.get("/login?return_to=//evil.example").await.location, "/", "already inside");
    }

    #[tokio::test]
    async fn a_trip_ends_once_and_in_the_browser_that_left() {
        let (site, bitbucket) = (TestSite::start().await, FakeBitbucket::start().await);
        let mut ada = site.setup_browser().await;
        site.connect(&mut ada, &bitbucket, &ALL_SCOPES).await;
        let away = ada.get("/login/bitbucket").await.location;

        let denied = path_of(&bitbucket.deny_access(&away, "ada").await);
        let page = ada.get(&denied).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
        assert!(
            page.body.contains("You did not grant Stave access") && page.body.contains("Log in again"),
            "{}",
            page.body
        );

        let back = path_of(&bitbucket.grant_access(&ada.get("/login/bitbucket").await.location, "ada").await);
        let stolen = site.browser().get(&back).await;
        assert!(stolen.body.contains("This log-in is over"), "{}", stolen.body);
        let late = ada.get(&back).await;
        assert!(late.body.contains("This log-in is over"), "a trip ends once: {}", late.body);
        assert!(!ada.cookies.contains_key("stave_login"));
        let nowhere = ada.get("/login/nowhere").await;
        assert_eq!(nowhere.status, StatusCode::NOT_FOUND);
        assert!(nowhere.body.contains("Log in again"), "{}", nowhere.body);
    }

    #[tokio::test]
    async fn what_an_admin_must_mend_is_on_the_page_of_the_integration() {
        let (site, bitbucket) = (TestSite::start().await, FakeBitbucket::start().await);
        let mut ada = site.setup_browser().await;
        let consumer = site.connect(&mut ada, &bitbucket, &["account", "email", "team", "repository"]).await;
        let page = path_of_integration(&ada.get("/admin").await.body);
        assert!(ada.get(&page).await.body.contains("Nobody has logged in with it yet"));

        consumer.rotate_secret();
        let away = ada.get("/login/bitbucket").await;
        let refused = ada.grant(&away, &bitbucket, "ada").await;
        assert!(refused.body.contains("does not accept the Client ID / Key"), "{}", refused.body);
        assert!(refused.body.contains(&format!("href=\"{page}/edit\"")), "{}", refused.body);
        assert!(ada.get(&page).await.body.contains("does not accept the Client ID / Key"));
        let secret = consumer.secret();
        let base_url = bitbucket.base_url();
        let form = [
            ("name", "Bitbucket"),
            ("platform", "bitbucket"),
            ("base_url", base_url.as_str()),
            ("client_id", consumer.key()),
            ("client_secret", secret.as_str()),
        ];
        let saved = ada.post(&format!("{page}/edit"), &form).await;
        assert_eq!(saved.location, format!("{page}?done=saved"), "{}", saved.body);

        let away = ada.get("/login/bitbucket").await;
        assert_eq!(ada.grant(&away, &bitbucket, "ada").await.location, "/login/register");
        let body = ada.get(&page).await.body;
        assert!(
            body.contains("Missing permissions")
                && body.contains("Pull requests")
                && body.contains("Webhooks"),
            "{body}"
        );
        assert!(ada.get("/admin").await.body.contains("permissions missing"));
        assert!(!ada.get(&format!("{page}/edit")).await.body.contains(&secret));

        bitbucket.fail_next("/site/oauth2/access_token", Fault::status(503, ""));
        let away = ada.get("/login/bitbucket").await;
        let down = ada.grant(&away, &bitbucket, "ada").await;
        assert_eq!(down.status, StatusCode::BAD_GATEWAY);
        assert!(down.body.contains("Log in again"), "{}", down.body);
    }

    #[tokio::test]
    async fn an_account_belongs_to_one_user() {
        let (site, bitbucket) = (TestSite::start().await, FakeBitbucket::start().await);
        let mut ada = site.setup_browser().await;
        site.connect(&mut ada, &bitbucket, &ALL_SCOPES).await;
        ada.register(&bitbucket, "ada").await;
        let mut grace = site.browser();
        assert_eq!(grace.register(&bitbucket, "grace").await.location, "/");
        assert_eq!(grace.get("/admin").await.status, StatusCode::FORBIDDEN, "only the first one is an admin");
        let log = ada.get("/admin/log").await.body;
        assert!(log.contains("grace") && !log.contains("somebody"), "{log}");

        let away = grace.post("/profile/accounts/bitbucket/connect", &[]).await;
        let taken = grace.grant(&away, &bitbucket, "ada").await;
        assert_eq!(taken.status, StatusCode::CONFLICT);
        assert!(taken.body.contains("belongs to another user here"), "{}", taken.body);
        let away = grace.post("/profile/accounts/bitbucket/connect", &[]).await;
        let second = grace.grant(&away, &bitbucket, "hopper").await;
        assert_eq!(second.status, StatusCode::CONFLICT);
        assert!(second.body.contains("connected to Bitbucket as grace already"), "{}", second.body);
        let away = grace.post("/profile/accounts/bitbucket/connect", &[]).await;
        grace.post("/logout", &[]).await;
        let left = grace.grant(&away, &bitbucket, "grace").await;
        assert!(left.body.contains("You logged out"), "{}", left.body);
    }

    #[tokio::test]
    async fn a_registration_can_be_cancelled() {
        let (site, bitbucket) = (TestSite::start().await, FakeBitbucket::start().await);
        let mut ada = site.setup_browser().await;
        site.connect(&mut ada, &bitbucket, &ALL_SCOPES).await;
        let away = ada.get("/login/bitbucket").await;
        assert_eq!(ada.grant(&away, &bitbucket, "ada").await.location, "/login/register");
        let kept = ada.cookies.clone();
        assert_eq!(ada.post("/login/register/cancel", &[]).await.location, "/login");
        assert!(!ada.cookies.contains_key("stave_registration"));
        ada.cookies = kept;
        let gone = ada.get("/login/register").await;
        assert_eq!(gone.status, StatusCode::NOT_FOUND, "the server forgot it too: {}", gone.body);
    }

    #[tokio::test]
    async fn an_address_belongs_to_whoever_verified_it() {
        let (site, bitbucket) = (TestSite::start().await, FakeBitbucket::start().await);
        let mut ada = site.setup_browser().await;
        site.connect(&mut ada, &bitbucket, &ALL_SCOPES).await;
        ada.register(&bitbucket, "ada").await;
        let mut mallory = site.browser();
        let away = mallory.get("/login/bitbucket").await;
        mallory.grant(&away, &bitbucket, "mallory").await;
        let squat = [("username", "mallory"), ("email", "grace@corp.example"), ("name", "")];
        assert_eq!(mallory.post("/login/register", &squat).await.location, "/");
        ada.post("/orgs/new", &[("name", "Acme"), ("short_name", "acme")]).await;
        let by_address = [("who", "grace@corp.example"), ("role", "owner")];
        let refused = ada.post("/orgs/acme/teams", &by_address).await;
        assert!(refused.body.contains("This address is not verified here"), "{}", refused.body);
        let refused = ada.post("/admin/admins", &by_address).await;
        assert!(refused.body.contains("This address is not verified here"), "{}", refused.body);

        bitbucket.user("grace").emails(&[Email::primary("grace@corp.example")]);
        let mut grace = site.browser();
        let away = grace.get("/login/bitbucket").await;
        grace.grant(&away, &bitbucket, "grace").await;
        let form = [("username", "grace"), ("email", "grace@corp.example"), ("name", "")];
        let asked = grace.post("/login/register", &form).await;
        assert_eq!(asked.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(asked.body.contains("name=\"take_email\""), "{}", asked.body);
        let taken = [form.as_slice(), &[("take_email", "on")]].concat();
        assert_eq!(grace.post("/login/register", &taken).await.location, "/");
        assert!(grace.get("/profile").await.body.contains("grace@corp.example"));
        assert!(!mallory.get("/profile").await.body.contains("grace@corp.example"));
        assert!(ada.get("/admin/log").await.body.contains("took a verified e-mail address from mallory"));
        assert_eq!(ada.post("/orgs/acme/teams", &by_address).await.status, StatusCode::SEE_OTHER);
    }

    fn path_of_integration(panel: &str) -> String {
        let start = panel.find("/admin/integrations/0").expect("an integration is listed");
        panel[start..].split('"').next().unwrap().to_owned()
    }
}
