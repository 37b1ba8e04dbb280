//! The three steps: a request token, a person's answer, an access token.

use super::{
    check,
    problem::Problem,
    signature::{Signed, encode},
    token::{ACCESS_LIFE, AccessToken, Decision, RequestToken, SESSION_LIFE, SignedTokens},
};
use crate::{
    common::{
        chance,
        page::{Page, escape},
    },
    data_center::{
        consent,
        front::Received,
        session,
        state::{Fake, State},
    },
};
use axum::{
    Extension,
    body::Bytes,
    extract::{OriginalUri, RawQuery, State as Extract},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use std::sync::Arc;
use url::{Url, form_urlencoded};

/// `POST /plugins/servlet/oauth/request-token`
pub(crate) async fn request_token(
    Extract(fake): Extract<Arc<Fake>>,
    Extension(received): Extension<Arc<Received>>,
) -> Response {
    match ask(&mut fake.state(), &Signed::read(&received)) {
        Err(problem) => problem.into_response(&received.realm),
        // The secret plays no role where requests are signed with RSA.
        Ok(token) => form(&[
            ("oauth_token", token),
            ("oauth_token_secret", chance(16)),
            ("oauth_callback_confirmed", "true".to_owned()),
        ]),
    }
}

/// The text of a new request token.
fn ask(state: &mut State, signed: &Signed) -> Result<String, Problem> {
    let (link, consumer) = check::consumer(state, signed)?;
    check::signature(state, signed, &consumer)?;
    let callback = match signed.get("oauth_callback") {
        None | Some("oob") => Some(consumer.callback).filter(|callback| !callback.is_empty()),
        Some(callback) if is_absolute_http(callback) => Some(callback.to_owned()),
        Some(_) => {
            let advice = "The callback must be an absolute http or https URL, or 'oob'.";
            return Err(Problem::rejected("oauth_callback", advice));
        }
    };
    Ok(RequestToken::issue(state, link, callback))
}

fn is_absolute_http(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

/// `GET /plugins/servlet/oauth/authorize?oauth_token=`: who are you, then: do you agree?
pub(crate) async fn authorize(
    Extract(fake): Extract<Arc<Fake>>,
    OriginalUri(uri): OriginalUri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let here = uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    let Some(user) = session::user(&fake, &headers) else { return session::log_in(&fake, &here) };
    let state = fake.state();
    let Some(token) = open_token(&state, &token_in(query.as_deref())) else { return no_token() };
    let link = state.request_tokens.get(&token).and_then(|token| state.link(token.link));
    let name =
        link.and_then(|link| link.consumer()).map(|consumer| consumer.name.clone()).unwrap_or_default();
    let wish = "<li>Read and write everything that you may read and write</li>";
    consent::page(&fake, &state, user, &consent::Question { who: &name, wish, action: &here })
}

/// `POST /plugins/servlet/oauth/authorize?oauth_token=`: a button of the consent page was pressed
pub(crate) async fn decide(
    Extract(fake): Extract<Arc<Fake>>,
    OriginalUri(uri): OriginalUri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let here = uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    let Some(user) = session::user(&fake, &headers) else { return session::log_in(&fake, &here) };
    let mut state = fake.state();
    let Some(text) = open_token(&state, &token_in(query.as_deref())) else { return no_token() };
    let Some(token) = state.request_tokens.get_mut(&text) else { return no_token() };
    let (decision, verifier) = if consent::is_allowed(&body) {
        let verifier = chance(3);
        (Decision::Allowed { user, verifier: verifier.clone() }, verifier)
    } else {
        (Decision::Denied, "denied".to_owned())
    };
    token.decision = decision;
    match token.callback.as_deref().and_then(|callback| Url::parse(callback).ok()) {
        None => shown(&verifier),
        Some(mut back) => {
            back.query_pairs_mut().append_pair("oauth_token", &text).append_pair("oauth_verifier", &verifier);
            consent::found(&back)
        }
    }
}

/// The text of the token, if nobody has decided about it.
fn open_token(state: &State, text: &str) -> Option<String> {
    let token = state.request_tokens.get(text)?;
    (token.decision == Decision::Open && token.is_valid_at(state.now())).then(|| text.to_owned())
}

fn token_in(query: Option<&str>) -> String {
    let mut pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    pairs.find(|(name, _)| name == "oauth_token").map(|(_, value)| value.into_owned()).unwrap_or_default()
}

fn no_token() -> Response {
    let text =
        "<p>The request token is unknown, used or expired. Go back to the application and try again.</p>";
    Page::new("OAuth error", text.to_owned()).with_status(StatusCode::UNAUTHORIZED).into_response()
}

fn shown(verifier: &str) -> Response {
    let text = match verifier {
        "denied" => "<p>You have denied the application access to your account.</p>".to_owned(),
        code => format!(
            "<p>Your verification code is <code>{}</code>. Type it into the application.</p>",
            escape(code)
        ),
    };
    Page::new("Authorization", text).into_response()
}

/// `POST /plugins/servlet/oauth/access-token`: for a request token, or to renew an access token
pub(crate) async fn access_token(
    Extract(fake): Extract<Arc<Fake>>,
    Extension(received): Extension<Arc<Received>>,
) -> Response {
    let answer = redeem(&mut fake.state(), &Signed::read(&received));
    match answer {
        Err(problem) => problem.into_response(&received.realm),
        Ok(SignedTokens { token, secret, session_handle }) => form(&[
            ("oauth_token", token),
            ("oauth_token_secret", secret),
            ("oauth_expires_in", ACCESS_LIFE.as_secs().to_string()),
            ("oauth_session_handle", session_handle),
            ("oauth_authorization_expires_in", SESSION_LIFE.as_secs().to_string()),
        ]),
    }
}

fn redeem(state: &mut State, signed: &Signed) -> Result<SignedTokens, Problem> {
    check::offered(state)?;
    let text = signed.get("oauth_token").ok_or_else(|| Problem::absent(&["oauth_token"]))?.to_owned();
    let user = match (state.request_tokens.get(&text).cloned(), state.access_tokens.get(&text).cloned()) {
        (Some(token), _) => exchange(state, signed, &token)?,
        (None, Some(token)) => renew(state, signed, &token)?,
        (None, None) => return Err(Problem::new("token_rejected")),
    };
    let (link, consumer) = check::consumer(state, signed)?;
    check::signature(state, signed, &consumer)?;
    state.request_tokens.remove(&text);
    state.access_tokens.remove(&text);
    Ok(AccessToken::issue(state, link, user))
}

/// The user who allowed it.
fn exchange(state: &State, signed: &Signed, token: &RequestToken) -> Result<u32, Problem> {
    if !token.is_valid_at(state.now()) {
        return Err(Problem::new("token_expired"));
    }
    let (user, verifier) = match &token.decision {
        Decision::Open => return Err(Problem::new("permission_unknown")),
        Decision::Denied => return Err(Problem::new("permission_denied")),
        Decision::Allowed { user, verifier } => (*user, verifier),
    };
    owned_by(state, signed, token.link)?;
    match signed.get("oauth_verifier") {
        None => Err(Problem::absent(&["oauth_verifier"])),
        Some(sent) if sent == verifier => Ok(user),
        Some(_) => Err(Problem::new("token_rejected")),
    }
}

/// The user who allowed it once.
fn renew(state: &State, signed: &Signed, token: &AccessToken) -> Result<u32, Problem> {
    owned_by(state, signed, token.link)?;
    match signed.get("oauth_session_handle") {
        None => Err(Problem::absent(&["oauth_session_handle"])),
        Some(sent) if sent != token.session_handle => Err(Problem::new("token_rejected")),
        Some(_) if token.session_expires_at <= state.now() => Err(Problem::new("permission_denied")),
        Some(_) => Ok(token.user),
    }
}

fn owned_by(state: &State, signed: &Signed, link: u32) -> Result<(), Problem> {
    let (asking, _) = check::consumer(state, signed)?;
    if asking == link { Ok(()) } else { Err(Problem::new("token_rejected")) }
}

/// `text/plain`, and not the content type of a form.
fn form(pairs: &[(&str, String)]) -> Response {
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    pairs.join("&").into_response()
}
