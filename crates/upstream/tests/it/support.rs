//! A server that answers as it is told, and the connector that asks it.

use stave_domain::{
    Secret, Timestamp,
    identity::{Grant, RemoteProfile},
    integration::{ApiTimeout, BaseUrl, Platform},
    outbound::Outbound,
};
use stave_upstream::{Connector, HttpClient, Registration, UpstreamError, connector};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
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

pub(crate) fn connector_at(base_url: &BaseUrl, timeout: ApiTimeout) -> Box<dyn Connector> {
    connector_of(base_url, "the key", "the secret", timeout)
}

pub(crate) fn connector_of(
    base_url: &BaseUrl,
    key: &str,
    secret: &str,
    timeout: ApiTimeout,
) -> Box<dyn Connector> {
    let registration = Registration {
        platform: Platform::BitbucketCloud,
        base_url: base_url.clone(),
        client_id: key.to_owned(),
        client_secret: Secret::new(secret),
        timeout,
    };
    connector(http(), registration)
}

/// What comes of a log-in at this address.
pub(crate) async fn finish_at(base_url: &str) -> UpstreamError {
    finish(connector_at(&base_url.parse().unwrap(), ApiTimeout(Some(20))).as_ref()).await.unwrap_err()
}

/// Comes back with a code.
pub(crate) async fn finish(connector: &dyn Connector) -> Result<(RemoteProfile, Grant), UpstreamError> {
    let query = BTreeMap::from([("code".to_owned(), "the code".to_owned())]);
    connector.sign_in().unwrap().finish(&callback(), &query, now()).await
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
