//! Looking at a site: what is told of it, and what is never done for it.

use crate::support::{Server, answer, http};
use flate2::{Compression, write::GzEncoder};
use stave_domain::outbound::Outbound;
use stave_upstream::{HttpClient, Obstacle, SiteAnswer, UpstreamError, site_look};
use std::{io::Write as _, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use url::Url;

async fn look(url: &str) -> Result<SiteAnswer, UpstreamError> {
    site_look(&http(), &url.parse().unwrap(), &[]).await
}

fn obstacle(error: UpstreamError) -> Obstacle {
    assert!(error.to_string().ends_with('.'), "{error}");
    match error {
        UpstreamError::SiteUnreachable { obstacle, .. } => obstacle,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_a_site_answers_is_told_and_nothing_is_followed() {
    let target = Server::start(|_| answer(200, &[], "stolen")).await;
    let location = format!("{}/secret?a=b", target.base_url);
    let headers = [
        format!("location: {location}"),
        "server: nginx/1.22".to_owned(),
        "content-type: text/html".to_owned(),
    ];
    let site =
        Server::start(move |_| answer(302, &headers.each_ref().map(String::as_str), "<p>Go</p>")).await;
    let url: Url = format!("{}/private?x=1", site.base_url).parse().unwrap();
    let seen = site_look(&http(), &url, &[("cookie", "a=b"), ("x-test", "1")]).await.unwrap();
    assert_eq!(
        seen,
        SiteAnswer {
            status: 302,
            location: Some(location),
            www_authenticate: None,
            content_type: Some("text/html".to_owned()),
            body: "<p>Go</p>".to_owned(),
        }
    );
    assert_eq!(target.requests(), Vec::<String>::new());
    let [request] = site.requests().try_into().unwrap();
    let request = request.to_lowercase();
    for line in ["get /private?x=1 http/1.1\r\n", "\r\ncookie: a=b\r\n", "\r\nx-test: 1\r\n"] {
        assert!(request.contains(line), "{line} in {request}");
    }
    for status in [200, 401, 403, 404, 500, 503] {
        let site = Server::start(move |_| answer(status, &["www-authenticate: Bearer"], "")).await;
        let seen = look(site.base_url.as_str()).await.unwrap();
        assert_eq!((seen.status, seen.www_authenticate.as_deref()), (status, Some("Bearer")));
    }
}

#[tokio::test]
async fn loopback_is_not_reached_however_it_is_spelled() {
    let server = Server::start(|_| answer(200, &[], "")).await;
    let port = server.base_url.url().port().unwrap();
    let closed = HttpClient::new(Outbound::default()).unwrap();
    for host in [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "2130706433",
        "017700000001",
        "0177.0.0.1",
        "0x7f000001",
        "0x7f.1",
        "127.0.0.1.",
        "127.8.9.10",
        "0.0.0.0",
        "0",
        "[::]",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "localhost",
        "LOCALHOST",
        "www.example.com@127.0.0.1",
        "www.example.com:x@localhost",
        "%31%32%37.0.0.1",
        "１２７.0.0.1",
    ] {
        for scheme in ["http", "https"] {
            let url: Url = format!("{scheme}://{host}:{port}/").parse().unwrap();
            let error = site_look(&closed, &url, &[]).await.unwrap_err();
            assert!(error.to_string().contains("--outbound-allow"), "{error}");
            assert!(matches!(obstacle(error), Obstacle::AddressRefused(_)), "{url}");
        }
    }
    // Not every machine knows this name; none may go there.
    let url = format!("http://localhost.:{port}/").parse().unwrap();
    let obstacle_of_root = obstacle(site_look(&closed, &url, &[]).await.unwrap_err());
    assert!(
        matches!(obstacle_of_root, Obstacle::AddressRefused(_) | Obstacle::NameNotFound),
        "{obstacle_of_root:?}"
    );
    assert_eq!(server.requests(), Vec::<String>::new());
    let error = look("http://1.1.1.1/").await.unwrap_err();
    assert_eq!(obstacle(error), Obstacle::PlainHttp);
}

#[tokio::test]
async fn user_names_in_an_address_are_not_sent() {
    let server = Server::start(|_| answer(200, &[], "")).await;
    look(&server.base_url.as_str().replace("http://", "http://ada:hunter2@")).await.unwrap();
    assert!(!server.requests()[0].to_lowercase().contains("authorization"), "{:?}", server.requests());
}

/// A page of this many bytes, packed.
fn packed(bytes: usize) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&vec![b'x'; bytes]).unwrap();
    let body = packed.finish().unwrap();
    let head = format!("HTTP/1.1 200 x\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.into_bytes(), body].concat()
}

#[tokio::test]
async fn of_a_large_page_the_beginning_is_read() {
    const MOST: usize = 256 * 1024;
    for (bytes, read) in [(0, 0), (MOST, MOST), (MOST + 1, MOST), (64 * 1024 * 1024, MOST)] {
        let site = Server::start(move |_| packed(bytes)).await;
        assert_eq!(look(site.base_url.as_str()).await.unwrap().body.len(), read, "{bytes}");
    }
    let gigabyte = Server::start(|_| {
        let head = b"HTTP/1.1 200 x\r\ncontent-length: 1073741824\r\n\r\n".to_vec();
        [head, vec![b'x'; 9 * 1024 * 1024]].concat()
    })
    .await;
    assert_eq!(look(gigabyte.base_url.as_str()).await.unwrap().body.len(), MOST);
}

/// Accepts connections; sends a byte of a page now and then, or nothing at all.
async fn slow_site(drips: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        _ = stream.read(&mut [0; 4096]).await;
        if drips {
            _ = stream.write_all(b"HTTP/1.1 200 x\r\ncontent-length: 1000\r\n\r\n").await;
        }
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            if drips {
                _ = stream.write_all(b"x").await;
            }
        }
    });
    url
}

#[tokio::test]
async fn nobody_waits_for_a_slow_site() {
    for drips in [false, true] {
        let url = slow_site(drips).await;
        let error = look(&url).await.unwrap_err();
        assert!(error.is_transient() && error.to_string().contains("five seconds"), "{error}");
        assert_eq!(obstacle(error), Obstacle::TimedOut);
    }
}

#[tokio::test]
async fn why_a_site_does_not_answer_is_told_to_its_owner() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let error = look(&format!("http://{address}/")).await.unwrap_err();
    assert!(error.to_string().starts_with(&format!("{address} does not answer: nothing listens")), "{error}");
    assert_eq!(obstacle(error), Obstacle::ConnectionRefused);
    let error = look("https://nobody.invalid/").await.unwrap_err();
    assert!(error.to_string().starts_with("nobody.invalid does not answer: its name"), "{error}");
    assert_eq!(obstacle(error), Obstacle::NameNotFound);
    let plain = Server::start(|_| answer(400, &[], "")).await;
    let error = look(&plain.base_url.as_str().replace("http://", "https://")).await.unwrap_err();
    assert_eq!(obstacle(error), Obstacle::NoTls);
    let ssh = Server::start(|_| b"SSH-2.0-OpenSSH_9.9\r\n".to_vec()).await;
    assert_eq!(obstacle(look(ssh.base_url.as_str()).await.unwrap_err()), Obstacle::NoHttp);
    let cut = Server::start(|_| b"HTTP/1.1 200 x\r\ncontent-length: 100\r\n\r\nx".to_vec()).await;
    assert_eq!(obstacle(look(cut.base_url.as_str()).await.unwrap_err()), Obstacle::BrokenOff);
}
