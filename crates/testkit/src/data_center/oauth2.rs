//! OAuth 2: the way to the consent page, and the token endpoint.

use super::{
    caller::Caller,
    consent,
    error::ApiError,
    link::{External, LinkRecord},
    scope, session,
    state::{Fake, State},
    token::{Challenge, Code, Pair},
};
use crate::common::{chance, page::Page};
use axum::{
    Json,
    body::Bytes,
    extract::{OriginalUri, RawQuery, State as Extract},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use std::{collections::HashMap, fmt::Write as _, sync::Arc};
use url::{Url, form_urlencoded};

/// An authorization request that is in order.
struct Request {
    link: LinkRecord,
    redirect_uri: String,
    /// Where the browser goes in the end.
    back: Url,
    scopes: Vec<String>,
    challenge: Option<Challenge>,
}

/// Why a browser does not get to the consent page.
enum Refusal {
    /// Stays here: the redirect cannot be trusted.
    Page(&'static str),
    /// Goes back with this `error` and `error_description`.
    Back(Url, &'static str, &'static str),
}

type Parameters = HashMap<String, String>;

fn parameters(text: &[u8]) -> Parameters {
    form_urlencoded::parse(text).into_owned().filter(|(_, value)| !value.is_empty()).collect()
}

/// Whether the server is a provider: since 7.21, and where https is insisted on, if its base URL is https.
fn is_provider(fake: &Fake, state: &State) -> bool {
    let is_https = || fake.url(state, "").starts_with("https:");
    state.version.has_oauth2() && (!state.switches.https_only || is_https())
}

fn read(state: &State, parameters: &Parameters) -> Result<Request, Refusal> {
    let client = parameters.get("client_id").map(String::as_str).unwrap_or_default();
    let (link, external) = state
        .link_of_client(client)
        .ok_or(Refusal::Page("The client_id is not that of an application link."))?;
    let redirect_uri = parameters.get("redirect_uri").cloned().unwrap_or_default();
    let is_right = external.redirect_urls.contains(&redirect_uri);
    if state.switches.https_only && !redirect_uri.starts_with("https:") {
        return Err(Refusal::Page("The redirect_uri must be https."));
    }
    let mut back = Url::parse(&redirect_uri)
        .ok()
        .filter(|_| is_right)
        .ok_or(Refusal::Page("The redirect_uri is not one of the redirect URLs of the application link."))?;
    if let Some(text) = parameters.get("state") {
        // Bitbucket decodes it once more than it should.
        let decoded = text.replace('+', " ");
        let decoded = percent_decode_str(&decoded).decode_utf8_lossy().into_owned();
        back.query_pairs_mut().append_pair("state", &decoded);
    }
    if parameters.get("response_type").map(String::as_str) != Some("code") {
        let description = "The response_type must be code.";
        return Err(Refusal::Back(back, "unsupported_response_type", description));
    }
    let Some(scopes) = scopes(external, parameters) else {
        return Err(Refusal::Back(back, "invalid_scope", "The requested scope is invalid."));
    };
    let method = parameters.get("code_challenge_method").map(String::as_str);
    let challenge = parameters.get("code_challenge").map(|text| Challenge::read(text, method));
    if matches!(challenge, Some(None)) {
        return Err(Refusal::Back(back, "invalid_request", "The code_challenge_method is not supported."));
    }
    let challenge = challenge.flatten();
    Ok(Request { link: link.clone(), redirect_uri, back, scopes, challenge })
}

/// The scopes that are asked for, all of the link's if none is named; `None` if the link does not allow them.
fn scopes(external: &External, parameters: &Parameters) -> Option<Vec<String>> {
    let Some(text) = parameters.get("scope") else { return Some(external.scopes.clone()) };
    let wanted: Vec<String> = text.split_ascii_whitespace().map(str::to_owned).collect();
    let is_allowed = |scope: &String| scope::is_known(scope) && scope::covers(&external.scopes, scope);
    wanted.iter().all(is_allowed).then_some(wanted)
}

impl Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Page(sentence) => Page::new("OAuth error", format!("<p>{sentence}</p>"))
                .with_status(StatusCode::BAD_REQUEST)
                .into_response(),
            Self::Back(mut back, error, description) => {
                back.query_pairs_mut()
                    .append_pair("error", error)
                    .append_pair("error_description", description);
                consent::found(&back)
            }
        }
    }
}

/// `GET /rest/oauth2/latest/authorize`: on to the consent page
pub(crate) async fn authorize(
    Extract(fake): Extract<Arc<Fake>>,
    OriginalUri(uri): OriginalUri,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    let state = fake.state();
    if !is_provider(&fake, &state) {
        return ApiError::no_resource(uri.path()).into_response();
    }
    if let Err(refusal) = read(&state, &parameters(query.as_bytes())) {
        return refusal.into_response();
    }
    let to = fake.path(&format!("/plugins/servlet/oauth2/consent?{query}"));
    (StatusCode::FOUND, [(header::LOCATION, to)]).into_response()
}

/// `GET /plugins/servlet/oauth2/consent`: who are you, then: do you agree?
pub(crate) async fn ask(
    Extract(fake): Extract<Arc<Fake>>,
    OriginalUri(uri): OriginalUri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let here = uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    let Some(user) = session::user(&fake, &headers) else { return session::log_in(&fake, &here) };
    let state = fake.state();
    let request = match read(&state, &parameters(query.unwrap_or_default().as_bytes())) {
        Ok(request) => request,
        Err(refusal) => return refusal.into_response(),
    };
    let mut wish = String::new();
    for (group, label, _) in scope::BOXES.iter().filter(|(_, _, name)| scope::covers(&request.scopes, name)) {
        let _ = write!(wish, "<li>{group}: {label}</li>");
    }
    consent::page(
        &fake,
        &state,
        user,
        &consent::Question { who: &request.link.name, wish: &wish, action: &here },
    )
}

/// `POST /plugins/servlet/oauth2/consent`: a button of the consent page was pressed
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
    let mut request = match read(&state, &parameters(query.unwrap_or_default().as_bytes())) {
        Ok(request) => request,
        Err(refusal) => return refusal.into_response(),
    };
    if !consent::is_allowed(&body) {
        let description = "The resource owner denied the request.";
        return Refusal::Back(request.back, "access_denied", description).into_response();
    }
    let code = Code {
        link: request.link.id,
        user,
        scopes: request.scopes,
        redirect_uri: request.redirect_uri,
        challenge: request.challenge,
        issued_at: state.now(),
    };
    let text = chance(16);
    state.codes.insert(text.clone(), code);
    request.back.query_pairs_mut().append_pair("code", &text);
    consent::found(&request.back)
}

/// `error` and `error_description` of RFC 6749, section 5.2; the description can be missing.
struct TokenError(&'static str, Option<&'static str>);

impl TokenError {
    fn into_response(self) -> Response {
        let Self(error, description) = self;
        let status =
            if error == "invalid_client" { StatusCode::UNAUTHORIZED } else { StatusCode::BAD_REQUEST };
        let mut body = json!({"error": error});
        if let Some(description) = description {
            body["error_description"] = json!(description);
        }
        (status, Json(body)).into_response()
    }
}

/// `POST /rest/oauth2/latest/token`
pub(crate) async fn token(
    Extract(fake): Extract<Arc<Fake>>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut state = fake.state();
    if !is_provider(&fake, &state) {
        return ApiError::no_resource(uri.path()).into_response();
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("application/x-www-form-urlencoded") {
        let body = json!({"message": "The content type must be application/x-www-form-urlencoded."});
        return (StatusCode::BAD_REQUEST, Json(body)).into_response();
    }
    let mut sent = parameters(uri.query().unwrap_or_default().as_bytes());
    sent.extend(parameters(&body));
    match client(&state, &sent).and_then(|link| redeem(&mut state, link, &sent)) {
        Ok(answer) => ([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response(),
        Err(error) => error.into_response(),
    }
}

/// The link that asks, by its id and secret among the parameters: Bitbucket does not read them from HTTP Basic.
fn client(state: &State, sent: &Parameters) -> Result<u32, TokenError> {
    let wrong = TokenError("invalid_client", Some("The client is unknown, or its secret is wrong."));
    let (Some(id), Some(secret)) = (sent.get("client_id"), sent.get("client_secret")) else {
        return Err(TokenError("invalid_request", Some("client_id and client_secret are required.")));
    };
    let found = state.link_of_client(id).filter(|(_, external)| external.client_secret == *secret);
    found.map(|(link, _)| link.id).ok_or(wrong)
}

fn redeem(state: &mut State, link: u32, sent: &Parameters) -> Result<Value, TokenError> {
    match sent.get("grant_type").map(String::as_str) {
        Some("authorization_code") => redeem_code(state, link, sent),
        Some("refresh_token") => refresh(state, link, sent),
        Some(_) => Err(TokenError("unsupported_grant_type", Some("The grant_type is not supported."))),
        None => Err(TokenError("invalid_request", Some("grant_type is required."))),
    }
}

/// A code works once, for ten seconds, with the redirect URL and the verifier that belong to it.
fn redeem_code(state: &mut State, link: u32, sent: &Parameters) -> Result<Value, TokenError> {
    let (Some(text), Some(redirect_uri)) = (sent.get("code"), sent.get("redirect_uri")) else {
        return Err(TokenError("invalid_request", Some("code and redirect_uri are required.")));
    };
    let now = state.now();
    let code = state.codes.remove(text).filter(|code| code.link == link && code.is_valid_at(now));
    let code = code.ok_or(TokenError("invalid_grant", Some("The code is unknown, used or expired.")))?;
    if code.redirect_uri != *redirect_uri {
        let description = "The redirect_uri is not the one that the code was asked for with.";
        return Err(TokenError("invalid_grant", Some(description)));
    }
    let verifier = sent.get("code_verifier").map(String::as_str).unwrap_or_default();
    if code.challenge.is_some_and(|challenge| !challenge.is_met_by(verifier)) {
        return Err(TokenError(
            "invalid_grant",
            Some("The code_verifier does not match the code_challenge."),
        ));
    }
    Ok(Pair::issue(state, link, code.user, code.scopes).to_json())
}

/// Without the right redirect URL, the refusal does not say why.
fn refresh(state: &mut State, link: u32, sent: &Parameters) -> Result<Value, TokenError> {
    let text =
        sent.get("refresh_token").ok_or(TokenError("invalid_request", Some("refresh_token is required.")))?;
    let external = state.link(link).and_then(LinkRecord::external);
    let is_right = external.is_some_and(|external| {
        sent.get("redirect_uri").is_some_and(|uri| external.redirect_urls.contains(uri))
    });
    if !is_right && !state.switches.refresh_without_redirect {
        return Err(TokenError("invalid_grant", None));
    }
    let pair = Pair::refresh(state, link, text);
    let pair =
        pair.ok_or(TokenError("invalid_grant", Some("The refresh token is unknown, used or expired.")))?;
    Ok(pair.to_json())
}

/// `GET /rest/oauth2/1.0/client`: the links, for system admins; 401 tells everybody else that there is a provider
pub(crate) async fn clients(
    Extract(fake): Extract<Arc<Fake>>,
    OriginalUri(uri): OriginalUri,
    caller: Caller,
) -> Result<Json<Value>, ApiError> {
    let state = fake.state();
    if !is_provider(&fake, &state) {
        return Err(ApiError::no_resource(uri.path()));
    }
    let user = state.user(caller.user()?);
    if !user.is_some_and(super::user::UserRecord::is_system_admin) || !caller.has("SYSTEM_ADMIN") {
        return Err(ApiError::not_permitted());
    }
    let links = state.links.iter().filter_map(|link| Some((link, link.external()?)));
    let clients = links.map(|(link, external)| {
        json!({"id": link.id, "name": link.name, "clientId": external.client_id, "redirects": external.redirect_urls})
    });
    Ok(Json(clients.collect()))
}
