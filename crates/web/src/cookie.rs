//! The five cookies of Stave. Each holds one random secret whose hash is in the database.

use axum::{
    http::{
        HeaderMap, HeaderValue,
        header::{COOKIE, SET_COOKIE},
    },
    response::{IntoResponseParts, ResponseParts},
};
use stave_domain::{
    Secret,
    login::{ABSOLUTE_LIMIT, ATTEMPT_LIMIT, REGISTRATION_LIMIT},
};
use std::convert::Infallible;
use url::Url;

/// What a cookie is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cookie {
    /// This browser is logged in.
    Login,
    /// This browser opened the setup link; gone with the browser's window.
    Setup,
    /// This browser is on its way to a platform.
    Attempt,
    /// This browser is back from a platform and has no account yet.
    Registration,
    /// This browser made a token and is on its way to the page that shows it ([`crate::handover`]).
    Token,
}

impl Cookie {
    fn stem(self) -> &'static str {
        match self {
            Self::Login => "stave_login",
            Self::Setup => "stave_setup",
            Self::Attempt => "stave_attempt",
            Self::Registration => "stave_registration",
            Self::Token => "stave_token",
        }
    }

    fn seconds(self) -> Option<i64> {
        match self {
            Self::Login => Some(ABSOLUTE_LIMIT.as_secs()),
            Self::Setup => None,
            Self::Attempt => Some(ATTEMPT_LIMIT.as_secs()),
            Self::Registration => Some(REGISTRATION_LIMIT.as_secs()),
            Self::Token => Some(60),
        }
    }

    /// The secret that the browser sent. `url` is the public address of this server.
    pub(crate) fn read(self, url: &Url, headers: &HeaderMap) -> Option<Secret> {
        read(self.stem(), is_https(url), headers)
    }

    /// Gives the browser a secret to keep: `(Cookie::Login.put(app.url(), &secret), Redirect::to(..))`.
    pub(crate) fn put(self, url: &Url, secret: &Secret) -> SetCookie {
        set(self.stem(), is_https(url), secret.expose(), self.seconds())
    }

    /// Takes the cookie away from the browser.
    pub(crate) fn remove(self, url: &Url) -> SetCookie {
        set(self.stem(), is_https(url), "", Some(0))
    }
}

/// Whether browsers speak to an address over TLS: then a cookie of its host is for TLS only.
pub(crate) fn is_https(url: &Url) -> bool {
    url.scheme() == "https"
}

/// Makes browsers refuse a cookie of this name from another host (RFC 6265bis, section 4.1.3.2).
const HOST_ONLY: &str = "__Host-";

fn name(stem: &str, is_https: bool) -> String {
    let prefix = if is_https { HOST_ONLY } else { "" };
    format!("{prefix}{stem}")
}

/// The secret that the browser sent. Nothing else that it sent is looked at: sites behind a proxy have many cookies of their own.
pub(crate) fn read(stem: &str, is_https: bool, headers: &HeaderMap) -> Option<Secret> {
    let pairs = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let value_of = |pair: &'_ str| {
        let (name, value) = pair.trim().split_once('=')?;
        let name = if is_https { name.strip_prefix(HOST_ONLY)? } else { name };
        (name == stem && !value.is_empty()).then(|| Secret::new(value))
    };
    pairs.flat_map(|pairs| pairs.split(';')).find_map(value_of)
}

/// A cookie for the whole host, which no script can read; without `seconds` it is gone with the browser's window.
pub(crate) fn set(stem: &str, is_https: bool, value: &str, seconds: Option<i64>) -> SetCookie {
    let lifetime = seconds.map_or_else(String::new, |seconds| format!("; Max-Age={seconds}"));
    let secure = if is_https { "; Secure" } else { "" };
    SetCookie(format!("{}={value}; Path=/; HttpOnly; SameSite=Lax{lifetime}{secure}", name(stem, is_https)))
}

/// A `Set-Cookie` header to be sent along with a response.
pub(crate) struct SetCookie(String);

impl IntoResponseParts for SetCookie {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        if let Ok(mut value) = HeaderValue::try_from(self.0) {
            value.set_sensitive(true);
            parts.headers_mut().append(SET_COOKIE, value);
        }
        Ok(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn https_makes_cookies_strict() {
        let secret = Secret::new("abc");
        assert_eq!(
            Cookie::Login.put(&url("https://stave.example"), &secret).0,
            "__Host-stave_login=abc; Path=/; HttpOnly; SameSite=Lax; Max-Age=5184000; Secure"
        );
        assert_eq!(
            Cookie::Setup.put(&url("http://127.0.0.1:8080"), &secret).0,
            "stave_setup=abc; Path=/; HttpOnly; SameSite=Lax"
        );
        assert_eq!(
            Cookie::Attempt.remove(&url("http://127.0.0.1:8080")).0,
            "stave_attempt=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"
        );
    }

    #[test]
    fn a_cookie_is_read_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers
            .insert("cookie", "stave_login=weak; __Host-stave_login=strong; stave_setup=".parse().unwrap());
        assert_eq!(Cookie::Login.read(&url("https://x"), &headers), Some(Secret::new("strong")));
        assert_eq!(Cookie::Login.read(&url("http://x"), &headers), Some(Secret::new("weak")));
        assert_eq!(Cookie::Setup.read(&url("http://x"), &headers), None, "an empty one is none");
        assert_eq!(Cookie::Attempt.read(&url("http://x"), &headers), None);
    }
}
