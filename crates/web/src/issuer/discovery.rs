//! What a client learns about a website before it sends anybody there: OpenID Connect Discovery 1.0 and RFC 8414.

use super::error::OAuthError;
use axum::{
    Router,
    extract::{Path, State},
    http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value, json};
use stave_app::App;
use stave_domain::website::Scope;

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/w/{slug}/.well-known/openid-configuration", get(describe))
        // RFC 8414, section 3: the well-known part comes before the path of the issuer.
        .route("/.well-known/openid-configuration/w/{slug}", get(describe))
        .route("/.well-known/oauth-authorization-server/w/{slug}", get(describe))
        .route("/w/{slug}/jwks", get(keys))
}

/// `GET /w/{slug}/.well-known/openid-configuration`
async fn describe(State(app): State<App>, Path(slug): Path<String>) -> Result<Response, OAuthError> {
    let issuer = app.issuer(&slug).await?;
    let document = document(&app.issuer_address(&issuer.website));
    Ok(public(&document, "public, max-age=3600"))
}

/// `GET /w/{slug}/jwks`
async fn keys(State(app): State<App>, Path(slug): Path<String>) -> Result<Response, OAuthError> {
    let issuer = app.issuer(&slug).await?;
    let keys = app.issuer_key_set(&issuer.website).await?;
    Ok(public(&keys, "public, max-age=600"))
}

/// Scripts of any page may read it.
fn public(document: &Value, cache: &'static str) -> Response {
    let headers =
        [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, cache), (ACCESS_CONTROL_ALLOW_ORIGIN, "*")];
    (headers, document.to_string()).into_response()
}

/// What is left out has a default (OpenID Connect Discovery 1.0, section 3), and some defaults promise what is not there.
fn document(issuer: &str) -> Value {
    let at = |path: &str| format!("{issuer}/{path}");
    let authentication = ["client_secret_basic", "client_secret_post", "none"];
    json!({
        "issuer": issuer,
        "authorization_endpoint": at("authorize"),
        "token_endpoint": at("token"),
        "userinfo_endpoint": at("userinfo"),
        "jwks_uri": at("jwks"),
        "revocation_endpoint": at("revoke"),
        "end_session_endpoint": at("logout"),
        "scopes_supported": Scope::ALL.map(Scope::key),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "form_post"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": authentication,
        "revocation_endpoint_auth_methods_supported": authentication,
        "code_challenge_methods_supported": ["S256"],
        "claims_supported": [
            "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "sid", "at_hash", "name", "nickname",
            "preferred_username", "picture", "updated_at", "email", "email_verified", "groups",
        ],
        "claim_types_supported": ["normal"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "ui_locales_supported": ["en"],
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "authorization_response_iss_parameter_supported": true,
    })
}
