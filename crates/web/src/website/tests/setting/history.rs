//! Revisions, and who may see them.

use super::{Desk, PAGE, PREVIEW};
use axum::http::StatusCode;

#[tokio::test]
async fn history_leads_back() {
    let mut desk = Desk::new().await;
    assert!(desk.grace.get("/orgs/acme/websites/shop/history").await.body.contains("Nothing was saved yet"));
    desk.send("save", &[("title", "One")]).await;
    desk.send("save", &[("title", "Two")]).await;
    desk.send("apply", &[("title", "Three")]).await;
    let first = "/orgs/acme/websites/shop/history/1";
    assert!(desk.grace.get(first).await.body.contains("Go back to this one"));
    assert!(desk.grace.get(&format!("{PREVIEW}/form?revision=1")).await.body.contains("One"));
    let back = desk.grace.post(&format!("{first}/restore"), &[]).await;
    assert_eq!(back.location, format!("{PAGE}?done=setting-restored"), "{}", back.body);
    assert!(desk.visitors_form().await.contains("One"));
    let history = desk.grace.get("/orgs/acme/websites/shop/history").await.body;
    assert!(history.contains("Revision 3") && history.contains("as revision 1"), "{history}");
    assert!(history.contains("Bitbucket switched on; words of the form changed"), "{history}");
    assert!(desk.page().await.contains("Three"), "the draft stays");
    let again = desk.grace.post(&format!("{first}/restore"), &[]).await;
    assert!(again.body.contains("Visitors see this setting already"), "{}", again.body);
    for nothing in ["/orgs/acme/websites/shop/history/9", "/orgs/acme/websites/shop/history/x"] {
        assert_eq!(desk.grace.get(nothing).await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn the_preview_is_for_its_owner_and_their_own_pages() {
    let mut desk = Desk::new().await;
    desk.send("apply", &[("title", "Secret plans")]).await;
    let mut member = desk.site.browser();
    member.register(&desk.bitbucket, "linus").await;
    for path in [
        PAGE,
        PREVIEW,
        &format!("{PREVIEW}/form"),
        "/orgs/acme/websites/shop/test",
        "/orgs/acme/websites/shop/history",
    ] {
        let stranger = desk.site.browser().get(path).await;
        assert!(stranger.location.starts_with("/login"), "{path}: {}", stranger.location);
        assert_eq!(member.get(path).await.status, StatusCode::NOT_FOUND, "{path}: not of acme");
    }
    desk.grace.post("/orgs/acme/teams", &[("who", "linus"), ("role", "member")]).await;
    for path in [
        PAGE,
        PREVIEW,
        &format!("{PREVIEW}/form"),
        "/orgs/acme/websites/shop/test",
        "/orgs/acme/websites/shop/history",
    ] {
        assert_eq!(member.get(path).await.status, StatusCode::FORBIDDEN, "{path}: no owner");
    }
    for path in [
        PAGE,
        "/orgs/acme/websites/shop/login/shown",
        "/orgs/acme/websites/shop/test/bitbucket",
        "/orgs/acme/websites/shop/test",
        "/orgs/acme/websites/shop/history/1/restore",
    ] {
        assert_eq!(member.post(path, &[("action", "save")]).await.status, StatusCode::FORBIDDEN, "{path}");
    }
}
