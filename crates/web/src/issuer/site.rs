//! The few pages of Stave at a site behind a proxy: the proxy hands what is below `/.stave/` there on to `/w/{slug}/site/` here. So
//! the browser is at the site's own address, and the cookies are that site's.

use super::{
    cookie::Cookie,
    door::{self, is_page, visitor},
    face::Face,
    forward_auth::{login_required, uncached},
    problem::Way,
    slug_in,
};
use crate::{error::PageError, page::render};
use askama::Template;
use axum::{
    Json, Router,
    extract::{FromRequestParts, Path, Query, RawQuery, Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{
            CONTENT_SECURITY_POLICY, LOCATION, ORIGIN, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
            X_FRAME_OPTIONS,
        },
        request::Parts,
    },
    middleware::Next,
    response::{IntoResponse, Response},
    routing::{any, get},
};
use serde_json::{Value, json};
use stave_app::{App, Door, Failure, Guest, SiteBrowser, Standing, VisitStep};
use stave_domain::website::ReturnPath;
use std::collections::BTreeMap;

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/w/{slug}/site/start", get(start))
        .route("/w/{slug}/site/callback", get(callback))
        .route("/w/{slug}/site/logout", get(ask).post(log_out))
        .route("/w/{slug}/site/denied", get(denied))
        .route("/w/{slug}/site/me", get(me))
        .route("/w/{slug}/site/{*nothing}", any(nowhere))
}

/// A visitor at a site: whoever asks without the proxy's key is refused.
struct At {
    door: Door,
    browser: SiteBrowser,
}

impl At {
    fn is_https(&self) -> bool {
        self.door.origin().is_https()
    }
}

impl FromRequestParts<App> for At {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, PageError> {
        let slug = slug_in(&parts.uri).unwrap_or_default();
        let door = door::open(app, slug, (&parts.headers, &parts.extensions)).await?;
        let is_https = door.origin().is_https();
        let read = |cookie: Cookie<'_>| cookie.read(is_https, &parts.headers);
        let browser = SiteBrowser { visit: read(Cookie::Visit), pass: read(Cookie::Pass) };
        Ok(Self { door, browser })
    }
}

/// `GET /.stave/start?rd=..`: to the login form, and from there back to the page after `rd=`.
async fn start(
    State(app): State<App>,
    at: At,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    if !is_page(&headers) {
        return Ok(login_required(&at.door));
    }
    let return_path = ReturnPath::in_query(query.as_deref().unwrap_or_default());
    let step = app.visit_begin(&at.door, return_path, at.browser, &visitor(&headers)).await?;
    step_taken(&app, &at.door, step).await
}

/// `GET /.stave/callback`: back from the login form.
async fn callback(
    State(app): State<App>,
    at: At,
    Query(answer): Query<BTreeMap<String, String>>,
) -> Result<Response, PageError> {
    let step = app.visit_end(&at.door, &answer, at.browser).await?;
    let over = Cookie::Visit.remove(at.door.origin().is_https());
    // It stands behind the pass, if there is one: some proxies let only the first cookie through.
    Ok((over, step_taken(&app, &at.door, step).await?).into_response())
}

async fn step_taken(app: &App, door: &Door, step: VisitStep) -> Result<Response, PageError> {
    let is_https = door.origin().is_https();
    let given = |pass: Option<_>| pass.map(|pass| Cookie::Pass.put(is_https, &pass));
    Ok(match step {
        VisitStep::Away { url, browser } => {
            (Cookie::Visit.put(is_https, &browser), see_other(url.as_str())).into_response()
        }
        VisitStep::Home { url, pass } => (given(pass), see_other(&url)).into_response(),
        VisitStep::Circle { url, sentence, pass } => {
            let ways = vec![Way::to("Go on anyway", url), log_out_way(door)];
            let page = page(app, door, (StatusCode::OK, "This goes in a circle", sentence, ways)).await?;
            (given(pass), page).into_response()
        }
        VisitStep::Stopped { sentence, return_path } => {
            let again = door.origin().at(&format!("/.stave/start?rd={}", return_path.as_str()));
            let ways = vec![Way::to("Log in", again), home(door)];
            page(app, door, (StatusCode::FORBIDDEN, "You are not logged in", &sentence, ways)).await?
        }
    })
}

/// `GET /.stave/denied`: what nginx shows in place of a page that is not for this visitor. Other proxies hand on the page of the
/// check itself.
async fn denied(State(app): State<App>, at: At) -> Result<Response, PageError> {
    let standing = app.pass_check(&at.door, at.browser.pass.as_ref()).await?;
    let is_out = matches!(standing, Standing::Out);
    let sentence = match standing {
        Standing::In(guest) => format!(
            "You are logged in as {}, but this page is for others. Ask whoever runs {} for the role that it needs.",
            guest.member.display_name(),
            at.door.website().name
        ),
        Standing::Barred(sentence) => sentence.into(),
        Standing::Out => "This page is not for everybody, and you are not logged in.".into(),
    };
    let way = if is_out {
        Way::to("Log in", at.door.origin().at("/.stave/start?rd=/"))
    } else {
        log_out_way(&at.door)
    };
    let ways = vec![home(&at.door), way];
    let mut page =
        page(&app, &at.door, (StatusCode::FORBIDDEN, "You may not see this page", &sentence, ways)).await?;
    // As on the page that asks: the button sends a form.
    page.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    Ok(page)
}

/// `GET /.stave/logout`: asks; an address alone signs nobody out.
async fn ask(State(app): State<App>, at: At) -> Result<Response, PageError> {
    let sentence =
        "You will be logged out of this website and of everything that you opened with this log-in.";
    let ways = vec![log_out_way(&at.door), home(&at.door)];
    let mut page = page(&app, &at.door, (StatusCode::OK, "Log out?", sentence, ways)).await?;
    // Not `no-referrer`: with it some browsers send their own forms with `Origin: null`.
    page.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    Ok(page)
}

/// `POST /.stave/logout`: from a page of the site itself.
async fn log_out(State(app): State<App>, at: At, headers: HeaderMap) -> Result<Response, PageError> {
    if !is_own_form(&at.door, &headers) {
        return Err(PageError::new(
            StatusCode::FORBIDDEN,
            "This was sent by a page of another site, so nobody was logged out.",
        ));
    }
    app.visit_log_out(&at.door, at.browser.pass.as_ref()).await?;
    let gone = (Cookie::Pass.remove(at.is_https()), Cookie::Visit.remove(at.is_https()));
    Ok((gone.0, gone.1, see_other(&at.door.origin().at("/"))).into_response())
}

/// Whether a form was sent by a page of the site: by what the browser says, since no other program has the cookie.
fn is_own_form(door: &Door, headers: &HeaderMap) -> bool {
    let said = |name| door::once(headers, name);
    match said(ORIGIN.as_str()) {
        Some(origin) if origin != "null" => origin == door.origin().as_str(),
        _ => said("sec-fetch-site") == Some("same-origin"),
    }
}

/// `GET /.stave/me`: who is signed in, for the scripts of the site.
async fn me(State(app): State<App>, at: At) -> Result<Response, PageError> {
    let standing = app.pass_check(&at.door, at.browser.pass.as_ref()).await?;
    let mut answer = match &standing {
        Standing::In(guest) => told(guest),
        _ => json!({ "signed_in": false }),
    };
    answer["login_url"] = at.door.origin().at("/.stave/start?rd=/").into();
    answer["logout_url"] = at.door.origin().at("/.stave/logout").into();
    Ok(Json(answer).into_response())
}

fn told(guest: &Guest) -> Value {
    let claims = guest.claims();
    let mut told = json!({ "signed_in": true, "groups": [] });
    for name in ["sub", "name", "email", "groups", "picture"] {
        if let Some(claim) = claims.get(name) {
            told[name] = claim.clone();
        }
    }
    told
}

/// Whatever else is asked there: also `/.stave/check`, which some proxies cannot keep to themselves.
async fn nowhere(Path(_): Path<(String, String)>) -> PageError {
    PageError::new(StatusCode::NOT_FOUND, "There is no page at this address.")
}

#[derive(Template)]
#[template(path = "issuer/site.html")]
struct SitePage {
    face: Face,
    title: String,
    sentence: String,
    ways: Vec<Way>,
}

/// A page in the look of the website, at the address of the site.
async fn page(
    app: &App,
    door: &Door,
    (status, title, sentence, ways): (StatusCode, &str, &str, Vec<Way>),
) -> Result<Response, Failure> {
    let issuer = app.issuer(door.website().slug.as_str()).await?;
    let page = SitePage {
        face: Face::elsewhere(&issuer, app),
        title: title.into(),
        sentence: sentence.into(),
        ways,
    };
    Ok(render(status, &page))
}

fn home(door: &Door) -> Way {
    Way::to(format!("Go to {}", door.website().name), door.origin().at("/"))
}

fn log_out_way(door: &Door) -> Way {
    Way { text: "Log out".into(), address: door.origin().at("/.stave/logout"), form: Some(Vec::new()) }
}

/// `303 See Other`; the address is absolute, because proxies complete others with this server's.
fn see_other(address: &str) -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, address)]).into_response()
}

/// The last step: failures become sentences, and browsers are made careful. A page may take styles and pictures from this server.
pub(crate) async fn finish(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if let Some(error) = response.extensions_mut().remove::<PageError>() {
        error.log();
        response = (error.status(), error.sentence().to_owned()).into_response();
    }
    let server = app.url().origin().ascii_serialization();
    let policy = format!(
        "default-src 'none'; style-src {server}; img-src {server} data:; base-uri 'none'; frame-ancestors 'none'"
    );
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::try_from(policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    let mut put = |name: HeaderName, value| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    put(X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(X_FRAME_OPTIONS, "DENY");
    put(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    put(REFERRER_POLICY, "no-referrer");
    uncached(response)
}
