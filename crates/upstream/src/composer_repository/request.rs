//! Asking a Composer repository for a file: the key goes to its own host alone, however often the server points elsewhere.

use super::{Asked, ComposerRepository, MirrorProblem, problem};
use crate::{
    UpstreamError,
    answer::{Answer, authority},
    http::{Body, body_read, broken},
};
use reqwest::{
    Method, RequestBuilder, Response, StatusCode,
    header::{self, HeaderValue},
};
use serde::de::{DeserializeOwned, IgnoredAny};
use stave_domain::{Invalid, Secret, integration::ApiTimeout};
use url::Url;

/// The largest file that is read, decompressed. Metadata of packages with thousands of versions has a few MiB.
const FILE_LIMIT_BYTES: usize = 64 * 1024 * 1024;
/// How often a server may point elsewhere.
const MOST_HOPS: usize = 5;
/// How the files are asked for; nothing else is taken for granted of whoever answers.
const ANYTHING: HeaderValue = HeaderValue::from_static("application/json, */*;q=0.5");

/// With what a Composer repository is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComposerKey {
    /// The only host to which it is sent: name and, if it is not the usual one, port.
    pub host: String,
    /// How it is shown.
    pub secret: ComposerSecret,
}

/// How a secret is shown to a Composer repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ComposerSecret {
    /// HTTP Basic (RFC 7617).
    Basic {
        /// Who.
        username: String,
        /// Never printed.
        password: Secret,
    },
    /// A bearer token (RFC 6750, section 2.1).
    Bearer(Secret),
    /// A header of its own.
    Header {
        /// What it is called.
        name: String,
        /// Never printed.
        value: Secret,
    },
}

impl ComposerSecret {
    fn sign(&self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Self::Basic { username, password } => request.basic_auth(username, Some(password.expose())),
            Self::Bearer(token) => request.bearer_auth(token.expose()),
            Self::Header { name, value } => match HeaderValue::try_from(value.expose()) {
                Ok(mut value) => {
                    value.set_sensitive(true);
                    request.header(name.as_str(), value)
                }
                // A request without it is refused in a sentence; a broken one would be nobody's fault.
                Err(_) => request,
            },
        }
    }
}

/// One request.
pub(super) struct Request {
    method: Method,
    url: Url,
    headers: Vec<(header::HeaderName, HeaderValue)>,
    body: Option<String>,
}

impl Request {
    pub(super) fn get(url: &Url) -> Self {
        Self { method: Method::GET, url: url.clone(), headers: Vec::new(), body: None }
    }

    pub(super) fn post(url: &Url, kind: &'static str, body: String) -> Self {
        let headers = vec![(header::CONTENT_TYPE, HeaderValue::from_static(kind))];
        Self { method: Method::POST, url: url.clone(), headers, body: Some(body) }
    }

    /// With this header; a value that cannot be one is left out.
    pub(super) fn with(mut self, name: header::HeaderName, value: &str) -> Self {
        self.headers.extend(HeaderValue::try_from(value).ok().map(|value| (name, value)));
        self
    }

    /// Sends it, and reads the answer whole.
    pub(super) async fn send(self, to: &ComposerRepository, asked: &Asked) -> Result<File, UpstreamError> {
        let limit = to.site.timeout.duration();
        let (mut response, url, is_known) = match tokio::time::timeout(limit, self.follow(to, asked)).await {
            Ok(answered) => answered?,
            Err(_) => return Err(problem::timed_out(&self.url, asked)),
        };
        let answer = Answer::new(&url, response.status(), response.headers().clone());
        let body = match tokio::time::timeout(limit, body_read(&mut response, FILE_LIMIT_BYTES)).await {
            Ok(Ok(Body { read, is_whole: true })) => read,
            Ok(Ok(_)) => return Err(problem::of(&url, MirrorProblem::TooLarge { asked: asked.clone() })),
            Ok(Err(error)) => return Err(problem::about(broken(&url, error), asked)),
            Err(_) => return Err(problem::timed_out(&url, asked)),
        };
        Ok(File { answer: Answer { body, ..answer }, is_known })
    }

    /// Sends it where it belongs in the end: who answers there, and whether they were told who asks. The body has not come yet.
    pub(super) async fn follow(
        &self,
        to: &ComposerRepository,
        asked: &Asked,
    ) -> Result<(Response, Url, bool), UpstreamError> {
        let mut url = self.url.clone();
        for _ in 0..=MOST_HOPS {
            let key = to.site.key.as_ref().filter(|key| key.host == authority(&url));
            let response = self.ask(to, &url, key).await.map_err(|error| problem::about(error, asked))?;
            let answer = Answer::new(&url, response.status(), response.headers().clone());
            match answer.location().filter(|_| answer.status != StatusCode::NOT_MODIFIED) {
                Some(next) if matches!(next.scheme(), "http" | "https") => url = next,
                _ => return Ok((response, url, key.is_some())),
            }
        }
        Err(problem::of(&url, MirrorProblem::Circles { asked: asked.clone() }))
    }

    async fn ask(
        &self,
        to: &ComposerRepository,
        url: &Url,
        key: Option<&ComposerKey>,
    ) -> Result<Response, UpstreamError> {
        let build = |client: &reqwest::Client| {
            let request = client.request(self.method.clone(), url.clone()).header(header::ACCEPT, ANYTHING);
            let headers = self.headers.iter().cloned();
            let request = headers.fold(request, |request, (name, value)| request.header(name, value));
            let request = match key {
                Some(key) => key.secret.sign(request),
                None => request,
            };
            match &self.body {
                Some(body) => request.body(body.clone()),
                None => request,
            }
        };
        // Whoever asks measures the time: of an archive, no limit for the whole makes sense.
        to.http.ask(url, ApiTimeout(Some(0)), build).await
    }
}

/// A whole answer.
pub(super) struct File {
    answer: Answer,
    /// Whether whoever answered was told who asks.
    is_known: bool,
}

impl std::ops::Deref for File {
    type Target = Answer;

    fn deref(&self) -> &Answer {
        &self.answer
    }
}

impl File {
    /// The answer to what was asked; any other status is an error.
    pub(super) fn success(self, asked: &Asked) -> Result<Self, UpstreamError> {
        if self.status == StatusCode::OK { Ok(self) } else { Err(self.failure(asked)) }
    }

    /// What the status says about a request that did not succeed.
    pub(super) fn failure(&self, asked: &Asked) -> UpstreamError {
        problem::of_status(&self.answer, self.is_known, asked)
    }

    /// Whether the body is whole JSON; a web page with the status 200 is not, nor is half a file.
    pub(super) fn json_read(&self, asked: &Asked) -> Result<(), UpstreamError> {
        self.json_as::<IgnoredAny>(asked).map(|_| ())
    }

    /// The body as JSON of ours.
    pub(super) fn json_as<T: DeserializeOwned>(&self, asked: &Asked) -> Result<T, UpstreamError> {
        self.answer.json().map_err(|error| problem::about(error, asked))
    }

    /// The body is JSON, and not what it should be.
    pub(super) fn odd(&self, invalid: Invalid) -> UpstreamError {
        problem::of(&self.url, MirrorProblem::Odd(invalid.0))
    }

    /// The body itself.
    pub(super) fn into_body(self) -> Vec<u8> {
        self.answer.body
    }
}
