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
        mail: None,
        docs_edit_url: None,
        mirror_url: None,
        trusted_proxies: Vec::new(),
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
    let sent_from = |origin: &str| Request::post("/form").header("host", "10.0.0.1").header("origin", origin);
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
    let defect = Router::new()
        .route("/defect", get(|| async { std::hint::black_box(None::<&str>).expect("the inner secret") }));
    let (answer, page) = ask(for_people(defect, &app).with_state(app), get_of("/defect"), "").await;
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!page.contains("inner secret"), "{page}");
}

#[tokio::test]
async fn whoever_is_not_logged_in_is_led_there_and_back() {
    let (_data, app) = app().await;
    let closed = || async { PageError::from(Failure::LogInNeeded) };
    let router = for_people(Router::new().route("/closed", get(closed).post(closed)), &app).with_state(app);
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
    let over =
        move || async move { (Cookie::Attempt.remove(&url), PageError::from(Failure::NotFound("log-in"))) };
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
    let setup =
        Router::new().route("/setup/{token}", get(|| async { PageError::from(Failure::NotFound("link")) }));
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
