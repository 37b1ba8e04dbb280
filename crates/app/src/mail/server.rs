//! The mail server, as the operator names it.

use lettre::Address;
use percent_encoding::percent_decode_str;
use stave_domain::{Invalid, Secret};
use std::{borrow::Cow, net::IpAddr, str::FromStr};
use url::{Host, Url};

/// By which server mail goes out, and from whom.
#[derive(Debug, Clone)]
pub struct MailSettings {
    pub(super) server: MailServer,
    pub(super) from: Address,
}

impl MailSettings {
    /// `from` is an e-mail address: from it mail comes.
    pub fn new(server: MailServer, from: &str) -> Result<Self, Invalid> {
        let from = from.trim().parse().map_err(|_| {
            Invalid::because("This is no e-mail address. Write it like stave@example.com, without a name.")
        })?;
        Ok(Self { server, from })
    }
}

/// A server that takes mail by SMTP (RFC 5321): `smtp://user:password@host:port`, or `smtps://` with TLS from the first byte
/// (RFC 8314).
#[derive(Debug, Clone)]
pub struct MailServer {
    /// Name or address.
    pub(super) host: Host,
    pub(super) port: u16,
    pub(super) security: Security,
    /// User and password; a user without a password waits for the one that lies in a file.
    pub(super) login: Option<(String, Secret)>,
}

/// When TLS begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Security {
    /// With the connection.
    AtOnce,
    /// By STARTTLS (RFC 3207), before anything is said.
    First,
    /// By STARTTLS if the server offers it.
    IfOffered,
}

/// RFC 8314, section 3.3.
const SUBMISSIONS: u16 = 465;
/// RFC 6409, section 3.1.
const SUBMISSION: u16 = 587;
/// RFC 5321, section 4.5.4.2: for servers that take mail without a log-in.
const SMTP: u16 = 25;

impl MailServer {
    /// The server with the password of its user, which was given apart from the address.
    pub fn with_password(mut self, password: Secret) -> Result<Self, Invalid> {
        match self.login {
            Some((user, typed)) if typed.is_empty() => self.login = Some((user, password)),
            Some(_) => {
                return Err(Invalid::because(
                    "The address of the mail server has a password already. Remove one of both.",
                ));
            }
            None => {
                return Err(Invalid::because(
                    "The address of the mail server names no user, whose password this could be. Write it like smtps://user@mail.example.com.",
                ));
            }
        }
        Ok(self)
    }

    /// Whether its user has no password yet.
    #[must_use]
    pub fn lacks_password(&self) -> bool {
        self.login.as_ref().is_some_and(|(_, password)| password.is_empty())
    }

    /// Host and port, for people.
    pub(super) fn label(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

impl FromStr for MailServer {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        // What was typed may be a secret, so no refusal repeats it.
        let refuse = |problem: &str| {
            Invalid::because(format!(
                "The address of the mail server {problem}. Write it like smtps://user:password@mail.example.com, or smtp://127.0.0.1:25."
            ))
        };
        let url = Url::parse(text).map_err(|_| refuse("is no URL"))?;
        let is_tls = match url.scheme() {
            "smtp" => false,
            "smtps" => true,
            _ => return Err(refuse("begins with neither smtp:// nor smtps://")),
        };
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(refuse("goes on after host and port"));
        }
        let host = url.host().ok_or_else(|| refuse("has no host"))?;
        // In addresses of this kind the parser takes an IPv4 address for a name.
        let host = Host::parse(&host.to_string()).map_err(|_| refuse("has no host"))?;
        let plain = |text: &str| {
            percent_decode_str(text).decode_utf8().map(Cow::into_owned).map_err(|_| refuse("is not UTF-8"))
        };
        let login = match (url.username(), url.password()) {
            ("", None) => None,
            ("", Some(_)) => return Err(refuse("has a password but no user")),
            (user, password) => Some((plain(user)?, Secret::new(plain(password.unwrap_or_default())?))),
        };
        let (usual_port, security) = match &login {
            _ if is_tls => (SUBMISSIONS, Security::AtOnce),
            // A password is never sent for everybody to hear, but on this machine there is nobody.
            Some(_) if !is_loopback(&host) => (SUBMISSION, Security::First),
            Some(_) => (SUBMISSION, Security::IfOffered),
            None => (SMTP, Security::IfOffered),
        };
        Ok(Self { host, port: url.port().unwrap_or(usual_port), security, login })
    }
}

fn is_loopback(host: &Host) -> bool {
    match host {
        Host::Ipv4(address) => IpAddr::from(*address).is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
        Host::Domain(name) => name == "localhost",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_how_to_speak_to_the_server() {
        let rows = [
            ("smtps://mail.example.com", "mail.example.com:465", Security::AtOnce, None),
            (
                "smtps://ada:s%40cret@mail.example.com:4650/",
                "mail.example.com:4650",
                Security::AtOnce,
                Some(("ada", "s@cret")),
            ),
            ("smtp://mail.example.com", "mail.example.com:25", Security::IfOffered, None),
            (
                "smtp://ada%40example.com:x@mail.example.com",
                "mail.example.com:587",
                Security::First,
                Some(("ada@example.com", "x")),
            ),
            ("smtp://ada@127.0.0.1:2525", "127.0.0.1:2525", Security::IfOffered, Some(("ada", ""))),
            ("smtp://ada:x@[::1]", "[::1]:587", Security::IfOffered, Some(("ada", "x"))),
            ("smtp://ada:x@10.0.0.1", "10.0.0.1:587", Security::First, Some(("ada", "x"))),
        ];
        for (text, label, security, login) in rows {
            let server: MailServer = text.parse().unwrap_or_else(|problem| panic!("{text}: {problem}"));
            assert_eq!((server.label().as_str(), server.security), (label, security), "{text}");
            let found = server.login.as_ref().map(|(user, password)| (user.as_str(), password.expose()));
            assert_eq!(found, login, "{text}");
        }
        for bad in [
            "",
            "mail.example.com",
            "https://mail.example.com",
            "smtp://",
            "smtp://:x@mail.example.com",
            "smtp://mail.example.com/inbox",
            "smtp://mail.example.com?tls=required",
        ] {
            assert!(bad.parse::<MailServer>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_refusal_and_a_server_hide_the_password() {
        let refusal = "smtp://ada:hunter2@mail.example.com/x".parse::<MailServer>().unwrap_err();
        let server: MailServer = "smtp://ada:hunter2@mail.example.com".parse().unwrap();
        assert!(!format!("{refusal} {server:?}").contains("hunter2"), "{refusal} {server:?}");
    }

    #[test]
    fn a_password_of_its_own_belongs_to_a_user() {
        let with = |text: &str| text.parse::<MailServer>().unwrap().with_password(Secret::new("s"));
        assert!(with("smtp://mail.example.com").is_err());
        assert!(with("smtp://ada:x@mail.example.com").is_err());
        assert!("smtp://ada@mail.example.com".parse::<MailServer>().unwrap().lacks_password());
        assert!(!with("smtp://ada@mail.example.com").unwrap().lacks_password());
    }
}
