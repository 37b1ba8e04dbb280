//! `api/filter/`: what lists of bad versions say (Composer 2.10).

use super::{ReadBy, advisory::package_name, answer};
use crate::error::ApiError;
use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde_json::json;
use stave_app::App;

#[derive(serde::Deserialize)]
struct Asked {
    /// Names, or package URLs such as `pkg://composer/acme/lib`.
    packages: Vec<String>,
    /// Which lists; without any, all.
    #[serde(default)]
    lists: Vec<String>,
}

/// `POST /repo/{organization}/api/filter/`
pub(super) async fn filter(
    State(app): State<App>,
    ReadBy(reader): ReadBy,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let Ok(Asked { packages, lists }) = serde_json::from_slice(&body) else {
        let sentence = "This is no question about packages. Send JSON like {\"packages\": [\"pkg://composer/acme/lib\"], \"lists\": [\"malware\"]}.";
        return Err(ApiError::new(StatusCode::BAD_REQUEST, sentence));
    };
    let names: Vec<&str> = packages.iter().map(|name| package_name(name)).collect();
    let said = app.composer_filter(&reader, &names, &lists).await?;
    Ok(answer::fresh(&headers, json!({ "filter": said }).to_string().into_bytes()))
}
