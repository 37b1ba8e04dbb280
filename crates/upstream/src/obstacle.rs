//! Why a server could not be reached, found in the chain of an error, never in its text.

use crate::gate::Refusal;
use stave_domain::outbound::Outbound;
use std::{error::Error, fmt, io, net::IpAddr, time::Duration};
use url::Url;

/// How long a name may take to be resolved once more, for a sentence.
const RESOLVE_LIMIT: Duration = Duration::from_secs(1);

/// Why no answer came from a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// Its name has no address.
    NameNotFound,
    /// Its address is not public, and the operator did not name it.
    AddressRefused(IpAddr),
    /// The base URL starts with `http://`, and the operator did not name its address.
    PlainHttp,
    /// Nothing listens on the port.
    ConnectionRefused,
    /// Nobody answered when the connection was to be opened.
    NoConnection,
    /// It has a certificate with which nobody should be trusted.
    Certificate(CertificateProblem),
    /// Something listens on the port, but it does not speak TLS, or not a version that Stave does.
    NoTls,
    /// Something listens on the port, but what it says is not HTTP.
    NoHttp,
    /// It took too long, or never answered.
    TimedOut,
    /// Its answer is larger than any that Stave asks for.
    TooLarge,
    /// The connection could not be made, or ended in the middle.
    BrokenOff,
}

/// Where a connection was to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The name, or the address if there was no name.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// Whether by TLS.
    pub is_encrypted: bool,
    /// To which addresses the name leads; empty if that is not known.
    pub addresses: Vec<IpAddr>,
}

/// What is wrong with a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateProblem {
    /// Its time is over.
    Expired,
    /// Its time has not come, or the clock of this machine is slow.
    NotValidYet,
    /// Nobody whom this machine trusts has signed it.
    UnknownAuthority,
    /// It was made for another host.
    WrongName,
    /// Anything else, in the words of the TLS library.
    Unusable(String),
}

impl Obstacle {
    /// The obstacle behind an error of the HTTP library.
    pub(crate) fn behind(error: &reqwest::Error) -> Self {
        if error.is_timeout() {
            return if error.is_connect() { Self::NoConnection } else { Self::TimedOut };
        }
        let found = chain(error).find_map(Self::of_link);
        found.unwrap_or(if error.is_dns() { Self::NameNotFound } else { Self::BrokenOff })
    }

    fn of_link(link: &(dyn Error + 'static)) -> Option<Self> {
        if let Some(refusal) = link.downcast_ref::<Refusal>() {
            return Some((*refusal).into());
        }
        if let Some(problem) = link.downcast_ref::<rustls::Error>() {
            return Some(problem.into());
        }
        if link.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse) {
            return Some(Self::NoHttp);
        }
        let refused =
            link.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::ConnectionRefused);
        refused.then_some(Self::ConnectionRefused)
    }

    /// Whether the same request may well succeed later without anybody doing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::NameNotFound
            | Self::ConnectionRefused
            | Self::NoConnection
            | Self::TimedOut
            | Self::BrokenOff => true,
            Self::AddressRefused(_)
            | Self::PlainHttp
            | Self::Certificate(_)
            | Self::NoTls
            | Self::NoHttp
            | Self::TooLarge => false,
        }
    }

    /// The sentence about the host that could not be reached, and what to do next.
    pub(crate) fn sentence(&self, host: &str, tried: &Tried) -> String {
        match self {
            Self::NameNotFound => format!(
                "The name {host} is not known here. Check the base URL for typing errors, and whether the machine that Stave \
                 runs on can resolve the name: it may need another name server, or a line in its hosts file."
            ),
            Self::AddressRefused(address) => {
                format!("Stave does not connect to {host}: {}", Outbound::refusal(*address))
            }
            Self::PlainHttp => format!(
                "Stave does not speak plain HTTP with {host}, since anybody on the way could read the secrets. Start the base \
                 URL with https://. If {host} is a neighbour on your own network, the operator starts Stave with \
                 --outbound-allow naming its address."
            ),
            Self::ConnectionRefused => format!(
                "Nothing listens at {host}: the connection was refused. Check the host and port of the base URL, and whether \
                 the server there runs. Stave tried {tried}; a firewall may refuse that too."
            ),
            Self::NoConnection => format!(
                "{host} could not be reached: nobody answered. Stave tried {tried}. A firewall on the way has to allow \
                 connections from the machine that Stave runs on to that address and port; if it does, check the host and port \
                 of the base URL."
            ),
            Self::Certificate(problem) => problem.sentence(host),
            Self::NoTls => format!(
                "What listens at {host} does not speak HTTPS in a version that Stave knows. Check the scheme and port of the \
                 base URL: perhaps it starts with http://, or HTTPS has another port."
            ),
            Self::NoHttp => format!(
                "What listens at {host} does not answer in HTTP. If Bitbucket speaks HTTPS there, the base URL starts with https://; \
                 if not, check its port: 7999 is for git, for example, and no web page."
            ),
            Self::TimedOut => format!(
                "{host} did not answer in time. Try again in a few minutes; if it is always slow, an admin sets a longer API \
                 request timeout in the integration. Stave tried {tried}; a firewall may hold that back."
            ),
            Self::TooLarge => format!(
                "{host} answered with more than 8 MiB, more than Stave takes. Check that the base URL is that of Bitbucket."
            ),
            Self::BrokenOff => format!(
                "The connection to {host} broke off before the answer was complete. Try again in a few minutes; if it stays like \
                 this, check the scheme and port of the base URL, and the log of what answers there. Stave tried {tried}."
            ),
        }
    }
}

impl Tried {
    pub(crate) fn of(url: &Url) -> Self {
        Self {
            host: url.host_str().unwrap_or_default().to_owned(),
            port: url.port_or_known_default().unwrap_or_default(),
            is_encrypted: url.scheme() == "https",
            addresses: Vec::new(),
        }
    }

    /// Finds out where the name leads; it must not take long, since it is only for a sentence.
    pub(crate) async fn resolve(&mut self) {
        let found = tokio::net::lookup_host((self.host.as_str(), self.port));
        if let Ok(Ok(found)) = tokio::time::timeout(RESOLVE_LIMIT, found).await {
            self.addresses = found.map(|address| address.ip()).collect();
        }
    }
}

impl fmt::Display for Tried {
    /// `git.example.com (10.1.2.3), port 443, with TLS`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let addresses: Vec<_> = self.addresses.iter().map(IpAddr::to_string).collect();
        f.write_str(&self.host)?;
        if !addresses.is_empty() && addresses != [self.host.trim_matches(['[', ']'])] {
            write!(f, " ({})", addresses.join(", "))?;
        }
        write!(f, ", port {}, {} TLS", self.port, if self.is_encrypted { "with" } else { "without" })
    }
}

impl CertificateProblem {
    pub(crate) fn sentence(&self, host: &str) -> String {
        match self {
            Self::Expired => {
                format!("The certificate of {host} has expired. Whoever runs {host} has to renew it.")
            }
            Self::NotValidYet => format!(
                "The certificate of {host} is not valid yet. Check the clock of the machine that Stave runs on; if it is right, \
                 whoever runs {host} has to mend the certificate."
            ),
            Self::UnknownAuthority => format!(
                "The certificate of {host} was signed by an authority that this machine does not know. The operator adds the \
                 authority's certificate to those that the machine trusts, and restarts Stave."
            ),
            Self::WrongName => format!(
                "The certificate of {host} was made for another name. Check the host in the base URL; if it is right, whoever \
                 runs {host} has to mend the certificate."
            ),
            Self::Unusable(why) => format!(
                "The certificate of {host} cannot be used ({why}). Whoever runs {host} has to replace it by a server \
                 certificate."
            ),
        }
    }
}

impl From<Refusal> for Obstacle {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Address(address) => Self::AddressRefused(address),
            Refusal::PlainHttp(_) => Self::PlainHttp,
        }
    }
}

impl From<&rustls::Error> for Obstacle {
    fn from(error: &rustls::Error) -> Self {
        use rustls::CertificateError as E;
        let rustls::Error::InvalidCertificate(problem) = error else {
            return Self::NoTls;
        };
        Self::Certificate(match problem {
            E::Expired | E::ExpiredContext { .. } => CertificateProblem::Expired,
            E::NotValidYet | E::NotValidYetContext { .. } => CertificateProblem::NotValidYet,
            // A bad signature is that of an authority with the name of a known one and another key.
            E::UnknownIssuer | E::BadSignature => CertificateProblem::UnknownAuthority,
            E::NotValidForName | E::NotValidForNameContext { .. } => CertificateProblem::WrongName,
            other => CertificateProblem::Unusable(other.to_string()),
        })
    }
}

/// An error and all that is behind it. `io::Error` hides what it wraps from `source()`, so it is unwrapped by hand.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&link| {
        let wrapped = link.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        wrapped.map(|inner| inner as &(dyn Error + 'static)).or_else(move || link.source())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::{AlertDescription, CertificateError, InvalidMessage};

    #[test]
    fn tls_problems_are_told_apart() {
        let certificate = |problem| Obstacle::Certificate(problem);
        let cases = [
            (CertificateError::Expired.into(), certificate(CertificateProblem::Expired)),
            (CertificateError::NotValidYet.into(), certificate(CertificateProblem::NotValidYet)),
            (CertificateError::UnknownIssuer.into(), certificate(CertificateProblem::UnknownAuthority)),
            (CertificateError::NotValidForName.into(), certificate(CertificateProblem::WrongName)),
            (
                CertificateError::Revoked.into(),
                certificate(CertificateProblem::Unusable(CertificateError::Revoked.to_string())),
            ),
            (rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType), Obstacle::NoTls),
            (rustls::Error::AlertReceived(AlertDescription::ProtocolVersion), Obstacle::NoTls),
        ];
        for (error, obstacle) in cases {
            assert_eq!(Obstacle::from(&error), obstacle, "{error}");
        }
    }

    #[test]
    fn what_an_io_error_wraps_is_found() {
        let wrapped =
            io::Error::new(io::ErrorKind::InvalidData, rustls::Error::from(CertificateError::Expired));
        let found = chain(&wrapped).find_map(Obstacle::of_link);
        assert_eq!(found, Some(Obstacle::Certificate(CertificateProblem::Expired)));
    }

    #[test]
    fn every_sentence_names_the_host() {
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
            Obstacle::TooLarge,
            Obstacle::BrokenOff,
        ];
        let tried = Tried::of(&Url::parse("https://git.example.com").unwrap());
        for obstacle in all {
            let sentence = obstacle.sentence("git.example.com", &tried);
            assert!(sentence.contains("git.example.com") && sentence.ends_with('.'), "{sentence}");
        }
    }

    #[test]
    fn what_was_tried() {
        let tried = |url: &str, addresses: &[&str]| {
            let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
            Tried { addresses, ..Tried::of(&Url::parse(url).unwrap()) }.to_string()
        };
        for (url, addresses, text) in [
            (
                "https://git.example.com/x",
                &["10.1.2.3", "fd00::1"] as &[_],
                "git.example.com (10.1.2.3, fd00::1), port 443, with TLS",
            ),
            ("http://git.example.com:7990", &[], "git.example.com, port 7990, without TLS"),
            ("http://10.1.2.3", &["10.1.2.3"], "10.1.2.3, port 80, without TLS"),
            ("https://[fd00::1]:8443", &["fd00::1"], "[fd00::1], port 8443, with TLS"),
        ] {
            assert_eq!(tried(url, addresses), text);
        }
    }
}
