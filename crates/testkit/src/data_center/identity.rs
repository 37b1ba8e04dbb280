//! What the server says of itself and of the caller.

use super::{caller::Caller, error::ApiError, listing::Listing, state::Fake};
use axum::{
    Json,
    extract::{OriginalUri, State as Extract},
    response::Response,
};
use serde_json::{Value, json};
use std::sync::Arc;

/// `GET /rest/api/1.0/application-properties`: for everybody
pub(crate) async fn properties(Extract(fake): Extract<Arc<Fake>>) -> Json<Value> {
    let version = fake.state().version;
    Json(json!({
        "version": version.number(),
        "buildNumber": version.build_number(),
        "buildDate": "1700000000000",
        "displayName": "Bitbucket",
    }))
}

/// `GET /plugins/servlet/applinks/whoami`: the user name, or nothing at all
pub(crate) async fn whoami(Extract(fake): Extract<Arc<Fake>>, caller: Caller) -> String {
    caller.name(&fake.state()).unwrap_or_default()
}

/// `GET /rest/authconfig/1.0/login-options`: for everybody, where OAuth 2 is; under `results`
pub(crate) async fn login_options(
    Extract(fake): Extract<Arc<Fake>>,
    OriginalUri(uri): OriginalUri,
    listing: Listing,
) -> Result<Response, ApiError> {
    let state = fake.state();
    if !state.version.has_oauth2() {
        return Err(ApiError::no_resource(uri.path()));
    }
    let form = json!({
        "type": "LOGIN_FORM",
        "id": 0,
        "loginLink": fake.url(&state, "/login"),
        "buttonText": "Log in with username and password",
    });
    listing.page([form], Some, "results")
}
