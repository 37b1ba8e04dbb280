//! What happens to every request first: it is written down, trouble on command strikes, and whoever asks shows who they are.

use super::{
    files::answer,
    state::{Fake, Login},
};
use crate::{
    common::{fault, record},
    git::basic_login,
};
use axum::{
    body::Body,
    extract::{Request, State as Extract},
    http::{HeaderMap, Response, StatusCode},
    middleware::Next,
};
use std::sync::Arc;

pub(super) async fn receive(
    Extract(fake): Extract<Arc<Fake>>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let (recorded, request) = record::write_down(request).await;
    let (due, login) = {
        let mut state = fake.state();
        let due = state.plans.take(&recorded.method, &recorded.path);
        let route = record::route(&request);
        state.record.remember(recorded, &route);
        (due, state.login.clone())
    };
    if let Some(fault) = &due
        && let Some(response) = fault::happen(fault).await
    {
        return response;
    }
    if !login.is_none_or(|login| login.is_shown(request.headers())) {
        let body = br#"{"status":"error","message":"Log in."}"#.to_vec();
        return answer(StatusCode::UNAUTHORIZED, "application/json", body);
    }
    let response = next.run(request).await;
    match due {
        Some(fault) => fault::spoil(&fault, response).await,
        None => response,
    }
}

impl Login {
    fn is_shown(&self, headers: &HeaderMap) -> bool {
        match self {
            Self::Basic(user, password) => basic_login(headers) == Some((user.clone(), password.clone())),
            Self::Header(name, value) => headers.get(name).is_some_and(|shown| *shown == *value.as_str()),
        }
    }
}
