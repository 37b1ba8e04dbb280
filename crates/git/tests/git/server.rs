//! git over smart HTTP on a free port: `git http-backend` behind a small server that can also misbehave.

use crate::source::{Source, isolated};
use ipnet::IpNet;
use stave_domain::{Secret, outbound::Outbound, repository::SourceUrl};
use stave_git::{Access, Fetched, GitError, Mirror, Network, Remote};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex, atomic::AtomicBool},
    time::Duration,
};

/// What the server does with requests.
#[derive(Debug, Clone, Default)]
pub(crate) enum Mood {
    #[default]
    Good,
    /// Has never heard of version 2 of the protocol.
    Old,
    /// Wants this `Authorization`.
    Locked(String),
    /// Answers with this status and these header lines.
    Status(u16, String),
    /// Answers with a page.
    LoginPage,
    /// Accepts connections and says nothing.
    Silent,
    /// Sends so many bytes of the answer to a POST, then closes.
    CutsOff(usize),
    /// Sends the answer to a POST byte by byte, with a pause after each.
    Trickles(Duration),
}

pub(crate) struct Server {
    port: u16,
    mood: Arc<Mutex<Mood>>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) line: String,
    pub(crate) authorization: Option<String>,
}

impl Server {
    pub(crate) fn start(source: &Source) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server =
            Self { port: listener.local_addr().unwrap().port(), mood: Arc::default(), seen: Arc::default() };
        let (root, mood, seen) = (source.folder.path().to_owned(), server.mood.clone(), server.seen.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (root, mood, seen) = (root.clone(), mood.clone(), seen.clone());
                std::thread::spawn(move || answer(stream, &root, &mood, &seen));
            }
        });
        server
    }

    pub(crate) fn url(&self) -> SourceUrl {
        self.url_at("127.0.0.1")
    }

    pub(crate) fn url_at(&self, host: &str) -> SourceUrl {
        format!("http://{host}:{}/acme/mailer", self.port).parse().unwrap()
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn becomes(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// The requests since the last call.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

/// Loopback is allowed, and nobody waits long.
pub(crate) fn network() -> Network {
    let loopback: IpNet = "127.0.0.0/8".parse().unwrap();
    let mut network =
        Network::new(Outbound::allowing(vec![loopback]), PathBuf::from("/nonexistent/known_hosts"));
    network.connect_timeout = Duration::from_secs(5);
    network.idle_timeout = Duration::from_secs(20);
    network.deadline = Duration::from_mins(2);
    network
}

pub(crate) fn basic(username: &str, password: &str) -> Access {
    Access::Basic { username: username.to_owned(), password: Secret::new(password) }
}

/// Fetches without a credential.
pub(crate) fn fetch(mirror: &mut Mirror, url: &SourceUrl) -> Result<Fetched, GitError> {
    fetch_with(mirror, url, Access::Anonymous, &network())
}

pub(crate) fn fetch_with(
    mirror: &mut Mirror,
    url: &SourceUrl,
    access: Access,
    network: &Network,
) -> Result<Fetched, GitError> {
    mirror.fetch(&Remote { url, access }, network, &|_| {}, &AtomicBool::new(false))
}

fn answer(mut stream: TcpStream, root: &Path, mood: &Mutex<Mood>, seen: &Mutex<Vec<Seen>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while let Some(mut request) = Request::read(&mut reader) {
        seen.lock()
            .unwrap()
            .push(Seen { line: request.line.clone(), authorization: request.header("authorization") });
        let mood = mood.lock().unwrap().clone();
        if matches!(mood, Mood::Old) {
            request.headers.retain(|(name, _)| name != "git-protocol");
        }
        let done = match mood {
            Mood::Locked(wanted) if request.header("authorization").as_ref() != Some(&wanted) => {
                respond(&mut stream, "401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n", b"")
            }
            Mood::Status(status, headers) => respond(&mut stream, &format!("{status} X"), &headers, b"no"),
            Mood::LoginPage => respond(
                &mut stream,
                "200 OK",
                "Content-Type: text/html; charset=utf-8\r\n",
                b"<html>Log in</html>",
            ),
            Mood::CutsOff(bytes) if request.line.starts_with("POST") => {
                backend(&mut stream, root, &request, bytes);
                return;
            }
            Mood::Trickles(pause) if request.line.starts_with("POST") => {
                trickle(&mut stream, pause);
                return;
            }
            Mood::Good | Mood::Old | Mood::Locked(_) | Mood::CutsOff(_) | Mood::Trickles(_) => {
                backend(&mut stream, root, &request, usize::MAX)
            }
            Mood::Silent => {
                std::thread::sleep(Duration::from_mins(1));
                return;
            }
        };
        if done.is_none() {
            return;
        }
    }
}

/// Never gets to the end, as it says that a line of 64 KiB follows.
fn trickle(stream: &mut TcpStream, pause: Duration) {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-result\r\nContent-Length: 99999\r\n\r\nfff0";
    let mut sent = stream.write_all(head.as_bytes());
    while sent.is_ok() {
        std::thread::sleep(pause);
        sent = stream.write_all(b"x");
    }
}

struct Request {
    line: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    fn read(reader: &mut impl BufRead) -> Option<Self> {
        let mut lines = std::iter::from_fn(|| {
            let mut line = String::new();
            reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
            Some(line.trim_end().to_owned()).filter(|line| !line.is_empty())
        });
        let line = lines.next()?;
        let headers: Vec<_> = lines
            .filter_map(|line| {
                Some(line.split_once(':')?)
                    .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
            })
            .collect();
        let mut request = Self { line, headers, body: Vec::new() };
        let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        request.body = vec![0; length];
        reader.read_exact(&mut request.body).ok()?;
        Some(request)
    }

    fn header(&self, name: &str) -> Option<String> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone())
    }
}

fn respond(stream: &mut TcpStream, status: &str, headers: &str, body: &[u8]) -> Option<()> {
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body).ok()
}

/// `git http-backend` as CGI (RFC 3875).
fn backend(stream: &mut TcpStream, root: &Path, request: &Request, send_at_most: usize) -> Option<()> {
    let mut words = request.line.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut command = Command::new("git");
    isolated(&mut command)
        .arg("http-backend")
        .envs([
            ("GIT_HTTP_EXPORT_ALL", "1"),
            ("REQUEST_METHOD", method),
            ("PATH_INFO", path),
            ("QUERY_STRING", query),
        ])
        .env("GIT_PROJECT_ROOT", root)
        .env("CONTENT_TYPE", request.header("content-type").unwrap_or_default())
        .env("CONTENT_LENGTH", request.body.len().to_string())
        .env("GIT_PROTOCOL", request.header("git-protocol").unwrap_or_default())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    child.stdin.take()?.write_all(&request.body).ok()?;
    let mut output = Vec::new();
    child.stdout.take()?.read_to_end(&mut output).ok()?;
    child.wait().ok()?;
    let end = output.windows(4).position(|window| window == b"\r\n\r\n")?;
    let (head, body) = (String::from_utf8_lossy(&output[..end]).into_owned(), &output[end + 4..]);
    let status = head.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK");
    let headers: Vec<&str> = head.lines().filter(|line| !line.starts_with("Status:")).collect();
    let headers = headers.join("\r\n");
    let head = format!("HTTP/1.1 {status}\r\n{headers}\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(&body[..body.len().min(send_at_most)]).ok()
}
