//! Mail by SMTP: optional. Without a server everything works, and nothing is sent.

mod server;

pub use server::{MailServer, MailSettings};

use crate::{Actor, App, Failure, entropy};
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue},
    },
    transport::smtp::{
        Error,
        authentication::Credentials,
        client::{Tls, TlsParameters},
        extension::ClientId,
    },
};
use server::Security;
use stave_domain::{Timestamp, user::User};
use std::{error::Error as _, time::Duration};
use url::{Host, Url};
use uuid::Uuid;

/// How long the server may take for each of its answers.
const PATIENCE: Duration = Duration::from_secs(20);

/// Programs that answer mail leave this one alone (RFC 3834, section 5).
const AUTO_SUBMITTED: HeaderName = HeaderName::new_from_ascii_str("Auto-Submitted");

/// Sends mail by the server that the operator named.
pub(crate) struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    route: MailRoute,
    from: Mailbox,
    /// What comes after the `@` of a message's id.
    host: String,
}

/// How mail goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailRoute {
    /// Host and port of the server.
    pub server: String,
    /// From which address.
    pub from: String,
}

/// A message.
pub(crate) struct Letter {
    /// One line.
    pub(crate) subject: String,
    /// Plain text, with an empty line between paragraphs.
    pub(crate) text: String,
}

impl Mailer {
    /// Nothing is sent yet. `url` is the public address, by whose host Stave introduces itself.
    pub(crate) fn new(settings: MailSettings, url: &Url) -> Result<Self, Error> {
        let MailSettings { server, from } = settings;
        let route = MailRoute { server: server.label(), from: from.to_string() };
        let name = match &server.host {
            Host::Ipv6(address) => address.to_string(),
            other => other.to_string(),
        };
        let parameters = TlsParameters::new(name.clone())?;
        let tls = match server.security {
            Security::AtOnce => Tls::Wrapper(parameters),
            Security::First => Tls::Required(parameters),
            Security::IfOffered => Tls::Opportunistic(parameters),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(name)
            .port(server.port)
            .tls(tls)
            .hello_name(introduction(url))
            .timeout(Some(PATIENCE));
        if let Some((user, password)) = &server.login {
            builder = builder.credentials(Credentials::new(user.clone(), password.expose().to_owned()));
        }
        let from = Mailbox::new(Some("Stave".to_owned()), from);
        let host = url.host_str().unwrap_or("localhost").to_owned();
        Ok(Self { transport: builder.build(), route, from, host })
    }

    /// Sends a letter to one person. It may come twice if the connection breaks at the very end.
    pub(crate) async fn send(&self, to: &User, letter: &Letter, now: Timestamp) -> Result<(), Failure> {
        let address = to.email.as_ref().ok_or_else(|| no_address(to))?;
        let typed: Address = address.as_str().parse().map_err(|_| no_address(to))?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(Some(to.display_name().to_owned()), typed))
            .subject(&letter.subject)
            .date(now.into())
            .message_id(Some(format!("<{}@{}>", entropy::id::<Uuid>(), self.host)))
            .raw_header(HeaderValue::new(AUTO_SUBMITTED, "auto-generated".to_owned()))
            .header(ContentType::TEXT_PLAIN)
            .body(letter.text.clone())
            .map_err(Failure::internal)?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.failure(error)),
        }
    }

    /// Mail is tried again whatever the server said: what is wrong with it or with the configuration is mended by people.
    fn failure(&self, error: Error) -> Failure {
        let server = &self.route.server;
        let sentence = match error.status().map(u16::from) {
            Some(code @ (454 | 530 | 534 | 535)) => format!(
                "The mail server {server} does not accept the user and the password that Stave has for it (error {code}). Whoever runs Stave mends `smtp-url`."
            ),
            Some(code) => {
                let said = error.source().map(|said| format!(" {said}")).unwrap_or_default();
                format!(
                    "The mail server {server} does not take the mail. It says: {code}{said}. If it is about the address of the sender, whoever runs Stave mends `mail-from`."
                )
            }
            None if error.is_tls() => format!(
                "Stave cannot speak with the mail server {server} over TLS, so nothing was sent. Check that its certificate is valid for this name, and whether `smtp-url` has to begin with smtp:// or smtps://."
            ),
            None if error.is_client() => format!(
                "The mail server {server} does not offer what Stave needs, such as STARTTLS or a log-in with a password. Check `smtp-url`."
            ),
            None => format!(
                "The mail server {server} cannot be reached, or does not answer as a mail server does. Check `smtp-url`, and that the server is up."
            ),
        };
        Failure::Elsewhere { sentence, is_transient: true, source: Box::new(error) }
    }
}

fn no_address(user: &User) -> Failure {
    Failure::Conflict(format!(
        "{} has no e-mail address to which mail can be sent. It is entered on the Profile.",
        user.username
    ))
}

/// How a client calls itself (RFC 5321, section 4.1.3).
fn introduction(url: &Url) -> ClientId {
    match url.host() {
        Some(Host::Domain(name)) => ClientId::Domain(name.to_owned()),
        Some(Host::Ipv4(address)) => ClientId::Ipv4(address),
        Some(Host::Ipv6(address)) => ClientId::Ipv6(address),
        None => ClientId::default(),
    }
}

impl App {
    /// How mail goes out; `None` if nobody named a server, so nothing is ever sent.
    #[must_use]
    pub fn mail_route(&self) -> Option<&MailRoute> {
        self.mailer.as_ref().map(|mailer| &mailer.route)
    }

    /// Sends a letter to the admin who asks, to see whether mail arrives.
    pub async fn mail_test(&self, actor: &Actor) -> Result<(), Failure> {
        actor.admin()?;
        let user = actor.user()?;
        let mailer = self.mailer.as_ref().ok_or_else(|| {
            Failure::Conflict(
                "No mail server is named, so Stave sends no mail. Whoever runs Stave names one with `smtp-url` and `mail-from`, and starts it again.".into(),
            )
        })?;
        let letter = Letter {
            subject: "A test mail from Stave".into(),
            text: format!(
                "Hello {},\n\nmail from Stave arrives. You asked for this one at {}.\n",
                user.display_name(),
                self.address("/admin/configuration")
            ),
        };
        mailer.send(user, &letter, self.clock.now()).await
    }
}
