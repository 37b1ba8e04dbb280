//! Git over HTTP: `/scm/{key}/{slug}.git`.

use super::{caller::Caller, delivery, permission, state::Fake};
use crate::{
    Level,
    git::{self, refusal},
};
use axum::{
    body::{Body, to_bytes},
    extract::{Path, Request, State as Extract},
    http::{Method, StatusCode},
    response::Response,
};
use std::{collections::BTreeMap, sync::Arc};

/// Bytes of what git says after a push.
const PUSH_REPORT_BYTES: usize = 1024 * 1024;

/// `/scm/{key}/{slug}.git/...`: clone, fetch and push; a public repository needs no credential to be read
pub(crate) async fn serve(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path((key, folder, path)): Path<(String, String, String)>,
    request: Request,
) -> Response {
    let is_push = path == "git-receive-pack" || request.uri().query() == Some("service=git-receive-pack");
    let needed = if is_push { Level::Write } else { Level::Read };
    let slug = folder.strip_suffix(".git").unwrap_or(&folder);
    let (repository, user) = {
        let state = fake.state();
        let found = state.repository_at(&key, slug);
        let level = found.and_then(|it| permission::of_repository(&state, caller.reach(), it));
        match found.filter(|_| level >= Some(needed)) {
            Some(repository) => (repository.clone(), caller.name(&state)),
            None if !caller.is_known() => {
                return refusal(StatusCode::UNAUTHORIZED, "Authentication required.");
            }
            None => {
                let sentence =
                    "The requested repository does not exist, or you do not have permission to access it.";
                return refusal(StatusCode::NOT_FOUND, sentence);
            }
        }
    };
    let bare = repository.bare(&fake);
    let is_receiving = request.method() == Method::POST && is_push;
    let before = if is_receiving { bare.references() } else { BTreeMap::default() };
    let response = git::answer(bare.path(), &path, user.as_deref().filter(|_| is_push), request).await;
    if !is_receiving {
        return response;
    }
    // git has written the references when it has said everything.
    let (parts, body) = response.into_parts();
    let report = to_bytes(body, PUSH_REPORT_BYTES).await.unwrap_or_default();
    delivery::pushed(&fake, repository.id, caller.user().ok(), &before);
    Response::from_parts(parts, Body::from(report))
}
