//! What Composer reads: packages.json, metadata, dists, lists. Enters: a request with a token. Leaves: bytes as they lie.
//!
//! Every answer to a failure is JSON with a `warning`, which Composer prints, except for packages that are not there: Composer
//! asks for each name that a vendor pattern covers, and a warning for each would drown the others.

mod answer;
mod token;

use crate::{error::ApiError, layers, organization::address};
use answer::Validators;
use axum::{
    Router,
    body::Body,
    extract::{FromRequestParts, Path, Query, RawPathParams, State},
    http::{
        HeaderMap, StatusCode,
        header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, WWW_AUTHENTICATE},
        request::Parts,
    },
    middleware::from_fn,
    response::{IntoResponse, Response},
    routing::get,
};
use futures::TryStreamExt;
use serde_json::{Value, json};
use stave_app::{App, Failure, Reader};
use stave_domain::{
    package::{Package, PackageName},
    repository::Repository,
};

pub(crate) fn router() -> Router<App> {
    let quick = Router::new()
        .route("/repo/{organization}/packages.json", get(root))
        .route("/repo/{organization}/p2/{vendor}/{file}", get(metadata))
        .route("/repo/{organization}/list.json", get(list))
        .route("/repo/{organization}/search.json", get(search))
        .layer(from_fn(layers::limit_api_time));
    // A dist may have to be built first, and a slow line may take its time.
    quick.merge(Router::new().route("/repo/{organization}/dists/{vendor}/{name}/{file}", get(dist)))
}

/// A token that may read the organization whose repository is asked. Whatever is below `/repo` needs one.
struct ReadBy(Reader);

impl FromRequestParts<App> for ReadBy {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let path =
            RawPathParams::from_request_parts(parts, app).await.map_err(IntoResponse::into_response)?;
        let short_name = path.iter().find(|(name, _)| *name == "organization").map_or("", |(_, text)| text);
        let token = token::of(&parts.headers);
        match app.composer_reader(token.as_ref(), short_name).await {
            Ok(reader) => Ok(Self(reader)),
            Err(Failure::LogInNeeded) => Err(token_needed(app, short_name, token.is_some())),
            Err(Failure::NotFound(_)) => Err(out_of_reach(short_name).into_response()),
            Err(failure) => Err(ApiError::from(failure).into_response()),
        }
    }
}

fn token_needed(app: &App, short_name: &str, was_sent: bool) -> Response {
    let what = if was_sent {
        "The token that was sent is not valid, or no longer."
    } else {
        "This Composer repository needs a token."
    };
    let sentence = format!(
        "{what} Copy the command that begins with \"composer config --global --auth http-basic.{}\" from {} and run it with your token, or make a new one there.",
        crate::composer_auth::origin(app.url()),
        app.address(&address(short_name))
    );
    ([(WWW_AUTHENTICATE, "Basic realm=\"Stave\"")], ApiError::new(StatusCode::UNAUTHORIZED, sentence))
        .into_response()
}

fn out_of_reach(short_name: &str) -> ApiError {
    let name: String = short_name.chars().take(60).collect();
    let sentence = format!(
        "There is no organization \"{name}\" here, or this token does not reach it. Check the repository URL in composer.json, or ask an owner of the organization to add you."
    );
    ApiError::new(StatusCode::NOT_FOUND, sentence)
}

/// `GET /repo/{organization}/packages.json`. It depends on the token, so it has no date: clients would keep one token's for all.
async fn root(
    State(app): State<App>,
    ReadBy(reader): ReadBy,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let body = app.composer_root(&reader).await?;
    Ok(answer::fresh(&headers, body))
}

/// `GET /repo/{organization}/p2/{vendor}/{file}`, where `file` is `name.json` or `name~dev.json`.
async fn metadata(
    State(app): State<App>,
    ReadBy(reader): ReadBy,
    Path((_, vendor, file)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Some(name) = file.strip_suffix(".json") else { return Ok(unknown_package()) };
    let Some(found) = app.composer_metadata(&reader, &format!("{vendor}/{name}")).await? else {
        return Ok(unknown_package());
    };
    Ok(answer::document(&headers, found.body_gzip, &Validators::of(found.modified_at)))
}

/// Without `warning`: Composer then goes on quietly with its next repository.
fn unknown_package() -> Response {
    let body = json!({ "status": "error", "message": "There is no such package here." }).to_string();
    (StatusCode::NOT_FOUND, [(CONTENT_TYPE, "application/json")], body).into_response()
}

/// `GET /repo/{organization}/dists/{vendor}/{name}/{file}`, where `file` is the commit and `.zip`.
async fn dist(
    State(app): State<App>,
    ReadBy(reader): ReadBy,
    Path((_, vendor, name, file)): Path<(String, String, String, String)>,
) -> Result<Response, ApiError> {
    let name = format!("{vendor}/{name}");
    let missing = || {
        let sentence = format!(
            "There is no zip {file} of {name} here: its commit was never published. Run \"composer update {name}\" to lock one that was."
        );
        ApiError::new(StatusCode::NOT_FOUND, sentence)
    };
    let commit = file.strip_suffix(".zip").filter(|commit| is_commit(commit)).ok_or_else(missing)?;
    let blob = app.composer_dist(&reader, &name, commit).await?.ok_or_else(missing)?;
    let headers = [
        (CONTENT_TYPE, "application/zip".to_owned()),
        (CONTENT_LENGTH, blob.size_bytes.to_string()),
        (CACHE_CONTROL, "private, max-age=31536000, immutable".to_owned()),
        (ETAG, format!("\"{commit}\"")),
    ];
    let stream = blob.stream.inspect_err(|error| {
        tracing::error!(error = error as &dyn std::error::Error, "a dist broke off while it was sent");
    });
    Ok((headers, Body::from_stream(stream)).into_response())
}

fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[derive(serde::Deserialize)]
struct ListQuery {
    /// A pattern with `*`.
    #[serde(default)]
    filter: String,
    /// Only names of this vendor; Composer sends it along with a filter.
    #[serde(default)]
    vendor: String,
}

/// `GET /repo/{organization}/list.json`
async fn list(
    State(app): State<App>,
    ReadBy(reader): ReadBy,
    Query(query): Query<ListQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let mut names = app.composer_list(&reader, &query.filter).await?;
    names.retain(|name| query.vendor.is_empty() || name.vendor() == query.vendor);
    let names: Vec<&str> = names.iter().map(PackageName::as_str).collect();
    Ok(answer::fresh(&headers, json!({ "packageNames": names }).to_string().into_bytes()))
}

#[derive(serde::Deserialize)]
struct SearchQuery {
    #[serde(default)]
    q: String,
}

/// `GET /repo/{organization}/search.json`
async fn search(
    State(app): State<App>,
    ReadBy(reader): ReadBy,
    Path(short_name): Path<String>,
    Query(query): Query<SearchQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let (packages, total) = app.composer_search(&reader, &query.q).await?;
    let home = app.address(&address(&short_name));
    let results: Vec<Value> = packages.iter().filter_map(|found| result(found, &home)).collect();
    Ok(answer::fresh(&headers, json!({ "results": results, "total": total }).to_string().into_bytes()))
}

/// A package as `composer search` shows it; `abandoned` is there only if it is so.
fn result((package, repository): &(Package, Repository), home: &str) -> Option<Value> {
    let mut shown = json!({
        "name": package.name.as_ref()?.as_str(),
        "description": package.description,
        "url": format!("{home}/packages/{}", package.id),
        "repository": repository.source.as_str(),
    });
    match package.abandoned.as_deref() {
        Some("") => shown["abandoned"] = true.into(),
        Some(replacement) => shown["abandoned"] = replacement.into(),
        None => {}
    }
    Some(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits() {
        assert!(is_commit(&"0a".repeat(20)));
        for bad in ["", "0a", &"0A".repeat(20), &"0g".repeat(20), &"0a".repeat(21)] {
            assert!(!is_commit(bad), "{bad}");
        }
    }
}
