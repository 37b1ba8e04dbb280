//! What happens to every request before and after its handler.

use crate::{
    error::{ApiError, PageError},
    frame::Frame,
    request::{RequestId, observe},
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
    pages
        .layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES))
        .layer(csrf(app.url()))
        .layer(from_fn(limit_page_time))
        .layer(from_fn(survive_for_people))
        .layer(from_fn_with_state(app.clone(), show_page_errors))
        .layer(from_fn(keep_from_caches))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(app.clone(), secure))
        .layer(from_fn(observe))
}

/// Wraps what Composer, clients of the API and webhooks ask. Their bodies are sent as they lie.
pub(crate) fn for_machines(endpoints: Router<App>) -> Router<App> {
    endpoints
        .layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES))
        .layer(from_fn(survive_for_machines))
        .layer(from_fn(show_api_errors))
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

const TOO_SLOW: &str = "This took longer than a minute, so Stave gave up. What was begun may still be done: look before you repeat it.";

async fn survive_for_machines(request: Request, next: Next) -> Response {
    survive(request, next).await.unwrap_or_else(|failure| ApiError::from(failure).into_response())
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
async fn show_api_errors(request: Request, next: Next) -> Response {
    let id = RequestId::of(request.extensions());
    let mut response = next.run(request).await;
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
fn kept_headers(response: &mut Response) -> HeaderMap {
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
mod tests {
    use super::*;
    use axum::{
        body::Body,
        http::Response as Answer,
        routing::{get, post},
    };
    use std::{
        io,
        sync::{Arc, Mutex},
    };
    use tempfile::TempDir;
    use tower::ServiceExt as _;

    async fn app() -> (TempDir, App) {
        let data = tempfile::tempdir().unwrap();
        let settings = stave_app::Settings {
            data: data.path().to_owned(),
            url: "https://stave.example".parse().unwrap(),
            database_url: None,
            storage_url: None,
            outbound: stave_domain::outbound::Outbound::default(),
            key: stave_app::KeySource::DataFolder,
            docs_edit_url: None,
        };
        (data, App::start(settings).await.unwrap())
    }

    async fn ask(
        router: Router,
        request: axum::http::request::Builder,
        body: impl Into<Body>,
    ) -> (Answer<()>, String) {
        let (head, body) = router.oneshot(request.body(body.into()).unwrap()).await.unwrap().into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        (Answer::from_parts(head, ()), String::from_utf8(bytes.to_vec()).unwrap())
    }

    fn header<'a>(answer: &'a Answer<()>, name: &str) -> &'a str {
        answer.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn get_of(path: &str) -> axum::http::request::Builder {
        Request::get(path)
    }

    #[tokio::test]
    async fn an_unknown_address_gets_a_page_with_careful_headers() {
        let (_data, app) = app().await;
        let (answer, page) = ask(crate::router(app), get_of("/nowhere"), "").await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
        assert!(page.contains("<h1>There is nothing here</h1>"), "{page}");
        assert!(page.contains(header(&answer, "x-request-id")));
        assert_eq!(header(&answer, "content-security-policy"), CONTENT_POLICY);
        assert_eq!(header(&answer, "cache-control"), "no-store");
        assert_eq!(header(&answer, "strict-transport-security"), "max-age=31536000");
    }

    #[tokio::test]
    async fn forms_of_other_sites_are_refused() {
        let (_data, app) = app().await;
        let form = Router::new().route("/form", post(|| async { "done" }));
        let router = for_people(form, &app).with_state(app);
        let sent_from =
            |origin: &str| Request::post("/form").header("host", "10.0.0.1").header("origin", origin);
        let (answer, page) = ask(router.clone(), sent_from("https://evil.example"), "").await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
        assert!(page.contains("by a page of another site"), "{page}");
        let (answer, _) = ask(router, sent_from("https://stave.example"), "").await;
        assert_eq!(answer.status(), StatusCode::OK, "a proxy may change the host");
    }

    #[tokio::test]
    async fn an_address_that_cannot_be_read_is_nowhere() {
        use axum::extract::Path;
        let (_data, app) = app().await;
        let numbered = Router::new().route("/number/{number}", get(|Path(_): Path<u32>| async { "found" }));
        let (answer, page) = ask(for_people(numbered, &app).with_state(app), get_of("/number/one"), "").await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
        assert!(page.contains("There is no page at this address."), "{page}");
    }

    #[tokio::test]
    async fn a_defect_is_a_page_that_tells_nothing_about_it() {
        let (_data, app) = app().await;
        let defect = Router::new().route(
            "/defect",
            get(|| async { std::hint::black_box(None::<&str>).expect("the inner secret") }),
        );
        let (answer, page) = ask(for_people(defect, &app).with_state(app), get_of("/defect"), "").await;
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!page.contains("inner secret"), "{page}");
    }

    #[tokio::test]
    async fn whoever_is_not_logged_in_is_led_there_and_back() {
        let (_data, app) = app().await;
        let closed = || async { PageError::from(Failure::LogInNeeded) };
        let router =
            for_people(Router::new().route("/closed", get(closed).post(closed)), &app).with_state(app);
        let (answer, _) = ask(router.clone(), get_of("/closed?a=b"), "").await;
        assert_eq!(
            (answer.status(), header(&answer, "location")),
            (StatusCode::SEE_OTHER, "/login?return_to=/closed%3Fa%3Db")
        );
        let (answer, _) = ask(router, Request::post("/closed"), "").await;
        assert_eq!(header(&answer, "location"), "/login", "nobody can go back to a form that was sent");
    }

    #[tokio::test]
    async fn a_failure_can_take_a_cookie_away() {
        use crate::cookie::Cookie;
        let (_data, app) = app().await;
        let url = app.url().clone();
        let over = move || async move {
            (Cookie::Attempt.remove(&url), PageError::from(Failure::NotFound("log-in")))
        };
        let router = for_people(Router::new().route("/over", get(over)), &app).with_state(app);
        let (answer, page) = ask(router, get_of("/over"), "").await;
        assert!(header(&answer, "set-cookie").starts_with("__Host-stave_attempt=;"));
        assert_eq!(header(&answer, "content-type"), "text/html; charset=utf-8");
        assert!(page.contains("There is no such log-in here"), "{page}");
    }

    #[tokio::test]
    async fn a_form_that_cannot_be_read_gets_a_sentence() {
        use crate::form::Form;
        type Typed = std::collections::HashMap<String, String>;
        let (_data, app) = app().await;
        let form = Router::new().route("/form", post(|Form(_): Form<Typed>| async { "done" }));
        let router = for_people(form, &app).with_state(app);
        let send = |kind: &str| Request::post("/form").header("content-type", kind);
        let (answer, page) = ask(router.clone(), send("text/plain"), "name=x").await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
        assert!(page.contains("Nothing was saved"), "{page}");
        let large = "name=".to_owned() + &"x".repeat(BODY_LIMIT_BYTES);
        let (answer, page) = ask(router.clone(), send("application/x-www-form-urlencoded"), large).await;
        assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert!(page.contains("at most 1 MiB"), "{page}");
        let (answer, _) = ask(router, send("application/x-www-form-urlencoded"), "name=x").await;
        assert_eq!(answer.status(), StatusCode::OK);
    }

    #[tokio::test]
    async fn machines_get_json_that_composer_prints() {
        let (_data, app) = app().await;
        let broken = || async { ApiError::from(Failure::internal("the disk is gone")) };
        let router = for_machines(Router::new().route("/broken", get(broken))).with_state(app.clone());
        let (answer, body) = ask(router, get_of("/broken"), "").await;
        assert_eq!(header(&answer, "content-type"), "application/json");
        assert!(body.contains(header(&answer, "x-request-id")) && body.contains("\"warning\""), "{body}");
        assert!(!body.contains("disk"), "{body}");
        let (answer, body) = ask(crate::router(app), get_of("/repo/acme/nothing/of/the/kind"), "").await;
        assert_eq!(
            (answer.status(), header(&answer, "content-type")),
            (StatusCode::NOT_FOUND, "application/json")
        );
        assert!(body.starts_with(r#"{"status":"error","message":"Stave has no such endpoint"#), "{body}");
    }

    /// What is written to the log.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn the_log_has_the_route_and_never_the_address() {
        let (_data, app) = app().await;
        let written = Written::default();
        let writer = written.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        let _guard = tracing::subscriber::set_default(subscriber);
        let setup = Router::new()
            .route("/setup/{token}", get(|| async { PageError::from(Failure::NotFound("link")) }));
        ask(
            for_people(setup, &app).with_state(app),
            get_of("/setup/s3cr3t?also=s3cr3t").header("cookie", "stave_login=s3cr3t"),
            "",
        )
        .await;
        let log = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        assert!(log.contains("route=\"/setup/{token}\"") && log.contains("status=404"), "{log}");
        assert!(!log.contains("s3cr3t"), "{log}");
    }
}
