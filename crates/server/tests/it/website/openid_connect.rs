//! Three clients of OpenID Connect that nobody here wrote log their visitors in: openid-client, Authlib and pyoidc. And the texts that
//! owners copy for the libraries do so as they stand.

use crate::support::{
    TestWebsite,
    echo::Echo,
    judge::{Judge, tool},
    person::Person,
    website::{BUTTON, TestClient},
};
use axum::{Router, response::Html, routing::get};
use serde_json::{Value, json};
use std::sync::{Arc, OnceLock};

fn task(website: &TestWebsite, client: &TestClient) -> Value {
    json!({
        "issuer": website.issuer,
        "client_id": client.id,
        "client_secret": client.secret,
        "redirect_uri": client.redirect_uri,
        "post_logout_uri": website.application.at("/bye"),
    })
}

/// What the claims say of Ada, whoever read them.
#[track_caller]
fn assert_ada(claims: &Value) {
    assert_eq!(claims["name"], "Ada Example", "{claims}");
    assert_eq!(
        (&claims["email"], &claims["email_verified"]),
        (&json!("ada@example.com"), &json!(true)),
        "{claims}"
    );
    let sub = claims["sub"].as_str().expect("a text");
    assert!(!sub.is_empty() && sub.len() <= 255 && sub.is_ascii() && !sub.contains('{'), "{claims}");
}

#[tokio::test]
async fn openid_client_logs_in_and_out_and_cannot_be_mixed_up() {
    let website = TestWebsite::start().await;
    let client = website.client().await;
    let judge = Judge::node(include_str!("judges/openid_client.mjs"), &task(&website, &client));
    let verdict = judge.verdict(&website.visitor("ada")).await;
    for (attack, answer) in [
        ("changed_iss", "unexpected \"iss\" (issuer) response parameter value"),
        ("missing_iss", "response parameter \"iss\" (issuer) missing"),
        ("changed_state", "unexpected \"state\" response parameter value"),
    ] {
        assert_eq!(verdict[attack], answer, "{attack}");
    }
    assert_ada(&verdict["claims"]);
    assert_ada(&verdict["user"]);
    assert_eq!(verdict["claims"]["sub"], verdict["user"]["sub"]);
    assert_eq!((&verdict["is_rotated"], &verdict["same_person"]), (&json!(true), &json!(true)), "{verdict}");
    assert_eq!(verdict["goodbye"], website.application.at("/bye?state=bye"));
    let after = &verdict["after_logout"];
    assert_eq!(
        (&after["silent"], &after["refresh"]),
        (&json!("login_required"), &json!("invalid_grant")),
        "{after}"
    );
    assert_eq!(
        after["user"], "server responded with a challenge in the WWW-Authenticate HTTP Header",
        "{after}"
    );
}

#[tokio::test]
async fn authlib_logs_in() {
    let website = TestWebsite::start().await;
    let client = website.client().await;
    let verdict =
        Judge::python("authlib_client.py", &task(&website, &client)).verdict(&website.visitor("ada")).await;
    assert_ada(&verdict["claims"]);
    assert_ada(&verdict["user"]);
    for (act, error) in [
        ("without_verifier", "invalid_grant"),
        ("after_revocation", "invalid_grant"),
        ("stranger", "invalid_client"),
    ] {
        assert_eq!(verdict[act], error, "{act}");
    }
}

#[tokio::test]
async fn pyoidc_finds_the_discovery_document_in_order_and_logs_in() {
    let website = TestWebsite::start().await;
    // It knows no PKCE.
    let client = website.plain_client().await;
    let verdict =
        Judge::python("pyoidc_client.py", &task(&website, &client)).verdict(&website.visitor("ada")).await;
    assert_eq!(verdict["discovery"], true);
    assert_ada(&verdict["claims"]);
    assert_ada(&verdict["user"]);
}

/// A text that the owner copies from the page of a new application, as it stands there.
async fn copied(website: &TestWebsite, id: &str) -> String {
    copied_with(website, id, &[("kind", "confidential"), ("pkce_required", "on")]).await
}

async fn copied_with(website: &TestWebsite, id: &str, fields: &[(&str, &str)]) -> String {
    let page = website.client_page(fields).await;
    page.inside(id).unwrap_or_else(|| panic!("no text for {id}:\n{}", page.text()))
}

#[tokio::test]
async fn the_text_for_node_works_as_it_is_copied() {
    let website = TestWebsite::start().await;
    let text = copied(&website, "node").await;
    let script = format!("{text}\n{}", include_str!("judges/node_text.mjs"));
    let verdict = Judge::node(&script, &json!({})).verdict(&website.visitor("ada")).await;
    assert_ada(&verdict["visitor"]);
    assert_eq!(verdict["goodbye"], website.application.at("/bye"));
}

#[tokio::test]
async fn the_text_for_flask_works_as_it_is_copied() {
    let website = TestWebsite::start().await;
    let task = json!({ "text": copied(&website, "flask").await });
    let verdict = Judge::python("flask_text.py", &task).verdict(&website.visitor("ada")).await;
    assert_ada(&verdict["visitor"]);
    assert_eq!(verdict["goodbye"], website.application.at("/bye"));
    assert_eq!((&verdict["again"], &verdict["is_forgotten"]), (&json!(500), &json!(true)), "{verdict}");
}

/// What is around the text for a browser: a map in place of a bundler, and somebody who calls it.
const PAGE: &str = r#"<!doctype html><title>Shop</title><p id="who"></p><button id="in">Come in</button><button id="out">Go</button>
<script type="importmap">{"imports": {"oidc-client-ts": "/oidc-client-ts.js", "jwt-decode": "/jwt-decode.js"}}</script>
<script type="module">
    import { user, logIn, logOut } from "/text.js";
    const find = (id) => document.getElementById(id);
    find("who").textContent = user ? `Hello ${user.profile.name} <${user.profile.email}>` : "Nobody is here";
    [find("in").onclick, find("out").onclick] = [logIn, logOut];
</script>"#;

#[tokio::test(flavor = "multi_thread")]
async fn the_text_for_browsers_works_as_it_is_copied() {
    let Some(person) = Person::sit_down().await else { return };
    let text = Arc::new(OnceLock::<String>::new());
    let shown = text.clone();
    let script = |content: String| get(async move || ([("content-type", "text/javascript")], content));
    let installed = |path: &str| std::fs::read_to_string(tool("node/node_modules").join(path)).unwrap();
    let routes = Router::new()
        .route("/", get(async || Html(PAGE)))
        .route("/callback", get(async || Html(PAGE)))
        .route("/oidc-client-ts.js", script(installed("oidc-client-ts/dist/esm/oidc-client-ts.js")))
        .route("/jwt-decode.js", script(installed("jwt-decode/build/esm/index.js")))
        .route(
            "/text.js",
            get(async move || ([("content-type", "text/javascript")], shown.get().cloned().unwrap())),
        );
    let site = Echo::with(routes).await;
    let origin = site.url.replace("127.0.0.1", "page.localhost");
    let website = TestWebsite::start_at(&origin).await;
    website.stave.bitbucket.user("ada");
    let (back, after) = (format!("{origin}/callback"), format!("{origin}/"));
    let fields = [("kind", "browser"), ("redirect_uris", back.as_str()), ("post_logout_uris", &after)];
    text.set(copied_with(&website, "oidc-client-ts", &fields).await).unwrap();

    person.open(&origin).await;
    person.sees("Nobody is here").await;
    person.press("Come in").await;
    person.press(BUTTON).await;
    person.press("Log in as ada").await;
    person.press("Grant access").await;
    person.sees("Hello Ada Example <ada@example.com>").await;
    let at = person.driver.current_url().await.unwrap();
    assert_eq!(at.as_str(), back, "without the code");
    // Another page knows them too.
    person.open(&origin).await;
    person.sees("Hello Ada Example").await;
    person.press("Go").await;
    person.sees("Nobody is here").await;
    person.press("Come in").await;
    person.sees(BUTTON).await;
    person.leave().await;
}
