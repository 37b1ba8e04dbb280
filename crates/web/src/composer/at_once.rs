//! What is in memory is sent without waiting for anything. Whatever is in the way, such as a token that is new here or an
//! address that is refused, is left to the handlers.

use super::{answer, is_commit, user_agent, zip};
use crate::request::address_of;
use axum::{
    extract::Request,
    http::{Method, header::AUTHORIZATION},
    response::Response,
};
use stave_app::{App, DistBytes, DistFile};
use stave_domain::token::in_authorization;

/// The answer with the pattern of its route, if it is there at once.
pub(crate) fn at_once(app: &App, request: &Request) -> Option<(&'static str, Response)> {
    let path = request.uri().path().strip_prefix("/repo/").filter(|path| !path.contains('%'))?;
    if request.method() != Method::GET {
        return None;
    }
    let (short_name, path) = path.split_once('/')?;
    let headers = request.headers();
    let token = in_authorization(headers.get(AUTHORIZATION)?.to_str().ok()?)?;
    let address = address_of(request.extensions(), headers, app);
    let reader = app.composer_reader_kept(&token, short_name, address)?;
    if reader.security().clients.refuses(user_agent(headers)).is_some() {
        return None;
    }
    let (kind, rest) = path.split_once('/').unwrap_or((path, ""));
    match kind {
        "packages.json" if rest.is_empty() && kind == path => {
            let text = app.composer_root_kept(&reader)?;
            Some(("/repo/{organization}/packages.json", answer::text(app, headers, &text)))
        }
        "p2" => {
            let text = app.composer_metadata_kept(&reader, rest.strip_suffix(".json")?)?;
            Some(("/repo/{organization}/p2/{vendor}/{file}", answer::text(app, headers, &text)))
        }
        "dists" => {
            let (name, file) = rest.rsplit_once('/')?;
            let commit = file.strip_suffix(".zip").filter(|commit| is_commit(commit))?;
            let bytes = app.composer_dist_kept(&reader, name, commit)?;
            let file = DistFile { size_bytes: bytes.len() as u64, bytes: DistBytes::Whole(bytes) };
            Some(("/repo/{organization}/dists/{vendor}/{name}/{file}", zip(headers, commit, file)))
        }
        _ => None,
    }
}
