//! What a server answered.

use crate::error::{Saw, UpstreamError};
use reqwest::{
    StatusCode,
    header::{self, HeaderMap},
};
use serde::de::{DeserializeOwned, IgnoredAny};
use stave_domain::Timestamp;
use std::time::Duration;
use url::Url;

/// A whole answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// Who was asked.
    pub(crate) url: Url,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// Decompressed.
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// An answer whose body has not come yet.
    pub(crate) fn new(url: &Url, status: StatusCode, headers: HeaderMap) -> Self {
        Self { url: url.clone(), status, headers, body: Vec::new() }
    }

    /// Who answered: host and, if it is not the usual one, port.
    pub(crate) fn host(&self) -> String {
        authority(&self.url)
    }

    /// The body as JSON; servers send web pages with any status and any content type.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, UpstreamError> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let saw = match () {
                () if self.is_web_page() => Saw::WebPage,
                () if self.body.trim_ascii().is_empty() => Saw::Nothing,
                () if error.is_eof() => Saw::CutOff,
                () if error.is_data() => Saw::OtherJson,
                () => Saw::NoJson,
            };
            UpstreamError::Unreadable { host: self.host(), saw, source: Some(error.into()) }
        })
    }

    /// What is missing in a body that could be read.
    pub(crate) fn without(&self, what: &'static str) -> UpstreamError {
        without(self.host(), what)
    }

    /// What came, whatever it should have been.
    pub(crate) fn saw(&self) -> Saw {
        match self.json::<IgnoredAny>() {
            Err(UpstreamError::Unreadable { saw, .. }) => saw,
            Ok(_) | Err(_) => Saw::OtherJson,
        }
    }

    /// Whether the body looks like HTML.
    pub(crate) fn is_web_page(&self) -> bool {
        let body = self.body.trim_ascii_start();
        body.starts_with(b"<") && !body.starts_with(b"<?xml")
    }

    /// One header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// When it was sent, by the sender's own clock.
    pub(crate) fn sent_at(&self) -> Option<Timestamp> {
        Some(jiff::fmt::rfc2822::parse(self.header(header::DATE.as_str())?).ok()?.timestamp())
    }

    /// Where a redirect leads; `None` if this is no redirect.
    pub(crate) fn location(&self) -> Option<Url> {
        let location = self.status.is_redirection().then(|| self.header(header::LOCATION.as_str()));
        self.url.join(location.flatten()?).ok()
    }

    /// Where a redirect leads, without query and fragment, fit to be shown.
    pub(crate) fn redirect_target(&self) -> Option<String> {
        let mut target = self.location()?;
        target.set_query(None);
        target.set_fragment(None);
        _ = target.set_username("");
        _ = target.set_password(None);
        Some(target.to_string())
    }

    /// How long the server asks to wait (RFC 9110, section 10.2.3): seconds, or a date, which is compared with the date
    /// of the answer.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let value = self.header(header::RETRY_AFTER.as_str())?.trim();
        if let Ok(seconds) = value.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let until = jiff::fmt::rfc2822::parse(value).ok()?.timestamp();
        Some(Duration::try_from(until.duration_since(self.sent_at()?)).unwrap_or_default())
    }

    /// This part of the interface was removed.
    pub(crate) fn gone(&self, announcement: Option<String>) -> UpstreamError {
        UpstreamError::Gone { host: self.host(), path: self.url.path().to_owned(), announcement }
    }

    /// What the status alone says about a request that did not succeed.
    pub(crate) fn failure(&self) -> UpstreamError {
        let host = self.host();
        if let Some(to) = self.redirect_target() {
            return UpstreamError::Redirected { host, to };
        }
        match self.status {
            StatusCode::UNAUTHORIZED => UpstreamError::Unauthorized { host },
            StatusCode::FORBIDDEN => UpstreamError::Forbidden { host },
            StatusCode::NOT_FOUND => UpstreamError::NotFound { host },
            StatusCode::GONE => self.gone(None),
            StatusCode::TOO_MANY_REQUESTS => {
                UpstreamError::RateLimited { host, retry_after: self.retry_after() }
            }
            status => UpstreamError::Unexpected { host, status: status.as_u16() },
        }
    }
}

/// Host and, if it is not the usual one, port.
pub(crate) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// What a host answered lacks what it must have.
pub(crate) fn without(host: String, what: &'static str) -> UpstreamError {
    UpstreamError::Unreadable { host, saw: Saw::Without(what), source: None }
}

/// An address of something that a browser may load: https, and nothing else.
pub(crate) fn https_only(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    (url.scheme() == "https" && url.username().is_empty() && url.password().is_none()).then(|| url.into())
}

/// `path` is put behind the path that the address has.
pub(crate) fn below(address: &Url, path: &str) -> Url {
    let mut url = address.clone();
    url.set_path(&format!("{}{path}", url.path().trim_end_matches('/')));
    url
}

/// Names that may contain anything are put behind the path that the address has.
pub(crate) fn below_segments(address: &Url, segments: &[&str]) -> Url {
    let mut url = address.clone();
    let mut path =
        url.path_segments_mut().expect("every address that is asked is http or https, which have a path");
    path.pop_if_empty().extend(segments);
    drop(path);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Answer {
        let headers =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        Answer {
            url: Url::parse("https://git.example.com:8443/2.0/user").unwrap(),
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let date = ("date", "Thu, 01 Oct 2026 10:00:00 GMT");
        let cases = [
            (vec![("retry-after", "120")], Some(120)),
            (vec![("retry-after", " 0 ")], Some(0)),
            (vec![("retry-after", "Thu, 01 Oct 2026 10:05:00 GMT"), date], Some(300)),
            (vec![("retry-after", "Thu, 01 Oct 2026 09:00:00 GMT"), date], Some(0)),
            (vec![("retry-after", "Thu, 01 Oct 2026 10:05:00 GMT")], None),
            (vec![("retry-after", "soon"), date], None),
            (vec![], None),
        ];
        for (headers, seconds) in cases {
            let expected = seconds.map(Duration::from_secs);
            assert_eq!(answer(429, &headers, "").retry_after(), expected, "{headers:?}");
        }
    }

    #[test]
    fn a_redirect_is_reported_without_what_might_be_secret() {
        let cases = [
            (
                302,
                "https://other.example.com/login?next=%2F&token=x#top",
                Some("https://other.example.com/login"),
            ),
            (301, "/elsewhere", Some("https://git.example.com:8443/elsewhere")),
            (302, "https://u:p@other.example.com/", Some("https://other.example.com/")),
            (200, "/elsewhere", None),
        ];
        for (status, location, to) in cases {
            assert_eq!(answer(status, &[("location", location)], "").redirect_target().as_deref(), to);
        }
        assert_eq!(answer(302, &[], "").redirect_target(), None);
    }

    #[test]
    fn names_in_a_path_are_encoded() {
        for (root, expected) in [
            ("https://git.example.com", "https://git.example.com/a%2F%3Fb/%7B1%7D/hooks"),
            ("https://git.example.com/x/2.0", "https://git.example.com/x/2.0/a%2F%3Fb/%7B1%7D/hooks"),
            ("https://git.example.com/x/", "https://git.example.com/x/a%2F%3Fb/%7B1%7D/hooks"),
        ] {
            let root = Url::parse(root).unwrap();
            assert_eq!(below_segments(&root, &["a/?b", "{1}", "hooks"]).as_str(), expected);
        }
    }

    #[test]
    fn a_web_page_is_told_from_other_noise() {
        let saw = |body: &str| match answer(200, &[], body).json::<serde_json::Value>() {
            Err(UpstreamError::Unreadable { saw, .. }) => saw,
            other => panic!("{other:?}"),
        };
        assert_eq!(saw("\n <!DOCTYPE html><html>"), Saw::WebPage);
        assert_eq!(saw("Not Found"), Saw::NoJson);
        assert_eq!(saw("<?xml version=\"1.0\"?><status/>"), Saw::NoJson);
        assert_eq!(saw(" "), Saw::Nothing);
        assert_eq!(saw("{\"version\": \"8.1"), Saw::CutOff);
        assert_eq!(answer(200, &[], "{}").saw(), Saw::OtherJson);
    }
}
