//! The site besides its settings: git, archives and a page per repository.

use super::{
    caller::token_of_git,
    delivery,
    permission::{self, Level},
    repository::RepositoryRecord,
    scope, session,
    state::{Fake, State},
    token::Actor,
};
use crate::{
    common::page::{self, Page, escape},
    git::{self, refusal},
};
use axum::{
    body::Body,
    extract::{Request, State as Extract},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use percent_encoding::percent_decode_str;
use std::{fmt::Write as _, sync::Arc};

/// Bytes of what git says after a push.
const PUSH_REPORT_BYTES: usize = 1024 * 1024;

/// Every path that no route names: `/{workspace}/{repository}...`
pub(crate) async fn serve(Extract(fake): Extract<Arc<Fake>>, request: Request) -> Response {
    let path = percent_decode_str(request.uri().path()).decode_utf8_lossy().into_owned();
    let mut parts = path.trim_start_matches('/').splitn(3, '/');
    let (workspace, name, rest) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    match (name.strip_suffix(".git"), rest.strip_prefix("get/")) {
        (Some(slug), _) if !rest.is_empty() => git_serve(&fake, (workspace, slug), rest, request).await,
        (None, Some(file)) => archive(&fake, (workspace, name), file, request.headers()),
        _ if path == "/" => home(&fake, request.headers()),
        (slug, None) => repository_page(&fake, workspace, slug.unwrap_or(name), request.headers()),
        _ => page::not_found("There is no such page."),
    }
}

/// Clone, fetch and push, with a token as the password; it needs no more for a public repository.
async fn git_serve(fake: &Arc<Fake>, at: (&str, &str), path: &str, request: Request) -> Response {
    let is_push = path == "git-receive-pack" || request.uri().query() == Some("service=git-receive-pack");
    let (repository, actor) = match admit(&fake.state(), at, request.headers(), is_push) {
        Ok(admitted) => admitted,
        Err(response) => return *response,
    };
    let bare = repository.bare(fake);
    let is_receiving = request.method() == Method::POST && is_push;
    let before = if is_receiving { bare.references() } else { std::collections::BTreeMap::default() };
    let response = git::answer(bare.path(), path, is_push.then_some("git"), request).await;
    if !is_receiving {
        return response;
    }
    // git has written the references when it has said everything.
    let (parts, body) = response.into_parts();
    let report = axum::body::to_bytes(body, PUSH_REPORT_BYTES).await.unwrap_or_default();
    delivery::pushed(fake, &repository.uuid, actor.as_ref(), &before);
    Response::from_parts(parts, Body::from(report))
}

/// The repository and who acts, if they may.
fn admit(
    state: &State,
    (workspace, slug): (&str, &str),
    headers: &HeaderMap,
    is_push: bool,
) -> Result<(RepositoryRecord, Option<Actor>), Box<Response>> {
    let refuse = |status, sentence| Err(Box::new(refusal(status, sentence)));
    let Ok(token) = token_of_git(state, headers) else {
        return refuse(
            StatusCode::UNAUTHORIZED,
            "Authentication failed: the token is invalid, expired or revoked.",
        );
    };
    let (needed, wanted) =
        if is_push { (Level::Write, scope::REPOSITORY_WRITE) } else { (Level::Read, scope::REPOSITORY) };
    let actor = token.as_ref().map(|token| token.actor.clone());
    let repository = state.repository_named(workspace, slug);
    let level = repository.and_then(|repository| permission::effective(state, actor.as_ref(), repository));
    match (repository, level, token) {
        (Some(_), Some(_), Some(token)) if !token.covers(wanted) => {
            refuse(StatusCode::FORBIDDEN, "Your credentials lack one or more required privilege scopes.")
        }
        (Some(repository), Some(level), _) if level >= needed => Ok((repository.clone(), actor)),
        (_, _, None) => refuse(StatusCode::UNAUTHORIZED, "Authentication required."),
        (Some(_), Some(_), _) => refuse(StatusCode::FORBIDDEN, "You may not push to this repository."),
        _ => refuse(
            StatusCode::NOT_FOUND,
            "You may not have access to this repository or it no longer exists in this workspace.",
        ),
    }
}

/// `/{workspace}/{repository}/get/{ref}.zip` (or `.tar.gz`): whoever may not read it gets the page to log in, with
/// status 200. Bearer tokens count for nothing on the site; a login in the browser or a git login does.
fn archive(fake: &Fake, at: (&str, &str), file: &str, headers: &HeaderMap) -> Response {
    let browser = session::user(fake, headers).map(Actor::Person);
    let state = fake.state();
    let actor = token_of_git(&state, headers).ok().flatten().map(|token| token.actor).or(browser);
    let repository = state.repository_named(at.0, at.1).cloned();
    let admitted = repository.filter(|found| permission::effective(&state, actor.as_ref(), found).is_some());
    drop(state);
    let Some(repository) = admitted else {
        return session::choice(fake, &format!("/{}/{}/get/{file}", at.0, at.1));
    };
    let formats = [(".zip", "zip", "application/zip"), (".tar.gz", "tar.gz", "application/x-gzip")];
    let format =
        formats.iter().find_map(|(end, format, kind)| Some((file.strip_suffix(end)?, format, *kind)));
    let Some((name, format, kind)) = format else {
        return page::not_found("There is no archive of this kind.");
    };
    let git = repository.bare(fake);
    let Some(hash) = git.resolve(&format!("{name}^{{commit}}")) else {
        return page::not_found("There is no such branch, tag or commit.");
    };
    let folder = format!("{}-{}-{}", at.0, at.1, &hash[..12]);
    let arguments = ["archive", &format!("--format={format}"), &format!("--prefix={folder}/"), &hash];
    let mut response = Body::from(git.try_git(&arguments).stdout).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{folder}.{format}\"")) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

/// Who one is, and the workspaces.
fn home(fake: &Fake, headers: &HeaderMap) -> Response {
    let Some(user) = session::user(fake, headers) else { return session::choice(fake, "/") };
    let state = fake.state();
    let nickname = state.user(&user).map(|user| user.nickname.as_str()).unwrap_or_default();
    let mut text = format!("<p>You are {}.</p><ul>", escape(nickname));
    for workspace in state.workspaces.iter() {
        let _ = write!(text, "<li><a href=\"/{0}\">{0}</a></li>", escape(&workspace.slug));
    }
    text.push_str("</ul><p><a href=\"/account/signin?next=%2F\">Log in as somebody else</a></p>");
    Page::new("Workspaces", text).into_response()
}

/// A page with the URL to clone, or of a workspace with its repositories.
fn repository_page(fake: &Fake, workspace: &str, slug: &str, headers: &HeaderMap) -> Response {
    let actor = session::user(fake, headers).map(Actor::Person);
    let state = fake.state();
    let Some(workspace) = state.workspace_named(workspace) else {
        return page::not_found("There is no such workspace.");
    };
    let own = state.repositories.iter().filter(|repository| repository.workspace == workspace.uuid);
    let visible =
        own.filter(|repository| permission::effective(&state, actor.as_ref(), repository).is_some());
    let wanted = visible.filter(|repository| slug.is_empty() || repository.slug == slug);
    let mut text = String::from("<ul>");
    for repository in wanted {
        let path = format!("/{}", repository.full_name(&state));
        let _ = write!(
            text,
            "<li><a href=\"{0}\">{1}</a>: <code>{2}.git</code></li>",
            escape(&path),
            escape(&repository.name),
            escape(&fake.site(&path))
        );
    }
    let _ = write!(
        text,
        "</ul><p><a href=\"/{}/workspace/settings/oauth-consumers\">OAuth consumers</a></p>",
        escape(&workspace.slug)
    );
    Page::new(&workspace.name, text).into_response()
}
