//! Settings > Authentication Tokens: what machines install with.

use crate::{
    actor::By,
    composer_auth::ComposerAuth,
    done::Done,
    error::PageError,
    form::{self, Form},
    frame::{Frame, home},
    handover,
    organization::address,
    page::{Page, Refused},
};
use askama::Template;
use axum::{
    Router,
    extract::{Path, State},
    http::HeaderMap,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use stave_app::{App, Failure, Problems};
use stave_domain::{
    Secret,
    id::TokenId,
    organization::Organization,
    token::{Token, TokenAccess},
};

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/orgs/{organization}/settings/tokens", get(list).post(create))
        .route("/orgs/{organization}/settings/tokens/{token}", get(show_made))
        .route("/orgs/{organization}/settings/tokens/{token}/regenerate", get(list_again).post(regenerate))
        .route("/orgs/{organization}/settings/tokens/{token}/revoke", post(revoke))
}

#[derive(Template)]
#[template(path = "token_list.html")]
struct TokenList {
    frame: Frame,
    organization: Organization,
    home: String,
    tokens: Vec<Token>,
    form: TokenForm,
    problems: Problems,
}

#[derive(Default, serde::Deserialize)]
struct TokenForm {
    /// What it is for.
    #[serde(default)]
    description: String,
}

impl TokenList {
    async fn of(app: &App, frame: Frame, short_name: &str, form: TokenForm) -> Result<Self, Failure> {
        let (organization, tokens) = app.organization_token_list(&frame.actor, short_name).await?;
        let home = home(&organization);
        Ok(Self { frame, organization, home, tokens, form, problems: Problems::default() })
    }

    fn action(&self, token: &Token, verb: &str) -> String {
        format!("{}/settings/tokens/{}/{verb}", self.home, token.id)
    }
}

/// The page that shows a token once.
#[derive(Template)]
#[template(path = "token_made.html")]
struct TokenMade {
    frame: Frame,
    organization: Organization,
    home: String,
    token: Token,
    secret: Secret,
    auth: ComposerAuth,
}

/// `GET /orgs/{organization}/settings/tokens`
async fn list(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
) -> Result<Page<TokenList>, PageError> {
    Ok(Page(TokenList::of(&app, frame, &short_name, TokenForm::default()).await?))
}

/// `POST /orgs/{organization}/settings/tokens`
async fn create(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
    Form(form): Form<TokenForm>,
) -> Result<Response, PageError> {
    match app.organization_token_create(&frame.actor, &short_name, &form.description).await {
        Ok(made) => Ok(handover::send(&app, &made, &page_of(&short_name, made.token.id), false)),
        Err(failure) => {
            let problems = form::problems(failure)?;
            let page = TokenList::of(&app, frame, &short_name, form).await?;
            Ok(Refused(TokenList { problems, ..page }).into_response())
        }
    }
}

/// `GET /orgs/{organization}/settings/tokens/{token}`: once it was shown, only the list is there.
async fn show_made(
    State(app): State<App>,
    frame: Frame,
    headers: HeaderMap,
    Path((short_name, id)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let id = parsed(&id)?;
    let (organization, tokens) = app.organization_token_list(&frame.actor, &short_name).await?;
    let made = tokens.into_iter().find(|token| token.id == id).and_then(|token| {
        let secret = handover::receive(&app, &headers, &page_of(&short_name, id), &token)?;
        Some((token, secret))
    });
    let Some((token, secret)) = made else {
        return Ok(Redirect::to(&tokens_of(&short_name)).into_response());
    };
    let auth = ComposerAuth::of(app.url(), "token", secret.clone());
    let page = TokenMade { frame, home: home(&organization), organization, token, secret, auth };
    Ok((handover::end(&app), Page(page)).into_response())
}

/// `POST /orgs/{organization}/settings/tokens/{token}/regenerate`
async fn regenerate(
    State(app): State<App>,
    By(actor): By,
    Path((short_name, id)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let made = app.organization_token_regenerate(&actor, &short_name, parsed(&id)?).await?;
    Ok(handover::send(&app, &made, &page_of(&short_name, made.token.id), true))
}

/// `GET /orgs/{organization}/settings/tokens/{token}/regenerate`: the token was shown once, the list is still there.
async fn list_again(Path((short_name, _)): Path<(String, String)>) -> Redirect {
    Redirect::to(&tokens_of(&short_name))
}

/// `POST /orgs/{organization}/settings/tokens/{token}/revoke`
async fn revoke(
    State(app): State<App>,
    By(actor): By,
    Path((short_name, id)): Path<(String, String)>,
) -> Result<Redirect, PageError> {
    app.organization_token_revoke(&actor, &short_name, parsed(&id)?).await?;
    Ok(Done::TokenRevoked.at(&tokens_of(&short_name)))
}

fn page_of(short_name: &str, id: TokenId) -> String {
    format!("{}/{id}", tokens_of(short_name))
}

fn tokens_of(short_name: &str) -> String {
    format!("{}/settings/tokens", address(short_name))
}

fn parsed(id: &str) -> Result<TokenId, Failure> {
    id.parse().map_err(|_| Failure::NotFound("token"))
}

#[cfg(test)]
mod tests {
    use crate::testing::TestSite;

    #[tokio::test]
    async fn a_reload_makes_no_other_token() {
        let site = TestSite::start().await;
        let mut ada = site.setup_browser().await;
        ada.post("/admin/configuration", &[("password_login", "on")]).await;
        let form = [("username", "ada"), ("email", "ada@example.com"), ("password", "a short sentence")];
        ada.post("/register", &form).await;
        ada.post("/orgs/new", &[("name", "Acme"), ("short_name", "acme")]).await;
        let tokens = "/orgs/acme/settings/tokens";
        let (robot, other) = (
            ada.post(tokens, &[("description", "Robot")]).await.location,
            ada.post(tokens, &[("description", "Other")]).await.location,
        );
        assert_eq!(ada.get(&robot).await.location, tokens, "the text is the other one's");
        let shown = ada.get(&other).await.body;
        assert!(shown.contains("stave_ort_") && shown.contains("Other"), "{shown}");
        assert_eq!(ada.get(&other).await.location, tokens, "it was shown");

        let again = ada.post(&format!("{robot}/regenerate"), &[]).await.location;
        assert_eq!(again, format!("{robot}?done=token-replaced"));
        assert!(ada.get(&again).await.body.contains("stave_ort_"));
        assert_eq!(ada.get(&again).await.location, tokens);
        assert!(!ada.get(tokens).await.body.contains("stave_ort_"));
    }
}
