//! The five cookies of Stave. Each holds one random secret whose hash is in the database.

use axum::{
    http::{HeaderMap, HeaderValue, header::SET_COOKIE},
    response::{IntoResponseParts, ResponseParts},
};
use axum_extra::extract::CookieJar;
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

    /// On https the prefix makes browsers refuse a cookie of this name from another host (RFC 6265bis, section 4.1.3.2).
    fn name(self, url: &Url) -> String {
        let prefix = if is_secure(url) { "__Host-" } else { "" };
        format!("{prefix}{}", self.stem())
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
        let jar = CookieJar::from_headers(headers);
        jar.get(&self.name(url)).map(|cookie| Secret::new(cookie.value())).filter(|secret| !secret.is_empty())
    }

    /// Gives the browser a secret to keep: `(Cookie::Login.put(app.url(), &secret), Redirect::to(..))`.
    pub(crate) fn put(self, url: &Url, secret: &Secret) -> SetCookie {
        let lifetime = self.seconds().map_or_else(String::new, |seconds| format!("; Max-Age={seconds}"));
        self.set(url, secret.expose(), &lifetime)
    }

    /// Takes the cookie away from the browser.
    pub(crate) fn remove(self, url: &Url) -> SetCookie {
        self.set(url, "", "; Max-Age=0")
    }

    fn set(self, url: &Url, value: &str, lifetime: &str) -> SetCookie {
        let secure = if is_secure(url) { "; Secure" } else { "" };
        SetCookie(format!("{}={value}; Path=/; HttpOnly; SameSite=Lax{lifetime}{secure}", self.name(url)))
    }
}

fn is_secure(url: &Url) -> bool {
    url.scheme() == "https"
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
