//! A log-in in three steps (RFC 5849, section 2), and the renewal of what came of it (OAuth Session 1.0).

use super::signature::Request;
use crate::answer::below;
use stave_domain::{Secret, integration::BaseUrl};
use std::{collections::BTreeMap, time::Duration};
use url::{Url, form_urlencoded};

/// Where the steps of a log-in happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// Step 1, from server to server: gives a [`RequestToken`].
    pub request_token: Url,
    /// Step 2, in the browser: the person allows or denies.
    pub authorize: Url,
    /// Step 3, from server to server: gives an [`AccessToken`], and later renews it.
    pub access_token: Url,
}

/// What step 1 gives: the right to ask one person. Lives ten minutes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestToken {
    /// Goes with the browser, and comes back with it.
    pub token: Secret,
    /// RSA-SHA1 does not use it.
    pub secret: Secret,
    /// Whether the server has understood where the browser shall come back to. If not, it speaks OAuth 1.0 without the "a"
    /// (RFC 5849, section 2.1), and Stave must not go on.
    pub callback_confirmed: bool,
}

/// What step 3 gives: with it, Stave acts as the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// Requests are signed for it; see [`Request::token`].
    pub token: Secret,
    /// RSA-SHA1 does not use it.
    pub secret: Secret,
    /// How long it lives from now on; `None` if the server does not say.
    pub expires_in: Option<Duration>,
    /// Renews it without the person; `None` if it cannot be renewed.
    pub session_handle: Option<Secret>,
}

/// The answer to a step lacks what it must have: whoever answered is not Bitbucket, or a proxy has changed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the answer lacks {0}")]
pub struct Lacking(pub &'static str);

/// What the browser brings back from step 2 if the person allowed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returned {
    /// The request token. Whoever calls checks that this browser left with it, and lets it be used once.
    pub token: Secret,
    /// The proof that the person was asked.
    pub verifier: Secret,
}

/// Why the browser came back without the right to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReturnProblem {
    /// The person pressed Deny.
    Denied,
    /// A parameter is missing or empty.
    Lacking(&'static str),
}

impl Endpoints {
    /// Those of Bitbucket Data Center, below its base URL with its context path.
    #[must_use]
    pub fn below(base_url: &BaseUrl) -> Self {
        let at = |path| below(base_url.url(), path);
        Self {
            request_token: at("/plugins/servlet/oauth/request-token"),
            authorize: at("/plugins/servlet/oauth/authorize"),
            access_token: at("/plugins/servlet/oauth/access-token"),
        }
    }

    /// Step 1, to be sent with an empty body. The browser comes back to `callback`, with `oauth_token` and `oauth_verifier`
    /// added to its query.
    #[must_use]
    pub fn request_token<'a>(&'a self, callback: &'a Url) -> Request<'a> {
        Request::new("POST", &self.request_token).protocol("oauth_callback", callback.as_str())
    }

    /// Step 2: where to send the browser.
    #[must_use]
    pub fn authorize(&self, token: &RequestToken) -> Url {
        let mut url = self.authorize.clone();
        url.query_pairs_mut().append_pair("oauth_token", token.token.expose());
        url
    }

    /// Step 3, to be sent with an empty body.
    #[must_use]
    pub fn access_token<'a>(&'a self, returned: &'a Returned) -> Request<'a> {
        Request::new("POST", &self.access_token)
            .token(&returned.token)
            .protocol("oauth_verifier", returned.verifier.expose())
    }

    /// The renewal of an access token, to be sent with an empty body. The answer is a whole [`AccessToken`], and the old one
    /// is dead afterwards.
    #[must_use]
    pub fn renewal<'a>(&'a self, token: &'a Secret, session_handle: &'a Secret) -> Request<'a> {
        Request::new("POST", &self.access_token)
            .token(token)
            .protocol("oauth_session_handle", session_handle.expose())
    }
}

impl RequestToken {
    /// Reads the body of a successful answer to step 1.
    pub fn read(body: &[u8]) -> Result<Self, Lacking> {
        let form = Form::read(body);
        Ok(Self {
            token: form.secret("oauth_token")?,
            secret: form.secret("oauth_token_secret")?,
            callback_confirmed: form.get("oauth_callback_confirmed") == Some("true"),
        })
    }
}

impl AccessToken {
    /// Reads the body of a successful answer to step 3 or to a renewal.
    pub fn read(body: &[u8]) -> Result<Self, Lacking> {
        let form = Form::read(body);
        Ok(Self {
            token: form.secret("oauth_token")?,
            secret: form.secret("oauth_token_secret")?,
            expires_in: form.seconds("oauth_expires_in"),
            session_handle: form.secret("oauth_session_handle").ok(),
        })
    }
}

impl Returned {
    /// Reads the query of the callback.
    pub fn read(query: &BTreeMap<String, String>) -> Result<Self, ReturnProblem> {
        let text = |name: &'static str| {
            let text = query.get(name).filter(|text| !text.is_empty());
            text.map(Secret::new).ok_or(ReturnProblem::Lacking(name))
        };
        let (token, verifier) = (text("oauth_token")?, text("oauth_verifier")?);
        if verifier.expose() == "denied" { Err(ReturnProblem::Denied) } else { Ok(Self { token, verifier }) }
    }
}

/// A form-encoded body. Bitbucket calls it `text/plain`, so the content type says nothing.
struct Form(BTreeMap<String, String>);

impl Form {
    fn read(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body.trim_ascii()).into_owned().collect())
    }

    /// A value that is not empty.
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    fn secret(&self, name: &'static str) -> Result<Secret, Lacking> {
        self.get(name).map(Secret::new).ok_or(Lacking(name))
    }

    fn seconds(&self, name: &str) -> Option<Duration> {
        self.get(name)?.parse().ok().map(Duration::from_secs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_below_the_context_path() {
        let at = |base_url: &str| Endpoints::below(&base_url.parse().unwrap());
        let cases = [
            ("https://git.example.com", "https://git.example.com"),
            ("http://git.example.com:7990/bitbucket/", "http://git.example.com:7990/bitbucket"),
            ("https://example.com/a/b", "https://example.com/a/b"),
        ];
        for (base_url, root) in cases {
            let endpoints = at(base_url);
            let urls = [endpoints.request_token, endpoints.authorize, endpoints.access_token];
            let paths = ["request-token", "authorize", "access-token"];
            assert_eq!(
                urls.map(String::from),
                paths.map(|path| format!("{root}/plugins/servlet/oauth/{path}"))
            );
        }
    }

    #[test]
    fn the_browser_leaves_with_the_request_token() {
        let endpoints = Endpoints::below(&"https://git.example.com".parse().unwrap());
        let body = b"oauth_token=a%2Bb%26c&oauth_token_secret=s&oauth_callback_confirmed=true\r\n";
        let token = RequestToken::read(body).unwrap();
        assert!(token.callback_confirmed);
        assert_eq!(
            endpoints.authorize(&token).as_str(),
            "https://git.example.com/plugins/servlet/oauth/authorize?oauth_token=a%2Bb%26c"
        );
    }

    #[test]
    fn request_tokens() {
        let read = |body: &str| RequestToken::read(body.as_bytes()).map(|token| token.callback_confirmed);
        let cases = [
            ("oauth_token_secret=s&oauth_callback_confirmed=true&oauth_token=t", Ok(true)),
            ("oauth_token=t&oauth_token_secret=s", Ok(false)),
            ("oauth_token=t&oauth_token_secret=s&oauth_callback_confirmed=false", Ok(false)),
            ("oauth_token=&oauth_token_secret=s", Err(Lacking("oauth_token"))),
            ("oauth_token=t", Err(Lacking("oauth_token_secret"))),
            ("{\"oauth_token\": \"t\"}", Err(Lacking("oauth_token"))),
            ("<html>oauth_token=t&oauth_token_secret=s</html>", Err(Lacking("oauth_token"))),
            ("", Err(Lacking("oauth_token"))),
        ];
        for (body, read_as) in cases {
            assert_eq!(read(body), read_as, "{body}");
        }
    }

    #[test]
    fn access_tokens() {
        let token = |expires_in: Option<u64>, session_handle: Option<&str>| {
            Ok(AccessToken {
                token: Secret::new("t"),
                secret: Secret::new("s"),
                expires_in: expires_in.map(Duration::from_secs),
                session_handle: session_handle.map(Secret::new),
            })
        };
        let cases = [
            (
                "&oauth_expires_in=157680000&oauth_session_handle=h&oauth_authorization_expires_in=160272000",
                token(Some(157_680_000), Some("h")),
            ),
            ("", token(None, None)),
            ("&oauth_expires_in=soon&oauth_session_handle=", token(None, None)),
            ("&oauth_expires_in=-1", token(None, None)),
            ("&oauth_expires_in=1.5", token(None, None)),
        ];
        for (rest, read_as) in cases {
            let body = format!("oauth_token=t&oauth_token_secret=s{rest}");
            assert_eq!(AccessToken::read(body.as_bytes()), read_as, "{rest}");
        }
        assert_eq!(AccessToken::read(b"oauth_token_secret=s"), Err(Lacking("oauth_token")));
    }

    #[test]
    fn what_the_browser_brings_back() {
        let returned = Returned { token: Secret::new("t"), verifier: Secret::new("qTK3fZ") };
        let cases = [
            (vec![("oauth_token", "t"), ("oauth_verifier", "qTK3fZ")], Ok(returned)),
            (vec![("oauth_token", "t"), ("oauth_verifier", "denied")], Err(ReturnProblem::Denied)),
            (vec![("oauth_token", "t")], Err(ReturnProblem::Lacking("oauth_verifier"))),
            (
                vec![("oauth_token", "t"), ("oauth_verifier", "")],
                Err(ReturnProblem::Lacking("oauth_verifier")),
            ),
            (vec![("oauth_verifier", "qTK3fZ")], Err(ReturnProblem::Lacking("oauth_token"))),
            (vec![], Err(ReturnProblem::Lacking("oauth_token"))),
        ];
        for (pairs, read_as) in cases {
            let query = pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
            assert_eq!(Returned::read(&query), read_as, "{query:?}");
        }
    }
}
