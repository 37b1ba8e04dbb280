//! The cookies of a website's visitors. Each holds one random secret whose hash is in the database.

use crate::cookie::{self, SetCookie};
use axum::http::HeaderMap;
use stave_app::Issuer;
use stave_domain::{
    Secret,
    website::{MOST_HOURS, TRIP_LIMIT},
};
use std::borrow::Cow;

/// What a cookie is for. `is_https` says whether browsers speak to its host over TLS.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cookie<'a> {
    /// This browser is signed in to a website. On Stave's own host.
    Login(&'a Issuer),
    /// This browser is on its way to a server; several trips may share it. On Stave's own host.
    Trip,
    /// This browser is on its way to the login form; several visits may share it. On the host of a site behind a proxy.
    Visit,
    /// This browser may see a site behind a proxy. On the host of that site, and worth nothing anywhere else.
    Pass,
}

/// What is left in [`Cookie::Login`] after somebody signed out.
const SIGNED_OUT: &str = "signed-out";

impl Cookie<'_> {
    fn stem(&self) -> Cow<'static, str> {
        match self {
            Self::Login(issuer) => format!("stave_op_{}", issuer.website.slug).into(),
            Self::Trip => "stave_trip".into(),
            Self::Visit => "stave_tx".into(),
            Self::Pass => "stave_site".into(),
        }
    }

    fn seconds(&self) -> i64 {
        match self {
            Self::Login(issuer) => i64::from(issuer.setting.longest_hours) * 3600,
            Self::Trip | Self::Visit => TRIP_LIMIT.as_secs(),
            Self::Pass => i64::from(MOST_HOURS) * 3600,
        }
    }

    /// The secret that the browser sent.
    pub(crate) fn read(&self, is_https: bool, headers: &HeaderMap) -> Option<Secret> {
        cookie::read(&self.stem(), is_https, headers)
    }

    /// Gives the browser a secret to keep.
    pub(crate) fn put(&self, is_https: bool, secret: &Secret) -> SetCookie {
        cookie::set(&self.stem(), is_https, secret.expose(), Some(self.seconds()))
    }

    /// Takes the cookie away from the browser.
    pub(crate) fn remove(&self, is_https: bool) -> SetCookie {
        cookie::set(&self.stem(), is_https, "", Some(0))
    }

    /// Ends a log-in in the browser. A word that opens nothing stays: after somebody signed out, the next log-in needs a click,
    /// because Bitbucket would let them in again without a question.
    pub(crate) fn end(&self, is_https: bool) -> SetCookie {
        cookie::set(&self.stem(), is_https, SIGNED_OUT, Some(self.seconds()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::response::IntoResponse;

    #[test]
    fn https_makes_cookies_strict() {
        let put = |is_https| {
            let answer = (Cookie::Trip.put(is_https, &Secret::new("abc")), ()).into_response();
            answer.headers()["set-cookie"].to_str().unwrap().to_owned()
        };
        assert_eq!(put(true), "__Host-stave_trip=abc; Path=/; HttpOnly; SameSite=Lax; Max-Age=600; Secure");
        assert_eq!(put(false), "stave_trip=abc; Path=/; HttpOnly; SameSite=Lax; Max-Age=600");
        let headers = HeaderMap::from_iter([(
            axum::http::header::COOKIE,
            "stave_trip=weak; __Host-stave_trip=strong".parse().unwrap(),
        )]);
        assert_eq!(Cookie::Trip.read(true, &headers), Some(Secret::new("strong")));
        assert_eq!(Cookie::Trip.read(false, &headers), Some(Secret::new("weak")));
    }
}
