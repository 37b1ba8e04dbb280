//! An application of a website, as the tests of OpenID Connect need it.

use super::Shop;
use crate::testing::{Browser, Seen, path_of};
use axum::http::{Request, StatusCode};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use stave_app::ClientForm;
use std::collections::BTreeMap;
use url::{Url, form_urlencoded::Serializer};

/// Of RFC 7636, appendix B.
pub(super) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(super) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// Where the application is.
pub(super) const CALLBACK: &str = "https://app.example/cb";

/// An application of the shop: id, secret (empty for one in a browser), and a way to call Stave that keeps no cookies.
pub(super) struct Application {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) web: Browser,
    /// The path of the issuer.
    pub(super) path: String,
}

/// The form of an application on a server that need not use PKCE and may refresh.
pub(super) fn on_a_server() -> ClientForm {
    let on = || Some("on".to_owned());
    ClientForm {
        name: "App".into(),
        kind: "confidential".into(),
        redirect_uris: CALLBACK.into(),
        post_logout_uris: "https://app.example/bye".into(),
        pkce_required: None,
        is_own: on(),
        may_refresh: on(),
    }
}

/// The form of one in a browser.
pub(super) fn in_a_browser() -> ClientForm {
    ClientForm { kind: "browser".into(), ..on_a_server() }
}

impl Shop {
    /// Adds an application.
    pub(super) async fn add(&self, form: ClientForm) -> Application {
        self.add_to("shop", form).await
    }

    /// Adds an application to another website of acme.
    pub(super) async fn add_to(&self, slug: &str, form: ClientForm) -> Application {
        let actor = self.site.actor(&self.grace).await;
        let made = self.site.app.website_client_create(&actor, "acme", slug, &form).await.unwrap();
        Application {
            id: made.client.public_id,
            secret: made.secret.map(|secret| secret.expose().to_owned()).unwrap_or_default(),
            web: self.site.browser(),
            path: format!("/w/{slug}"),
        }
    }
}

/// A query string; later values take the place of earlier ones, and `None` leaves one out.
fn query(parameters: &[(&str, &str)], changes: &[(&str, Option<&str>)]) -> String {
    let mut all: BTreeMap<&str, &str> = parameters.iter().copied().collect();
    for (name, value) in changes {
        match value {
            Some(value) => all.insert(name, value),
            None => all.remove(name),
        };
    }
    Serializer::new(String::new()).extend_pairs(all).finish()
}

impl Application {
    /// The path of its authorization request, with these changes.
    pub(super) fn door(&self, changes: &[(&str, Option<&str>)]) -> String {
        let usual = [
            ("client_id", self.id.as_str()),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", "openid profile email offline_access"),
            ("state", "st&a te"),
            ("nonce", "n-1"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        format!("{}/authorize?{}", self.path, query(&usual, changes))
    }

    /// The code that a visitor who is signed in brings.
    pub(super) async fn code(&self, visitor: &mut Browser, changes: &[(&str, Option<&str>)]) -> String {
        let back = visitor.get(&self.door(changes)).await;
        answer(&back).remove("code").unwrap_or_else(|| panic!("no code: {} {}", back.location, back.body))
    }

    /// Calls an endpoint with a form, with id and secret in it.
    pub(super) async fn call(&mut self, endpoint: &str, form: &[(&str, &str)]) -> Seen {
        let mut form: Vec<_> = form.iter().filter(|(_, value)| !value.is_empty()).copied().collect();
        if !form.iter().any(|(name, _)| *name == "client_id") {
            form.push(("client_id", &self.id));
        }
        if !self.secret.is_empty() && !form.iter().any(|(name, _)| *name == "client_secret") {
            form.push(("client_secret", &self.secret));
        }
        let path = format!("{}/{endpoint}", self.path);
        let seen = self.web.post(&path, &form).await;
        assert!(self.web.cookies.is_empty(), "an application gets no cookies");
        seen
    }

    /// Redeems a code, with these changes (an empty value leaves one out).
    pub(super) async fn redeem(&mut self, code: &str, changes: &[(&str, &str)]) -> Seen {
        let usual = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        let kept = usual.iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        let form: Vec<_> = kept.chain(changes).copied().collect();
        self.call("token", &form).await
    }

    /// Everything from the request to the tokens.
    pub(super) async fn tokens(&mut self, visitor: &mut Browser) -> Value {
        let code = self.code(visitor, &[]).await;
        let tokens = self.redeem(&code, &[]).await;
        assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.body);
        tokens.json()
    }

    /// Uses a refresh token.
    pub(super) async fn refresh(&mut self, token: &Value, scope: &str) -> Seen {
        let form =
            [("grant_type", "refresh_token"), ("refresh_token", token.as_str().unwrap()), ("scope", scope)];
        self.call("token", &form).await
    }

    /// Asks the user info endpoint.
    pub(super) async fn user_info(&mut self, token: &Value) -> Seen {
        let bearer = format!("Bearer {}", token.as_str().unwrap());
        let request = Request::get(format!("{}/userinfo", self.path)).header("authorization", bearer);
        self.web.send(request, "").await
    }
}

impl Seen {
    /// A header, or nothing.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body of an answer to a machine.
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{}: {}", self.status, self.body))
    }
}

/// What an application reads in the address to which a visitor came back.
pub(super) fn answer(back: &Seen) -> BTreeMap<String, String> {
    assert_eq!(back.status, StatusCode::SEE_OTHER, "{}", back.body);
    let url = Url::parse(&back.location).unwrap();
    assert_eq!(url.origin().ascii_serialization(), "https://app.example", "{url}");
    assert_eq!((back.header("cache-control"), back.header("referrer-policy")), ("no-store", "no-referrer"));
    let told: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!(told["iss"], "http://127.0.0.1:8080/w/shop");
    told
}

/// The `error` in such an address.
pub(super) fn error(back: &Seen) -> String {
    let told = answer(back);
    assert!(!told.contains_key("code"));
    told["error"].clone()
}

/// The `error` of an answer to a call; the answer is as RFC 6749 wants it.
pub(super) fn refusal(seen: &Seen, status: StatusCode) -> String {
    assert_eq!(seen.status, status, "{}", seen.body);
    assert_eq!((seen.header("content-type"), seen.header("cache-control")), ("application/json", "no-store"));
    let told = seen.json();
    let description = told["error_description"].as_str().unwrap();
    assert!(
        description.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b'"' && b != b'\\'),
        "{description}"
    );
    told["error"].as_str().unwrap().to_owned()
}

/// Claims of a token, not verified.
pub(super) fn claims(token: &Value) -> Value {
    let part = token.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// A page's hidden field.
pub(super) fn hidden(page: &str, name: &str) -> String {
    let mark = format!("name=\"{name}\" value=\"");
    let start = page.find(&mark).unwrap_or_else(|| panic!("no field {name}: {page}")) + mark.len();
    let text = &page[start..start + page[start..].find('"').unwrap()];
    text.replace("&#38;", "&").replace("&amp;", "&").replace("&#34;", "\"").replace("&#39;", "'")
}

/// Presses the button of the form that a page shows, as this person, and comes back.
pub(super) async fn log_in_through(shop: &Shop, visitor: &mut Browser, page: &Seen, person: &str) -> Seen {
    assert_eq!(page.status, StatusCode::OK, "{} {}", page.location, page.body);
    assert!(page.body.contains("Log in with Bitbucket"), "{}", page.body);
    let request = hidden(&page.body, "request");
    let away = visitor.post("/w/shop/login/bitbucket", &[("request", &request)]).await;
    let back = shop.bitbucket.grant_access(&away.location, person).await;
    visitor.get(&path_of(&back)).await
}
