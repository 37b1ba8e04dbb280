//! Servers that are broken, each in its own way: everybody who meets one hears a sentence of their own that says what to do next,
//! soon, and no secret is in it.

use crate::support::{Server, answer, environment, http, json, now, oauth2_client, registration, serve_tls};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, write::GzEncoder};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize, date_time_ymd};
use stave_domain::{
    Secret,
    integration::{BaseUrl, Platform},
};
use stave_upstream::{Client, UpstreamError, connector, probe};
use std::{collections::BTreeMap, io::Write as _, sync::LazyLock, time::Duration};
use tokio::net::TcpListener;

const SECRET: &str = "hunter2-secret";
const CODE: &str = "hunter2-code";
const PROPERTIES: &str = r#"{"version":"8.19.3","buildNumber":"8019003","displayName":"Bitbucket"}"#;
const GRANT: &str = r#"{"access_token":"hunter2-token","token_type":"bearer","expires_in":3600,"refresh_token":"r","scope":"REPO_READ"}"#;
const PORTAL: &str = "<!DOCTYPE html><html><title>Hotel</title><p>Welcome</p></html>";
const TWO_FACTOR: &str = "<html><title>Two-factor authentication</title></html>";
const NGINX: &str = "<html><title>404 Not Found</title><center>nginx</center></html>";

type Answers = Box<dyn Fn(&str) -> Vec<u8> + Send + Sync>;

/// A server that gives this answer to everything.
fn always(answer: Vec<u8>) -> Answers {
    Box::new(move |_| answer.clone())
}

/// A log-in goes well up to the path that contains this.
fn well_until(path: &'static str, last: Vec<u8>) -> Answers {
    Box::new(move |request| {
        let line = request.lines().next().unwrap_or_default();
        match line {
            _ if line.contains(path) => last.clone(),
            _ if line.contains("/token") => json(200, GRANT),
            _ if path == "nowhere" && line.contains("/whoami") => last.clone(),
            _ if path == "nowhere" => json(200, PROPERTIES),
            _ if line.contains("/application-properties") => answer(200, &["x-ausername: ada"], PROPERTIES),
            _ => answer(404, &[], ""),
        }
    })
}

fn redirect(to: &str) -> Vec<u8> {
    answer(302, &[&format!("location: {to}")], "")
}

/// More than is ever read, in little.
fn bomb() -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&vec![b' '; 64 * 1024 * 1024]).unwrap();
    let body = packed.finish().unwrap();
    let head = format!("HTTP/1.1 200 x\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.into_bytes(), body].concat()
}

/// It promises a gigabyte, and sends what nobody reads to its end.
fn gigabyte() -> Vec<u8> {
    let head = b"HTTP/1.1 200 x\r\ncontent-length: 1073741824\r\n\r\n".to_vec();
    [head, vec![b' '; 9 * 1024 * 1024]].concat()
}

fn self_signed(change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    change(&mut params);
    params
}

/// What a machine trusts is not changed for a test, so all of these are signed by nobody; what else is wrong counts first.
async fn encrypted_servers() -> Vec<(&'static str, String)> {
    let expired = self_signed(|params| {
        (params.not_before, params.not_after) = (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
    });
    let early = self_signed(|params| {
        (params.not_before, params.not_after) = (date_time_ymd(4000, 1, 1), date_time_ymd(4001, 1, 1));
    });
    vec![
        ("self-signed", serve_tls(self_signed(|_| {})).await),
        ("expired", serve_tls(expired).await),
        ("not valid yet", serve_tls(early).await),
    ]
}

/// Addresses behind which nothing is.
async fn dead_addresses() -> Vec<(&'static str, String)> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let plain = Server::start(always(answer(400, &[], ""))).await;
    let encrypted = serve_tls(self_signed(|_| {})).await;
    vec![
        ("wrong port", closed),
        ("no such name", "https://nobody.invalid".to_owned()),
        ("an address that the operator did not allow", "https://10.255.255.1".to_owned()),
        ("http to a public address", "http://1.1.1.1".to_owned()),
        ("https to a port for http", plain.base_url.as_str().replace("http://", "https://")),
        ("http to a port for https", encrypted.replace("https://", "http://")),
    ]
}

/// What a sentence says, without the address that is another in every test.
fn heart(sentence: &str, base_url: &str) -> String {
    let base_url: BaseUrl = base_url.parse().unwrap();
    let port = base_url.url().port_or_known_default().unwrap();
    sentence
        .replace(&base_url.authority(), "HOST")
        .replace(&format!("port {port}"), "port N")
        .replace("https://HOST", "URL")
        .replace("http://HOST", "URL")
}

/// Hearts of sentences; none twice.
#[derive(Default)]
struct Heard(BTreeMap<String, &'static str>);

impl Heard {
    fn add(&mut self, name: &'static str, sentence: &str, base_url: &str) {
        let steps = [
            "Check",
            "check",
            "Enter",
            "enter",
            "Try again",
            "an admin",
            "An admin",
            "Whoever",
            "whoever",
            "operator",
            "Ask",
            "Start",
            "start",
            "Log in",
        ];
        assert!(steps.iter().any(|step| sentence.contains(step)), "{name} has no next step: {sentence}");
        assert!(sentence.ends_with('.') && !sentence.contains(".."), "{name}: {sentence}");
        assert!(!sentence.contains("hunter2"), "{name}: {sentence}");
        let heart = heart(sentence, base_url);
        if let Some(other) = self.0.insert(heart, name) {
            panic!("{name} and {other} sound the same: {sentence}");
        }
    }
}

/// What an admin hears who types the base URL.
async fn looked_at(base_url: &str) -> String {
    let http = http().at_most(Duration::from_secs(2));
    let problem = probe(&http, Platform::BitbucketDataCenter, &base_url.parse().unwrap(), now()).await;
    problem.map(|sight| format!("{sight:?}")).unwrap_err().to_string()
}

fn strange_answers() -> Vec<(&'static str, Answers)> {
    let gitlab = ["x-gitlab-meta: {}"];
    let jira = "<meta name=\"application-name\" content=\"JIRA\">";
    let cases = [
        ("captive portal", answer(200, &["content-type: text/html"], PORTAL)),
        ("web page with status 404", answer(404, &[], "<p>Nothing here</p>")),
        ("GitLab", answer(404, &gitlab, "")),
        ("Jira", answer(404, &[], jira)),
        ("plain web server", answer(404, &["server: nginx/1.27"], NGINX)),
        ("redirect to another host", redirect("http://git.example.com/rest/api/1.0/application-properties")),
        ("redirect into itself", redirect("/")),
        ("two-factor plugin, redirect", redirect("/plugins/servlet/tfa/verify")),
        ("two-factor plugin, page", answer(200, &[], TWO_FACTOR)),
        ("single sign-on", redirect("https://login.example.com/saml?x=hunter2")),
        ("proxy with a password", answer(401, &["www-authenticate: Basic realm=\"x\""], "")),
        ("too many requests", answer(429, &[], "")),
        ("out of order", answer(500, &[], "")),
        ("proxy without a server", answer(502, &[], "<html>Bad gateway</html>")),
        ("under maintenance", answer(503, &[], "<html>Bitbucket is starting</html>")),
        ("truncated JSON", json(200, "{\"version\":\"8.1")),
        ("version missing", json(200, "{}")),
        ("empty answer", answer(200, &[], "")),
        ("wrong content type", answer(200, &["content-type: text/plain"], "hello")),
        ("status 404 and nothing", answer(404, &[], "")),
        ("broken off", b"HTTP/1.1 200 x\r\ncontent-length: 100\r\n\r\n{".to_vec()),
        ("an SSH server", b"SSH-2.0-OpenSSH_9.9\r\n".to_vec()),
        ("a gigabyte", gigabyte()),
    ];
    cases.into_iter().map(|(name, bytes)| (name, always(bytes))).collect()
}

#[tokio::test]
async fn in_the_form_every_broken_server_has_a_sentence_of_its_own() {
    let mut heard = Heard::default();
    for (name, base_url) in dead_addresses().await.into_iter().chain(encrypted_servers().await) {
        heard.add(name, &looked_at(&base_url).await, &base_url);
    }
    for (name, answers) in strange_answers() {
        let server = Server::start(answers).await;
        heard.add(name, &looked_at(server.base_url.as_str()).await, server.base_url.as_str());
    }
    let (_listener, base_url) = silence().await;
    heard.add("silence", &looked_at(&base_url).await, &base_url);
    assert!(heard.0.len() >= 30, "{}", heard.0.len());
}

#[tokio::test]
async fn what_unpacks_to_too_much_is_not_unpacked_to_its_end() {
    let server = Server::start(always(bomb())).await;
    let sentence = looked_at(server.base_url.as_str()).await;
    assert!(sentence.contains("more than 8 MiB"), "{sentence}");
}

#[tokio::test]
async fn a_proxy_that_wants_https_is_understood() {
    for page in [
        "This combination of host and port requires TLS.",
        "<p>The plain HTTP request was sent to HTTPS port</p>",
    ] {
        let server = Server::start(always(answer(400, &[], page))).await;
        let sentence = looked_at(server.base_url.as_str()).await;
        let https_url = server.base_url.as_str().replace("http://", "https://");
        assert!(sentence.contains(&https_url), "{sentence}");
    }
}

/// Accepts connections and says nothing.
async fn silence() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    (listener, base_url)
}

/// What a person hears who comes back from a Bitbucket with this in the address.
async fn came_back(base_url: &str, query: &[(&str, &str)]) -> UpstreamError {
    let registration = registration(Platform::BitbucketDataCenter, base_url, oauth2_client("the id", SECRET));
    let connector = connector(http().at_most(Duration::from_secs(2)), registration, environment());
    let query = query.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    connector.sign_in().unwrap().finish(&Secret::new("hunter2-verifier"), &query).await.unwrap_err()
}

fn log_ins() -> Vec<(&'static str, Answers)> {
    const WHO: &str = "/application-properties";
    const USER: &str = "/users/ada";
    let refused = |error: &str| json(400, error);
    let whoami = answer(200, &["content-type: text/plain"], "");
    let people = |body: &str| json(200, &format!(r#"{{"name":"ada",{body}}}"#));
    let cases = [
        ("wrong secret", "/token", json(401, r#"{"error":"invalid_client"}"#)),
        (
            "other callback",
            "/token",
            refused(r#"{"error":"invalid_grant","error_description":"redirect_uri"}"#),
        ),
        ("spent code", "/token", refused(r#"{"error":"invalid_grant"}"#)),
        ("another refusal", "/token", refused(r#"{"error":"server_error","error_description":"Not today"}"#)),
        ("no OAuth 2", "/token", answer(404, &[], "<html>Not found</html>")),
        ("a page", "/token", answer(200, &[], PORTAL)),
        ("two-factor plugin, redirect", "/token", redirect("/plugins/servlet/2fa")),
        ("two-factor plugin, page", WHO, answer(200, &[], TWO_FACTOR)),
        ("two-factor plugin, refusal", WHO, answer(403, &[], "{}")),
        ("single sign-on", WHO, redirect("https://login.example.com/saml?x=hunter2")),
        ("proxy with a password", WHO, answer(401, &[], "<form><input type=password></form>")),
        ("truncated JSON", "/token", json(200, "{\"access_token\":\"hunter2-tok")),
        ("empty answer", "/token", answer(200, &[], "")),
        ("wrong content type", "/token", answer(200, &["content-type: text/plain"], "access_token=hunter2")),
        ("no token", "/token", json(200, "{}")),
        ("other JSON", "/token", json(200, "[1]")),
        ("token dropped on the way", "nowhere", whoami),
        ("no id", USER, people(r#""type":"NORMAL""#)),
        ("a service", USER, people(r#""id":7,"type":"SERVICE""#)),
        ("deactivated", USER, people(r#""id":7,"active":false"#)),
        ("too many requests", USER, answer(429, &["retry-after: 90"], "")),
        ("out of order", USER, answer(500, &[], "")),
        ("starting", WHO, answer(503, &[], "<html>")),
        ("not allowed", USER, answer(403, &[], "{}")),
        ("redirect", USER, redirect("http://git.example.com/users")),
        ("broken off", USER, b"HTTP/1.1 200 x\r\ncontent-length: 100\r\n\r\n{".to_vec()),
        ("a gigabyte", "/token", gigabyte()),
    ];
    cases.into_iter().map(|(name, path, last)| (name, well_until(path, last))).collect()
}

#[tokio::test]
async fn at_a_log_in_every_broken_server_has_a_sentence_of_its_own() {
    let mut heard = Heard::default();
    for (name, answers) in log_ins() {
        let server = Server::start(answers).await;
        let base_url = server.base_url.as_str();
        heard.add(name, &came_back(base_url, &[("code", CODE)]).await.to_string(), base_url);
    }
    for (name, base_url) in dead_addresses().await.into_iter().chain(encrypted_servers().await) {
        heard.add(name, &came_back(&base_url, &[("code", CODE)]).await.to_string(), &base_url);
    }
    let (_listener, base_url) = silence().await;
    heard.add("silence", &came_back(&base_url, &[("code", CODE)]).await.to_string(), &base_url);
    for (name, query) in [
        ("denied", vec![("error", "access_denied")]),
        ("missing scope", vec![("error", "invalid_scope")]),
        ("no code", vec![]),
    ] {
        heard.add(name, &came_back(&base_url, &query).await.to_string(), &base_url);
    }
    assert!(heard.0.len() >= 40, "{}", heard.0.len());
}

#[tokio::test]
async fn every_mistake_of_oauth1_has_a_sentence_of_its_own() {
    static KEY: LazyLock<String> = LazyLock::new(|| {
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
        STANDARD.encode(key.serialize_der())
    });
    let problem = |status, text: &str| answer(status, &[], &format!("oauth_problem={text}"));
    let address = "http%3A%2F%2F10.0.0.7%2Fplugins%2Fservlet%2Foauth%2Frequest-token";
    let signature =
        format!("signature_invalid&oauth_signature_base_string=POST%26{}%26x", address.replace('%', "%25"));
    let clock = format!("timestamp_refused&oauth_acceptable_timestamps={}-{}", 1_000, 1_600);
    let mut heard = Heard::default();
    for (name, key, first) in [
        ("clock", KEY.as_str(), problem(400, &clock)),
        (
            "clock of the header",
            &KEY,
            answer(400, &["date: Thu, 01 Oct 2026 09:00:00 GMT"], "oauth_problem=timestamp_refused"),
        ),
        ("signature", &KEY, problem(401, "signature_invalid")),
        ("another address", &KEY, problem(401, &signature)),
        ("unknown consumer key", &KEY, problem(401, "consumer_key_unknown")),
        ("OAuth 1 given up", &KEY, problem(503, "consumer_key_refused")),
        ("callback not understood", &KEY, answer(200, &[], "oauth_token=t&oauth_token_secret=hunter2")),
        ("no token", &KEY, answer(200, &[], "oauth_token_secret=hunter2")),
        ("no reason", &KEY, answer(401, &[], "")),
        ("another reason", &KEY, problem(400, "nonce_used")),
        ("two-factor plugin", &KEY, redirect("/plugins/servlet/tfa")),
        ("no private key", "hunter2", answer(200, &[], "")),
    ] {
        let server = Server::start(always(first)).await;
        let client = Client::OAuth1 { consumer_key: "key".to_owned(), private_key: Secret::new(key) };
        let registration = registration(Platform::BitbucketDataCenter, server.base_url.as_str(), client);
        let connector = connector(http(), registration, environment());
        let error = connector.sign_in().unwrap().begin(&Secret::new("hunter2-state")).await.unwrap_err();
        let printed = format!("{error:?}");
        assert!(!printed.contains("hunter2") && !printed.contains(&KEY[..40]), "{printed}");
        heard.add(name, &error.to_string(), server.base_url.as_str());
    }
}
