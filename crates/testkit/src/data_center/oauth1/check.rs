//! What every signed request has to stand, in the order in which the real server asks.

use super::{problem::Problem, signature::Signed};
use crate::data_center::{front::Received, link::ConsumerRecord, state::State, version::Version};

/// How far the clocks may be apart, in seconds.
const WINDOW_SECONDS: i64 = 5 * 60;

/// The user of a signed call of the API.
pub(crate) fn caller(state: &mut State, received: &Received) -> Result<u32, Problem> {
    let signed = Signed::read(received);
    let (link, consumer) = consumer(state, &signed)?;
    let text = signed.get("oauth_token").ok_or_else(|| Problem::new("permission_denied"))?;
    let token = state.access_tokens.get(text).filter(|token| token.link == link).cloned();
    let token = token.ok_or_else(|| Problem::new("token_rejected"))?;
    if token.expires_at <= state.now() {
        return Err(Problem::new("token_expired"));
    }
    signature(state, &signed, &consumer)?;
    Ok(token.user)
}

/// Whether this server still takes OAuth 1.
pub(crate) fn offered(state: &State) -> Result<(), Problem> {
    let is_refused = state.switches.oauth1_refused && state.version >= Version::V8_19;
    if is_refused { Err(Problem::new("consumer_key_refused")) } else { Ok(()) }
}

/// The link and the consumer of a request.
pub(crate) fn consumer(state: &State, signed: &Signed) -> Result<(u32, ConsumerRecord), Problem> {
    offered(state)?;
    let key = signed.get("oauth_consumer_key").ok_or_else(|| Problem::absent(&["oauth_consumer_key"]))?;
    let found = state.link_of_consumer(key).map(|(link, consumer)| (link.id, consumer.clone()));
    found.ok_or_else(|| Problem::new("consumer_key_unknown"))
}

/// Version, timestamp, nonce and signature.
pub(crate) fn signature(
    state: &mut State,
    signed: &Signed,
    consumer: &ConsumerRecord,
) -> Result<(), Problem> {
    if let Some(name) = signed.doubled() {
        return Err(Problem::rejected(name, "The parameter was sent more than once."));
    }
    let needed = ["oauth_signature_method", "oauth_signature", "oauth_timestamp", "oauth_nonce"];
    let absent: Vec<&str> = needed.into_iter().filter(|name| signed.get(name).is_none()).collect();
    if !absent.is_empty() {
        return Err(Problem::absent(&absent));
    }
    if signed.get("oauth_version").is_some_and(|version| version != "1.0") {
        return Err(Problem::new("version_rejected").with("oauth_acceptable_versions", "1.0-1.0"));
    }
    timestamp_and_nonce(state, signed, consumer)?;
    if signed.get("oauth_signature_method") != Some("RSA-SHA1") {
        let problem = Problem::new("signature_method_rejected");
        return Err(problem.with("oauth_acceptable_signature_methods", "RSA-SHA1"));
    }
    if signed.is_signed_with(&consumer.public_key) {
        return Ok(());
    }
    Err(Problem::new("signature_invalid").with("oauth_signature_base_string", signed.base_string()))
}

fn timestamp_and_nonce(state: &mut State, signed: &Signed, consumer: &ConsumerRecord) -> Result<(), Problem> {
    let text = signed.get("oauth_timestamp").unwrap_or_default();
    let at: i64 =
        text.parse().map_err(|_| Problem::rejected("oauth_timestamp", "It is no number of seconds."))?;
    let now = state.wall.now().as_second();
    if (now - at).abs() > WINDOW_SECONDS {
        let window = format!("{}-{}", now - WINDOW_SECONDS, now + WINDOW_SECONDS);
        return Err(Problem::new("timestamp_refused").with("oauth_acceptable_timestamps", window));
    }
    let nonce = signed.get("oauth_nonce").unwrap_or_default().to_owned();
    let is_new = state.nonces.insert((consumer.key.clone(), text.to_owned(), nonce));
    if is_new { Ok(()) } else { Err(Problem::new("nonce_used")) }
}
