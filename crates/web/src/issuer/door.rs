//! What a proxy says about itself and about the request that it holds back.

use axum::{
    extract::ConnectInfo,
    http::{
        Extensions, HeaderMap, Method,
        header::{ACCEPT, USER_AGENT},
    },
};
use stave_app::{App, Door, Failure, Knock, Visitor};
use stave_domain::{Secret, website::ReturnPath};
use std::net::SocketAddr;

/// Opens the door of a website to a proxy; nothing of what it says is believed without its key.
pub(super) async fn open(
    app: &App,
    slug: &str,
    (headers, extensions): (&HeaderMap, &Extensions),
) -> Result<Door, Failure> {
    let knock = Knock {
        slug,
        proxy_key: once(headers, "x-stave-proxy-key").map(Secret::new),
        scheme: once(headers, "x-forwarded-proto").unwrap_or_default(),
        host: once(headers, "x-forwarded-host").unwrap_or_default(),
        proxy: extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip()),
    };
    app.door_open(knock).await
}

/// The value of a header that stands there once. Of two, one is the visitor's.
pub(super) fn once<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

/// The visitor behind a proxy that was let in. Of several addresses the last is the one that the proxy saw itself.
pub(super) fn visitor(headers: &HeaderMap) -> Visitor {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let address = text("x-forwarded-for").rsplit(',').next().unwrap_or_default().trim();
    let address = address.parse().map(|ip: std::net::IpAddr| ip.to_string()).unwrap_or_default();
    Visitor { address, user_agent: text(USER_AGENT.as_str()).chars().take(300).collect() }
}

/// The page that the visitor asked the site for.
pub(super) fn page(headers: &HeaderMap) -> ReturnPath {
    let told = ["x-forwarded-uri", "x-original-uri", "x-original-url"]
        .into_iter()
        .find_map(|name| headers.get(name));
    let told = told.and_then(|value| std::str::from_utf8(value.as_bytes()).ok()).unwrap_or_default();
    match told.split_once("://") {
        // Some proxies tell the whole address.
        Some(("http" | "https", rest)) => ReturnPath::of(rest.find('/').map_or("/", |slash| &rest[slash..])),
        _ => ReturnPath::of(told),
    }
}

/// Whether a browser asks for a page to show: only then it can be led to the login form and back.
pub(super) fn is_navigation(headers: &HeaderMap) -> bool {
    let method = once(headers, "x-forwarded-method").unwrap_or("GET");
    let accept = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    (method == Method::GET.as_str() || method == Method::HEAD.as_str())
        && is_page(headers)
        && accept.into_iter().any(|kinds| kinds.contains("text/html"))
}

/// Whether it is no script and no picture that asks, as far as the browser tells.
pub(super) fn is_page(headers: &HeaderMap) -> bool {
    let mode = headers.get("sec-fetch-mode");
    mode.is_none_or(|mode| mode == "navigate") && !headers.contains_key("x-requested-with")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn only_pages_lead_to_the_login_form() {
        let html = ("accept", "text/html,*/*;q=0.8");
        for (pairs, is_it) in [
            (vec![html], true),
            (vec![html, ("sec-fetch-mode", "navigate")], true),
            (vec![html, ("x-forwarded-method", "HEAD")], true),
            (vec![html, ("x-forwarded-method", "POST")], false),
            (vec![html, ("x-forwarded-method", "GET"), ("x-forwarded-method", "POST")], true),
            (vec![html, ("sec-fetch-mode", "cors")], false),
            (vec![html, ("x-requested-with", "XMLHttpRequest")], false),
            (vec![("accept", "application/json")], false),
            (vec![], false),
        ] {
            assert_eq!(is_navigation(&headers(&pairs)), is_it, "{pairs:?}");
        }
    }

    #[test]
    fn the_page_that_was_asked_for() {
        for (name, told, page_) in [
            ("x-forwarded-uri", "/a?b=c&d", "/a?b=c&d"),
            ("x-original-uri", "/a", "/a"),
            ("x-original-url", "https://shop.example/a?b", "/a?b"),
            ("x-original-url", "https://shop.example", "/"),
            ("x-forwarded-uri", "//evil.example", "/"),
            ("x-forwarded-uri", "https://evil.example//evil.example", "/"),
        ] {
            assert_eq!(page(&headers(&[(name, told)])).as_str(), page_, "{told}");
        }
        assert_eq!(page(&HeaderMap::new()).as_str(), "/");
    }

    #[test]
    fn what_stands_twice_is_not_believed() {
        let twice = headers(&[("x-forwarded-host", "a.example"), ("x-forwarded-host", "b.example")]);
        assert_eq!(once(&twice, "x-forwarded-host"), None);
    }

    #[test]
    fn the_last_address_is_the_one_that_the_proxy_saw() {
        let told = visitor(&headers(&[("x-forwarded-for", "198.51.100.7, 192.0.2.1"), ("user-agent", "x")]));
        assert_eq!((told.address.as_str(), told.user_agent.as_str()), ("192.0.2.1", "x"));
        assert_eq!(visitor(&headers(&[("x-forwarded-for", "<script>")])).address, "");
    }
}
