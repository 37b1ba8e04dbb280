//! What the visitor sees, or must not see: `prompt`, `max_age`, `id_token_hint`.

use super::Plan;
use crate::support::website::{BUTTON, query};
use std::time::Duration;

/// `auth_time` has whole seconds: the next sign-in is in another one.
async fn a_second_later() {
    tokio::time::sleep(Duration::from_millis(1100)).await;
}

#[tokio::test]
async fn nothing_is_asked_of_whom_nothing_may_be_asked() {
    let plan = Plan::start().await;
    let stranger = plan.go(&[("prompt", "none")]).await;
    plan.assert_refused(&stranger, "login_required");
    assert_eq!(query(&stranger, "state"), "the state");

    let first = plan.claims(&plan.redeem(&plan.sign_in(&[]).await).await).await;
    let silent = plan.claims(&plan.redeem(&plan.go(&[("prompt", "none")]).await).await).await;
    assert_eq!((&first["sub"], &first["auth_time"]), (&silent["sub"], &silent["auth_time"]));
}

#[tokio::test]
async fn a_visitor_signs_in_anew_when_the_client_wants_it() {
    let plan = Plan::start().await;
    let first = plan.claims(&plan.redeem(&plan.sign_in(&[]).await).await).await;
    a_second_later().await;
    for parameter in [("prompt", "login"), ("max_age", "1"), ("max_age", "0")] {
        a_second_later().await;
        let form = plan.go(&[parameter]).await;
        form.shows(BUTTON);
        plan.assert_here(&form);
        let back = plan.visitor.sign_in_at(&form).await;
        let again = plan.claims(&plan.redeem(&back).await).await;
        assert_eq!(again["sub"], first["sub"], "{parameter:?}");
        assert!(again["auth_time"].as_i64() > first["auth_time"].as_i64(), "{parameter:?}: {again}");
    }
}

#[tokio::test]
async fn a_sign_in_that_is_young_enough_counts() {
    let plan = Plan::start().await;
    let first = plan.claims(&plan.redeem(&plan.sign_in(&[("max_age", "15000")]).await).await).await;
    a_second_later().await;
    let again = plan.claims(&plan.redeem(&plan.go(&[("max_age", "10000")]).await).await).await;
    assert_eq!(again["auth_time"], first["auth_time"]);
    plan.assert_refused(&plan.go(&[("max_age", "0"), ("prompt", "none")]).await, "login_required");
}

#[tokio::test]
async fn a_hint_names_who_is_meant() {
    let plan = Plan::start().await;
    let tokens = plan.redeem(&plan.sign_in(&[]).await).await;
    let adas = [("prompt", "none"), ("id_token_hint", tokens.text("id_token"))];
    let again = plan.claims(&plan.redeem(&plan.go(&adas).await).await).await;
    assert_eq!(again["sub"], plan.claims(&tokens).await["sub"]);

    let grace = Plan { visitor: plan.website.visitor("grace"), ..plan };
    grace.sign_in(&[]).await;
    grace.assert_refused(&grace.go(&adas).await, "login_required");
}

#[tokio::test]
async fn a_visitor_chooses_and_agrees_when_the_client_wants_it() {
    let plan = Plan::start().await;
    plan.sign_in(&[]).await;
    let choice = plan.go(&[("prompt", "select_account")]).await;
    plan.assert_here(&choice);
    choice.shows(BUTTON).shows("Ada Example");
    let question = plan.go(&[("prompt", "consent")]).await;
    plan.assert_here(&question);
    question.shows("Application");
}
