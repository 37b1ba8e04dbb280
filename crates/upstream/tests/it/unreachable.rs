//! Servers that do not answer, or not as they should: each gets a sentence, and no secret goes astray.

use crate::support::{
    Server, answer, callback, connector_at, connector_of, environment, finish, finish_at, http, json, now,
    oauth2_client, registration,
};
use stave_domain::{
    integration::{ApiTimeout, BaseUrl, Platform},
    outbound::Outbound,
};
use stave_upstream::{
    HttpClient, Obstacle, ProbeProblem, Saw, SignInProblem, UpstreamError, connector, probe,
};
use std::fmt::Write;
use tokio::net::TcpListener;

const SOON: ApiTimeout = ApiTimeout(Some(20));

fn obstacle(error: UpstreamError) -> Obstacle {
    match error {
        UpstreamError::Unreachable { obstacle, .. } => obstacle,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_server_that_never_answers() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let error = finish(connector_at(&base_url, ApiTimeout(Some(1))).as_ref()).await.unwrap_err();
    assert!(error.is_transient() && !error.needs_admin());
    assert_eq!(obstacle(error), Obstacle::TimedOut);
}

#[tokio::test]
async fn a_server_that_stops_in_the_middle() {
    let server =
        Server::start(|_| b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"access".to_vec()).await;
    let error = finish_at(server.base_url.as_str()).await;
    assert_eq!(obstacle(error), Obstacle::BrokenOff);
    let mute = Server::start(|_| Vec::new()).await;
    assert_eq!(obstacle(finish_at(mute.base_url.as_str()).await), Obstacle::BrokenOff);
}

#[tokio::test]
async fn a_port_on_which_nothing_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    assert_eq!(obstacle(finish_at(&base_url).await), Obstacle::ConnectionRefused);
}

#[tokio::test]
async fn a_name_that_does_not_exist() {
    assert_eq!(obstacle(finish_at("https://nobody.invalid").await), Obstacle::NameNotFound);
}

#[tokio::test]
async fn a_server_that_speaks_no_tls() {
    let server = Server::start(|_| answer(400, &[], "")).await;
    let base_url = server.base_url.as_str().replace("http://", "https://");
    assert_eq!(obstacle(finish_at(&base_url).await), Obstacle::NoTls);
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_not_read_to_its_end() {
    let large = format!("{{\"access_token\":\"{}\"}}", "x".repeat(9 * 1024 * 1024));
    let server = Server::start(move |_| json(200, &large)).await;
    assert_eq!(obstacle(finish_at(server.base_url.as_str()).await), Obstacle::TooLarge);
}

#[tokio::test]
async fn addresses_are_refused_however_they_are_spelled_unless_the_operator_names_them() {
    let server = Server::start(|_| json(401, "{}")).await;
    let port = server.base_url.url().port().unwrap();
    let closed = HttpClient::new(Outbound::default()).unwrap();
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0177.0.0.1",
        "0x7f.0.0.1",
        "0x7f000001",
        "0.0.0.0",
        "localhost",
        "[::]",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "169.254.169.254",
    ] {
        for scheme in ["http", "https"] {
            let base_url = format!("{scheme}://{host}:{port}").parse().unwrap();
            let problem = probe(&closed, Platform::BitbucketCloud, &base_url, now()).await.unwrap_err();
            let ProbeProblem::Unreachable(error) = problem else { panic!("{problem:?}") };
            assert!(error.to_string().contains("--outbound-allow"), "{error}");
            assert!(matches!(obstacle(error), Obstacle::AddressRefused(_)), "{base_url}");
        }
    }
    assert_eq!(server.requests(), Vec::<String>::new());
    let with_user = format!("http://git.example.com@127.0.0.1:{port}").parse::<BaseUrl>();
    assert!(with_user.unwrap_err().to_string().contains("user name"));
    for host in ["127.0.0.1", "localhost"] {
        let base_url = format!("http://{host}:{port}").parse().unwrap();
        probe(&http(), Platform::BitbucketCloud, &base_url, now()).await.unwrap();
    }
}

#[tokio::test]
async fn no_secret_goes_over_plain_http_to_a_public_address() {
    let error = finish_at("http://1.1.1.1").await;
    assert!(error.to_string().contains("https://"), "{error}");
    assert_eq!(obstacle(error), Obstacle::PlainHttp);
}

#[tokio::test]
async fn redirects_are_named_and_not_followed() {
    let target = Server::start(|_| json(200, r#"{"access_token":"stolen"}"#)).await;
    let locations = [
        "http://169.254.169.254/latest/meta-data".to_owned(),
        format!("{}/2.0/user?secret=1", target.base_url),
        "/".to_owned(),
    ];
    for location in locations {
        let header = format!("location: {location}");
        let server = Server::start(move |_| answer(302, &[&header], "")).await;
        let UpstreamError::Redirected { to, .. } = finish_at(server.base_url.as_str()).await else {
            panic!()
        };
        assert!(!to.contains("secret") && server.requests().len() == 1, "{to}");
        let problem = probe(&http(), Platform::BitbucketCloud, &server.base_url, now()).await.unwrap_err();
        assert!(matches!(problem, ProbeProblem::Redirected { .. }), "{problem:?}");
    }
    assert_eq!(target.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn a_web_page_instead_of_json() {
    let server =
        Server::start(|_| answer(200, &["content-type: text/html"], "<!doctype html><title>Hello</title>"))
            .await;
    let error = finish_at(server.base_url.as_str()).await;
    assert!(matches!(error, UpstreamError::Unreadable { saw: Saw::WebPage, .. }), "{error:?}");
}

#[tokio::test]
async fn no_error_shows_a_secret() {
    let bodies = [
        (400, r#"{"error":"invalid_client"}"#),
        (500, "<html>"),
        (200, "{"),
        (200, r#"{"access_token":{"odd":"hunter2-token"}}"#),
        (403, r#"{"error":"x"}"#),
    ];
    for (status, body) in bodies {
        let server = Server::start(move |_| json(status, body)).await;
        let connector = connector_of(&server.base_url, "key", "hunter2", SOON);
        let error = finish(connector.as_ref()).await.unwrap_err();
        let mut printed = format!("{error} {error:?}");
        let mut source = std::error::Error::source(&error);
        while let Some(link) = source {
            write!(printed, " {link} {link:?}").unwrap();
            source = link.source();
        }
        assert!(!printed.contains("hunter2") && !printed.contains("the code"), "{printed}");
    }
}

#[tokio::test]
async fn a_client_that_reaches_nothing_says_so_before_any_secret_is_sent() {
    let server = Server::start(|_| json(200, "{}")).await;
    let client = oauth2_client("key", "secret");
    let registration = registration(Platform::BitbucketCloud, server.base_url.as_str(), client);
    let closed = connector(HttpClient::new(Outbound::default()).unwrap(), registration, environment());
    assert!(matches!(obstacle(finish(closed.as_ref()).await.unwrap_err()), Obstacle::AddressRefused(_)));
    assert_eq!(server.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn the_request_for_a_token_is_what_the_rfc_says() {
    let server = Server::start(|_| json(401, r#"{"error":"invalid_client"}"#)).await;
    let error = finish_at(server.base_url.as_str()).await;
    assert!(
        matches!(error, UpstreamError::SignIn { problem: SignInProblem::ClientRefused, .. }),
        "{error:?}"
    );
    let [request] = server.requests().try_into().unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let redirect_uri: String = url::form_urlencoded::byte_serialize(callback().as_str().as_bytes()).collect();
    assert_eq!(body, format!("grant_type=authorization_code&code=the+code&redirect_uri={redirect_uri}"));
    let head = head.to_lowercase();
    for line in [
        "post /site/oauth2/access_token http/1.1",
        "content-type: application/x-www-form-urlencoded",
        "accept: application/json",
        concat!("user-agent: stave/", env!("CARGO_PKG_VERSION")),
        "authorization: basic dghligtletp0agugc2vjcmv0", // "the key:the secret", in lower case
    ] {
        assert!(head.contains(line), "{line} in {head}");
    }
}
