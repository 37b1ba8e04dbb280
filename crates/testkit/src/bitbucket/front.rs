//! What happens to every request first: it is written down, and trouble on command strikes.

use super::{
    caller,
    state::{Fake, State},
};
use crate::common::{fault, record};
use axum::{
    extract::{Request, State as Extract},
    http::HeaderValue,
    middleware::Next,
    response::Response,
};
use std::sync::Arc;

pub(crate) async fn receive(Extract(fake): Extract<Arc<Fake>>, request: Request, next: Next) -> Response {
    let (recorded, request) = record::write_down(request).await;
    record::remember(&mut fake.state().requests, recorded);
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
    if let Some(fault) = state.plans.take(path) {
        return Some(fault);
    }
    let left = state.switches.requests_left.as_mut().filter(|_| path.starts_with("/2.0/"))?;
    let is_over = *left == 0;
    *left = left.saturating_sub(1);
    is_over.then_some(fault::Fault::RateLimit)
}
