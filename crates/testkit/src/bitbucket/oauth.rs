//! OAuth 2: the consent page and the token endpoint.

use super::{
    consumer::ConsumerRecord,
    scope, session,
    state::{Fake, State},
    token::{self, Code},
};
use crate::{
    common::page::{Page, escape, query_value},
    git::basic_login,
};
use axum::{
    Json,
    body::Bytes,
    extract::{OriginalUri, RawQuery, State as Extract},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
};
use serde_json::{Value, json};
use std::{collections::HashMap, fmt::Write as _, sync::Arc};
use url::{Url, form_urlencoded};

/// An authorization request that is in order.
struct Request {
    consumer: ConsumerRecord,
    /// As sent, if it was sent.
    redirect_uri: Option<String>,
    /// Where the browser goes in the end.
    back: Url,
    scopes: Vec<String>,
}

/// Why a browser does not get to the consent page.
enum Refusal {
    /// Stays here: the callback cannot be trusted. Title and sentence.
    Page(&'static str, &'static str),
    /// Goes back with this `error` and `error_description`.
    Back(Url, &'static str, &'static str),
}

type Parameters = HashMap<String, String>;

fn parameters(text: &[u8]) -> Parameters {
    form_urlencoded::parse(text).into_owned().filter(|(_, value)| !value.is_empty()).collect()
}

fn read(state: &State, parameters: &Parameters) -> Result<Request, Refusal> {
    let key = parameters.get("client_id").map(String::as_str).unwrap_or_default();
    let consumer = state.consumer(key).cloned().ok_or(Refusal::Page(
        "Invalid client_id",
        "This integration is misconfigured: Bitbucket does not know its key. Contact the vendor of the integration.",
    ))?;
    let redirect_uri = parameters.get("redirect_uri").cloned();
    let is_right = redirect_uri.as_ref().is_none_or(|uri| {
        *uri == consumer.callback
            || (state.switches.redirect_prefix
                && !consumer.callback.is_empty()
                && uri.starts_with(&consumer.callback))
    });
    let back = Url::parse(redirect_uri.as_ref().unwrap_or(&consumer.callback)).ok().filter(|_| is_right);
    let mut back = back.ok_or(Refusal::Page(
        "Invalid redirect_uri",
        "This integration is misconfigured: its redirect_uri is not the callback URL of the consumer. Contact the \
         vendor of the integration.",
    ))?;
    if let Some(text) = parameters.get("state") {
        back.query_pairs_mut().append_pair("state", text);
    }
    if parameters.get("response_type").map(String::as_str) != Some("code") {
        return Err(Refusal::Back(back, "unsupported_response_type", "The response type must be code."));
    }
    let scopes = match parameters.get("scope") {
        None => consumer.scopes.clone(),
        Some(text) => text.split([' ', ',']).filter(|scope| !scope.is_empty()).map(str::to_owned).collect(),
    };
    if scopes.iter().any(|wanted| !scope::covers(&consumer.scopes, wanted)) {
        return Err(Refusal::Back(
            back,
            "invalid_scope",
            "The consumer does not have all of the requested scopes.",
        ));
    }
    Ok(Request { consumer, redirect_uri, back, scopes })
}

impl Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Page(title, sentence) => Page::new(title, format!("<p>{sentence}</p>"))
                .with_status(StatusCode::BAD_REQUEST)
                .into_response(),
            Self::Back(mut back, error, description) => {
                back.query_pairs_mut()
                    .append_pair("error", error)
                    .append_pair("error_description", description);
                found(&back)
            }
        }
    }
}

fn found(to: &Url) -> Response {
    (StatusCode::FOUND, [(header::LOCATION, to.to_string())]).into_response()
}

/// `GET /site/oauth2/authorize`: who are you, then: do you agree?
pub(crate) async fn authorize(
    Extract(fake): Extract<Arc<Fake>>,
    OriginalUri(uri): OriginalUri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let request = read(&fake.state(), &parameters(query.unwrap_or_default().as_bytes()));
    let request = match request {
        Ok(request) => request,
        Err(refusal) => return refusal.into_response(),
    };
    let here = uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    match session::user(&fake, &headers) {
        None => session::choice(&fake, &here),
        Some(user) => consent(&fake, &user, &request, &here),
    }
}

fn consent(fake: &Fake, user: &str, request: &Request, here: &str) -> Response {
    let nickname = fake.state().user(user).map(|user| user.nickname.clone()).unwrap_or_default();
    let mut text = format!(
        "<p><strong>{}</strong> wants to use your account, {}:</p><ul>",
        escape(&request.consumer.name),
        escape(&nickname)
    );
    for (group, label, _) in
        scope::BOXES.iter().filter(|(_, _, scope)| request.scopes.iter().any(|s| s == scope))
    {
        let _ = write!(text, "<li>{group}: {label}</li>");
    }
    let _ = write!(
        text,
        "</ul><form method=\"post\" action=\"{}\"><button name=\"decision\" value=\"grant\">Grant access</button> \
         <button class=\"plain\" name=\"decision\" value=\"cancel\">Cancel</button></form>\
         <p><a href=\"/account/signin?next={}\">Log in as somebody else</a></p>",
        escape(here),
        query_value(here)
    );
    Page::new("Confirm access to your account", text).into_response()
}

/// `POST /site/oauth2/authorize`: a button of the consent page was pressed
pub(crate) async fn decide(
    Extract(fake): Extract<Arc<Fake>>,
    OriginalUri(uri): OriginalUri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(user) = session::user(&fake, &headers) else {
        return Redirect::to(&uri.path_and_query().map(ToString::to_string).unwrap_or_default())
            .into_response();
    };
    let mut state = fake.state();
    let mut request = match read(&state, &parameters(query.unwrap_or_default().as_bytes())) {
        Ok(request) => request,
        Err(refusal) => return refusal.into_response(),
    };
    if parameters(&body).get("decision").map(String::as_str) != Some("grant") {
        let denied = Refusal::Back(request.back, "access_denied", "The resource owner denied the request");
        return denied.into_response();
    }
    let code = Code::new(&request.consumer.key, &user, request.scopes, request.redirect_uri);
    let code = Code::issue(&mut state, code);
    request.back.query_pairs_mut().append_pair("code", &code);
    found(&request.back)
}

/// What the token endpoint refuses (RFC 6749, section 5.2, with Bitbucket's own choice of words).
struct TokenError(&'static str, &'static str);

/// `POST /site/oauth2/access_token`
pub(crate) async fn token(Extract(fake): Extract<Arc<Fake>>, headers: HeaderMap, body: Bytes) -> Response {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_form = kind.starts_with("application/x-www-form-urlencoded");
    let is_basic = headers.get(header::AUTHORIZATION).is_none_or(|_| basic_login(&headers).is_some());
    if !is_form || !is_basic {
        let text = "<p>The token endpoint takes a form, with HTTP Basic.</p>".to_owned();
        return Page::new("Bad request", text).with_status(StatusCode::BAD_REQUEST).into_response();
    }
    let mut state = fake.state();
    let answer = client(&state, &headers, &parameters(&body))
        .and_then(|consumer| redeem(&mut state, &consumer, &parameters(&body)));
    match answer {
        Ok(answer) => Json(answer).into_response(),
        Err(TokenError(error, description)) => {
            let body = json!({"error": error, "error_description": description});
            (StatusCode::BAD_REQUEST, Json(body)).into_response()
        }
    }
}

/// The consumer that asks, by HTTP Basic or by fields of the form.
fn client(state: &State, headers: &HeaderMap, form: &Parameters) -> Result<ConsumerRecord, TokenError> {
    let in_form = || Some((form.get("client_id")?.clone(), form.get("client_secret")?.clone()));
    let (key, secret) = basic_login(headers).or_else(in_form).ok_or(TokenError(
        "unauthorized_client",
        "Client credentials missing; this request needs to be authenticated with the OAuth client id and secret",
    ))?;
    let found = state.consumer(&key).filter(|consumer| consumer.secret == secret).cloned();
    found.ok_or(TokenError("invalid_client", "Invalid OAuth client credentials"))
}

fn redeem(state: &mut State, consumer: &ConsumerRecord, form: &Parameters) -> Result<Value, TokenError> {
    match form.get("grant_type").map(String::as_str) {
        Some("authorization_code") => redeem_code(state, consumer, form),
        Some("refresh_token") => {
            let text = form.get("refresh_token").map(String::as_str).unwrap_or_default();
            token::refresh(state, &consumer.key, text)
                .ok_or(TokenError("invalid_request", "Invalid refresh_token"))
        }
        Some("client_credentials") if consumer.is_private => {
            Ok(token::app_json(state, &consumer.key, &consumer.scopes))
        }
        Some("client_credentials") => Err(TokenError(
            "invalid_grant",
            "Cannot use client_credentials with a consumer marked as \"public\". Tick \"This is a private consumer\".",
        )),
        _ => Err(TokenError("invalid_grant", "Unsupported grant type")),
    }
}

/// A code works once, for the consumer that it was made for, with the `redirect_uri` that it was asked for with.
fn redeem_code(state: &mut State, consumer: &ConsumerRecord, form: &Parameters) -> Result<Value, TokenError> {
    if consumer.callback.is_empty() {
        return Err(TokenError("invalid_request", "No callback uri defined for the OAuth client."));
    }
    let text = form.get("code").map(String::as_str).unwrap_or_default();
    let now = state.now();
    let code = state.codes.remove(text).filter(|code| code.consumer == consumer.key && code.is_valid_at(now));
    let code = code.ok_or(TokenError("invalid_grant", "The specified code is not valid."))?;
    if code.redirect_uri.is_some() && code.redirect_uri != form.get("redirect_uri").cloned() {
        return Err(TokenError("invalid_request", "redirect_uri does not match"));
    }
    Ok(token::pair_json(state, &consumer.key, &code.user, &code.scopes, "authorization_code"))
}
