//! The modules of the OpenID Foundation's plans "Basic OP", "Config OP" and "RP-Initiated Logout OP", one by one, as far as a server on
//! loopback can run them: its suite asks for https and a public name. Signatures are judged by `PyJWT` and joserfc.

mod code;
mod discovery;
mod logout;
mod prompt;
mod refusal;
mod token;

use crate::support::{
    Answer, TestWebsite, Visitor,
    judge::Signatures,
    website::{Reply, TestClient, query},
};
use serde_json::Value;

/// What a plan runs with: a client with a secret and without PKCE, and a visitor.
struct Plan {
    website: TestWebsite,
    client: TestClient,
    visitor: Visitor,
}

impl Plan {
    async fn start() -> Self {
        let website = TestWebsite::start().await;
        Self { client: website.plain_client().await, visitor: website.visitor("ada"), website }
    }

    /// The browser goes to the authorization endpoint, and comes out where it is sent.
    async fn go(&self, parameters: &[(&str, &str)]) -> Answer {
        self.visitor.browser.open(&self.website.authorize(&self.client, parameters)).await
    }

    /// As `go`, and the visitor signs in on the page that has to be there.
    async fn sign_in(&self, parameters: &[(&str, &str)]) -> Answer {
        self.visitor.sign_in(&self.website.authorize(&self.client, parameters)).await
    }

    /// What the code is worth with which the browser came back.
    async fn redeem(&self, back: &Answer) -> Reply {
        self.assert_back(back);
        self.website.redeem(&self.client, back).await.granted()
    }

    /// The claims of the ID token, after the judges found nothing wrong with it.
    async fn claims(&self, tokens: &Reply) -> Value {
        let keys = self.website.get("/jwks").await.granted().json;
        let parties = (self.website.issuer.as_str(), self.client.id.as_str());
        let mut judged = Signatures::new().judge(tokens.text("id_token"), &keys, parties).await;
        assert_eq!(judged["problem"], Value::Null, "{judged}");
        assert_eq!(
            (&judged["header"]["alg"], &judged["header"]["typ"]),
            (&"RS256".into(), &"JWT".into()),
            "{judged}"
        );
        assert!(judged["header"]["kid"].is_string(), "{judged}");
        judged["claims"].take()
    }

    /// Fails unless the browser is back at the client, with its state.
    #[track_caller]
    fn assert_back(&self, answer: &Answer) {
        let at = answer.url.as_str();
        assert!(at.starts_with(&self.client.redirect_uri), "{at} ({}):\n{}", answer.status, answer.text());
        assert_eq!(query(answer, "iss"), self.website.issuer, "{at}");
    }

    /// Fails unless the browser is back at the client with this error, and with everything that belongs to it.
    #[track_caller]
    fn assert_refused(&self, answer: &Answer, error: &str) {
        self.assert_back(answer);
        assert_eq!(
            (query(answer, "error").as_str(), query(answer, "code").as_str()),
            (error, ""),
            "{}",
            answer.url
        );
        let description = query(answer, "error_description");
        let is_printable = |c: char| matches!(c, ' '..='~') && c != '"' && c != '\\';
        assert!(description.chars().all(is_printable), "{description}");
    }

    /// Fails unless the browser is on a page of the issuer.
    #[track_caller]
    fn assert_here(&self, answer: &Answer) {
        assert!(answer.url.as_str().starts_with(&self.website.issuer), "{}", answer.url);
    }
}
