//! `git http-backend`: the CGI program that comes with git.

use super::command;
use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header},
};
use futures::TryStreamExt as _;
use std::{io, path::Path, process::Stdio};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{ChildStdin, ChildStdout, Command},
};
use tokio_util::io::{ReaderStream, StreamReader};

/// Lets git answer a request for `path` (`info/refs`, `git-upload-pack`, ...) of a bare repository.
///
/// A request with a `user` may push.
pub(crate) async fn answer(
    repository: &Path,
    path: &str,
    user: Option<&str>,
    request: Request<Body>,
) -> Response<Body> {
    match run(repository, path, user, request).await {
        Ok(response) => response,
        Err(error) => {
            let mut response = Response::new(Body::from(format!("git http-backend failed: {error}")));
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        }
    }
}

async fn run(
    repository: &Path,
    path: &str,
    user: Option<&str>,
    request: Request<Body>,
) -> io::Result<Response<Body>> {
    let (parts, body) = request.into_parts();
    let root = repository.parent().unwrap_or(repository);
    let folder = repository.file_name().unwrap_or_default().to_string_lossy();
    let mut program = Command::from(command(root));
    program
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", format!("/{folder}/{path}"))
        .env("REQUEST_METHOD", parts.method.as_str())
        .env("QUERY_STRING", parts.uri.query().unwrap_or_default())
        .envs(user.map(|user| ("REMOTE_USER", user)))
        .envs(variables(&parts.headers));
    let mut child = program
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(io::Error::other("git http-backend has no pipes"));
    };
    tokio::spawn(async move {
        feed(body, stdin).await;
        child.wait().await
    });
    read_answer(stdout).await
}

/// The headers that the program wants to know, under their CGI names (RFC 3875, section 4.1).
fn variables(headers: &HeaderMap) -> Vec<(&'static str, String)> {
    let wanted = [
        (header::CONTENT_TYPE, "CONTENT_TYPE"),
        (header::CONTENT_LENGTH, "CONTENT_LENGTH"),
        (header::CONTENT_ENCODING, "HTTP_CONTENT_ENCODING"),
        (HeaderName::from_static("git-protocol"), "GIT_PROTOCOL"),
    ];
    wanted
        .into_iter()
        .filter_map(|(header, name)| Some((name, headers.get(header)?.to_str().ok()?.to_owned())))
        .collect()
}

async fn feed(body: Body, mut stdin: ChildStdin) {
    let mut body = StreamReader::new(body.into_data_stream().map_err(io::Error::other));
    // git may have heard enough before the body ends; what it thinks of it is in its answer.
    let _ = tokio::io::copy(&mut body, &mut stdin).await;
}

async fn read_answer(stdout: ChildStdout) -> io::Result<Response<Body>> {
    let mut stdout = BufReader::new(stdout);
    let mut response = Response::new(Body::empty());
    loop {
        let mut line = String::new();
        if stdout.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        if name.eq_ignore_ascii_case("status") {
            let code = value.split(' ').next().and_then(|code| code.parse().ok());
            *response.status_mut() = code.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        } else if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            response.headers_mut().append(name, value);
        }
    }
    *response.body_mut() = Body::from_stream(ReaderStream::new(stdout));
    Ok(response)
}
