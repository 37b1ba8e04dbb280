//! Sign-out that begins at a client (OpenID Connect RP-Initiated Logout 1.0).

use super::Plan;
use crate::support::{
    Answer,
    website::{LOG_OUT, Reply, query},
};
use url::Url;

impl Plan {
    /// A plan whose visitor is signed in, and the ID token of that.
    async fn signed_in() -> (Self, String) {
        let plan = Self::start().await;
        let tokens = plan.redeem(&plan.sign_in(&[]).await).await;
        let hint = tokens.text("id_token").to_owned();
        (plan, hint)
    }

    /// Goes to the end session endpoint.
    async fn log_out(&self, parameters: &[(&str, &str)]) -> Answer {
        let mut url = Url::parse(&self.website.at("/logout")).unwrap();
        url.query_pairs_mut().extend_pairs(parameters);
        self.visitor.browser.open(url.as_str()).await
    }

    fn bye(&self) -> String {
        self.website.application.at("/bye")
    }

    async fn is_signed_in(&self) -> bool {
        query(&self.go(&[("prompt", "none")]).await, "error").is_empty()
    }
}

#[tokio::test]
async fn with_a_hint_the_visitor_is_signed_out_and_sent_back() {
    for state in ["a state & more", ""] {
        let (plan, hint) = Plan::signed_in().await;
        let bye = plan.bye();
        let mut parameters = vec![("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", &bye)];
        if !state.is_empty() {
            parameters.push(("state", state));
        }
        let back = plan.log_out(&parameters).await;
        assert!(back.url.as_str().starts_with(&bye), "{}:\n{}", back.url, back.text());
        assert_eq!(query(&back, "state"), state);
        assert_eq!(back.url.query().is_none(), state.is_empty(), "{}", back.url);
        assert!(!plan.is_signed_in().await);
    }
}

#[tokio::test]
async fn nobody_is_sent_where_the_client_did_not_say_so() {
    let (plan, hint) = Plan::signed_in().await;
    let bye = plan.bye();
    let (queried, elsewhere) = (format!("{bye}?foo=bar"), "https://evil.example/".to_owned());
    for uri in [&queried, &elsewhere] {
        let page = plan
            .log_out(&[("id_token_hint", &hint), ("post_logout_redirect_uri", uri), ("state", "s")])
            .await;
        plan.assert_here(&page);
    }
}

#[tokio::test]
async fn without_a_hint_that_holds_the_visitor_is_asked() {
    let (plan, hint) = Plan::signed_in().await;
    let bye = plan.bye();
    let (unsigned, payload) = (hint.rsplit_once('.').unwrap().0, hint.split('.').nth(1).unwrap());
    let middle = unsigned.len() + 20;
    let other = if hint.as_bytes()[middle] == b'A' { "B" } else { "A" };
    let forged = format!("{}{other}{}", &hint[..middle], &hint[middle + 1..]);
    // {"alg":"none"}
    let none = format!("eyJhbGciOiJub25lIn0.{payload}.");
    for parameters in [
        &[("post_logout_redirect_uri", bye.as_str()), ("state", "s")][..],
        &[("id_token_hint", &forged), ("post_logout_redirect_uri", &bye), ("state", "s")],
        &[("id_token_hint", &none), ("post_logout_redirect_uri", &bye), ("state", "s")],
        &[("state", "s")],
        &[],
    ] {
        let page = plan.log_out(parameters).await;
        plan.assert_here(&page);
        page.form(LOG_OUT);
        assert!(plan.is_signed_in().await, "{parameters:?}: it was only a question");
    }
    let page = plan.log_out(&[]).await;
    let done = plan.visitor.browser.press(&page, LOG_OUT).await;
    plan.assert_here(&done);
    assert!(!plan.is_signed_in().await);
}

#[tokio::test]
async fn with_a_hint_and_no_address_the_visitor_stays_here() {
    let (plan, hint) = Plan::signed_in().await;
    let page = plan.log_out(&[("id_token_hint", &hint)]).await;
    plan.assert_here(&page);
    assert!(!plan.is_signed_in().await);
    let again = plan.go(&[]).await;
    again.shows(crate::support::website::BUTTON);
}

#[tokio::test]
async fn a_client_may_name_itself_and_the_visitor_agrees() {
    let (plan, _) = Plan::signed_in().await;
    let bye = plan.bye();
    let named = [("client_id", plan.client.id.as_str()), ("post_logout_redirect_uri", &bye), ("state", "s")];
    let page = plan.log_out(&named).await;
    plan.assert_here(&page);
    let back = plan.visitor.browser.press(&page, LOG_OUT).await;
    assert_eq!(back.url.as_str(), format!("{bye}?state=s"));
    assert!(!plan.is_signed_in().await);
}

#[tokio::test]
async fn tokens_end_with_the_sign_in() {
    let plan = Plan::start().await;
    let tokens = plan.redeem(&plan.sign_in(&[("scope", "openid offline_access")]).await).await;
    let fields = [("id_token_hint", tokens.text("id_token")), ("post_logout_redirect_uri", &plan.bye())];
    let page = plan.visitor.browser.send(&plan.website.at("/logout"), &fields).await;
    assert!(page.url.as_str().starts_with(&plan.bye()), "{}:\n{}", page.url, page.text());
    plan.website.refresh(&plan.client, tokens.text("refresh_token")).await.refuses(400, "invalid_grant");
    let user: Reply = plan.website.user(tokens.text("access_token")).await;
    assert_eq!(user.status.as_u16(), 401);
}
