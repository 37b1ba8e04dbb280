//! How many forward-auth checks of a signed-in visitor Stave answers a second, beside nginx with a file of 1 KiB on the same machine:
//! `cargo bench -p stave-server --bench forward_auth`. It prints a table and asserts no time; what it asserts is that a warm check
//! asks the database nothing.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on fails, and says where")]
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

#[expect(dead_code, unused_imports, reason = "the stories need more of it")]
mod support;

use std::{
    fmt::{self, Write as _},
    fs::Permissions,
    os::unix::fs::PermissionsExt as _,
    process::{Child, Command},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};
use support::{
    TestWebsite,
    web_server::{WebServer, free_port},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::Runtime,
    task::JoinSet,
};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    layer::{Context, SubscriberExt},
    util::SubscriberInitExt,
};

/// Connections that are open at the same time; each sends its next request when it has the answer.
const CONNECTIONS: usize = 32;
const ROUNDS: u32 = 3;
const ROUND: Duration = Duration::from_secs(5);

/// Statements that read or write what a check is made of.
static STATEMENTS: AtomicU64 = AtomicU64::new(0);

fn main() {
    // Whoever builds all targets to run the tests does not want to wait for this.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let heard = Targets::new().with_target("sqlx::query", LevelFilter::DEBUG);
    tracing_subscriber::registry().with(Count.with_filter(heard)).init();
    // Stave has threads of its own, as it has when it is another process.
    let (staves, ours) = (Runtime::new().unwrap(), Runtime::new().unwrap());
    let site = staves.block_on(Site::open());
    ours.block_on(compare(&site));
    staves.block_on(async { drop(site) });
}

/// A visitor who is signed in at a website, and a file of 1 KiB behind nginx.
struct Site {
    check: Target,
    file: Target,
    _website: TestWebsite,
    _proxy: WebServer,
    _nginx: Nginx,
}

/// Where requests go, and which.
struct Target {
    port: u16,
    request: String,
}

impl Site {
    async fn open() -> Self {
        let port = free_port();
        let origin = format!("http://shop.localhost:{port}");
        let website = TestWebsite::start_at(&origin).await;
        let texts = website.proxy(&origin, &website.application.url).await;
        let proxy = WebServer::nginx(port, &texts.nginx).await;
        let visitor = website.visitor("ada");
        visitor.sign_in(&format!("{origin}/")).await;
        let key =
            texts.nginx.split("X-Stave-Proxy-Key").nth(1).and_then(|rest| rest.split('"').nth(1)).unwrap();
        let stave: u16 = website.stave.url.rsplit(':').next().unwrap().parse().unwrap();
        let check = format!(
            "GET /w/shop/forward-auth/nginx HTTP/1.1\r\nHost: 127.0.0.1:{stave}\r\nX-Stave-Proxy-Key: {key}\r\n\
             X-Forwarded-Proto: http\r\nX-Forwarded-Host: shop.localhost:{port}\r\nX-Forwarded-Uri: /a?b=c\r\n\
             X-Forwarded-Method: GET\r\nX-Forwarded-For: 127.0.0.1\r\nAccept: text/html\r\nCookie: {}\r\n\r\n",
            visitor.browser.cookies(&origin)
        );
        let (nginx, port) = Nginx::start().await;
        let file = format!("GET /file.txt HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/html\r\n\r\n");
        Self {
            check: Target { port: stave, request: check },
            file: Target { port, request: file },
            _website: website,
            _proxy: proxy,
            _nginx: nginx,
        }
    }
}

/// nginx as Debian starts it, with one process per core, and one file.
struct Nginx {
    master: Child,
    _folder: TempDir,
}

impl Nginx {
    async fn start() -> (Self, u16) {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        // Its processes may run as somebody else, who has to read the file.
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        std::fs::write(folder.path().join("file.txt"), "a".repeat(1024)).unwrap();
        let at = folder.path().display();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {at}/{kind};\n"))
            .concat();
        let text = format!(
            "worker_processes auto;\npid {at}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\nsendfile on;\n\
             keepalive_requests 1000000000;\n{temporary}server {{\nlisten 127.0.0.1:{port};\nroot {at};\n}}\n}}\n"
        );
        std::fs::write(folder.path().join("nginx.conf"), text).unwrap();
        let conf = folder.path().join("nginx.conf");
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("nginx");
        command.env("PATH", format!("{path}:/usr/sbin")).args(["-g", "daemon off;", "-e", "stderr", "-c"]);
        let master = command.arg(conf).spawn().expect("scripts/test-tools installs nginx");
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        (Self { master, _folder: folder }, port)
    }
}

impl Drop for Nginx {
    /// Asked to stop, it takes its processes along.
    fn drop(&mut self) {
        _ = Command::new("kill").arg(self.master.id().to_string()).status();
        _ = self.master.wait();
    }
}

/// Both in turns, so that whatever else this machine does falls on both.
async fn compare(site: &Site) {
    answers(&site.check, Duration::from_millis(500)).await;
    answers(&site.file, Duration::from_millis(500)).await;
    let mut table = String::from("round |  Stave, checks/s |  nginx, 1 KiB files/s | ratio\n");
    let (mut checks, mut files, mut statements) = (0.0, 0.0, 0);
    for round in 1..=ROUNDS {
        let before = STATEMENTS.load(Ordering::Relaxed);
        let stave = answers(&site.check, ROUND).await;
        statements += STATEMENTS.load(Ordering::Relaxed) - before;
        let nginx = answers(&site.file, ROUND).await;
        (checks, files) = (checks + stave, files + nginx);
        writeln!(table, "{round:5} | {stave:16.0} | {nginx:21.0} | {:5.2}", stave / nginx).unwrap();
    }
    let (stave, nginx) = (checks / f64::from(ROUNDS), files / f64::from(ROUNDS));
    writeln!(table, "  all | {stave:16.0} | {nginx:21.0} | {:5.2}", stave / nginx).unwrap();
    println!("{table}\n{CONNECTIONS} connections. Statements during the checks: {statements}.");
    assert!(STATEMENTS.load(Ordering::Relaxed) > 0, "statements are counted");
    assert_eq!(statements, 0, "a warm check asks the database nothing");
}

/// How many a second.
async fn answers(target: &Target, time: Duration) -> f64 {
    let (began, mut clients) = (Instant::now(), JoinSet::new());
    for _ in 0..CONNECTIONS {
        clients.spawn(client(target.port, target.request.clone(), began + time));
    }
    let answers: u32 = clients.join_all().await.into_iter().sum();
    f64::from(answers) / began.elapsed().as_secs_f64()
}

/// One connection that is kept open: how many answers it got.
async fn client(port: u16, request: String, end: Instant) -> u32 {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut answers, mut buffer) = (0, vec![0; 16 * 1024]);
    while Instant::now() < end {
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut filled = 0;
        while !is_whole(&buffer[..filled]) {
            let read = stream.read(&mut buffer[filled..]).await.unwrap();
            assert!(read > 0, "the connection was closed");
            filled += read;
        }
        let answer = &buffer[..filled];
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(answer));
        answers += 1;
    }
    answers
}

/// Whether an answer is there with all of its body.
fn is_whole(answer: &[u8]) -> bool {
    const LENGTH: &[u8] = b"content-length: ";
    let Some(head) = answer.windows(4).position(|end| end == b"\r\n\r\n") else { return false };
    let at = answer[..head].windows(LENGTH.len()).position(|part| part.eq_ignore_ascii_case(LENGTH));
    let digits =
        at.into_iter().flat_map(|at| &answer[at + LENGTH.len()..]).take_while(|b| b.is_ascii_digit());
    let body = digits.fold(0, |length, digit| length * 10 + usize::from(digit - b'0'));
    answer.len() >= head + 4 + body
}

/// Counts statements about passes and websites. Others are none of the check's: Stave looks for jobs all the time.
struct Count;

impl<S: Subscriber> Layer<S> for Count {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        let of_checks = ["\"website_pass\"", "FROM \"website\" ", "UPDATE \"website_login\""];
        if of_checks.iter().any(|part| text.0.contains(part)) {
            STATEMENTS.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Everything that an event says.
struct Text(String);

impl Visit for Text {
    fn record_str(&mut self, _: &Field, value: &str) {
        self.0.push_str(value);
    }

    fn record_debug(&mut self, _: &Field, value: &dyn fmt::Debug) {
        _ = write!(self.0, "{value:?}");
    }
}
