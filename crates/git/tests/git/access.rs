//! Who is let in, where Stave goes, and how long it waits.

use crate::{
    server::{Mood, Server, basic, fetch, fetch_with, network},
    source::Source,
};
use stave_domain::{Secret, outbound::Outbound, repository::SourceUrl};
use stave_git::{Access, GitError, Mirror, Network, Remote};
use std::{
    env,
    path::Path,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};
use tempfile::TempDir;

fn mirror() -> (TempDir, Mirror) {
    let folder = tempfile::tempdir().unwrap();
    let mirror = Mirror::open_or_create(&folder.path().join("m")).unwrap();
    (folder, mirror)
}

fn impatient() -> Network {
    Network {
        connect_timeout: Duration::from_millis(300),
        idle_timeout: Duration::from_millis(300),
        ..network()
    }
}

#[test]
fn a_long_token_is_sent_as_a_header_and_never_shown() {
    let source = Source::with_manifest("{}");
    let server = Server::start(&source);
    let token = "t0ken-".repeat(600);
    let encoded = base64(&format!("x-token-auth:{token}"));
    server.becomes(Mood::Locked(format!("Basic {encoded}")));
    let (folder, mut mirror) = mirror();
    let refused = fetch(&mut mirror, &server.url()).unwrap_err();
    assert!(matches!(refused, GitError::Unauthorized { .. }) && !refused.is_transient(), "{refused:?}");

    fetch_with(&mut mirror, &server.url(), basic("x-token-auth", &token), &network()).unwrap();
    assert_eq!(mirror.references().unwrap().branches.len(), 1);
    assert!(server.seen().iter().all(|seen| !seen.line.contains("t0ken")));
    for file in ["config", "HEAD", "packed-refs"] {
        let text = std::fs::read_to_string(folder.path().join("m").join(file)).unwrap();
        assert!(!text.contains("t0ken") && !text.contains(&encoded[..40]), "{file}");
    }
    let wrong =
        fetch_with(&mut mirror, &server.url(), basic("x-token-auth", "t0ken-wrong"), &network()).unwrap_err();
    assert!(!format!("{wrong} {wrong:?}").contains("t0ken"), "{wrong:?}");
}

#[test]
fn a_bearer_token_is_sent_without_a_name() {
    let source = Source::with_manifest("{}");
    let server = Server::start(&source);
    server.becomes(Mood::Locked("Bearer BBDC-t0ken".into()));
    let (_folder, mut mirror) = mirror();
    let access = Access::Bearer(Secret::new("BBDC-t0ken"));
    fetch_with(&mut mirror, &server.url(), access, &network()).unwrap();
    let wrong = fetch_with(&mut mirror, &server.url(), Access::Bearer(Secret::new("t0ken")), &network());
    assert!(matches!(wrong, Err(GitError::Unauthorized { .. })), "{wrong:?}");
}

/// The standard alphabet with padding (RFC 4648), written out so that the test does not trust the code it tests.
fn base64(text: &str) -> String {
    let alphabet: Vec<char> = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['+', '/']).collect();
    let sixes = |chunk: &[u8]| {
        let bits =
            chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        (0..4)
            .map(|i| if i <= chunk.len() { alphabet[(bits >> (18 - 6 * i) & 63) as usize] } else { '=' })
            .collect::<String>()
    };
    text.as_bytes().chunks(3).map(sixes).collect()
}

#[test]
fn every_refusal_has_its_sentence() {
    let source = Source::with_manifest("{}");
    let server = Server::start(&source);
    let (_folder, mut mirror) = mirror();
    let table: [(u16, &str, &str, bool); 8] = [
        (401, "", "asks for a log-in", false),
        (403, "", "does not let it read", false),
        (404, "", "no such repository", false),
        (410, "", "app passwords", false),
        (418, "", "unexpected status 418", false),
        (429, "Retry-After: 17\r\n", "no more requests", true),
        (500, "", "unexpected status 500", true),
        (503, "", "tries again later", true),
    ];
    for (status, headers, sentence, is_transient) in table {
        server.becomes(Mood::Status(status, headers.to_owned()));
        let error = fetch(&mut mirror, &server.url()).unwrap_err();
        assert!(error.to_string().contains(sentence), "{status}: {error}");
        assert_eq!(error.is_transient(), is_transient, "{status}");
    }
    server.becomes(Mood::Status(429, "Retry-After: 17\r\n".to_owned()));
    let limited = fetch(&mut mirror, &server.url()).unwrap_err();
    assert!(matches!(limited, GitError::RateLimited { retry_after_seconds: Some(17), .. }));
    server.becomes(Mood::LoginPage);
    let page = fetch(&mut mirror, &server.url()).unwrap_err();
    assert!(page.to_string().contains("a web page, perhaps a log-in"), "{page}");
    server.becomes(Mood::Good);
    let nothing: SourceUrl = format!("http://127.0.0.1:{}/acme/nothing", server.port()).parse().unwrap();
    assert!(matches!(fetch(&mut mirror, &nothing), Err(GitError::NotFound { .. })));
    fetch(&mut mirror, &server.url()).unwrap();
}

#[test]
fn addresses_are_checked_before_a_connection_is_made() {
    let source = Source::with_manifest("{}");
    let server = Server::start(&source);
    let (_folder, mut mirror) = mirror();
    let public_only = Network { outbound: Outbound::default(), ..network() };
    let port = server.port();
    let urls = [
        format!("http://127.0.0.1:{port}/acme/mailer"),
        format!("http://localhost:{port}/acme/mailer"),
        format!("http://0x7f.1:{port}/acme/mailer"),
        format!("http://[::ffff:127.0.0.1]:{port}/acme/mailer"),
        "http://169.254.169.254/latest/meta-data".to_owned(),
        "https://[::1]/x".to_owned(),
    ];
    for url in urls {
        let error =
            fetch_with(&mut mirror, &url.parse().unwrap(), Access::Anonymous, &public_only).unwrap_err();
        assert!(
            error.to_string().contains("is not a public address") && !error.is_transient(),
            "{url}: {error}"
        );
    }
    assert_eq!(server.seen().len(), 0);
}

#[test]
fn a_credential_is_sent_in_clear_text_to_named_neighbours_only() {
    let (_folder, mut mirror) = mirror();
    // A public address that nothing is sent to: the refusal comes first.
    let url: SourceUrl = "http://1.1.1.1/acme/mailer".parse().unwrap();
    let error = fetch_with(&mut mirror, &url, basic("ada", "hunter2"), &impatient()).unwrap_err();
    assert!(matches!(error, GitError::InsecureCredential { .. }), "{error:?}");
    let url: SourceUrl = "https://1.1.1.1/acme/mailer".parse().unwrap();
    let key = Access::SshKey(stave_domain::Secret::new("x"));
    assert!(matches!(fetch_with(&mut mirror, &url, key, &impatient()), Err(GitError::WrongCredential(_))));
}

fn to(location: &str) -> Mood {
    Mood::Status(302, format!("Location: {location}\r\n"))
}

#[test]
fn redirects() {
    let source = Source::with_manifest("{}");
    let (here, there) = (Server::start(&source), Server::start(&source));
    let (_folder, mut mirror) = mirror();
    let query = "info/refs?service=git-upload-pack";

    // Without a credential to another host, and everything after it goes there too.
    here.becomes(to(&format!("http://127.0.0.1:{}/acme/mailer/{query}", there.port())));
    fetch(&mut mirror, &here.url()).unwrap();
    assert_eq!((here.seen().len(), there.seen().len()), (1, 3));

    // With one: no.
    let refused = fetch_with(&mut mirror, &here.url(), basic("ada", "hunter2"), &network()).unwrap_err();
    assert!(refused.to_string().contains("a credential is never sent to another host"), "{refused}");
    assert_eq!(there.seen().len(), 0);
    assert!(here.seen().iter().all(|seen| seen.authorization.is_some()));

    let table = [
        (format!("http://169.254.169.254/{query}"), "not a public address"),
        (format!("/acme/mailer/{query}"), "redirects in circles"),
        ("file:///etc/passwd".to_owned(), "not a web address"),
        (format!("http://127.0.0.1:{}/login", there.port()), "no such repository"),
    ];
    for (location, sentence) in table {
        here.becomes(to(&location));
        let error = fetch(&mut mirror, &here.url()).unwrap_err();
        assert!(error.to_string().contains(sentence), "{location}: {error}");
        assert!(here.seen().len() <= 6, "at most five redirects");
    }
    there.becomes(Mood::LoginPage);
    here.becomes(to(&format!("http://127.0.0.1:{}/login", there.port())));
    let error = fetch(&mut mirror, &here.url()).unwrap_err();
    assert!(error.to_string().contains("a web page"), "{error}");
}

#[test]
fn waiting_ends() {
    let source = Source::with_manifest("{}");
    let server = Server::start(&source);
    let (_folder, mut mirror) = mirror();
    server.becomes(Mood::Silent);
    let error = fetch_with(&mut mirror, &server.url(), Access::Anonymous, &impatient()).unwrap_err();
    assert!(matches!(error, GitError::TimedOut { .. }) && error.is_transient(), "{error:?}");

    let cancel = AtomicBool::new(false);
    let began_at = Instant::now();
    let url = server.url();
    let error = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(200));
            cancel.store(true, Ordering::Relaxed);
        });
        mirror
            .fetch(&Remote { url: &url, access: Access::Anonymous }, &network(), &|_| {}, &cancel)
            .unwrap_err()
    });
    assert!(matches!(error, GitError::Cancelled), "{error:?}");
    assert!(began_at.elapsed() < network().idle_timeout);

    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = fetch(&mut mirror, &format!("http://{nobody}/a").parse().unwrap()).unwrap_err();
    assert!(error.to_string().contains("cannot be reached") && error.is_transient(), "{error}");
}

/// Each byte would begin the wait for the next one anew.
#[test]
fn a_slow_answer_ends_too() {
    let source = Source::with_manifest("{}");
    let server = Server::start(&source);
    let (_folder, mut mirror) = mirror();
    let limit = Duration::from_millis(500);
    let limits = [
        ("too slow", Network { slow_timeout: limit, ..network() }, Duration::from_millis(20)),
        ("too slow while waiting", Network { slow_timeout: limit, ..network() }, Duration::from_mins(1)),
        ("too late", Network { deadline: limit, ..network() }, Duration::from_millis(20)),
        ("too late while waiting", Network { deadline: limit, ..network() }, Duration::from_mins(1)),
    ];
    for (what, network, pause) in limits {
        server.becomes(Mood::Trickles(pause));
        let error = fetch_with(&mut mirror, &server.url(), Access::Anonymous, &network).unwrap_err();
        assert!(matches!(error, GitError::TimedOut { .. }) && error.is_transient(), "{what}: {error:?}");
    }
    // A rate that the server keeps, over many stretches; then the deadline comes.
    server.becomes(Mood::Trickles(Duration::from_millis(5)));
    let slow = Network {
        slowest_bytes_per_second: 2,
        slow_timeout: Duration::from_millis(100),
        deadline: Duration::from_secs(3),
        ..network()
    };
    let received = std::cell::Cell::new(0);
    let (url, cancel) = (server.url(), AtomicBool::new(false));
    let remote = Remote { url: &url, access: Access::Anonymous };
    mirror.fetch(&remote, &slow, &|bytes| received.set(bytes), &cancel).unwrap_err();
    assert!(received.get() > 100, "{}", received.get());
}

const BEHIND_A_PROXY: &str = "access::no_proxy_is_used";

/// Started twice: the second time by itself, with proxies in its environment that nobody can reach.
#[test]
fn no_proxy_is_used() {
    if let (Ok(url), Ok(path)) = (env::var("TEST_PROXY_URL"), env::var("TEST_PROXY_PATH")) {
        let mut mirror = Mirror::open_or_create(Path::new(&path)).unwrap();
        fetch(&mut mirror, &url.parse().unwrap()).unwrap();
        return;
    }
    let source = Source::with_manifest("{}");
    let server = Server::start(&source);
    let folder = tempfile::tempdir().unwrap();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = format!("http://{nobody}");
    let output = Command::new(env::current_exe().unwrap())
        .args([BEHIND_A_PROXY, "--exact", "--quiet"])
        .envs(["http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY"].map(|name| (name, &proxy)))
        .env_remove("no_proxy")
        .env_remove("NO_PROXY")
        .env("TEST_PROXY_URL", server.url().as_str())
        .env("TEST_PROXY_PATH", folder.path().join("m"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(server.seen().len(), 3, "the fetch came here");
}

#[test]
fn a_repository_may_be_too_large_or_break_off() {
    let source = Source::with_manifest("{}");
    let mut state = 1_u64;
    let mut letter = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'!' + (state % 90) as u8)
    };
    let noise: String = (0..60_000).map(|_| letter()).collect();
    source.commit(&[("noise", &noise)]);
    let server = Server::start(&source);
    let (_folder, mut mirror) = mirror();
    let small = Network { max_bytes: 10_000, ..network() };
    let error = fetch_with(&mut mirror, &server.url(), Access::Anonymous, &small).unwrap_err();
    assert!(matches!(error, GitError::TooLarge { limit_bytes: 10_000 }), "{error:?}");

    server.becomes(Mood::CutsOff(9_000));
    let error = fetch(&mut mirror, &server.url()).unwrap_err();
    assert!(matches!(error, GitError::Unreachable { .. }), "{error:?}");
    assert_eq!(mirror.references().unwrap().branches, [], "nothing of it is visible");

    server.becomes(Mood::Good);
    let received = std::cell::Cell::new(0);
    let (url, cancel) = (server.url(), AtomicBool::new(false));
    mirror
        .fetch(
            &Remote { url: &url, access: Access::Anonymous },
            &network(),
            &|bytes| received.set(bytes),
            &cancel,
        )
        .unwrap();
    assert!(received.get() > 20_000, "{}", received.get());
    assert_eq!(mirror.references().unwrap().branches.len(), 1);
}

#[test]
fn it_runs_on_a_blocking_thread_of_an_async_program() {
    let source = Source::with_manifest("{}");
    let server = Server::start(&source);
    let (_folder, mut mirror) = mirror();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let url = server.url();
    let fetched = runtime
        .block_on(async { tokio::task::spawn_blocking(move || fetch(&mut mirror, &url)).await.unwrap() });
    assert!(fetched.unwrap().changed);
}
