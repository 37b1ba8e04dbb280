//! Members, as an owner manages them, and the log of a website.

use super::{SHOP, Shop};
use axum::http::StatusCode;

#[tokio::test]
async fn members_are_found_changed_kept_out_and_deleted() {
    let mut shop = Shop::open().await;
    let members = format!("{SHOP}/members");
    assert!(shop.grace.get(&members).await.body.contains("Set up the login form"));
    shop.publish().await;
    let empty = shop.grace.get(&members).await.body;
    assert!(empty.contains("No members yet") && empty.contains("/w/shop/login"), "{empty}");
    let mut linus = shop.visitor("linus").await;
    shop.visitor("mallory").await;
    let found = shop.grace.get(&format!("{members}?q=linus")).await.body;
    assert!(found.contains("linus") && !found.contains("mallory"), "{found}");
    assert!(shop.grace.get(&format!("{members}?status=blocked")).await.body.contains("Nobody found"));

    let page = shop.member("linus").await;
    let grace = &mut shop.grace;
    let wrong = grace.post(&format!("{page}/roles"), &[("roles", "staff; admin")]).await;
    assert!(
        wrong.status == StatusCode::UNPROCESSABLE_ENTITY && wrong.body.contains("A role has 1 to 40"),
        "{}",
        wrong.body
    );
    assert_eq!(
        grace.post(&format!("{page}/roles"), &[("roles", "Staff, editor")]).await.location,
        format!("{page}?done=saved")
    );
    assert!(grace.get(&page).await.body.contains("editor, staff"));
    assert!(linus.get("/w/shop/account").await.body.contains("staff"));

    let blocked = grace.post(&format!("{page}/status"), &[("status", "blocked")]).await.location;
    assert_eq!(blocked, format!("{page}?done=member-blocked"));
    assert!(grace.get(&format!("{members}?status=blocked")).await.body.contains("linus"));
    assert!(grace.get(&page).await.body.contains("Logged in nowhere"), "blocking logs out");
    let away = linus.post("/w/shop/login/bitbucket", &[]).await;
    let back = linus.grant(&away, &shop.bitbucket, "linus").await;
    assert_ne!(back.location, "/w/shop/account", "{}", back.body);
    let refused = grace.post(&format!("{page}/status"), &[("status", "pending")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    grace.post(&format!("{page}/status"), &[("status", "active")]).await;

    shop.visitor("linus").await;
    let grace = &mut shop.grace;
    let seen = grace.get(&page).await.body;
    let end = seen.split('"').find(|text| text.ends_with("/end")).unwrap().to_owned();
    assert_eq!(grace.post(&end, &[]).await.location, format!("{page}?done=login-ended"));
    assert!(grace.get(&page).await.body.contains("Logged in nowhere"));
    assert_eq!(grace.post(&end, &[]).await.status, StatusCode::NOT_FOUND);
    grace.post(&format!("{page}/log-out"), &[]).await;
    assert_eq!(grace.post(&format!("{page}/delete"), &[]).await.location, format!("{members}?done=deleted"));
    assert_eq!(grace.get(&page).await.status, StatusCode::NOT_FOUND);
    let log = shop.log().await;
    for what in ["gave the", "blocked the", "unblocked the", "logged out the", "deleted the"] {
        assert!(log.contains(&format!("{what} member ")), "{what}: {log}");
    }
    assert!(!log.contains("Linus"), "they are gone: {log}");
    let log = shop.grace.get(&format!("{SHOP}/log")).await.body;
    for what in ["given the roles editor, staff", "blocked", "unblocked", "logged out everywhere", "deleted"]
    {
        assert!(log.contains(&format!("was {what} by ")), "{what}: {log}");
    }
    assert!(log.contains("was not let in: is blocked."), "{log}");
}

#[tokio::test]
async fn the_export_has_everybody_and_the_log_every_sign_in() {
    let mut shop = Shop::open().await;
    shop.publish().await;
    assert!(shop.grace.get(&format!("{SHOP}/log")).await.body.contains("Nobody came yet"));
    shop.visitor("linus").await;
    shop.visitor("mallory").await;
    let csv = shop.grace.get(&format!("{SHOP}/members.csv")).await.body;
    let lines: Vec<_> = csv.split("\r\n").collect();
    assert_eq!(lines.len(), 4, "{csv}");
    assert!(lines[0].starts_with("id,name,handle,email,email_verified,roles,status,servers"), "{csv}");
    assert!(csv.contains("\"active\",\"Bitbucket at 127.0.0.1"), "{csv}");
    let log = shop.grace.get(&format!("{SHOP}/log")).await.body;
    assert!(log.contains("logged in with"), "{log}");
    assert!(!log.contains("failed"), "{log}");
    assert!(shop.log().await.contains("exported the members of the website shop"));
}
