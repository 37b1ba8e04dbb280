//! What is known of a request: its id, its line in the log, who sent it.

use axum::{
    extract::{ConnectInfo, FromRequestParts, MatchedPath, Request},
    http::{
        Extensions, HeaderMap, HeaderValue,
        header::{USER_AGENT, X_CONTENT_TYPE_OPTIONS},
        request::Parts,
    },
    middleware::Next,
    response::Response,
};
use stave_app::{App, Visitor};
use std::{
    convert::Infallible,
    fmt,
    hash::{BuildHasher, RandomState},
    net::{IpAddr, SocketAddr},
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
pub(crate) async fn observe(request: Request, next: Next) -> Response {
    observed(request, |request| next.run(request)).await
}

/// The same around whatever answers.
pub(crate) async fn observed<F: Future<Output = Response>>(
    mut request: Request,
    answer: impl FnOnce(Request) -> F,
) -> Response {
    let id = RequestId::next();
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or("(none)", MatchedPath::as_str);
    let span = tracing::info_span!("request", %id, method = %request.method(), route);
    let started = Instant::now();
    request.extensions_mut().insert(id);
    let mut response = answer(request).instrument(span.clone()).await;
    if let Ok(value) = HeaderValue::try_from(id.to_string()) {
        response.headers_mut().insert("x-request-id", value);
    }
    let (status, latency_us) = (response.status().as_u16(), started.elapsed().as_micros());
    span.in_scope(|| tracing::info!(status, latency_us, "answered"));
    response
}

/// The same for what may be answered without waiting, with the pattern of its route. It has the headers that every machine gets.
pub(crate) fn observed_at_once(
    request: &Request,
    answer: impl FnOnce() -> Option<(&'static str, Response)>,
) -> Option<Response> {
    let started = Instant::now();
    let (route, mut response) = answer()?;
    let id = RequestId::next();
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(value) = HeaderValue::try_from(id.to_string()) {
        headers.insert("x-request-id", value);
    }
    let (status, latency_us) = (response.status().as_u16(), started.elapsed().as_micros());
    let span = tracing::info_span!("request", %id, method = %request.method(), route);
    span.in_scope(|| tracing::info!(status, latency_us, "answered"));
    Some(response)
}

/// Who sent the request, for the list of log-ins.
pub(crate) struct Caller(pub(crate) Visitor);

impl FromRequestParts<App> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let address = caller_address(parts, app).map(|address| address.to_string()).unwrap_or_default();
        let user_agent =
            header(&parts.headers, USER_AGENT.as_str()).unwrap_or_default().chars().take(300).collect();
        Ok(Self(Visitor { address, user_agent }))
    }
}

/// The address of the caller; `None` if nobody knows it.
pub(crate) fn caller_address(parts: &Parts, app: &App) -> Option<IpAddr> {
    address_of(&parts.extensions, &parts.headers, app)
}

/// The same of a request that nobody has taken apart.
pub(crate) fn address_of(extensions: &Extensions, headers: &HeaderMap, app: &App) -> Option<IpAddr> {
    let ConnectInfo(peer) = extensions.get::<ConnectInfo<SocketAddr>>()?;
    Some(address(*peer, headers, |proxy| app.trusts_proxy(proxy)))
}

/// Only proxies that are trusted are believed when they say for whom they ask. Each adds whom it knows at the end of the last line:
/// whatever is before the last one that is no such proxy, the caller may have written.
fn address(peer: SocketAddr, headers: &HeaderMap, is_trusted: impl Fn(IpAddr) -> bool) -> IpAddr {
    let mut address = peer.ip().to_canonical();
    let line = headers.get_all("x-forwarded-for").iter().next_back().and_then(|line| line.to_str().ok());
    for said in line.unwrap_or_default().rsplit(',') {
        match said.trim().parse::<IpAddr>() {
            Ok(said) if is_trusted(address) => address = said.to_canonical(),
            _ => break,
        }
    }
    address
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
    fn only_trusted_proxies_are_believed() {
        let asked = |peer: &str, lines: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append("x-forwarded-for", line.parse().unwrap());
            }
            let trusted = |proxy: IpAddr| proxy.is_loopback() || proxy.to_string() == "172.18.0.2";
            address(peer.parse().unwrap(), &headers, trusted).to_string()
        };
        assert_eq!(asked("127.0.0.1:5", &["1.1.1.1, 10.0.0.7"]), "10.0.0.7");
        assert_eq!(
            asked("127.0.0.1:5", &["1.1.1.1", "10.0.0.7"]),
            "10.0.0.7",
            "the proxy wrote a line of its own"
        );
        assert_eq!(asked("[::ffff:127.0.0.1]:5", &["10.0.0.7"]), "10.0.0.7");
        assert_eq!(asked("127.0.0.1:5", &["nonsense"]), "127.0.0.1");
        assert_eq!(asked("127.0.0.1:5", &[]), "127.0.0.1");
        assert_eq!(asked("192.0.2.9:5", &["10.0.0.7"]), "192.0.2.9");
        assert_eq!(asked("172.18.0.2:5", &["1.1.1.1, 10.0.0.7"]), "10.0.0.7");
        assert_eq!(asked("127.0.0.1:5", &["1.1.1.1, 10.0.0.7, 172.18.0.2"]), "10.0.0.7", "two in a row");
        assert_eq!(asked("127.0.0.1:5", &["nonsense, 172.18.0.2"]), "172.18.0.2");
    }
}
