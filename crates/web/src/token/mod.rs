//! Settings > Authentication Tokens: what machines install with.

#[cfg(test)]
mod tests;
mod words;

use crate::{
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
    routing::get,
};
use stave_app::{App, Failure, Problems, TokenForm, TokenView};
use stave_domain::{
    Secret, Timestamp,
    id::TokenId,
    organization::Organization,
    token::{Token, TokenAccess},
};

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/orgs/{organization}/settings/tokens", get(list).post(create))
        .route("/orgs/{organization}/settings/tokens/new", get(new))
        .route("/orgs/{organization}/settings/tokens/{token}", get(show).post(update))
        .route("/orgs/{organization}/settings/tokens/{token}/regenerate", get(show_again).post(regenerate))
        .route("/orgs/{organization}/settings/tokens/{token}/revoke", get(show_again).post(revoke))
}

#[derive(Template)]
#[template(path = "token_list.html")]
struct TokenList {
    frame: Frame,
    organization: Organization,
    home: String,
    tokens: Vec<Token>,
    now: Timestamp,
}

impl TokenList {
    fn page(&self, token: &Token) -> String {
        format!("{}/settings/tokens/{}", self.home, token.id)
    }

    fn below(&self, token: &Token, verb: &str) -> String {
        format!("{}/{verb}", self.page(token))
    }
}

/// `GET /orgs/{organization}/settings/tokens`
async fn list(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
) -> Result<Page<TokenList>, PageError> {
    let (organization, tokens) = app.organization_token_list(&frame.actor, &short_name).await?;
    let (home, now) = (home(&organization), app.clock().now());
    Ok(Page(TokenList { frame, organization, home, tokens, now }))
}

/// A new token.
#[derive(Template)]
#[template(path = "token_new.html")]
struct NewToken {
    frame: Frame,
    organization: Organization,
    home: String,
    form: TokenForm,
    problems: Problems,
}

impl NewToken {
    const IS_NEW: bool = true;

    async fn of(app: &App, frame: Frame, short_name: &str, form: TokenForm) -> Result<Self, Failure> {
        let (organization, _) = app.organization_token_list(&frame.actor, short_name).await?;
        let (home, problems) = (home(&organization), Problems::default());
        Ok(Self { frame, organization, home, form, problems })
    }
}

/// `GET /orgs/{organization}/settings/tokens/new`
async fn new(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
) -> Result<Page<NewToken>, PageError> {
    Ok(Page(NewToken::of(&app, frame, &short_name, TokenForm::default()).await?))
}

/// `POST /orgs/{organization}/settings/tokens`
async fn create(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
    Form(form): Form<TokenForm>,
) -> Result<Response, PageError> {
    match app.organization_token_create(&frame.actor, &short_name, &form).await {
        Ok(made) => Ok(handover::send(&app, &made, &page_of(&short_name, made.token.id), false)),
        Err(failure) => {
            let problems = form::problems(failure)?;
            let page = NewToken::of(&app, frame, &short_name, form).await?;
            Ok(Refused(NewToken { problems, ..page }).into_response())
        }
    }
}

/// The page that shows a token's text, once.
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

/// A token: what it reads, its form, its end.
#[derive(Template)]
#[template(path = "token.html")]
struct TokenPage {
    frame: Frame,
    home: String,
    view: TokenView,
    now: Timestamp,
    form: TokenForm,
    problems: Problems,
}

impl TokenPage {
    const IS_NEW: bool = false;

    fn of(app: &App, frame: Frame, view: TokenView) -> Self {
        let (form, problems) = (TokenForm::of(&view.token), Problems::default());
        Self { frame, home: home(&view.organization), view, now: app.clock().now(), form, problems }
    }

    fn page(&self) -> String {
        format!("{}/settings/tokens/{}", self.home, self.view.token.id)
    }

    fn below(&self, verb: &str) -> String {
        format!("{}/{verb}", self.page())
    }

    fn more_packages(&self) -> usize {
        self.view.reads - self.view.packages.len()
    }
}

/// `GET /orgs/{organization}/settings/tokens/{token}`: its text first, if it was made a moment ago; after that, its page.
async fn show(
    State(app): State<App>,
    frame: Frame,
    headers: HeaderMap,
    Path((short_name, id)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let id = parsed(&id)?;
    let view = app.organization_token_show(&frame.actor, &short_name, id).await?;
    let Some(secret) = handover::receive(&app, &headers, &page_of(&short_name, id), &view.token) else {
        return Ok(Page(TokenPage::of(&app, frame, view)).into_response());
    };
    let TokenView { organization, token, .. } = view;
    let auth = ComposerAuth::of(app.url(), "token", secret.clone());
    let page = TokenMade { frame, home: home(&organization), organization, token, secret, auth };
    Ok((handover::end(&app), Page(page)).into_response())
}

/// `POST /orgs/{organization}/settings/tokens/{token}`
async fn update(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, id)): Path<(String, String)>,
    Form(form): Form<TokenForm>,
) -> Result<Response, PageError> {
    let id = parsed(&id)?;
    match app.organization_token_update(&frame.actor, &short_name, id, &form).await {
        Ok(()) => Ok(Done::Saved.at(&page_of(&short_name, id)).into_response()),
        Err(failure) => {
            let problems = form::problems(failure)?;
            let view = app.organization_token_show(&frame.actor, &short_name, id).await?;
            let page = TokenPage::of(&app, frame, view);
            Ok(Refused(TokenPage { form, problems, ..page }).into_response())
        }
    }
}

/// `POST /orgs/{organization}/settings/tokens/{token}/regenerate`
async fn regenerate(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, id)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let id = parsed(&id)?;
    match app.organization_token_regenerate(&frame.actor, &short_name, id).await {
        Ok(made) => Ok(handover::send(&app, &made, &page_of(&short_name, id), true)),
        Err(failure) => {
            let problems = form::problems(failure)?;
            let view = app.organization_token_show(&frame.actor, &short_name, id).await?;
            let page = TokenPage::of(&app, frame, view);
            Ok(Refused(TokenPage { problems, ..page }).into_response())
        }
    }
}

/// `GET` of what is only sent: a reload after a refusal.
async fn show_again(Path((short_name, id)): Path<(String, String)>) -> Result<Redirect, PageError> {
    Ok(Redirect::to(&page_of(&short_name, parsed(&id)?)))
}

/// `POST /orgs/{organization}/settings/tokens/{token}/revoke`
async fn revoke(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, id)): Path<(String, String)>,
) -> Result<Redirect, PageError> {
    app.organization_token_revoke(&frame.actor, &short_name, parsed(&id)?).await?;
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
