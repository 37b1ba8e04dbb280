//! Git over HTTP: `/scm/{key}/{slug}.git`.

use super::{caller::Caller, permission, state::Fake};
use crate::{
    Level,
    git::{self, refusal},
};
use axum::{
    extract::{Path, Request, State as Extract},
    http::StatusCode,
    response::Response,
};
use std::sync::Arc;

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
    let (bare, user) = {
        let state = fake.state();
        let found = state.repository_at(&key, slug);
        let level = found.and_then(|it| permission::of_repository(&state, caller.reach(), it));
        match found.filter(|_| level >= Some(needed)) {
            Some(repository) => (repository.bare(&fake), caller.name(&state)),
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
    git::answer(bare.path(), &path, user.as_deref().filter(|_| is_push), request).await
}
