//! Which pages may ask with a script (the Fetch standard's CORS protocol): those of the website's applications in browsers.

use super::slug_in;
use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{
            ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
            ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ORIGIN, VARY,
        },
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use stave_app::App;

/// Lets scripts of known pages read the answers. Cookies are never sent along: what is asked with, is in the request.
pub(crate) async fn share_with_pages(State(app): State<App>, request: Request, next: Next) -> Response {
    let Some(origin) = request.headers().get(ORIGIN).cloned() else {
        return with(next.run(request).await, HeaderMap::new());
    };
    let slug = slug_in(request.uri()).map(str::to_owned);
    let shared = if is_known(&app, slug, &origin).await {
        HeaderMap::from_iter([
            (ACCESS_CONTROL_ALLOW_ORIGIN, origin),
            (ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("www-authenticate, retry-after")),
        ])
    } else {
        HeaderMap::new()
    };
    if request.method() == Method::OPTIONS {
        let mut allowed = StatusCode::NO_CONTENT.into_response();
        if !shared.is_empty() {
            let headers = allowed.headers_mut();
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
            headers.insert(
                ACCESS_CONTROL_ALLOW_HEADERS,
                HeaderValue::from_static("authorization, content-type"),
            );
            headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        }
        return with(allowed, shared);
    }
    with(next.run(request).await, shared)
}

/// A failure shares nothing; the handler meets it too, and tells.
async fn is_known(app: &App, slug: Option<String>, origin: &HeaderValue) -> bool {
    let (Some(slug), Ok(origin)) = (slug, origin.to_str()) else { return false };
    match app.issuer(&slug).await {
        Ok(issuer) => app.issuer_origin_is_known(&issuer, origin).await.unwrap_or(false),
        Err(_) => false,
    }
}

fn with(mut response: Response, shared: HeaderMap) -> Response {
    let headers = response.headers_mut();
    headers.extend(shared);
    headers.append(VARY, HeaderValue::from_static("Origin"));
    response
}
