//! A mail server that takes mail by SMTP (RFC 5321) on loopback and keeps it, until it is dropped.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard},
    thread,
};

/// A mail server on loopback, without TLS.
pub struct FakeMailServer {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    mails: Vec<Mail>,
    /// User and password, if it wants a log-in.
    login: Option<(String, String)>,
    /// What it answers to every recipient, until it is healed.
    refusal: Option<String>,
    is_over: bool,
}

/// A message that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mail {
    /// The sender on the envelope.
    pub from: String,
    /// The recipients on the envelope.
    pub to: Vec<String>,
    /// Header and body as they came, lines ended by `\n`.
    pub raw: String,
}

impl Mail {
    /// A header's value as it came, its folded lines joined; empty if there is none.
    pub fn header(&self, name: &str) -> String {
        let head = self.raw.split("\n\n").next().unwrap_or_default().replace("\n ", " ");
        let wanted = format!("{}:", name.to_lowercase());
        let line = head.lines().find(|line| line.to_lowercase().starts_with(&wanted));
        line.map_or_else(String::new, |line| line[wanted.len()..].trim().to_owned())
    }

    /// The body as a reader sees it. Understands what Stave sends: text that is plain, quoted-printable or base64.
    pub fn text(&self) -> String {
        let body = self.raw.split_once("\n\n").map_or("", |(_, body)| body);
        match self.header("Content-Transfer-Encoding").as_str() {
            "base64" => {
                let whole: String = body.split_whitespace().collect();
                let bytes = BASE64_STANDARD.decode(whole).expect("the body is base64");
                String::from_utf8(bytes).expect("the body is UTF-8").replace("\r\n", "\n")
            }
            "quoted-printable" => quoted_printable(body),
            _ => body.to_owned(),
        }
    }
}

fn quoted_printable(body: &str) -> String {
    let mut bytes = Vec::new();
    let joined = body.replace("=\n", "");
    let mut rest = joined.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if let (b'=', [high, low, after @ ..]) = (first, after) {
            bytes.extend(hex::decode([*high, *low]).expect("two hexadecimal digits follow a ="));
            rest = after;
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).expect("the body is UTF-8")
}

impl FakeMailServer {
    /// Takes mail for everybody, without a log-in.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if lock(&shared).is_over {
                    return;
                }
                let shared = Arc::clone(&shared);
                // A client that goes away in the middle is no failure of the server.
                thread::spawn(move || drop(converse(&stream, &shared)));
            }
        });
        Self { address, state }
    }

    /// `smtp://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// From now on it wants this user and password.
    pub fn wants_login(&self, user: &str, password: &str) -> &Self {
        lock(&self.state).login = Some((user.to_owned(), password.to_owned()));
        self
    }

    /// From now on it takes no mail and answers with this line, such as `451 Come back later`.
    pub fn refuse(&self, line: &str) -> &Self {
        lock(&self.state).refusal = Some(line.to_owned());
        self
    }

    /// From now on it takes mail again.
    pub fn heal(&self) -> &Self {
        lock(&self.state).refusal = None;
        self
    }

    /// What it took so far, oldest first.
    pub fn mails(&self) -> Vec<Mail> {
        lock(&self.state).mails.clone()
    }
}

impl Drop for FakeMailServer {
    fn drop(&mut self) {
        lock(&self.state).is_over = true;
        // Wakes the listener, which then sees that it is over.
        drop(TcpStream::connect(self.address));
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().expect("no test panics while it holds the mail")
}

fn converse(stream: &TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut answers = stream;
    let mut lines = BufReader::new(stream).lines();
    let mut say = |line: &str| answers.write_all(format!("{line}\r\n").as_bytes());
    say("220 mail.test ESMTP")?;
    let (mut mail, mut is_known) = (Mail::default(), lock(state).login.is_none());
    while let Some(line) = lines.next().transpose()? {
        let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
        match verb.to_uppercase().as_str() {
            "EHLO" => say("250-mail.test\r\n250-8BITMIME\r\n250 AUTH PLAIN")?,
            "HELO" | "NOOP" => say("250 mail.test")?,
            "AUTH" => {
                is_known = is_login(rest, state);
                say(if is_known { "235 Welcome" } else { "535 5.7.8 Authentication credentials invalid" })?;
            }
            "MAIL" if !is_known => say("530 5.7.0 Authentication required")?,
            "MAIL" => {
                mail = Mail { from: between(rest), ..Mail::default() };
                say("250 OK")?;
            }
            "RCPT" => {
                let refusal = lock(state).refusal.clone();
                mail.to.push(between(rest));
                say(refusal.as_deref().unwrap_or("250 OK"))?;
            }
            "DATA" => {
                say("354 Go on")?;
                while let Some(line) = lines.next().transpose()?.filter(|line| line != ".") {
                    // RFC 5321, section 4.5.2: a dot was put before a dot.
                    mail.raw.push_str(line.strip_prefix('.').unwrap_or(&line));
                    mail.raw.push('\n');
                }
                lock(state).mails.push(std::mem::take(&mut mail));
                say("250 Taken")?;
            }
            "RSET" => say("250 OK")?,
            "QUIT" => return say("221 Bye"),
            _ => say("502 5.5.1 Unknown command")?,
        }
    }
    Ok(())
}

/// `PLAIN` and `\0user\0password` in base64 (RFC 4616).
fn is_login(rest: &str, state: &Mutex<State>) -> bool {
    let Some(("PLAIN", proof)) = rest.split_once(' ') else { return false };
    let wanted = lock(state).login.clone();
    let wanted = wanted.map(|(user, password)| format!("\0{user}\0{password}").into_bytes());
    wanted.is_none_or(|wanted| BASE64_STANDARD.decode(proof).is_ok_and(|given| given == wanted))
}

/// What stands in angle brackets.
fn between(text: &str) -> String {
    let inside = text.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inside.map_or_else(String::new, |(inside, _)| inside.to_owned())
}
