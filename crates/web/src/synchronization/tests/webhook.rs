//! Deliveries that are none.

use super::*;
use axum::http::{Request, request::Builder};

fn delivery(address: &str, event: &str) -> Builder {
    Request::post(address).header("x-event-key", event).header("x-request-uuid", "1")
}

#[tokio::test]
async fn nothing_comes_of_what_is_not_signed() {
    let (site, bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    workspace(&bitbucket);
    let page = {
        let _jobs = Jobs::run(&site);
        start(&mut grace).await
    };
    let id = page.rsplit('/').next().unwrap();
    let address = format!("/hooks/synchronizations/{id}");
    let mut anybody = site.browser();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for body in
        ["", "{}", "null", "[]", "\"x\"", "{\"repository\": 7}", "{\"repository\": {\"uuid\": [1]}}", &deep]
    {
        for event in ["repo:push", "diagnostics:ping", "ping", "", "repo:push\u{e9}"] {
            for signature in [None, Some("sha256="), Some("sha256=00"), Some("sha1=00"), Some("")] {
                let mut request = delivery(&address, event);
                if let Some(signature) = signature {
                    request = request.header("x-hub-signature", signature);
                }
                let answer = anybody.send(request, body).await;
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{event:?} {signature:?} {}", answer.body);
            }
        }
    }
    let huge = anybody.send(delivery(&address, "repo:push"), &" ".repeat(2 << 20)).await;
    assert_eq!(huge.status, StatusCode::PAYLOAD_TOO_LARGE);
    for nowhere in ["x", "%00", "%ff", "..", "00000000-0000-0000-0000-000000000000"] {
        let answer =
            anybody.send(delivery(&format!("/hooks/synchronizations/{nowhere}"), "repo:push"), "{}").await;
        assert!(
            [StatusCode::NOT_FOUND, StatusCode::BAD_REQUEST].contains(&answer.status),
            "{nowhere}: {}",
            answer.status
        );
    }
    assert!(!grace.get(&page).await.body.contains("repo:push"), "none was written down");
}
