//! What an application asks about a member with its access token (OpenID Connect Core, section 5.3; RFC 6750).

use super::error::{OAuthError, answer};
use axum::{
    Router,
    extract::{Path, State},
    http::{
        HeaderMap, StatusCode,
        header::{AUTHORIZATION, CONTENT_TYPE},
    },
    response::Response,
    routing::get,
};
use bytes::Bytes;
use stave_app::{App, UserInfo};
use stave_domain::Secret;
use url::form_urlencoded;

pub(crate) fn router() -> Router<App> {
    Router::new().route("/w/{slug}/userinfo", get(show).post(show))
}

/// `GET` and `POST /w/{slug}/userinfo`
async fn show(
    State(app): State<App>,
    Path(slug): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, OAuthError> {
    let issuer = app.issuer(&slug).await?;
    let refused =
        |status, code, sentence, challenge| OAuthError::new(status, code, sentence).asking_for(challenge);
    let Some(token) = token(&headers, &body)? else {
        let sentence = "An access token is needed: Authorization: Bearer and the token.";
        return Err(refused(StatusCode::UNAUTHORIZED, "invalid_token", sentence, "Bearer"));
    };
    match app.issuer_user_info(&issuer, &token).await? {
        UserInfo::Claims(claims) => Ok(answer(&claims.into())),
        UserInfo::Invalid => Err(refused(
            StatusCode::UNAUTHORIZED,
            "invalid_token",
            "The access token is not known or is over.",
            "Bearer error=\"invalid_token\"",
        )),
        UserInfo::NotForThis => Err(refused(
            StatusCode::FORBIDDEN,
            "insufficient_scope",
            "The access token is not for this: its scope has no openid.",
            "Bearer error=\"insufficient_scope\", scope=\"openid\"",
        )),
    }
}

/// The token in the header or, in a form that was sent, in the body; in both it is refused (RFC 6750, section 2).
fn token(headers: &HeaderMap, body: &[u8]) -> Result<Option<Secret>, OAuthError> {
    let is_form = headers
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    let in_body = form_urlencoded::parse(if is_form { body } else { b"" })
        .find(|(name, _)| name == "access_token")
        .map(|(_, token)| Secret::new(token));
    let in_header = headers
        .get(AUTHORIZATION)
        .and_then(|header| header.to_str().ok()?.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| Secret::new(token.trim()));
    match (in_header, in_body) {
        (Some(_), Some(_)) => Err(OAuthError::unread("The access token stands twice in the request.")),
        (in_header, in_body) => Ok(in_header.or(in_body).filter(|token| !token.is_empty())),
    }
}
