//! One HTTP request: addresses are checked before it, redirects and statuses after it.

use crate::{
    Access, GitError, Remote,
    address::{Guard, refusal_in},
    error::one_line,
    meter::{LOOK_EVERY, Meter},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::{
    Client, Method, Request, Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER},
};
use std::{io, rc::Rc};
use tokio::runtime::Runtime;
use url::{Host, Url};

/// git itself follows as many by default as a browser; more than five is a mistake or an attack.
const REDIRECTS_MAX: usize = 5;

/// Sends requests, reads answers, and remembers in the [`Meter`] what went wrong.
pub(super) struct HttpClient<'a> {
    pub(super) meter: Rc<Meter<'a>>,
    guard: Guard,
    client: Client,
    authorization: Option<HeaderValue>,
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
}

impl Drop for HttpClient<'_> {
    fn drop(&mut self) {
        // A look-up of a name may hang in the system's resolver; nobody needs to wait for it.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl<'a> HttpClient<'a> {
    pub(super) fn new(remote: &Remote<'_>, meter: Rc<Meter<'a>>) -> Result<Self, GitError> {
        let authorization = match &remote.access {
            Access::Anonymous => None,
            Access::Basic { username, password } => Some(basic(username, password.expose())),
            Access::Bearer(token) => Some(bearer(token.expose())),
            Access::SshKey(_) => {
                return Err(GitError::WrongCredential(
                    "An ssh key works for ssh addresses only: use git@host:path, or another credential.",
                ));
            }
        };
        let clear_text = authorization.is_some() && remote.url.is_http();
        let guard = Guard::new(meter.network.outbound.clone(), clear_text);
        let client = Client::builder()
            // A proxy would resolve the name itself, so that the guard never saw the address, and see the credential.
            .no_proxy()
            // What is packed would be counted by its packed size, whatever it unpacks to.
            .no_gzip()
            .redirect(reqwest::redirect::Policy::none())
            .dns_resolver(guard.clone())
            .connect_timeout(meter.network.connect_timeout)
            .read_timeout(meter.network.idle_timeout)
            .referer(false)
            .build()
            .map_err(|error| meter.unreachable(one_line(&error)))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(GitError::disk("start a connection"))?;
        Ok(Self { meter, guard, client, authorization, runtime: Some(runtime) })
    }

    /// Waits for the future, and asks the meter now and then whether to go on.
    pub(super) fn wait<T>(&self, work: impl Future<Output = T>) -> Result<T, GitError> {
        let Some(runtime) = &self.runtime else { return Err(GitError::Cancelled) };
        runtime.block_on(async {
            tokio::pin!(work);
            loop {
                self.meter.check()?;
                if let Ok(done) = tokio::time::timeout(LOOK_EVERY, &mut work).await {
                    return Ok(done);
                }
            }
        })
    }

    /// One request without following redirects; the answer may have any status.
    pub(super) fn send(
        &self,
        method: Method,
        url: Url,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Response, GitError> {
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => Some(address.into()),
            Some(Host::Ipv6(address)) => Some(address.into()),
            _ => None,
        };
        if let Some(address) = literal {
            self.guard.check(address).map_err(|refusal| refusal.into_error(&self.meter.host))?;
        }
        let mut request = Request::new(method, url);
        *request.headers_mut() = headers;
        if let Some(authorization) = &self.authorization {
            request.headers_mut().insert(AUTHORIZATION, authorization.clone());
        }
        if !body.is_empty() {
            *request.body_mut() = Some(body.into());
        }
        self.wait(async { self.client.execute(request).await })?.map_err(|error| self.explain(&error))
    }

    /// A GET that follows redirects; returns where it ended.
    pub(super) fn get(&self, url: &str, headers: &HeaderMap) -> Result<Response, GitError> {
        let mut url = Url::parse(url).map_err(|_| not_git(&self.meter, false))?;
        for _ in 0..=REDIRECTS_MAX {
            let response = self.send(Method::GET, url.clone(), headers.clone(), Vec::new())?;
            if !response.status().is_redirection() {
                return Ok(response);
            }
            let to = response
                .headers()
                .get(LOCATION)
                .and_then(|to| to.to_str().ok())
                .and_then(|to| url.join(to).ok());
            let to = to.ok_or_else(|| self.status(&response))?;
            self.check_redirect(&url, &to)?;
            url = to;
        }
        Err(GitError::TooManyRedirects { host: self.meter.host.clone() })
    }

    fn check_redirect(&self, from: &Url, to: &Url) -> Result<(), GitError> {
        let same_host = from.host_str() == to.host_str();
        let becomes_safe = from.scheme() == "http" && to.scheme() == "https";
        let same_port = from.port_or_known_default() == to.port_or_known_default();
        let because = if !matches!(to.scheme(), "http" | "https") {
            "which is not a web address"
        } else if from.scheme() == "https" && to.scheme() == "http" {
            "which is not encrypted"
        } else if self.authorization.is_some() && !(same_host && (same_port || becomes_safe)) {
            "and a credential is never sent to another host than its own"
        } else {
            return Ok(());
        };
        let to = format!("{}://{}", to.scheme(), authority(to));
        Err(GitError::RedirectRefused { host: self.meter.host.clone(), to, because })
    }

    /// What a status that is no success means.
    pub(super) fn status(&self, response: &Response) -> GitError {
        let host = self.meter.host.clone();
        match response.status() {
            StatusCode::UNAUTHORIZED => GitError::Unauthorized { host },
            StatusCode::FORBIDDEN => GitError::Forbidden { host },
            StatusCode::NOT_FOUND => GitError::NotFound { host },
            StatusCode::GONE => GitError::Gone { host },
            StatusCode::TOO_MANY_REQUESTS => {
                let seconds = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
                GitError::RateLimited {
                    host,
                    retry_after_seconds: seconds.and_then(|seconds| seconds.trim().parse().ok()),
                }
            }
            other => GitError::Status { host, status: other.as_u16() },
        }
    }

    /// Why no answer came, or only half of it.
    pub(super) fn explain(&self, error: &reqwest::Error) -> GitError {
        if let Some(refusal) = refusal_in(error) {
            return refusal.into_error(&self.meter.host);
        }
        if error.is_timeout() {
            return self.meter.timed_out();
        }
        if let Some(words) = connection_words(error) {
            return self.meter.unreachable(words);
        }
        // The first line would be "error sending request for url (..)", which the sentence has said already.
        let cause = std::error::Error::source(error).map_or_else(|| one_line(error), one_line);
        self.meter.unreachable(cause)
    }

    pub(super) fn check_type(&self, response: &Response, wanted: &str) -> Result<(), GitError> {
        let found =
            response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let found = found.split(';').next().unwrap_or_default().trim();
        if found == wanted { Ok(()) } else { Err(not_git(&self.meter, found.contains("html"))) }
    }
}

/// What people say of the usual ways in which a connection fails; the library speaks of system calls.
fn connection_words(error: &reqwest::Error) -> Option<&'static str> {
    let first: &(dyn std::error::Error + 'static) = error;
    let mut causes = std::iter::successors(Some(first), |cause| cause.source());
    causes.find_map(|cause| match cause.downcast_ref::<io::Error>()?.kind() {
        io::ErrorKind::ConnectionRefused => Some("nothing answers at this address and port"),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Some("it broke off the connection"),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            Some("there is no way to it from here")
        }
        _ => None,
    })
}

fn basic(username: &str, password: &str) -> HeaderValue {
    let encoded = BASE64_STANDARD.encode(format!("{username}:{password}"));
    let mut value =
        HeaderValue::from_str(&format!("Basic {encoded}")).unwrap_or(HeaderValue::from_static("Basic"));
    value.set_sensitive(true);
    value
}

fn bearer(token: &str) -> HeaderValue {
    let mut value =
        HeaderValue::from_str(&format!("Bearer {token}")).unwrap_or(HeaderValue::from_static("Bearer"));
    value.set_sensitive(true);
    value
}

fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// The sentence for an answer that is no git.
pub(super) fn not_git(meter: &Meter<'_>, html: bool) -> GitError {
    GitError::NotGit { host: meter.host.clone(), html }
}
