//! Buttons: who is behind them, and what they count as.

use super::{Desk, PAGE};
use axum::http::StatusCode;

#[tokio::test]
async fn an_integration_lends_its_button_and_takes_it_with_it() {
    let mut desk = Desk::new().await;
    let page = desk.page().await;
    assert!(
        page.contains("integration_bitbucket_on") && page.contains("/oauth/callback/bitbucket"),
        "{page}"
    );
    let on = [
        ("action", "save"),
        ("whole", "on"),
        ("integration_bitbucket_on", "on"),
        ("integration_bitbucket_label", "With ours"),
    ];
    let saved = desk.grace.post(PAGE, &on).await;
    assert_eq!(saved.location, format!("{PAGE}?done=setting-saved"), "{}", saved.body);
    assert!(desk.visitors_form().await.contains("With ours"));
    desk.send("save", &[("whole", "on")]).await;
    assert!(!desk.visitors_form().await.contains("With ours"));

    let admin = desk.ada.get("/admin").await.body;
    let id = admin.split_once("/admin/integrations/").unwrap().1.split(['"', '/']).next().unwrap().to_owned();
    let deleted = desk.ada.post(&format!("/admin/integrations/{id}/delete"), &[]).await;
    assert_eq!(deleted.status, StatusCode::SEE_OTHER, "{}", deleted.body);
    let back = desk.site.actor(&desk.grace).await;
    let back = desk.site.app.website_revision_restore(&back, ("acme", "shop"), 1).await.unwrap_err();
    assert!(back.to_string().contains("With ours") && back.to_string().contains("was deleted"), "{back}");
}

#[tokio::test]
async fn buttons_differ_in_their_words() {
    let mut desk = Desk::new().await;
    let both =
        [("integration_bitbucket_on", "on"), ("integration_bitbucket_label", "LOG IN with Bitbucket ")];
    let refused = desk.send("apply", &both).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("id=\"integration_bitbucket_label-problem\""), "beside the second");
    assert!(refused.body.contains("could not tell them apart"), "{}", refused.body);
    let off = [("whole", "on"), ("integration_bitbucket_label", "Log in with Bitbucket")];
    assert_eq!(desk.send("apply", &off).await.status, StatusCode::SEE_OTHER, "nobody sees the other one");
}

#[tokio::test]
async fn only_admins_trust_every_address() {
    let mut desk = Desk::new().await;
    let all = ("bitbucket_email", "all");
    let refused = desk.send("apply", &[all]).await;
    assert!(refused.body.contains("Only admins of this installation"), "{}", refused.body);
    desk.send("apply", &[]).await;
    let ada = desk.ada.post(PAGE, &[("action", "save"), all]).await;
    assert_eq!(ada.location, format!("{PAGE}?done=setting-saved"), "{}", ada.body);
    let log = desk.grace.get("/orgs/acme/settings/log").await.body;
    assert!(log.contains("every e-mail address counts as verified with"), "{log}");
    let kept = desk.send("apply", &[all, ("title", "Hello")]).await;
    assert_eq!(kept.status, StatusCode::SEE_OTHER, "it keeps its value for others");
}

#[tokio::test]
async fn taking_a_button_away_signs_out_who_came_in_with_it_if_wanted() {
    let mut desk = Desk::new().await;
    let both = [("integration_bitbucket_on", "on"), ("integration_bitbucket_label", "With ours")];
    desk.send("save", &both).await;
    let mut visitor = desk.site.browser();
    let away = visitor.post("/w/shop/login/bitbucket", &[]).await;
    visitor.grant(&away, &desk.bitbucket, "linus").await;
    assert_eq!(desk.counts().await, (1, 1));
    let off =
        [("action", "save"), ("whole", "on"), ("integration_bitbucket_on", "on"), ("ends_logins", "on")];
    desk.grace.post(PAGE, &off).await;
    assert_eq!(desk.counts().await, (1, 0));
}

#[tokio::test]
async fn a_narrower_button_asks_again_who_came_in_with_it() {
    let mut desk = Desk::new().await;
    desk.send("save", &[]).await;
    let mut visitor = desk.site.browser();
    let away = visitor.post("/w/shop/login/bitbucket", &[]).await;
    visitor.grant(&away, &desk.bitbucket, "linus").await;
    desk.send("save", &[("title", "Hello")]).await;
    assert_eq!(desk.counts().await, (1, 1), "another title changes nothing for them");
    let narrow = ("bitbucket_workspaces", "{00000000-0000-0000-0000-00000000abcd}");
    let saved = desk.send("save", &[("title", "Hello"), narrow]).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.body);
    assert_eq!(desk.counts().await, (1, 0));
}

#[tokio::test]
async fn an_older_data_center_gets_a_key_pair_at_apply() {
    let mut desk = Desk::new().await;
    let fields = [
        ("action", "apply"),
        ("data_center_on", "on"),
        ("data_center_base_url", "https://git.acme.example"),
        ("data_center_oauth", "1"),
    ];
    let applied = desk.grace.post(PAGE, &fields).await;
    assert_eq!(applied.location, format!("{PAGE}?done=draft-applied"), "{}", applied.body);
    let page = desk.page().await;
    let key =
        |page: &str| page.split_once("-----BEGIN PUBLIC KEY-----").map(|(_, rest)| rest[..60].to_owned());
    assert!(page.contains("Consumer Key") && !page.contains("PRIVATE KEY"));
    assert!(key(&page).is_some());
    desk.grace.post(PAGE, &fields).await;
    assert_eq!(key(&desk.page().await), key(&page), "it stays");
    desk.grace
        .post(PAGE, &[&fields[..], &[("data_center_base_url", "https://other.example")]].concat())
        .await;
    assert_ne!(key(&desk.page().await), key(&page), "another server gets another one");
}
