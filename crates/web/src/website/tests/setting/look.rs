//! How the form looks.

use super::{Desk, PAGE};
use crate::testing::{Browser, Seen};
use axum::http::{Request, StatusCode, header::CONTENT_TYPE};

#[tokio::test]
async fn save_applies_what_is_typed_or_does_nothing() {
    let mut desk = Desk::new().await;
    let refused = desk.send("save", &[("accent", "#777777x")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(desk.page().await.contains("Visitors see nothing yet"));
    assert!(!desk.page().await.contains("</b> applied by"), "no draft either");
    let saved = desk.send("save", &[]).await;
    assert_eq!(saved.location, format!("{PAGE}?done=setting-saved"), "{}", saved.body);
    assert!(
        desk.grace
            .get("/orgs/acme/settings/log")
            .await
            .body
            .contains("saved revision 1 of the login setting of shop")
    );
    desk.send("apply", &[("title", "Later")]).await;
    let discarded = desk.grace.post(PAGE, &[("action", "discard")]).await;
    assert_eq!(discarded.location, format!("{PAGE}?done=draft-discarded"));
    assert!(!desk.page().await.contains("Later"));
}

/// A PNG of one pixel.
const PNG: &[u8] = b"\x89\x50\x4e\x47\x0d\x0a\x1a\x0a\x00\x00\x00\x0d\x49\x48\x44\x52\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89\x00\x00\x00\x0d\x49\x44\x41\x54\x78\x9c\x63\xe0\x0e\x77\xff\x0f\x00\x02\xc3\x01\xa9\xb7\xc7\xa2\xa7\x00\x00\x00\x00\x49\x45\x4e\x44\xae\x42\x60\x82";

async fn upload(browser: &mut Browser, file: &str) -> Seen {
    let body = format!(
        "--b\r\nContent-Disposition: form-data; name=\"action\"\r\n\r\napply\r\n--b\r\nContent-Disposition: form-data; name=\"logo_file\"; filename=\"logo.png\"\r\nContent-Type: image/png\r\n\r\n{file}\r\n--b--\r\n"
    );
    let request = Request::post(PAGE).header(CONTENT_TYPE, "multipart/form-data; boundary=b");
    browser.send(request, &body).await
}

#[tokio::test]
async fn svg_is_no_picture() {
    let mut desk = Desk::new().await;
    let refused =
        upload(&mut desk.grace, "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
            .await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("SVG is not taken"), "{}", refused.body);
    assert_eq!(upload(&mut desk.grace, "").await.status, StatusCode::SEE_OTHER, "no file was chosen");
    let large = "x".repeat(1024 * 1024);
    assert_eq!(upload(&mut desk.grace, &large).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let actor = desk.site.actor(&desk.grace).await;
    let hash = desk.site.app.website_logo_put(&actor, ("acme", "shop"), PNG.to_vec()).await.unwrap();
    desk.send("apply", &[("logo", &hash)]).await;
    assert!(desk.page().await.contains(&format!("/w/shop/logo/{hash}")));
    assert_eq!(desk.send("apply", &[("logo", &"0".repeat(64))]).await.status, StatusCode::SEE_OTHER);
    assert!(!desk.page().await.contains("/logo/"), "a picture that is not there is none");
}

#[tokio::test]
async fn what_is_typed_can_be_drawn_without_storing_it() {
    let mut desk = Desk::new().await;
    let fields = [
        ("title", "<script>alert(1)</script>"),
        ("bitbucket_on", "on"),
        ("bitbucket_label", "Go"),
        ("accent", "#123456"),
    ];
    let drawn = desk.grace.post(&format!("{PAGE}/shown"), &fields).await;
    assert_eq!(drawn.status, StatusCode::OK);
    assert!(
        drawn.body.contains("&#60;script&#62;")
            && drawn.body.contains("Go")
            && drawn.body.contains("/look/123456-")
    );
    assert!(!desk.page().await.contains("alert(1)"));
}
