//! What happens to every request first: it is written down, trouble strikes, and the caller is recognised.

use super::{
    caller::{self, Caller},
    error::ApiError,
    site,
    state::{Fake, RateLimit, State, TwoFactor},
};
use crate::common::{
    fault,
    page::Page,
    record::{self, RecordedRequest},
};
use axum::{
    extract::{Request, State as Extract},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use jiff::fmt::rfc2822::DateTimePrinter;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::sync::Arc;

/// Where a single sign-on proxy sends browsers. It is no path of Bitbucket.
const SINGLE_SIGN_ON: &str = "/sso/login";
/// What is not encoded in `X-AUSERNAME`.
const USER_NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The bucket of a user: requests it holds, and requests it gains in a second.
const CAPACITY: u32 = 60;
const FILL_RATE: u32 = 5;

/// A request, and what the server makes of its address.
pub(crate) struct Received {
    pub(crate) request: RecordedRequest,
    /// Below the context path.
    pub(crate) path: String,
    /// Without the query, as the server believes it was called.
    pub(crate) url: String,
    /// The base URL that it believes it has.
    pub(crate) realm: String,
}

impl Received {
    fn new(fake: &Fake, state: &State, request: RecordedRequest) -> Self {
        let path = request.path.strip_prefix(fake.context()).unwrap_or(&request.path).to_owned();
        let seen = request.header("host").map(|host| format!("http://{host}{}", fake.context()));
        let realm = state.switches.believes.clone().or(seen).unwrap_or_else(|| fake.base());
        Self { url: format!("{realm}{path}"), realm, path, request }
    }

    /// Whether it is signed, by its header or by its parameters.
    pub(crate) fn is_signed(&self) -> bool {
        let header = self.request.header("authorization").unwrap_or_default();
        let is_named = |text: &str| text.contains("oauth_signature=");
        header.starts_with("OAuth ") || is_named(&self.request.query) || is_named(&self.request.form)
    }

    /// Whether it is a step to a token of OAuth 1, which judges the signature itself.
    pub(crate) fn is_step_of_oauth1(&self) -> bool {
        self.path.starts_with("/plugins/servlet/oauth/")
    }

    fn is_token_request(&self) -> bool {
        let path = self.path.as_str();
        let is_oauth2 = path.starts_with("/rest/oauth2/") && path.ends_with("/token");
        is_oauth2 || path.ends_with("/oauth/request-token") || path.ends_with("/oauth/access-token")
    }

    /// What programs call, and not browsers.
    fn is_call(&self) -> bool {
        let is_browser = self.path.ends_with("/authorize");
        let is_rest = self.path.starts_with("/rest/") && !is_browser;
        is_rest || self.is_token_request() || self.path == "/plugins/servlet/applinks/whoami"
    }
}

pub(crate) async fn receive(Extract(fake): Extract<Arc<Fake>>, request: Request, next: Next) -> Response {
    let (recorded, request) = record::write_down(request).await;
    let (received, due) = {
        let mut state = fake.state();
        state.record.remember(recorded.clone(), &record::route(&request));
        let received = Received::new(&fake, &state, recorded);
        let due = state.plans.take(&received.request.method, &received.path);
        (received, due)
    };
    let trouble = match &due {
        Some(fault) => fault::happen(fault).await,
        None => None,
    };
    let mut response = match trouble {
        Some(response) => response,
        None => answer(&fake, received, request, next).await,
    };
    if let Some(fault) = &due {
        response = fault::spoil(fault, response).await;
    }
    stamp(&fake, &mut response);
    response
}

async fn answer(fake: &Fake, received: Received, mut request: Request, next: Next) -> Response {
    let admitted = admit(fake, &received, &request);
    let (caller, name) = match admitted {
        Ok(admitted) => admitted,
        Err(response) => return response,
    };
    request.extensions_mut().insert(caller);
    request.extensions_mut().insert(Arc::new(received));
    let mut response = next.run(request).await;
    let name = name.map(|name| utf8_percent_encode(&name, USER_NAME).to_string());
    if let Some(value) = name.and_then(|name| HeaderValue::from_str(&name).ok()) {
        response.headers_mut().insert("x-ausername", value);
    }
    response
}

/// The caller and their name; `Err` is the answer of whatever stands before the product.
#[expect(clippy::result_large_err, reason = "the answer is made once")]
fn admit(fake: &Fake, received: &Received, request: &Request) -> Result<(Caller, Option<String>), Response> {
    let mut state = fake.state();
    if state.switches.single_sign_on {
        return Err(single_sign_on(received));
    }
    let caller = caller::authenticate(&mut state, received, request.headers())?;
    if let Some(plugin) = state.switches.two_factor
        && is_intercepted(&state, received, &caller)
    {
        return Err(two_factor(fake, plugin));
    }
    if received.is_call() && caller.is_known() {
        let name = caller.name(&state).unwrap_or_default();
        rate_limit(&mut state, &name)?;
    }
    let name = caller.name(&state);
    Ok((caller, name))
}

/// Everything leads to the page of the identity provider.
fn single_sign_on(received: &Received) -> Response {
    if received.request.path == SINGLE_SIGN_ON {
        return Page::new("Single sign-on", "<p>Log in with your company account.</p>".to_owned())
            .into_response();
    }
    (StatusCode::FOUND, [(header::LOCATION, SINGLE_SIGN_ON)]).into_response()
}

/// Requests whose user has not passed the second factor, and the ones for tokens; not OAuth's, once it is whitelisted.
fn is_intercepted(state: &State, received: &Received, caller: &Caller) -> bool {
    let is_token = received.is_token_request();
    let is_listed = state.switches.oauth_whitelist && (is_token || caller.is_oauth());
    let is_meant = is_token || caller.is_known() || state.switches.two_factor_for_anonymous;
    received.is_call() && is_meant && !is_listed
}

fn two_factor(fake: &Fake, plugin: TwoFactor) -> Response {
    match plugin {
        TwoFactor::Redirect => {
            let to = fake.path("/plugins/servlet/tfa/verify");
            (StatusCode::FOUND, [(header::LOCATION, to)]).into_response()
        }
        TwoFactor::HtmlPage => site::second_factor_page(),
    }
}

#[expect(clippy::result_large_err, reason = "the answer is made once")]
fn rate_limit(state: &mut State, name: &str) -> Result<(), Response> {
    if let Some((left, kind)) = &mut state.switches.requests_left {
        if *left == 0 {
            return Err(refusal(*kind, CAPACITY, FILL_RATE));
        }
        *left -= 1;
    }
    let now = state.now();
    let Some(buckets) = &mut state.switches.buckets else { return Ok(()) };
    if buckets.admits(name, now) {
        return Ok(());
    }
    Err(refusal(buckets.kind, buckets.capacity, buckets.fill_rate))
}

fn refusal(kind: RateLimit, capacity: u32, fill_rate: u32) -> Response {
    let mut response = ApiError::rate_limited().into_response();
    if kind == RateLimit::Announced {
        let told = [
            ("retry-after", 1),
            ("x-ratelimit-limit", capacity),
            ("x-ratelimit-remaining", 0),
            ("x-ratelimit-interval-seconds", 1),
            ("x-ratelimit-fillrate", fill_rate),
        ];
        for (name, value) in told {
            response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from(value));
        }
    }
    response
}

/// The time on the wall of the server.
fn stamp(fake: &Fake, response: &mut Response) {
    let now = fake.state().wall.now();
    let text = DateTimePrinter::new().timestamp_to_rfc9110_string(&now).unwrap_or_default();
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().insert(header::DATE, value);
    }
}
