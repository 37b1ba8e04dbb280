//! The endpoints that applications call with who they are: tokens, and taking them back.

use super::error::{OAuthError, answer};
use crate::request::Caller;
use axum::{
    Router,
    extract::{FromRequest, FromRequestParts, Path, Request, State},
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    response::Response,
    routing::post,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use stave_app::{App, Call, Credentials, Issuer, Tokens, Visitor};
use stave_domain::Secret;
use url::form_urlencoded;

pub(crate) fn router() -> Router<App> {
    Router::new().route("/w/{slug}/token", post(token)).route("/w/{slug}/revoke", post(revoke))
}

/// What an application sent, and to which website.
struct Sent {
    issuer: Issuer,
    form: Vec<(String, String)>,
    basic: Option<Credentials>,
    visitor: Visitor,
    /// What it has to show if it is not who it says: in the way in which it tried.
    challenge: String,
}

impl Sent {
    fn call(&self) -> Call<'_> {
        Call { form: &self.form, basic: self.basic.as_ref(), visitor: &self.visitor }
    }

    fn error(&self, error: impl Into<OAuthError>) -> OAuthError {
        error.into().asking_for(&self.challenge)
    }
}

impl FromRequest<App> for Sent {
    type Rejection = OAuthError;

    async fn from_request(request: Request, app: &App) -> Result<Self, OAuthError> {
        let (mut parts, body) = request.into_parts();
        let Path(slug) = Path::<String>::from_request_parts(&mut parts, app)
            .await
            .map_err(|_| OAuthError::unread("The address cannot be read."))?;
        let issuer = app.issuer(&slug).await?;
        let Ok(Caller(visitor)) = Caller::from_request_parts(&mut parts, app).await;
        let realm = format!("Basic realm=\"{}\", charset=\"UTF-8\"", app.issuer_address(&issuer.website));
        let basic = basic(&parts.headers).map_err(|error| error.asking_for(&realm))?;
        let challenge = if basic.is_some() { realm } else { String::new() };
        let form =
            axum::Form::<Vec<(String, String)>>::from_request(Request::from_parts(parts, body), app).await;
        let axum::Form(form) = form.map_err(|_| {
            OAuthError::unread(
                "The body has to be a form (application/x-www-form-urlencoded) of at most 1 MiB.",
            )
        })?;
        Ok(Self { issuer, form, basic, visitor, challenge })
    }
}

/// `POST /w/{slug}/token`
async fn token(State(app): State<App>, sent: Sent) -> Result<Response, OAuthError> {
    let tokens = app.issuer_token(&sent.issuer, sent.call()).await.map_err(|refused| sent.error(refused))?;
    Ok(answer(&json_of(&tokens)))
}

/// `POST /w/{slug}/revoke`
async fn revoke(State(app): State<App>, sent: Sent) -> Result<StatusCode, OAuthError> {
    app.issuer_revoke(&sent.issuer, sent.call()).await.map_err(|refused| sent.error(refused))?;
    Ok(StatusCode::OK)
}

/// RFC 6749, section 5.1. What is not there is left out.
fn json_of(tokens: &Tokens) -> serde_json::Value {
    let mut body = json!({
        "access_token": tokens.access_token.expose(),
        "token_type": "Bearer",
        "expires_in": tokens.expires_in,
        "scope": tokens.scopes.to_string(),
    });
    for (name, secret) in [("refresh_token", &tokens.refresh_token), ("id_token", &tokens.id_token)] {
        if let Some(secret) = secret {
            body[name] = json!(secret.expose());
        }
    }
    body
}

/// Id and secret in the `Authorization` header; each was encoded like a form before (RFC 6749, section 2.3.1).
fn basic(headers: &HeaderMap) -> Result<Option<Credentials>, OAuthError> {
    let Some(header) = headers.get(AUTHORIZATION) else { return Ok(None) };
    let read = || {
        let (scheme, text) = header.to_str().ok()?.split_once(' ')?;
        let decoded = STANDARD.decode(text.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
        let pair = String::from_utf8(decoded).ok()?;
        let (id, secret) = pair.split_once(':')?;
        Some(Credentials { client_id: unescaped(id)?, secret: Secret::new(unescaped(secret)?) })
    };
    read().map(Some).ok_or_else(|| {
        OAuthError::new(
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            "The Authorization header cannot be read. It has to be Basic with the id and the secret of the client.",
        )
    })
}

/// A value that was encoded like a form. One that is no pair by itself is what stands left of the `=`.
fn unescaped(text: &str) -> Option<String> {
    let is_one = !text.contains(['&', '=']);
    let (name, _) = form_urlencoded::parse(text.as_bytes()).next().unwrap_or_default();
    is_one.then(|| name.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_and_secret_are_encoded_like_a_form() {
        let read = |text: &str| {
            let header = format!("Basic {}", STANDARD.encode(text)).parse().unwrap();
            let found = basic(&HeaderMap::from_iter([(AUTHORIZATION, header)])).ok().flatten();
            found.map(|found| (found.client_id, found.secret.expose().to_owned()))
        };
        let pair = |id: &str, secret: &str| Some((id.to_owned(), secret.to_owned()));
        assert_eq!(read("shop:s3cret"), pair("shop", "s3cret"));
        assert_eq!(read("a%3Ab:c%2Fd+e%25"), pair("a:b", "c/d e%"));
        assert_eq!(read("shop:"), pair("shop", ""));
        assert_eq!(read("shop"), None);
        for other in ["Bearer x", "Basic %%%", "Basic", ""] {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, other.parse().unwrap())]);
            assert!(basic(&headers).is_err(), "{other}");
        }
        assert!(basic(&HeaderMap::new()).unwrap().is_none());
    }
}
