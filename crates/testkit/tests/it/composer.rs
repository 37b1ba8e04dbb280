use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde_json::json;
use stave_testkit::{Composer, GitServer, samples};

/// The smallest Composer repository: one package without files to unpack, for a single login.
async fn repository() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let package = json!({"name": "acme/meta", "version": "1.0.0", "type": "metapackage"});
    let content = json!({"packages": {"acme/meta": {"1.0.0": package}}}).to_string();
    let router = Router::new().fallback(serve).with_state(content);
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/")
}

async fn serve(State(content): State<String>, request: Request) -> Response {
    // token:secret
    let is_known =
        request.headers().get(header::AUTHORIZATION).is_some_and(|login| login == "Basic dG9rZW46c2VjcmV0");
    match (is_known, request.uri().path()) {
        (false, _) => (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Basic")]).into_response(),
        (true, "/packages.json") => ([(header::CONTENT_TYPE, "application/json")], content).into_response(),
        (true, _) => StatusCode::NOT_FOUND.into_response(),
    }
}

#[tokio::test]
async fn composer_requires_and_installs_with_its_own_login() {
    let url = repository().await;
    let composer = Composer::new();
    composer.repository(&url);
    let stranger = composer.require("acme/meta").await;
    assert!(!stranger.success() && stranger.output.contains("401"), "{stranger}");
    composer.config_auth(&url, "token", "secret");
    let run = composer.require("acme/meta").await;
    assert!(run.success(), "{run}");
    assert!(composer.file("composer.lock").unwrap().contains("acme/meta"));
    assert_eq!(composer.file("vendor/acme/none"), None);
    let run = composer.remove("vendor").forget_cache().install().await;
    assert!(run.success() && run.output.contains("from lock file"), "{run}");
    composer.manifest(&json!({"description": "changed"}));
    let run = composer.update().await;
    assert!(run.success(), "{run}");
    let manifest = composer.file("composer.json").unwrap();
    assert!(manifest.contains("\"acme/meta\": \"^1.0\"") && manifest.contains("changed"), "{manifest}");
}

#[tokio::test]
async fn composer_does_not_know_packagist() {
    let composer = Composer::new();
    let run = composer.require("monolog/monolog").await;
    assert!(!run.success() && run.output.contains("Could not find"), "{run}");
}

#[tokio::test]
async fn composer_takes_the_samples_for_packages() {
    let server = GitServer::start();
    for (name, make) in samples::ALL {
        make(&server.repository(name));
    }
    let composer = Composer::new();
    let vcs = samples::ALL.map(|(name, _)| json!({"type": "vcs", "url": server.url(name)}));
    composer.manifest(&json!({"repositories": vcs}));
    let run = composer.require("acme/mailer").await;
    assert!(run.success(), "{run}");
    assert!(composer.file("vendor/acme/mailer/src/Mailer.php").unwrap().contains("'2.1.0'"));
    assert!(composer.file("vendor/acme/clock/composer.json").is_some());
    let run = composer.run(&["show", "--all", "acme/oddities"]).await;
    // Composer gives 1.2.0 the name that the default branch has; what it cannot read it leaves out.
    assert!(
        run.output.contains("versions : 1.4.0, 1.2.0, 1.0.0, dev-main, dev-feature/it's-\"quoted\"\n"),
        "{run}"
    );
}
