//! Looking at somebody's own site, as a visitor does who is not signed in: is it protected as it should be?

use crate::{
    CertificateProblem, HttpClient, Obstacle, UpstreamError,
    answer::{Answer, authority},
};
use stave_domain::outbound::Outbound;
use std::time::Duration;
use url::Url;

/// How long a site may take, from the name to the end of what is read.
const LIMIT: Duration = Duration::from_secs(5);
/// So much of a page is read, decompressed.
const MOST_BYTES: usize = 256 * 1024;

/// What a site answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteAnswer {
    /// The HTTP status.
    pub status: u16,
    /// `Location`, as it came: perhaps relative. It was not followed.
    pub location: Option<String>,
    /// `WWW-Authenticate`.
    pub www_authenticate: Option<String>,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// The first 256 KiB of the page.
    pub body: String,
}

/// Asks a site for a page with these headers (name and value), once; redirects are not followed, and user names in the address not
/// sent. Errors are sentences for the owner of the site.
pub async fn site_look(
    http: &HttpClient,
    url: &Url,
    headers: &[(&str, &str)],
) -> Result<SiteAnswer, UpstreamError> {
    let url = without_user(url);
    match http.at_most(LIMIT).get_beginning(&url, headers, MOST_BYTES).await {
        Ok(answer) => Ok(SiteAnswer::of(&answer)),
        Err(UpstreamError::Unreachable { obstacle, source, .. }) => {
            Err(UpstreamError::SiteUnreachable { host: authority(&url), obstacle, source })
        }
        Err(error) => Err(error),
    }
}

impl SiteAnswer {
    fn of(answer: &Answer) -> Self {
        let header = |name| answer.header(name).map(str::to_owned);
        Self {
            status: answer.status.as_u16(),
            location: header("location"),
            www_authenticate: header("www-authenticate"),
            content_type: header("content-type"),
            body: String::from_utf8_lossy(&answer.body).into_owned(),
        }
    }
}

/// What stands before an `@` would be sent as a password.
fn without_user(url: &Url) -> Url {
    let mut url = url.clone();
    _ = url.set_username("");
    _ = url.set_password(None);
    url
}

/// Why a site could not be looked at, and what its owner does next.
pub(crate) fn sentence(host: &str, obstacle: &Obstacle) -> String {
    let silent = |why: &str| format!("{host} does not answer: {why}");
    match obstacle {
        Obstacle::NameNotFound => silent(
            "its name is not known here. Check the address of the site for typing errors, and whether its name has an entry in DNS.",
        ),
        Obstacle::AddressRefused(address) => {
            format!("Stave does not look at {host}: {}", Outbound::refusal(*address))
        }
        Obstacle::PlainHttp => format!(
            "Stave does not look at {host} over plain HTTP, since anybody on the way could read who signs in. Give the site \
             https. If {host} is a neighbour on your own network, the operator starts Stave with --outbound-allow naming its \
             address."
        ),
        Obstacle::ConnectionRefused => silent(
            "nothing listens there. Check host and port of the address of the site, and whether its web server runs.",
        ),
        Obstacle::NoConnection => silent(
            "nobody opened the connection. Check the address of the site; a firewall on the way has to let the machine \
             through that Stave runs on.",
        ),
        Obstacle::Certificate(CertificateProblem::WrongName) => format!(
            "The certificate of {host} was made for another name. Check the address of the site; if it is right, give its web \
             server a certificate for {host}."
        ),
        Obstacle::Certificate(problem) => problem.sentence(host),
        Obstacle::NoTls => silent(
            "what listens there does not speak HTTPS in a version that Stave knows. Check whether the address of the site \
             starts with http://, or has another port.",
        ),
        Obstacle::NoHttp => silent(
            "what listens there does not speak HTTP. Check the port of the address of the site, and whether it starts with \
             https://.",
        ),
        Obstacle::TimedOut => silent(
            "five seconds were not enough. Look whether the site opens in a browser, and try again in a few minutes.",
        ),
        Obstacle::TooLarge | Obstacle::BrokenOff => silent(
            "the connection broke off in the middle. Look at the log of its web server, and try again in a few minutes.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sentence_is_for_the_owner_of_the_site() {
        let all = [
            Obstacle::NameNotFound,
            Obstacle::AddressRefused("10.0.0.1".parse().unwrap()),
            Obstacle::PlainHttp,
            Obstacle::ConnectionRefused,
            Obstacle::NoConnection,
            Obstacle::Certificate(CertificateProblem::Expired),
            Obstacle::Certificate(CertificateProblem::NotValidYet),
            Obstacle::Certificate(CertificateProblem::UnknownAuthority),
            Obstacle::Certificate(CertificateProblem::WrongName),
            Obstacle::Certificate(CertificateProblem::Unusable("odd".to_owned())),
            Obstacle::NoTls,
            Obstacle::NoHttp,
            Obstacle::TimedOut,
            Obstacle::BrokenOff,
        ];
        for obstacle in all {
            let sentence = sentence("www.example.com", &obstacle);
            assert!(sentence.contains("www.example.com") && sentence.ends_with('.'), "{sentence}");
            for foreign in ["base URL", "integration", "Bitbucket"] {
                assert!(!sentence.contains(foreign), "{sentence}");
            }
        }
    }

    #[test]
    fn no_password_is_sent() {
        for (typed, sent) in [
            ("https://ada:hunter2@www.example.com/x?y", "https://www.example.com/x?y"),
            ("https://www.example.com@127.0.0.1/", "https://127.0.0.1/"),
        ] {
            assert_eq!(without_user(&typed.parse().unwrap()).as_str(), sent);
        }
    }
}
