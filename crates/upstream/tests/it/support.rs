//! A server that answers as it is told, and the connector that asks it.

use async_trait::async_trait;
use rcgen::{CertificateParams, KeyPair};
use stave_domain::{
    Secret, Timestamp,
    identity::{Grant, RemoteProfile},
    integration::{ApiTimeout, BaseUrl, Platform},
    outbound::Outbound,
};
use stave_upstream::{
    Asker, Client, Connector, Environment, HttpClient, Key, Registration, SignInProblem, UpstreamError,
    connector,
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::PrivateKeyDer},
};
use url::Url;

/// A client of an operator who allows loopback.
pub(crate) fn http() -> HttpClient {
    HttpClient::new(Outbound::allowing(vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()]))
        .unwrap()
}

pub(crate) fn callback() -> Url {
    "http://127.0.0.1:8080/oauth/callback/bitbucket".parse().unwrap()
}

pub(crate) fn now() -> Timestamp {
    "2026-10-01T10:00:00Z".parse().unwrap()
}

/// The time of the machine, by which fakes judge signatures.
pub(crate) fn machine_time() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "a fake is another machine, with a clock that goes")]
    Timestamp::now()
}

/// The time is [`now`].
pub(crate) fn environment() -> Environment {
    environment_at(now)
}

/// What is random counts.
pub(crate) fn environment_at(now: fn() -> Timestamp) -> Environment {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let secret = || Secret::new(format!("{:043}", COUNT.fetch_add(1, Ordering::Relaxed)));
    Environment { now: Arc::new(now), secret }
}

pub(crate) fn registration(platform: Platform, base_url: &str, client: Client) -> Registration {
    let (base_url, callback, timeout) = (base_url.parse().unwrap(), callback(), ApiTimeout(Some(20)));
    Registration { platform, base_url, client, callback, timeout }
}

pub(crate) fn oauth2_client(id: &str, secret: &str) -> Client {
    Client::OAuth2 { id: id.to_owned(), secret: Secret::new(secret) }
}

pub(crate) fn connector_at(base_url: &BaseUrl, timeout: ApiTimeout) -> Box<dyn Connector> {
    connector_of(base_url, "the key", "the secret", timeout)
}

pub(crate) fn connector_of(
    base_url: &BaseUrl,
    key: &str,
    secret: &str,
    timeout: ApiTimeout,
) -> Box<dyn Connector> {
    let client = oauth2_client(key, secret);
    let registration = registration(Platform::BitbucketCloud, base_url.as_str(), client);
    connector(http(), Registration { timeout, ..registration }, environment())
}

/// What comes of a log-in at this address.
pub(crate) async fn finish_at(base_url: &str) -> UpstreamError {
    finish(connector_at(&base_url.parse().unwrap(), ApiTimeout(Some(20))).as_ref()).await.unwrap_err()
}

/// What a browser brings back from this address.
pub(crate) fn query_of(url: &str) -> BTreeMap<String, String> {
    url.parse::<Url>().unwrap().query_pairs().into_owned().collect()
}

/// Why nobody was let in.
pub(crate) fn problem(error: UpstreamError) -> SignInProblem {
    match error {
        UpstreamError::SignIn { problem, .. } => problem,
        other => panic!("{other:?}"),
    }
}

/// Comes back with a code.
pub(crate) async fn finish(connector: &dyn Connector) -> Result<(RemoteProfile, Grant), UpstreamError> {
    let query = BTreeMap::from([("code".to_owned(), "the code".to_owned())]);
    connector.sign_in().unwrap().finish(&Secret::default(), &query).await
}

/// Answers every request as it is told, one per connection, and remembers what was asked.
pub(crate) struct Server {
    pub(crate) base_url: BaseUrl,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// `answer` is given the head and body of a request, and gives the bytes of the answer.
    pub(crate) async fn start(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (answer, seen) = (Arc::new(answer), requests.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, answer.clone(), seen.clone()));
            }
        });
        Self { base_url, requests }
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// An HTTPS server with a certificate of these parameters that nobody but itself has signed; its base URL.
pub(crate) async fn serve_tls(params: CertificateParams) -> String {
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap().der().clone();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config =
        ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            _ = acceptor.accept(stream).await;
        }
    });
    base_url
}

async fn serve(
    mut stream: TcpStream,
    answer: Arc<impl Fn(&str) -> Vec<u8> + Send + Sync + 'static>,
    seen: Arc<Mutex<Vec<String>>>,
) {
    let request = read_request(&mut stream).await;
    let bytes = answer(&request);
    seen.lock().unwrap().push(request);
    // The client may have hung up on an answer that it does not want.
    _ = stream.write_all(&bytes).await;
    _ = stream.shutdown().await;
}

async fn read_request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        // What is not HTTP is answered at once, as most servers do.
        if request.first().is_some_and(|byte| !byte.is_ascii_uppercase()) {
            return text;
        }
        match stream.read(&mut chunk).await.unwrap() {
            0 => return text,
            count => request.extend_from_slice(&chunk[..count]),
        }
    }
}

/// An answer with a status, header lines and a body.
pub(crate) fn answer(status: u16, headers: &[&str], body: &str) -> Vec<u8> {
    let headers = [&["connection: close"], headers].concat().join("\r\n");
    let length = body.len();
    format!("HTTP/1.1 {status} x\r\ncontent-length: {length}\r\n{headers}\r\n\r\n{body}").into_bytes()
}

/// A JSON answer.
pub(crate) fn json(status: u16, body: &str) -> Vec<u8> {
    answer(status, &["content-type: application/json"], body)
}

/// Asks with these keys, the next one when one is refused, and waits so often for each request.
pub(crate) struct Patient {
    keys: Mutex<Vec<Key>>,
    patience: u32,
    /// What it waited for.
    pub(crate) waits: Mutex<Vec<String>>,
}

impl Patient {
    pub(crate) fn new(keys: &[Key], patience: u32) -> Self {
        let keys = keys.iter().rev().cloned().collect();
        Self { keys: Mutex::new(keys), patience, waits: Mutex::default() }
    }
}

#[async_trait]
impl Asker for Patient {
    async fn key(&self, refused: Option<&Key>) -> Result<Key, UpstreamError> {
        let mut keys = self.keys.lock().unwrap();
        if keys.len() > 1 && refused == keys.last() {
            keys.pop();
        }
        keys.last().cloned().ok_or_else(|| UpstreamError::NoKey("Nobody is there.".to_owned()))
    }

    async fn wait(&self, failure: &UpstreamError, attempt: u32) -> bool {
        self.waits.lock().unwrap().push(format!("{attempt}: {failure}"));
        attempt <= self.patience
    }
}
