//! What a proxy asks before it lets a visitor through to a site. It is asked for every page and every picture, so nothing stands
//! around it: no line in the log, no layer, no cookie but its own.

use super::{
    cookie::Cookie,
    door::{self, is_navigation},
};
use crate::error::causes;
use axum::{
    Router,
    body::Body,
    extract::{Path, Request, State},
    http::{
        HeaderName, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, VARY, WWW_AUTHENTICATE},
        request::Parts,
    },
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use serde_json::json;
use stave_app::{App, Door, Failure, Guest, Standing};
use stave_domain::website::ReturnPath;

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/w/{slug}/forward-auth/{proxy}", get(check))
        .route("/w/{slug}/forward-auth/{proxy}/{role}", get(check_role))
}

/// How a proxy treats the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proxy {
    /// nginx asks whether, and makes the answer for the visitor itself: it knows 2xx, 401 and 403; all else is a failure.
    Nginx,
    /// Caddy and Traefik hand any answer but 2xx on to the visitor.
    HandsOn,
}

impl Proxy {
    fn named(name: &str) -> Option<Self> {
        match name {
            "nginx" => Some(Self::Nginx),
            "caddy" | "traefik" => Some(Self::HandsOn),
            _ => None,
        }
    }
}

/// `GET /w/{slug}/forward-auth/{proxy}`: may this visitor pass? The query is the visitor's own (Caddy adds it) and is not looked at.
async fn check(
    State(app): State<App>,
    Path((slug, proxy)): Path<(String, String)>,
    request: Request,
) -> Response {
    checked(&app, &slug, (&proxy, None), request).await
}

/// `GET /w/{slug}/forward-auth/{proxy}/{role}`: the same for a part of the site that is for members with a role.
async fn check_role(
    State(app): State<App>,
    Path((slug, proxy, role)): Path<(String, String, String)>,
    request: Request,
) -> Response {
    checked(&app, &slug, (&proxy, Some(&role)), request).await
}

async fn checked(app: &App, slug: &str, (proxy, role): (&str, Option<&str>), request: Request) -> Response {
    let Some(proxy) = Proxy::named(proxy) else {
        let sentence = "There are checks for nginx, caddy and traefik.";
        return uncached((StatusCode::NOT_FOUND, sentence).into_response());
    };
    let (parts, _) = request.into_parts();
    match answer(app, slug, (proxy, role), &parts).await {
        Ok(response) => response,
        Err(Failure::Denied(sentence)) => uncached((StatusCode::FORBIDDEN, sentence).into_response()),
        Err(failure) => {
            tracing::error!(causes = causes(&failure), "a visitor of a site could not be checked");
            let status = match proxy {
                Proxy::Nginx => StatusCode::INTERNAL_SERVER_ERROR,
                Proxy::HandsOn => StatusCode::SERVICE_UNAVAILABLE,
            };
            let sentence = "Whether you may see this page cannot be found out at this moment. Try again.";
            uncached((status, sentence).into_response())
        }
    }
}

async fn answer(
    app: &App,
    slug: &str,
    (proxy, role): (Proxy, Option<&str>),
    asked: &Parts,
) -> Result<Response, Failure> {
    let headers = &asked.headers;
    let door = door::open(app, slug, (headers, &asked.extensions)).await?;
    let pass = Cookie::Pass.read(door.origin().is_https(), headers);
    Ok(match app.pass_check(&door, pass.as_ref()).await? {
        Standing::In(guest)
            if role.is_some_and(|role| !guest.member.roles.names().any(|name| name == role)) =>
        {
            barred(
                "This part of the site is for members with another role. Ask whoever runs the site for it.",
            )
        }
        Standing::In(guest) => passes(&guest, app.guest_token(&door, &guest)?),
        Standing::Barred(sentence) => barred(sentence),
        Standing::Out if is_navigation(headers) => led_to_login(&door, proxy, &door::page(headers)),
        Standing::Out => login_required(&door),
    })
}

/// They may. Every header stands there each time, empty if there is nothing to tell: of one that is missing, some proxies let the
/// visitor's own through.
fn passes(guest: &Guest, token: Bytes) -> Response {
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.reserve(NAMES.len() + 2);
    for (name, of) in NAMES {
        // It is ASCII without control characters.
        let value = HeaderValue::from_maybe_shared(of(guest).clone());
        headers.insert(HeaderName::from_static(name), value.unwrap_or(EMPTY));
    }
    headers.insert(
        HeaderName::from_static("x-stave-jwt"),
        HeaderValue::from_maybe_shared(token).unwrap_or(EMPTY),
    );
    uncached(response)
}

const EMPTY: HeaderValue = HeaderValue::from_static("");

type Told = fn(&Guest) -> &Bytes;

/// By which names sites know what: three families, because sites read different ones.
const NAMES: [(&str, Told); 10] = [
    ("remote-user", |guest| &guest.user),
    ("remote-name", |guest| &guest.name),
    ("remote-email", |guest| &guest.email),
    ("remote-groups", |guest| &guest.groups),
    ("x-auth-request-user", |guest| &guest.user),
    ("x-auth-request-email", |guest| &guest.email),
    ("x-auth-request-preferred-username", |guest| &guest.handle),
    ("x-auth-request-groups", |guest| &guest.groups),
    ("x-forwarded-user", |guest| &guest.user),
    ("x-forwarded-email", |guest| &guest.email),
];

/// A page for whoever is signed in and may not pass.
fn barred(sentence: &str) -> Response {
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>You may not come in</title>\
         <h1>You may not come in</h1><p>{sentence}</p><p><a href=\"/.stave/logout\">Log out</a></p></html>"
    );
    let headers =
        [(CONTENT_TYPE, "text/html; charset=utf-8"), (CONTENT_SECURITY_POLICY, "default-src 'none'")];
    uncached((StatusCode::FORBIDDEN, headers, page).into_response())
}

/// Nobody is signed in, and a page was asked for. The address is absolute: Traefik would complete another with its own.
fn led_to_login(door: &Door, proxy: Proxy, page: &ReturnPath) -> Response {
    let there = door.origin().at(&format!("/.stave/start?rd={}", page.as_str()));
    let response = match proxy {
        Proxy::Nginx => (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, challenge(door)), (LOCATION, there)])
            .into_response(),
        Proxy::HandsOn => (StatusCode::FOUND, [(LOCATION, there)]).into_response(),
    };
    uncached(response)
}

/// Nobody is signed in, and it is a script or a picture that was asked for: to be led elsewhere would not help it. Behind the
/// address a script can write the page to come back to.
pub(super) fn login_required(door: &Door) -> Response {
    let body = json!({ "error": "login_required", "login_url": door.origin().at("/.stave/start?rd=/") });
    let headers = [(WWW_AUTHENTICATE, challenge(door)), (CONTENT_TYPE, "application/json".to_owned())];
    uncached((StatusCode::UNAUTHORIZED, headers, body.to_string()).into_response())
}

/// A name of our own (RFC 9110, section 11.6.1): browsers know no such scheme and ask nobody for a password.
fn challenge(door: &Door) -> String {
    format!("Stave realm=\"{}\"", door.website().slug)
}

/// The answer is about one browser and one moment.
pub(super) fn uncached(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(VARY, HeaderValue::from_static("Cookie"));
    response
}
