//! Several processes on one PostgreSQL: what one changes the others see, although each keeps what it was asked for.

use crate::support::{Node, TestStave};
use reqwest::StatusCode;
use std::time::Duration;

/// Asks until the answer has this status. What is kept is good for a minute at least, so only a notice brings it about.
async fn becomes(status: StatusCode, node: &Node, path: &str, token: &str) {
    let client = reqwest::Client::new();
    for _ in 0..300 {
        let request = client.get(format!("{}/repo/acme/{path}", node.url)).basic_auth("ada", Some(token));
        if request.send().await.unwrap().status() == status {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{path} does not become {status}");
}

#[tokio::test]
async fn what_one_process_changes_the_others_see() {
    let (stave, ada) = TestStave::with_acme().await;
    let Some(node) = stave.node().await else { return };
    let token = stave.token(&ada).await;
    let p2 = "p2/acme/lib.json";
    becomes(StatusCode::NOT_FOUND, &node, p2, &token).await;

    let repository = stave.bitbucket.workspace("acme").repository("lib");
    repository.commit("main", &[("composer.json", r#"{"name": "acme/lib"}"#)]);
    let page = stave.import(&ada, &repository.clone_url(), "auto").await;
    page.shows("acme/lib");
    becomes(StatusCode::OK, &node, p2, &token).await;
    becomes(StatusCode::OK, &node, "packages.json", &token).await;

    let package = page.url.path().to_owned();
    ada.send(&format!("{package}/delete"), &[("confirm", "1")]).await;
    becomes(StatusCode::NOT_FOUND, &node, p2, &token).await;

    ada.send("/profile/token/revoke", &[]).await;
    becomes(StatusCode::UNAUTHORIZED, &node, "packages.json", &token).await;
}
