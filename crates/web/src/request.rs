//! What is known of a request: its id, its line in the log, who sent it.

use axum::{
    extract::{ConnectInfo, FromRequestParts, MatchedPath, Request},
    http::{Extensions, HeaderMap, HeaderValue, header::USER_AGENT, request::Parts},
    middleware::Next,
    response::Response,
};
use stave_app::Visitor;
use std::{
    convert::Infallible,
    fmt,
    hash::{BuildHasher, RandomState},
    net::SocketAddr,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};
use tracing::Instrument;

/// Names one request in the log, in the answer's `x-request-id` and on error pages: 16 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RequestId(u64);

impl RequestId {
    /// A fresh one: unlike the others, but no secret.
    fn next() -> Self {
        static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        static COUNT: AtomicU64 = AtomicU64::new(0);
        Self(SEED.hash_one(COUNT.fetch_add(1, Ordering::Relaxed)))
    }

    /// The id that [`observe`] gave.
    pub(crate) fn of(extensions: &Extensions) -> Self {
        extensions.get().copied().unwrap_or_else(Self::next)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The outermost layer: gives the request its id and writes its line in the log. The line has the pattern of the route and
/// never the address itself: setup tokens and webhook secrets are in addresses.
pub(crate) async fn observe(mut request: Request, next: Next) -> Response {
    let id = RequestId::next();
    let route = request.extensions().get::<MatchedPath>().map_or("(none)", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!("request", %id, method = %request.method(), route);
    let started = Instant::now();
    request.extensions_mut().insert(id);
    let mut response = next.run(request).instrument(span.clone()).await;
    if let Ok(value) = HeaderValue::try_from(id.to_string()) {
        response.headers_mut().insert("x-request-id", value);
    }
    let (status, latency_us) = (response.status().as_u16(), started.elapsed().as_micros());
    span.in_scope(|| tracing::info!(status, latency_us, "answered"));
    response
}

/// Who sent the request, for the list of log-ins.
pub(crate) struct Caller(pub(crate) Visitor);

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer);
        let user_agent =
            header(&parts.headers, USER_AGENT.as_str()).unwrap_or_default().chars().take(300).collect();
        Ok(Self(Visitor { address: address(peer, &parts.headers), user_agent }))
    }
}

/// The address of the caller. Only a proxy on this machine is believed when it says for whom it asks.
fn address(peer: Option<SocketAddr>, headers: &HeaderMap) -> String {
    let Some(peer) = peer else { return String::new() };
    let forwarded = header(headers, "x-forwarded-for")
        .filter(|_| peer.ip().is_loopback())
        .and_then(|list| list.rsplit(',').next())
        .and_then(|last| last.trim().parse().ok());
    forwarded.unwrap_or(peer.ip()).to_string()
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ() {
        assert_ne!(RequestId::next(), RequestId::next());
        assert_eq!(RequestId::next().to_string().len(), 16);
    }

    #[test]
    fn only_a_local_proxy_is_believed() {
        let headers =
            |text: &str| HeaderMap::from_iter([("x-forwarded-for".parse().unwrap(), text.parse().unwrap())]);
        let peer = |text: &str| Some(text.parse().unwrap());
        assert_eq!(address(peer("127.0.0.1:5"), &headers("1.1.1.1, 10.0.0.7")), "10.0.0.7");
        assert_eq!(address(peer("127.0.0.1:5"), &headers("nonsense")), "127.0.0.1");
        assert_eq!(address(peer("192.0.2.9:5"), &headers("10.0.0.7")), "192.0.2.9");
        assert_eq!(address(None, &headers("10.0.0.7")), "");
    }
}
