//! What happens to every request first: it is written down, and trouble on command strikes.

use super::{
    caller, fault,
    record::{self, REMEMBERED, RecordedRequest},
    state::{Fake, State},
};
use axum::{
    body::{Body, to_bytes},
    extract::{Request, State as Extract},
    http::{HeaderValue, header},
    middleware::Next,
    response::Response,
};
use std::sync::Arc;

/// A form that is larger is not written down.
const FORM_BYTES: usize = 1024 * 1024;

pub(crate) async fn receive(Extract(fake): Extract<Arc<Fake>>, request: Request, next: Next) -> Response {
    let request = write_down(&fake, request).await;
    let path = request.uri().path().to_owned();
    let due = due(&mut fake.state(), &path);
    if let Some(fault) = due
        && let Some(response) = fault::happen(fault).await
    {
        return response;
    }
    let is_api = path.starts_with("/2.0/");
    let scopes = if is_api { caller::scopes_of(&fake.state(), request.headers()) } else { None };
    let mut response = next.run(request).await;
    if let Some(scopes) = scopes.and_then(|scopes| HeaderValue::from_str(&scopes).ok()) {
        response.headers_mut().insert("x-oauth-scopes", scopes);
        response.headers_mut().insert("x-credential-type", HeaderValue::from_static("oauth2"));
    }
    response
}

fn due(state: &mut State, path: &str) -> Option<fault::Fault> {
    if let Some(fault) = fault::take(&mut state.plans, path) {
        return Some(fault);
    }
    let left = state.switches.requests_left.as_mut().filter(|_| path.starts_with("/2.0/"))?;
    let is_over = *left == 0;
    *left = left.saturating_sub(1);
    is_over.then_some(fault::Fault::RateLimit)
}

async fn write_down(fake: &Fake, request: Request) -> Request {
    let (parts, body) = request.into_parts();
    let kind =
        parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (form, body) = if kind.starts_with("application/x-www-form-urlencoded") {
        let bytes = to_bytes(body, FORM_BYTES).await.unwrap_or_default();
        (String::from_utf8_lossy(&bytes).into_owned(), Body::from(bytes))
    } else {
        (String::new(), body)
    };
    let recorded = RecordedRequest {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: record::headers(&parts.headers),
        form,
    };
    let mut state = fake.state();
    if state.requests.len() >= REMEMBERED {
        state.requests.drain(..REMEMBERED / 2);
    }
    state.requests.push(recorded);
    Request::from_parts(parts, body)
}
