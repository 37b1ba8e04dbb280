//! What happens to every request before and after its handler.

use crate::{
    error::{ApiError, PageError},
    frame::Frame,
    issuer::{self, OAuthError},
    request::{RequestId, observe, observed},
    return_to::ReturnTo,
};
use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRequestParts, Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
            STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
        },
        request::Parts,
    },
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
};
use futures::FutureExt as _;
use stave_app::{App, Failure};
use std::{panic::AssertUnwindSafe, time::Duration};
use tower_http::{
    compression::CompressionLayer,
    csrf::{CsrfLayer, ProtectionError},
    set_header::SetResponseHeaderLayer,
};
use url::Url;

/// The largest body of a request, in bytes.
const BODY_LIMIT_BYTES: usize = 1024 * 1024;
/// How long a handler may take until it starts to answer.
const TIME_LIMIT: Duration = Duration::from_mins(1);

/// Scripts, styles and pictures come from here and nowhere else, and nothing is written inline. There is no `form-action`:
/// browsers apply it to redirects too, and the log-in buttons lead to other hosts.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Wraps what people see. The first layer is the innermost.
pub(crate) fn for_people(pages: Router<App>, app: &App) -> Router<App> {
    dressed(pages.layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES)).layer(csrf(app.url())), app)
}

/// Wraps what people see who are sent here by other sites, with forms too. Nothing that is sent there changes anything.
pub(crate) fn for_arrivals(pages: Router<App>, app: &App) -> Router<App> {
    dressed(pages.layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES)), app)
}

/// Wraps the forms that bring large files: these look themselves at how large, and may take their time.
pub(crate) fn for_uploads(pages: Router<App>, app: &App) -> Router<App> {
    dressed_for_long(pages.layer(DefaultBodyLimit::disable()).layer(csrf(app.url())), app)
}

fn dressed(pages: Router<App>, app: &App) -> Router<App> {
    dressed_for_long(pages.layer(from_fn(limit_page_time)), app)
}

fn dressed_for_long(pages: Router<App>, app: &App) -> Router<App> {
    pages
        .layer(from_fn(survive_for_people))
        .layer(from_fn_with_state(app.clone(), issuer::show_problems))
        .layer(from_fn_with_state(app.clone(), show_page_errors))
        .layer(from_fn(keep_from_caches))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(app.clone(), secure))
        .layer(from_fn(observe))
}

/// Wraps what visitors see of Stave at a site behind a proxy. The host there is not this server's, so the one form among it looks
/// itself where it was sent from.
pub(crate) fn for_sites(pages: Router<App>, app: &App) -> Router<App> {
    pages
        .layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES))
        .layer(from_fn(limit_page_time))
        .layer(from_fn(survive_for_people))
        .layer(from_fn_with_state(app.clone(), issuer::finish_site))
        .layer(from_fn(observe))
}

/// Wraps what Composer, clients of the API and webhooks ask. Their bodies are sent as they lie.
pub(crate) fn for_machines(endpoints: Router<App>) -> Router<App> {
    endpoints.layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES)).layer(from_fn(attend))
}

/// What happens to every request of a machine, in one: each layer costs a warm answer to Composer several allocations.
async fn attend(request: Request, next: Next) -> Response {
    observed(request, async |request| {
        let id = RequestId::of(request.extensions());
        let survived = survive(request, next).await;
        let answer = survived.unwrap_or_else(|failure| ApiError::from(failure).into_response());
        let mut answer = show_api_error(answer, id);
        let headers = answer.headers_mut();
        headers.entry(X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
        answer
    })
    .await
}

/// Wraps what applications of websites call. They hold no cookies; who they are is in what they send.
pub(crate) fn for_applications(endpoints: Router<App>) -> Router<App> {
    endpoints
        .layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES))
        .layer(from_fn(limit_call_time))
        .layer(from_fn(survive_for_applications))
        .layer(from_fn(issuer::show_oauth_errors))
        .layer(SetResponseHeaderLayer::if_not_present(
            X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ))
        .layer(from_fn(observe))
}

/// For machines that are answered at once; a dist may take longer to build.
pub(crate) async fn limit_api_time(request: Request, next: Next) -> Response {
    let answer = tokio::time::timeout(TIME_LIMIT, next.run(request)).await;
    answer.unwrap_or_else(|_| ApiError::new(StatusCode::SERVICE_UNAVAILABLE, TOO_SLOW).into_response())
}

async fn limit_page_time(request: Request, next: Next) -> Response {
    let answer = tokio::time::timeout(TIME_LIMIT, next.run(request)).await;
    answer.unwrap_or_else(|_| PageError::new(StatusCode::SERVICE_UNAVAILABLE, TOO_SLOW).into_response())
}

async fn limit_call_time(request: Request, next: Next) -> Response {
    let answer = tokio::time::timeout(TIME_LIMIT, next.run(request)).await;
    answer.unwrap_or_else(|_| {
        OAuthError::new(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", TOO_SLOW).into_response()
    })
}

const TOO_SLOW: &str = "This took longer than a minute, so Stave gave up. What was begun may still be done: look before you repeat it.";

async fn survive_for_applications(request: Request, next: Next) -> Response {
    survive(request, next).await.unwrap_or_else(|failure| OAuthError::from(failure).into_response())
}

async fn survive_for_people(request: Request, next: Next) -> Response {
    survive(request, next).await.unwrap_or_else(|failure| PageError::from(failure).into_response())
}

/// A handler that panics ends its own request and no other.
async fn survive(request: Request, next: Next) -> Result<Response, Failure> {
    AssertUnwindSafe(next.run(request)).catch_unwind().await.map_err(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied());
        Failure::internal(format!("panicked: {}", text.unwrap_or("without a message")))
    })
}

/// Forms may only be sent by pages of this server. A client that is no browser sends neither `Sec-Fetch-Site` nor `Origin` and
/// passes: it holds no cookies. The public address is named for proxies that change the `Host`.
fn csrf(url: &Url) -> CsrfLayer<impl Fn(ProtectionError) -> Response + Clone + use<>> {
    let layer = CsrfLayer::new();
    let layer = layer.clone().add_trusted_origin(url.origin().ascii_serialization()).unwrap_or(layer);
    layer.with_rejection_response(|_| {
        PageError::new(
            StatusCode::FORBIDDEN,
            "This form was sent by a page of another site, so nothing was done. If you filled it in here, open the page again at this server's own address.",
        )
        .into_response()
    })
}

/// Pages are one person's: no cache keeps them, unless a handler says otherwise.
async fn keep_from_caches(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Headers that make browsers careful.
async fn secure(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut put = |name: HeaderName, value| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    put(CONTENT_SECURITY_POLICY, CONTENT_POLICY);
    put(X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(X_FRAME_OPTIONS, "DENY");
    put(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    // Not `no-referrer`: with it some browsers send their own forms with `Origin: null`.
    put(REFERRER_POLICY, "same-origin");
    if app.url().scheme() == "https" {
        put(STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    response
}

/// Turns a [`PageError`] into its page, in the frame of whoever asked; and the [`ApiError`] of an address that nobody knows.
async fn show_page_errors(State(app): State<App>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let mut asked = parts.clone();
    let mut response = next.run(Request::from_parts(parts, body)).await;
    if let Some(error) = response.extensions_mut().remove::<ApiError>() {
        return error.show(RequestId::of(&asked.extensions));
    }
    let error = match response.extensions_mut().remove::<PageError>() {
        Some(error) => error,
        None if is_unread(&response) => {
            PageError::new(StatusCode::NOT_FOUND, "There is no page at this address.")
        }
        None => return response,
    };
    let back = matches!(asked.method, Method::GET | Method::HEAD).then(|| back_to(&asked));
    // The failure may be the database's: then the page comes without a frame, but it comes.
    let frame = Frame::from_request_parts(&mut asked, &app).await.unwrap_or_default();
    let headers = kept_headers(&mut response);
    (headers, error.show(RequestId::of(&asked.extensions), frame, back.as_ref())).into_response()
}

/// Turns an [`ApiError`] into its JSON; headers such as `WWW-Authenticate` and `Allow` stay.
fn show_api_error(mut response: Response, id: RequestId) -> Response {
    match response.extensions_mut().remove::<ApiError>() {
        Some(error) => {
            let headers = kept_headers(&mut response);
            (headers, error.show(id)).into_response()
        }
        None if is_unread(&response) => {
            ApiError::new(response.status(), "Stave cannot read this request. Check it.").show(id)
        }
        None => response,
    }
}

/// What a handler sent along with its failure: cookies that are taken away, for example.
pub(crate) fn kept_headers(response: &mut Response) -> HeaderMap {
    let mut headers = std::mem::take(response.headers_mut());
    headers.remove(CONTENT_LENGTH);
    headers.remove(CONTENT_TYPE);
    headers
}

/// Whether an extractor of axum refused the request: it answers in plain text and in its own words.
fn is_unread(response: &Response) -> bool {
    let content_type = response.headers().get(CONTENT_TYPE);
    response.status().is_client_error()
        && content_type.is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"))
}

fn back_to(asked: &Parts) -> ReturnTo {
    asked.uri.path_and_query().map_or_else(ReturnTo::default, |path| path.as_str().into())
}

#[cfg(test)]
mod tests;
