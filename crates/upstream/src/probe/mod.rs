//! What is at a base URL that somebody typed.

mod product;

use crate::{
    HttpClient, Saw, UpstreamError,
    answer::Answer,
    bitbucket_cloud, bitbucket_data_center,
    http::Authorization,
    interception::Interception,
    obstacle::{Obstacle, Tried},
    page,
};
use jiff::SignedDuration;
use product::Product;
use reqwest::StatusCode;
use stave_domain::{
    Timestamp,
    integration::{ApiTimeout, BaseUrl, OAuthVersion, Platform, Seen, ServerVersion},
};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use url::Url;

/// An admin waits for it, so it is short, whatever the integration's own time-out is.
const REQUEST_LIMIT: Duration = Duration::from_secs(9);
/// How long all requests together may take.
const WHOLE_LIMIT: Duration = Duration::from_secs(19);
/// Clocks that differ by less agree.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_secs(10);

/// What was found at a base URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    /// What it is; perhaps another platform than was expected.
    pub platform: Platform,
    /// Where its API is.
    pub api_url: Url,
    /// Data Center: its version, if it told one.
    pub version: Option<ServerVersion>,
    /// In which OAuth it lets applications in, the better one first. Empty if it could not be found out. OAuth 1 alone, of a
    /// version that should speak OAuth 2, is explained in the remarks.
    pub oauth: Vec<OAuthVersion>,
    /// How far its clock is ahead of this one's, if it is off by more than ten seconds; negative if it is behind.
    pub clock_ahead: Option<SignedDuration>,
    /// Data Center: how people log in there, in a few words each: "log-in form", "single sign-on: Okta".
    pub log_in_ways: Vec<String>,
    /// What an admin should know although it works: sentences.
    pub remarks: Vec<String>,
}

impl Sight {
    /// What is worth remembering of a Data Center; `None` if it could not be found out how it lets applications in.
    #[must_use]
    pub fn seen(&self, seen_at: Timestamp) -> Option<Seen> {
        let speaks_oauth2 = self.oauth.contains(&OAuthVersion::Two);
        let is_known = self.platform == Platform::BitbucketDataCenter && !self.oauth.is_empty();
        is_known.then(|| Seen { version: self.version.clone(), speaks_oauth2, seen_at })
    }
}

/// Why a base URL does not look right; `Display` is a sentence for the admin who typed it.
#[derive(Debug, thiserror::Error)]
pub enum ProbeProblem {
    /// It is nearly Bitbucket's own address.
    #[error("The base URL of Bitbucket Cloud is exactly https://bitbucket.org. Enter that.")]
    Misspelt,
    /// No answer came.
    #[error(transparent)]
    Unreachable(UpstreamError),
    /// No answer came in the time that an admin waits for it.
    #[error(
        "{host} did not answer within ten seconds. Check the base URL, whether the server runs, and whether a firewall lets Stave \
         through: it tried {tried}. If the server is only slow, save anyway, and give it a longer API request timeout."
    )]
    Silent {
        /// Who was asked.
        host: String,
        /// How.
        tried: Box<Tried>,
    },
    /// The base URL starts with `http://`, and the port is for HTTPS.
    #[error(
        "What listens at {host} speaks HTTPS. Enter the base URL with https:// at its start: {https_url}."
    )]
    NeedsHttps {
        /// Who was asked.
        host: String,
        /// What to enter.
        https_url: String,
    },
    /// It points somewhere else.
    #[error("{}", redirect_sentence(.from, .to))]
    Redirected {
        /// The address that was asked.
        from: String,
        /// Where it points, without query.
        to: String,
    },
    /// Something stands in front of it.
    #[error("{}", .by.sentence(.host))]
    Intercepted {
        /// Who was asked.
        host: String,
        /// What answers.
        by: Interception,
    },
    /// Something answers, but it is out of order.
    #[error("{}", fault_sentence(.url, *.status))]
    Faulty {
        /// The address that was asked.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// Another product answers.
    #[error(
        "At {url} is {product}, not Bitbucket. Enter the base URL of your Bitbucket, as it stands in a browser's address line."
    )]
    OtherProduct {
        /// The address that was asked.
        url: String,
        /// Its name.
        product: String,
    },
    /// Something else answers.
    #[error(
        "This is not Bitbucket: {url} answered with {saw} where its API should be. Check the base URL, with its context path if \
         it has one."
    )]
    NotBitbucket {
        /// The address that was asked.
        url: String,
        /// "a web page", "status 404".
        saw: String,
    },
}

/// Asks what is at a base URL, without any credential and without following redirects. `expected` is asked for first. Takes at
/// most 20 seconds.
pub async fn probe(
    http: &HttpClient,
    expected: Platform,
    base_url: &BaseUrl,
    now: Timestamp,
) -> Result<Sight, ProbeProblem> {
    match probe_in_time(http, expected, base_url, now).await {
        Err(ProbeProblem::Unreachable(UpstreamError::Unreachable { host, obstacle, mut tried, source }))
            if obstacle.is_transient() =>
        {
            // Where a name leads is told to those who typed it, and to nobody else.
            tried.resolve().await;
            Err(match obstacle {
                Obstacle::TimedOut => ProbeProblem::Silent { host, tried },
                _ => ProbeProblem::Unreachable(UpstreamError::Unreachable { host, obstacle, tried, source }),
            })
        }
        outcome => outcome,
    }
}

async fn probe_in_time(
    http: &HttpClient,
    expected: Platform,
    base_url: &BaseUrl,
    now: Timestamp,
) -> Result<Sight, ProbeProblem> {
    if bitbucket_cloud::is_nearly_bitbucket_org(base_url) {
        return Err(ProbeProblem::Misspelt);
    }
    let started = Instant::now();
    let (look, deadline) =
        (Look { http: http.at_most(REQUEST_LIMIT), base_url, now, started }, started + WHOLE_LIMIT);
    let silence =
        || ProbeProblem::Unreachable(UpstreamError::unreachable(base_url.url(), Obstacle::TimedOut, None));
    let first = timeout_at(deadline, look.at(expected)).await.unwrap_or_else(|_| Err(silence()));
    match first {
        Ok(Found::Surely(sight)) => Ok(sight),
        Ok(Found::Perhaps(sight)) => {
            let other = timeout_at(deadline, look.at_other(expected)).await;
            Ok(other.ok().flatten().unwrap_or(sight))
        }
        Err(problem) if problem.is_no_http() && base_url.url().scheme() == "http" => {
            match timeout_at(deadline, look.speaks_https()).await {
                Ok(true) => Err(ProbeProblem::needs_https(base_url)),
                Ok(false) | Err(_) => Err(problem),
            }
        }
        Err(problem) if problem.may_be_something_else() => {
            match timeout_at(deadline, look.explained(expected, &problem)).await {
                Ok(Some(outcome)) => outcome,
                Ok(None) | Err(_) => Err(problem),
            }
        }
        Err(problem) => Err(problem),
    }
}

/// What a first glance says.
pub(crate) enum Found {
    /// It speaks as only this platform does.
    Surely(Sight),
    /// Nothing speaks against it.
    Perhaps(Sight),
}

/// One look at a base URL.
pub(crate) struct Look<'a> {
    http: HttpClient,
    pub(crate) base_url: &'a BaseUrl,
    now: Timestamp,
    started: Instant,
}

impl Look<'_> {
    async fn at(&self, platform: Platform) -> Result<Found, ProbeProblem> {
        match platform {
            Platform::BitbucketCloud => bitbucket_cloud::probe(self).await,
            Platform::BitbucketDataCenter => bitbucket_data_center::probe(self).await,
        }
    }

    /// The other platform, if it is surely there.
    async fn at_other(&self, expected: Platform) -> Option<Sight> {
        let other = match expected {
            Platform::BitbucketCloud => Platform::BitbucketDataCenter,
            Platform::BitbucketDataCenter => Platform::BitbucketCloud,
        };
        match self.at(other).await {
            Ok(Found::Surely(sight)) => Some(sight),
            Ok(Found::Perhaps(_)) | Err(_) => None,
        }
    }

    /// What is there instead, if more can be said than the first problem does.
    async fn explained(
        &self,
        expected: Platform,
        problem: &ProbeProblem,
    ) -> Option<Result<Sight, ProbeProblem>> {
        if let Some(sight) = self.at_other(expected).await {
            return Some(Ok(sight));
        }
        if !matches!(problem, ProbeProblem::NotBitbucket { .. }) {
            return None;
        }
        let home = self.get(self.base_url.url()).await.ok()?;
        if let Some(product) = Product::of(&home) {
            return Some(Err(product.problem(self.base_url.to_string())));
        }
        let to = home.redirect_target().filter(|_| home.url.path() == "/")?;
        Some(Err(ProbeProblem::Redirected { from: self.base_url.to_string(), to }))
    }

    /// Whether the same port answers in TLS, whatever its certificate is worth.
    async fn speaks_https(&self) -> bool {
        let Ok(url) = https(self.base_url).parse() else { return false };
        match self.get(&url).await {
            Ok(_) => true,
            Err(ProbeProblem::Unreachable(UpstreamError::Unreachable { obstacle, .. })) => {
                matches!(obstacle, Obstacle::Certificate(_))
            }
            Err(_) => false,
        }
    }

    pub(crate) async fn get(&self, url: &Url) -> Result<Answer, ProbeProblem> {
        let answer = self.http.get(url, Authorization::Nobody, ApiTimeout(Some(0))).await;
        answer.map_err(ProbeProblem::Unreachable)
    }

    pub(crate) async fn post_form(&self, url: &Url, form: &[(&str, &str)]) -> Result<Answer, ProbeProblem> {
        let answer = self.http.post_form(url, Authorization::Nobody, form, ApiTimeout(Some(0))).await;
        answer.map_err(ProbeProblem::Unreachable)
    }

    /// How far the clock behind an answer that has just come is ahead of this one's, if that is worth mentioning.
    pub(crate) fn clock_ahead(&self, answer: &Answer) -> Option<SignedDuration> {
        let elapsed = SignedDuration::try_from(self.started.elapsed()).ok()?;
        let here = self.now.checked_add(elapsed).ok()?;
        let ahead = answer.sent_at()?.duration_since(here);
        (ahead.abs() > CLOCK_TOLERANCE).then_some(ahead)
    }
}

impl ProbeProblem {
    /// What a strange answer means, if nothing that is looked for is in it.
    pub(crate) fn of(answer: &Answer, base_url: &BaseUrl) -> Self {
        let url = answer.url.to_string();
        let status = answer.status.as_u16();
        if let Some(product) = Product::of(answer) {
            return product.problem(base_url.to_string());
        }
        if answer.status == StatusCode::BAD_REQUEST && is_about_https(&answer.body) {
            return Self::needs_https(base_url);
        }
        if let Some(by) = interception(answer, base_url) {
            return Self::Intercepted { host: answer.host(), by };
        }
        if let Some(to) = answer.redirect_target() {
            // The whole interface has moved: its new base URL is more useful.
            let path = answer.url.path().strip_prefix(base_url.url().path().trim_end_matches('/'));
            let base = path.and_then(|path| to.strip_suffix(path)).map(str::to_owned);
            return Self::Redirected { from: base_url.to_string(), to: base.unwrap_or(to) };
        }
        if answer.status.is_server_error() || answer.status == StatusCode::TOO_MANY_REQUESTS {
            return Self::Faulty { url, status };
        }
        Self::NotBitbucket { url, saw: saw(answer) }
    }

    fn needs_https(base_url: &BaseUrl) -> Self {
        Self::NeedsHttps { host: base_url.authority(), https_url: https(base_url) }
    }

    fn is_no_http(&self) -> bool {
        matches!(self, Self::Unreachable(UpstreamError::Unreachable { obstacle: Obstacle::NoHttp, .. }))
    }

    /// Whether something answered that may be another platform or product.
    fn may_be_something_else(&self) -> bool {
        matches!(self, Self::NotBitbucket { .. } | Self::Redirected { .. } | Self::Intercepted { .. })
    }
}

/// What answers in place of what was asked. A page without any hint may be anything.
fn interception(answer: &Answer, base_url: &BaseUrl) -> Option<Interception> {
    let is_refusal = matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    if !is_refusal && !answer.status.is_redirection() && !answer.status.is_success() {
        return None;
    }
    match Interception::of(answer, base_url.url()) {
        Some(Interception::OtherPage) | None => is_refusal.then_some(Interception::LogInPage),
        found => found,
    }
}

fn https(base_url: &BaseUrl) -> String {
    base_url.as_str().replacen("http://", "https://", 1)
}

/// What nginx, Apache and Tomcat say to plain HTTP at a port for HTTPS.
fn is_about_https(body: &[u8]) -> bool {
    let text = page::text(body);
    ["https port", "requires tls", "ssl-enabled server port"].iter().any(|words| text.contains(words))
}

/// An answer in a few words.
fn saw(answer: &Answer) -> String {
    let status = answer.status.as_u16();
    let title = page::title(&answer.body).map(|title| format!(" ({title})"));
    let what = match answer.saw() {
        Saw::WebPage => format!("a web page{}", title.unwrap_or_default()),
        saw => saw.to_string(),
    };
    if answer.status.is_success() { what } else { format!("{what} and status {status}") }
}

fn redirect_sentence(from: &str, to: &str) -> String {
    if from.starts_with("https://") && to.starts_with("http://") {
        return format!(
            "{from} points to {to}, which is not encrypted, and Stave does not follow it. Whoever runs it corrects Bitbucket's own \
             base URL, or tells the proxy in front of it that Bitbucket is reached by https."
        );
    }
    format!(
        "{from} points to {to}, which Stave does not follow. If that is where your Bitbucket is, enter its address as the base URL."
    )
}

fn fault_sentence(url: &str, status: u16) -> String {
    let what = match status {
        429 => "takes no more requests for now",
        502 | 504 => "is a proxy that does not reach the server behind it",
        503 => "is starting, or under maintenance",
        _ => "is out of order",
    };
    format!(
        "What answers at {url} {what}: error {status}. Try again in a few minutes, or save anyway if you know that it is Bitbucket."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_and_faults_are_told_apart() {
        let sentences = [
            redirect_sentence("https://git.example.com", "http://git.example.com/"),
            redirect_sentence("https://git.example.com", "https://code.example.com/"),
            fault_sentence("https://git.example.com", 429),
            fault_sentence("https://git.example.com", 500),
            fault_sentence("https://git.example.com", 502),
            fault_sentence("https://git.example.com", 503),
        ];
        let words = [
            "not encrypted",
            "does not follow. If",
            "no more requests",
            "out of order",
            "a proxy",
            "starting",
        ];
        for (sentence, word) in sentences.iter().zip(words) {
            let others = sentences.iter().filter(|other| other.contains(word)).count();
            assert!(sentence.contains(word) && others == 1, "{sentence}");
        }
    }
}
