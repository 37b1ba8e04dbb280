//! The Profile: who somebody is here, their connected accounts, their user token, where they are logged in.

use crate::{
    actor::By,
    composer_auth::ComposerAuth,
    cookie::Cookie,
    done::Done,
    error::PageError,
    form,
    frame::Frame,
    handover,
    page::{Page, Refused},
    return_to::ReturnTo,
    sign_in,
    stranded::stranded,
};
use askama::Template;
use axum::{
    Router,
    extract::{Path, Query, State},
    http::HeaderMap,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use stave_app::{Account, App, Failure, Problems};
use stave_domain::{Secret, login::Login, token::Token, user::User};

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/profile", get(show))
        .route("/profile/accounts/{account}/connect", post(connect).get(show_again))
        .route("/profile/accounts/{account}/disconnect", post(disconnect).get(show_again))
        .route("/profile/token", post(make_token).get(show_token))
        .route("/profile/token/revoke", post(revoke_token).get(show_again))
        .route("/profile/logins/{login}/end", post(end_login).get(show_again))
}

#[derive(Template)]
#[template(path = "profile.html")]
struct ProfilePage {
    frame: Frame,
    user: User,
    accounts: Vec<Account>,
    token: Option<Token>,
    logins: Vec<Login>,
    problems: Problems,
}

impl ProfilePage {
    async fn of(app: &App, frame: Frame) -> Result<Self, Failure> {
        let user = frame.actor.user()?.clone();
        let accounts = app.account_list(&frame.actor).await?;
        let token = app.user_token_find(&frame.actor).await?;
        let is_whole = frame.actor.within.is_none();
        let logins = if is_whole { app.login_list(&frame.actor).await? } else { Vec::new() };
        Ok(Self { frame, user, accounts, token, logins, problems: Problems::default() })
    }

    /// The name of the organization whose own an integration is; empty if it is everybody's.
    fn owner(&self, account: &Account) -> &str {
        let Some(owner) = account.integration.organization_id else { return "" };
        let known = self.frame.organizations.iter().find(|organization| organization.id == owner);
        known.map_or("another organization", |organization| organization.name.as_str())
    }

    fn is_this(&self, login: &Login) -> bool {
        self.frame.actor.login_id() == Some(login.id)
    }
}

/// `GET /profile`
async fn show(State(app): State<App>, frame: Frame) -> Result<Page<ProfilePage>, PageError> {
    Ok(Page(ProfilePage::of(&app, frame).await?))
}

/// `GET` of what is only sent: a reload after a refusal, or a way back from the platform.
async fn show_again() -> Redirect {
    Redirect::to("/profile")
}

/// The query of a button that connects an account.
#[derive(serde::Deserialize)]
#[serde(default)]
struct Connecting {
    return_to: ReturnTo,
    /// `yes`: another account takes the place of the one that is connected.
    another: String,
}

impl Default for Connecting {
    fn default() -> Self {
        Self { return_to: "/profile".into(), another: String::new() }
    }
}

/// `POST /profile/accounts/{account}/connect`, where the account is named by the slug of its integration.
async fn connect(
    State(app): State<App>,
    frame: Frame,
    headers: HeaderMap,
    Path(slug): Path<String>,
    Query(Connecting { return_to, another }): Query<Connecting>,
) -> Result<Response, PageError> {
    let browser = Cookie::Attempt.read(app.url(), &headers);
    let wish = (another == "yes", return_to.as_str());
    match app.account_connect_begin(&frame.actor, &slug, wish, browser).await {
        Ok(departure) => Ok(sign_in::leave(&app, &departure)),
        Err(failure @ Failure::Elsewhere { .. }) => {
            Err(stranded(&app, &frame, failure, (&slug, &return_to)).await?)
        }
        Err(failure) => Err(failure.into()),
    }
}

/// `POST /profile/accounts/{account}/disconnect`, where the account is named by its id.
async fn disconnect(
    State(app): State<App>,
    frame: Frame,
    Path(account): Path<String>,
) -> Result<Response, PageError> {
    let id = account.parse().map_err(|_| Failure::NotFound("connected account"))?;
    match app.account_disconnect(&frame.actor, id).await {
        Ok(()) => Ok(Done::AccountDisconnected.at("/profile").into_response()),
        Err(failure) => {
            let problems = form::problems(failure)?;
            let page = ProfilePage::of(&app, frame).await?;
            Ok(Refused(ProfilePage { problems, ..page }).into_response())
        }
    }
}

/// The page that shows a user token once.
#[derive(Template)]
#[template(path = "profile_token.html")]
struct TokenPage {
    frame: Frame,
    secret: Secret,
    auth: ComposerAuth,
}

/// Where a user token is made, and shown once.
const TOKEN_PAGE: &str = "/profile/token";

/// `POST /profile/token`
async fn make_token(State(app): State<App>, By(actor): By) -> Result<Response, PageError> {
    let had_one = app.user_token_find(&actor).await?.is_some();
    let made = app.user_token_regenerate(&actor).await?;
    Ok(handover::send(&app, &made, TOKEN_PAGE, had_one))
}

/// `GET /profile/token`: once it was shown, only the Profile is there.
async fn show_token(State(app): State<App>, frame: Frame, headers: HeaderMap) -> Result<Response, PageError> {
    let token = app.user_token_find(&frame.actor).await?;
    let Some(secret) = token.and_then(|token| handover::receive(&app, &headers, TOKEN_PAGE, &token)) else {
        return Ok(Redirect::to("/profile").into_response());
    };
    let username = &frame.actor.user()?.username;
    let auth = ComposerAuth::of(app.url(), username.as_str(), secret.clone());
    Ok((handover::end(&app), Page(TokenPage { frame, secret, auth })).into_response())
}

/// `POST /profile/token/revoke`
async fn revoke_token(State(app): State<App>, By(actor): By) -> Result<Redirect, PageError> {
    app.user_token_revoke(&actor).await?;
    Ok(Done::TokenRevoked.at("/profile"))
}

/// `POST /profile/logins/{login}/end`; for this browser it is the same as logging out.
async fn end_login(
    State(app): State<App>,
    By(actor): By,
    Path(login): Path<String>,
) -> Result<Response, PageError> {
    let id = login.parse().map_err(|_| Failure::NotFound("log-in"))?;
    app.login_end(&actor, id).await?;
    if actor.login_id() == Some(id) {
        return Ok((Cookie::Login.remove(app.url()), Done::LoggedOut.at("/login")).into_response());
    }
    Ok(Done::LoginEnded.at("/profile").into_response())
}

#[cfg(test)]
mod tests {
    use crate::testing::{ALL_SCOPES, TestSite};
    use axum::http::StatusCode;
    use stave_testkit::FakeBitbucket;

    #[tokio::test]
    async fn a_token_is_shown_once_and_a_log_in_can_be_ended() {
        let (site, bitbucket) = (TestSite::start().await, FakeBitbucket::start().await);
        let mut ada = site.setup_browser().await;
        site.connect(&mut ada, &bitbucket, &ALL_SCOPES).await;
        ada.register(&bitbucket, "ada").await;

        let made = ada.post("/profile/token", &[]).await;
        assert_eq!(made.location, "/profile/token");
        let shown = ada.get("/profile/token").await.body;
        assert!(shown.contains("stave_uut_") && !shown.contains("no longer works"), "{shown}");
        assert_eq!(ada.get("/profile/token").await.location, "/profile");
        assert!(!ada.get("/profile").await.body.contains("stave_uut_"));
        ada.post("/orgs/new", &[("name", "Acme"), ("short_name", "acme")]).await;
        let again = ada.post("/orgs/acme/token", &[]).await;
        assert_eq!(again.location, "/orgs/acme?done=token-replaced");
        assert_eq!(ada.get("/profile/token").await.location, "/profile", "not the page that it is for");
        let kept = ada.cookies.clone();
        let overview = ada.get(&again.location).await.body;
        assert!(overview.contains("stave_uut_") && overview.contains("no longer works"), "{overview}");
        assert!(!ada.cookies.contains_key("stave_token"));
        assert!(!ada.get("/orgs/acme").await.body.contains("stave_uut_"));
        ada.post("/profile/token", &[]).await;
        ada.cookies = kept;
        assert!(!ada.get("/orgs/acme").await.body.contains("stave_uut_"), "it was replaced meanwhile");
        assert_eq!(ada.post("/profile/token/revoke", &[]).await.location, "/profile?done=token-revoked");

        let mut phone = site.browser();
        let away = phone.get("/login/bitbucket").await;
        assert_eq!(phone.grant(&away, &bitbucket, "ada").await.location, "/");
        let profile = phone.get("/profile").await.body;
        let ends: Vec<&str> =
            profile.split('"').filter(|text| text.starts_with("/profile/logins/")).collect();
        let [_, older] = ends[..] else { panic!("two log-ins: {profile}") };
        assert_eq!(phone.post(older, &[]).await.location, "/profile?done=login-ended");
        assert_eq!(ada.get("/profile").await.location, "/login?return_to=/profile");
        assert_eq!(phone.post(ends[0], &[]).await.location, "/login?done=logged-out");
        assert!(!phone.cookies.contains_key("stave_login"));
    }

    #[tokio::test]
    async fn the_last_way_in_stays() {
        let (site, bitbucket) = (TestSite::start().await, FakeBitbucket::start().await);
        let mut ada = site.setup_browser().await;
        site.connect(&mut ada, &bitbucket, &ALL_SCOPES).await;
        ada.register(&bitbucket, "ada").await;
        let profile = ada.get("/profile").await.body;
        let action = profile.split('"').find(|text| text.ends_with("/disconnect")).unwrap().to_owned();
        let refused = ada.post(&action, &[]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.body.contains("This is your last way in"), "{}", refused.body);
        let away = ada.post("/profile/accounts/bitbucket/connect", &[]).await;
        let back = ada.grant(&away, &bitbucket, "ada").await;
        assert_eq!(back.location, "/profile?done=account-connected");
    }
    #[tokio::test]
    async fn another_account_takes_the_place_of_the_one_that_is_connected() {
        let (_site, bitbucket, [_ada, mut grace]) = TestSite::with_acme().await;
        let profile = grace.get("/profile").await.body;
        assert!(profile.contains("Log out at Bitbucket first"), "{profile}");
        let another = "/profile/accounts/bitbucket/connect?another=yes";
        let same = grace.connect(another, &bitbucket, "grace").await;
        assert_eq!(same.status, StatusCode::CONFLICT);
        assert!(same.body.contains("You are still logged in at Bitbucket as grace"), "{}", same.body);
        let taken = grace.connect(another, &bitbucket, "ada").await;
        assert!(taken.body.contains("belongs to another user here"), "{}", taken.body);

        let replaced = grace.connect(another, &bitbucket, "hopper").await;
        assert_eq!(replaced.location, "/profile?done=account-connected", "{}", replaced.body);
        let profile = grace.get("/profile").await.body;
        assert!(profile.contains("<div>hopper") && !profile.contains("<div>grace"), "{profile}");
        let back = grace.travel("/login/bitbucket", &bitbucket, "hopper").await;
        assert_eq!(back.location, "/");
        assert!(grace.get("/profile").await.body.contains("Logged in as grace"), "the user is the same");
        let left = grace.travel("/login/bitbucket", &bitbucket, "grace").await;
        assert_eq!(left.location, "/login/register", "the account that was replaced is nobody's");
    }
}
