//! What Composer reads: packages.json, metadata, dists, lists. Enters: a request with a token. Leaves: bytes as they lie.
//!
//! Every answer to a failure is JSON with a `warning`, which Composer prints, except for packages that are not there: Composer
//! asks for each name that a vendor pattern covers, and a warning for each would drown the others.

mod advisory;
mod answer;
mod at_once;
mod change;
mod filter;
mod install;
mod list;
mod provider;
mod search;

use crate::{error::ApiError, layers, organization::address, request::caller_address};
use answer::Validators;
pub(crate) use at_once::at_once;
use axum::{
    Router,
    body::Body,
    extract::{FromRequestParts, Path, RawPathParams, State},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, USER_AGENT, WWW_AUTHENTICATE},
        request::Parts,
    },
    middleware::from_fn,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use futures::TryStreamExt;
use serde_json::json;
use stave_app::{App, DistBytes, DistFile, Failure, Reader};
use stave_domain::token::in_authorization;
use std::sync::Arc;

pub(crate) fn router() -> Router<App> {
    let quick = Router::new()
        .route("/repo/{organization}/packages.json", get(root))
        .route("/repo/{organization}/p2/{vendor}/{file}", get(metadata))
        .route("/repo/{organization}/list.json", get(list::list))
        .route("/repo/{organization}/search.json", get(search::search))
        .route("/repo/{organization}/providers/{vendor}/{file}", get(provider::of_package))
        .route("/repo/{organization}/providers/{file}", get(provider::of_platform))
        .route("/repo/{organization}/downloads/", post(install::notify))
        .route("/repo/{organization}/api/security-advisories/", get(advisory::show).post(advisory::audit))
        .route("/repo/{organization}/api/filter/", post(filter::filter))
        .route("/repo/{organization}/metadata/changes.json", get(change::changes))
        .layer(from_fn(layers::limit_api_time));
    // A dist may have to be built first, and a slow line may take its time.
    quick.merge(Router::new().route("/repo/{organization}/dists/{vendor}/{name}/{file}", get(dist)))
}

/// A token that may read the organization whose repository is asked. Whatever is below `/repo` needs one.
struct ReadBy(Arc<Reader>);

impl FromRequestParts<App> for ReadBy {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let path =
            RawPathParams::from_request_parts(parts, app).await.map_err(IntoResponse::into_response)?;
        let short_name = path.iter().find(|(name, _)| *name == "organization").map_or("", |(_, text)| text);
        let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(in_authorization);
        match app.composer_reader(token.as_ref(), short_name, caller_address(parts, app)).await {
            Ok(reader) => match reader.security().clients.refuses(user_agent(&parts.headers)) {
                None => Ok(Self(reader)),
                Some(sentence) => Err(client_refused(sentence).into_response()),
            },
            Err(Failure::LogInNeeded) => Err(token_needed(app, short_name, token.is_some())),
            Err(Failure::NotFound(_)) => Err(out_of_reach(short_name).into_response()),
            Err(failure) => Err(ApiError::from(failure).into_response()),
        }
    }
}

/// What a client says that it is; empty if it does not.
fn user_agent(headers: &HeaderMap) -> &str {
    headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Parts of the `User-Agent` may decide what is acceptable (RFC 9110, section 12.1). After a 403 Composer would ask for another
/// token (`Util/AuthHelper.php`).
fn client_refused(sentence: String) -> ApiError {
    ApiError::new(StatusCode::NOT_ACCEPTABLE, sentence)
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
    let text = app.composer_root(&reader).await?;
    Ok(answer::text(&app, &headers, &text))
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
    Ok(answer::text(&app, &headers, &found.text))
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
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let name = format!("{vendor}/{name}");
    let missing = || {
        let sentence = format!(
            "There is no zip {file} of {name} here: its commit was never published. Run \"composer update {name}\" to lock one that was."
        );
        ApiError::new(StatusCode::NOT_FOUND, sentence)
    };
    let commit = file.strip_suffix(".zip").filter(|commit| is_commit(commit)).ok_or_else(missing)?;
    let file = app.composer_dist(&reader, &name, commit).await?.ok_or_else(missing)?;
    Ok(zip(&headers, commit, file))
}

/// A zip, which nobody has to ask for again.
fn zip(asked: &HeaderMap, commit: &str, file: DistFile) -> Response {
    let validators = Validators::new(format!("\"{commit}\"").into(), None);
    let mut response = if validators.are_current(asked) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let kind = HeaderValue::from_static("application/zip");
        ([(CONTENT_TYPE, kind), (CONTENT_LENGTH, file.size_bytes.into())], body(file.bytes)).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, max-age=31536000, immutable"));
    validators.put(headers);
    response
}

fn body(bytes: DistBytes) -> Body {
    match bytes {
        DistBytes::Whole(bytes) => bytes.into(),
        DistBytes::Stream(stream) => Body::from_stream(stream.inspect_err(|error| {
            tracing::error!(error = error as &dyn std::error::Error, "a dist broke off while it was sent");
        })),
    }
}

fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
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
