//! `providers/<name>.json`: who provides a name that no package has, such as `psr/log-implementation` or `ext-mongodb`.

use super::{ReadBy, answer};
use crate::error::ApiError;
use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};
use serde_json::{Value, json};
use stave_app::{App, FoundPackage, Reader};
use stave_domain::package::PackageName;

/// `GET /repo/{organization}/providers/{vendor}/{file}`
pub(super) async fn of_package(
    State(app): State<App>,
    ReadBy(reader): ReadBy,
    Path((_, vendor, file)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    answer(&app, &reader, &format!("{vendor}/{file}"), &headers).await
}

/// `GET /repo/{organization}/providers/{file}`: of a part of the platform.
pub(super) async fn of_platform(
    State(app): State<App>,
    ReadBy(reader): ReadBy,
    Path((_, file)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    answer(&app, &reader, &file, &headers).await
}

async fn answer(app: &App, reader: &Reader, file: &str, headers: &HeaderMap) -> Result<Response, ApiError> {
    let name = file.strip_suffix(".json").unwrap_or_default();
    let found = app.composer_providers(reader, name).await?;
    let providers: Vec<Value> = found.iter().map(provider).collect();
    Ok(answer::fresh(headers, json!({ "providers": providers }).to_string().into_bytes()))
}

fn provider(found: &FoundPackage) -> Value {
    json!({
        "name": found.package.name.as_ref().map(PackageName::as_str),
        "description": found.package.description,
        "type": found.kind,
    })
}
