//! Why a Composer repository did not give what was asked for, in sentences for whoever manages the mirror.

use crate::{
    BoxError, CertificateProblem, Obstacle, Saw, UpstreamError,
    answer::{Answer, authority},
    error::Wait,
    obstacle::Tried,
};
use reqwest::StatusCode;
use stave_domain::outbound::Outbound;
use std::{fmt, time::Duration};
use url::Url;

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// packages.json.
    Root,
    /// A list of packages of Composer 1.
    List,
    /// The metadata of a package.
    Package(String),
    /// What has changed.
    Changes,
    /// Warnings about versions.
    Advisories,
    /// Lists of versions that must not be installed.
    Filter,
    /// An archive.
    Dist,
}

/// Why a Composer repository did not give what was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MirrorProblem {
    /// No answer came.
    Unreachable {
        /// Why.
        obstacle: Obstacle,
        /// How it was tried.
        tried: Box<Tried>,
    },
    /// It wants to know who asks, or does not take the credential.
    Unauthorized {
        /// Whether it was told who asks.
        is_known: bool,
    },
    /// Whoever asks may not have it.
    Forbidden {
        /// Whether it was told who asks.
        is_known: bool,
        /// What.
        asked: Asked,
    },
    /// It does not have what it must have: packages.json, a list, an archive that it named.
    NotFound {
        /// What.
        asked: Asked,
    },
    /// Too many requests.
    RateLimited {
        /// How long it asks to wait; `None` if it does not say.
        retry_after: Option<Duration>,
    },
    /// A status that does not belong here; above all 500 and more.
    Status {
        /// The HTTP status.
        status: u16,
        /// For what.
        asked: Asked,
    },
    /// It points from one address to the next, without end.
    Circles {
        /// For what.
        asked: Asked,
    },
    /// An answer of another kind.
    Unreadable {
        /// What came.
        saw: Saw,
        /// In place of what.
        asked: Asked,
    },
    /// More than is taken.
    TooLarge {
        /// Of what.
        asked: Asked,
    },
    /// A file is not the one whose checksum its own list names.
    WrongHash {
        /// Which.
        asked: Asked,
    },
    /// It is JSON, and not what it should be; a sentence.
    Odd(String),
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("packages.json"),
            Self::List => f.write_str("a list of its packages"),
            Self::Package(name) => write!(f, "the metadata of {name}"),
            Self::Changes => f.write_str("its feed of changes"),
            Self::Advisories => f.write_str("its security advisories"),
            Self::Filter => f.write_str("its lists of bad versions"),
            Self::Dist => f.write_str("an archive"),
        }
    }
}

/// An error of the HTTP room as one about a mirror.
pub(super) fn about(error: UpstreamError, asked: &Asked) -> UpstreamError {
    let asked = asked.clone();
    match error {
        UpstreamError::Unreachable { host, obstacle: Obstacle::TooLarge, source, .. } => {
            UpstreamError::Mirror { host, problem: MirrorProblem::TooLarge { asked }, source }
        }
        UpstreamError::Unreachable { host, obstacle, tried, source } => {
            UpstreamError::Mirror { host, problem: MirrorProblem::Unreachable { obstacle, tried }, source }
        }
        UpstreamError::Unreadable { host, saw, source } => {
            UpstreamError::Mirror { host, problem: MirrorProblem::Unreadable { saw, asked }, source }
        }
        other => other,
    }
}

pub(super) fn of(url: &Url, problem: MirrorProblem) -> UpstreamError {
    UpstreamError::Mirror { host: authority(url), problem, source: None }
}

pub(super) fn timed_out(url: &Url, asked: &Asked) -> UpstreamError {
    about(UpstreamError::unreachable(url, Obstacle::TimedOut, None::<BoxError>), asked)
}

/// What a status says about a request that did not succeed. A log-in page in place of an archive is none.
pub(super) fn of_status(answer: &Answer, is_known: bool, asked: &Asked) -> UpstreamError {
    let asked = asked.clone();
    let problem = match answer.status {
        StatusCode::UNAUTHORIZED => MirrorProblem::Unauthorized { is_known },
        StatusCode::FORBIDDEN => MirrorProblem::Forbidden { is_known, asked },
        StatusCode::NOT_FOUND | StatusCode::GONE => MirrorProblem::NotFound { asked },
        StatusCode::TOO_MANY_REQUESTS => MirrorProblem::RateLimited { retry_after: answer.retry_after() },
        status => MirrorProblem::Status { status: status.as_u16(), asked },
    };
    of(&answer.url, problem)
}

impl MirrorProblem {
    /// Whether the same request may well succeed later without anybody doing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { obstacle, .. } => obstacle.is_transient(),
            Self::RateLimited { .. } | Self::WrongHash { .. } => true,
            Self::Status { status, .. } => *status >= 500,
            Self::Unreadable { saw, .. } => matches!(saw, Saw::Nothing | Saw::CutOff | Saw::WebPage),
            Self::Unauthorized { .. }
            | Self::Forbidden { .. }
            | Self::NotFound { .. }
            | Self::Circles { .. }
            | Self::TooLarge { .. }
            | Self::Odd(_) => false,
        }
    }

    /// Why, and what to do next.
    pub(crate) fn sentence(&self, host: &str) -> String {
        match self {
            Self::Unreachable { obstacle, tried } => unreachable(host, obstacle, tried),
            Self::Unauthorized { is_known: true } => format!(
                "{host} does not accept the credential of the mirror. Enter a new secret in Settings > Credentials, or choose another \
                 credential for the mirror."
            ),
            Self::Unauthorized { is_known: false } => format!(
                "{host} wants to know who asks. Store a credential for {host} in Settings > Credentials, and choose it for the mirror."
            ),
            Self::Forbidden { is_known: true, asked } => format!(
                "{host} does not give {asked} to the credential of the mirror. Ask whoever runs {host} what it may read, or choose another \
                 credential."
            ),
            Self::Forbidden { is_known: false, asked } => format!(
                "{host} does not give {asked} to everybody. Store a credential for {host} in Settings > Credentials, and choose it for \
                 the mirror; if it has none to give, ask whoever runs it."
            ),
            Self::NotFound { asked: Asked::Root } => format!(
                "There is no packages.json at the URL of the mirror on {host}. Check the URL: it is the folder of packages.json, without \
                 that name."
            ),
            Self::NotFound { asked } => format!(
                "{host} does not have {asked} although it names it. Try again in a few minutes; if it stays like this, tell whoever runs it."
            ),
            Self::RateLimited { retry_after } => {
                format!(
                    "{host} takes no more requests from Stave for now. Stave tries again in {}.",
                    Wait(retry_after)
                )
            }
            Self::Status { status, asked } => {
                format!(
                    "{host} answered with error {status} when it was asked for {asked}. Stave tries again later."
                )
            }
            Self::Circles { asked } => format!(
                "{host} points from one address to the next when it is asked for {asked}, and never to an answer. Check the URL of the mirror."
            ),
            Self::Unreadable { saw, asked } => format!(
                "{host} answered with {} in place of {asked}. Stave did not use it. If it stays like this, check the URL of the mirror, \
                 and whether a log-in page or a proxy stands in front of it.",
                what(*saw)
            ),
            Self::TooLarge { asked } => {
                format!(
                    "{host} answered with more than Stave takes when it was asked for {asked}. Stave did not use it."
                )
            }
            Self::WrongHash { asked } => format!(
                "{host} answered with something else than its own lists promise when it was asked for {asked}: the checksum is another \
                 one. Stave did not use it, and tries again later."
            ),
            Self::Odd(sentence) => sentence.clone(),
        }
    }
}

fn what(saw: Saw) -> String {
    match saw {
        Saw::OtherJson => "other JSON".to_owned(),
        other => other.to_string(),
    }
}

fn unreachable(host: &str, obstacle: &Obstacle, tried: &Tried) -> String {
    let silent = |why: &str| format!("{host} does not answer: {why}");
    match obstacle {
        Obstacle::NameNotFound => silent(
            "its name is not known here. Check the URL of the mirror for typing errors, and whether the machine that Stave runs on can \
             resolve the name.",
        ),
        Obstacle::AddressRefused(address) => {
            format!("Stave does not connect to {host}: {}", Outbound::refusal(*address))
        }
        Obstacle::PlainHttp => format!(
            "Stave does not read packages from {host} over plain HTTP, since anybody on the way could change them. Start the URL of the \
             mirror with https://. If {host} is a neighbour on your own network, the operator starts Stave with --outbound-allow naming \
             its address."
        ),
        Obstacle::ConnectionRefused => silent(
            "nothing listens there. Check host and port of the URL of the mirror, and whether the server there runs.",
        ),
        Obstacle::NoConnection => {
            format!(
                "{host} does not answer: nobody opened the connection. Stave tried {tried}; a firewall on the way has to let it through."
            )
        }
        Obstacle::Certificate(CertificateProblem::WrongName) => format!(
            "The certificate of {host} was made for another name. Check the host in the URL of the mirror; if it is right, whoever runs \
             {host} has to mend the certificate."
        ),
        Obstacle::Certificate(problem) => problem.sentence(host),
        Obstacle::NoTls => silent(
            "what listens there does not speak HTTPS in a version that Stave knows. Check scheme and port of the URL of the mirror.",
        ),
        Obstacle::NoHttp => {
            silent("what listens there does not speak HTTP. Check scheme and port of the URL of the mirror.")
        }
        Obstacle::TimedOut => format!(
            "{host} did not answer in time. Stave tries again later; if {host} is always slow, set a longer request timeout for the mirror."
        ),
        Obstacle::TooLarge => silent("its answer is larger than any that Stave takes."),
        Obstacle::BrokenOff => {
            format!(
                "The connection to {host} broke off before the answer was complete. Stave did not use it, and tries again later."
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sentence_is_for_whoever_manages_the_mirror() {
        let tried = Box::new(Tried::of(&Url::parse("https://repo.example.com").unwrap()));
        let obstacles = [
            Obstacle::NameNotFound,
            Obstacle::AddressRefused("10.0.0.1".parse().unwrap()),
            Obstacle::PlainHttp,
            Obstacle::ConnectionRefused,
            Obstacle::NoConnection,
            Obstacle::Certificate(CertificateProblem::Expired),
            Obstacle::Certificate(CertificateProblem::WrongName),
            Obstacle::NoTls,
            Obstacle::NoHttp,
            Obstacle::TimedOut,
            Obstacle::TooLarge,
            Obstacle::BrokenOff,
        ];
        let asked = Asked::Package("acme/lib".to_owned());
        let others = [
            MirrorProblem::Unauthorized { is_known: true },
            MirrorProblem::Unauthorized { is_known: false },
            MirrorProblem::Forbidden { is_known: true, asked: asked.clone() },
            MirrorProblem::Forbidden { is_known: false, asked: asked.clone() },
            MirrorProblem::NotFound { asked: Asked::Root },
            MirrorProblem::NotFound { asked: Asked::Dist },
            MirrorProblem::RateLimited { retry_after: Some(Duration::from_secs(90)) },
            MirrorProblem::Status { status: 503, asked: asked.clone() },
            MirrorProblem::Circles { asked: asked.clone() },
            MirrorProblem::Unreadable { saw: Saw::WebPage, asked: asked.clone() },
            MirrorProblem::Unreadable { saw: Saw::OtherJson, asked: asked.clone() },
            MirrorProblem::TooLarge { asked: asked.clone() },
            MirrorProblem::WrongHash { asked },
        ];
        let unreachable =
            obstacles.map(|obstacle| MirrorProblem::Unreachable { obstacle, tried: tried.clone() });
        for problem in unreachable.into_iter().chain(others) {
            let sentence = problem.sentence("repo.example.com");
            assert!(sentence.contains("repo.example.com") && sentence.ends_with('.'), "{sentence}");
            for foreign in ["base URL", "integration", "Bitbucket"] {
                assert!(!sentence.contains(foreign), "{sentence}");
            }
        }
    }
}
