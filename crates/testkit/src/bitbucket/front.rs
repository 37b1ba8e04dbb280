//! What happens to every request first: it is written down, and trouble on command strikes.

use super::{
    caller,
    limit::Resource,
    state::{Fake, State},
    token::{AccessToken, Kind},
};
use crate::common::{
    fault::{self, Fault},
    record,
};
use axum::{
    extract::{Request, State as Extract},
    http::{HeaderMap, HeaderValue},
    middleware::Next,
    response::Response,
};
use std::sync::Arc;

pub(crate) async fn receive(Extract(fake): Extract<Arc<Fake>>, request: Request, next: Next) -> Response {
    let (recorded, request) = record::write_down(request).await;
    let (due, asked) = {
        let mut state = fake.state();
        let asked = Asked::new(&state, &recorded, request.headers());
        let due = due(&mut state, &recorded, asked.as_ref());
        state.record.remember(recorded, &record::route(&request));
        (due, asked)
    };
    if let Some(fault) = &due
        && let Some(response) = fault::happen(fault).await
    {
        return response;
    }
    let mut response = next.run(request).await;
    if let Some(fault) = &due {
        response = fault::spoil(fault, response).await;
    }
    if let Some(asked) = asked {
        asked.tell(&fake.state(), response.headers_mut());
    }
    response
}

/// A request to the API, and with what.
struct Asked {
    resource: Resource,
    token: Option<AccessToken>,
    /// Whose requests are counted together.
    who: String,
}

impl Asked {
    fn new(state: &State, request: &record::RecordedRequest, headers: &HeaderMap) -> Option<Self> {
        let resource = Resource::of(&request.path, &request.query)?;
        let token = caller::known_token(state, headers);
        let who = token.as_ref().map(|token| format!("{:?}", token.actor)).unwrap_or_default();
        Some(Self { resource, token, who })
    }

    /// What OAuth tells of its scopes, and access tokens of their rate limit.
    fn tell(&self, state: &State, headers: &mut HeaderMap) {
        let Some(token) = &self.token else { return };
        if token.kind != Kind::ApiToken
            && let Ok(scopes) = HeaderValue::from_str(&token.scopes.join(", "))
        {
            headers.insert("x-oauth-scopes", scopes);
            headers.insert("x-credential-type", HeaderValue::from_static("oauth2"));
        }
        if let Some(limit) = &state.switches.limit {
            limit.tell(token, &self.who, self.resource, headers);
        }
    }
}

/// What goes wrong with this request.
fn due(state: &mut State, request: &record::RecordedRequest, asked: Option<&Asked>) -> Option<Fault> {
    if let Some(fault) = state.plans.take(&request.method, &request.path) {
        return Some(fault);
    }
    let asked = asked?;
    let is_last = count_down(&mut state.switches.oauth_requests_left);
    if is_last {
        state.expire_oauth();
        state.switches.oauth_requests_left = None;
    }
    let now = state.now();
    let is_over = count_down(&mut state.switches.requests_left);
    let limit = state.switches.limit.as_mut();
    let is_admitted = limit.is_none_or(|limit| limit.admits(&asked.who, asked.resource, now));
    (is_over || !is_admitted).then_some(Fault::RateLimit)
}

/// Whether nothing was left.
fn count_down(left: &mut Option<u32>) -> bool {
    let Some(left) = left else { return false };
    let is_over = *left == 0;
    *left = left.saturating_sub(1);
    is_over
}
