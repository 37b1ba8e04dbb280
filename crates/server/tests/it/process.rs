//! The process: it starts, answers, stops, and says in one sentence why it cannot.

use crate::support::process::{Place, assert_refused, finish};
use std::{fs, os::unix::fs::PermissionsExt};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

#[tokio::test]
async fn the_first_start_invites_into_setup_mode_and_is_healthy() {
    let place = Place::new().await;
    let stave = place.serve(&[]).await;
    assert!(stave.setup_link().starts_with("http://127.0.0.1:"));
    for path in ["/healthz", "/readyz"] {
        assert_eq!(reqwest::get(stave.url(path)).await.unwrap().status(), 200, "{path}");
    }
    let key = fs::metadata(place.data().join("key")).unwrap();
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_fresh_link_can_be_had_while_stave_runs() {
    let place = Place::new().await;
    let stave = place.serve(&[]).await;
    let output = place.run(&["setup-link", "--url", &stave.url("")]).await;
    let printed = String::from_utf8(output.stdout).unwrap();
    let link = printed.trim_end().strip_prefix("Setup Mode: open ").unwrap();
    assert_ne!(link, stave.setup_link());
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let old = client.get(stave.setup_link()).send().await.unwrap();
    assert!(!old.headers().contains_key("set-cookie"), "the old link has stopped working");
    let new = client.get(link).send().await.unwrap();
    assert!(new.headers().contains_key("set-cookie"), "{:?}", new.status());
}

#[tokio::test]
async fn a_link_needs_a_stave() {
    let place = Place::new().await;
    let output = place.run(&["setup-link", "--url", "http://127.0.0.1:8080"]).await;
    assert_refused(&output, "There is no Stave in the folder");
    assert!(!place.data().exists());
}

#[tokio::test]
async fn a_request_that_runs_may_finish() {
    let place = Place::new().await;
    let stave = place.serve(&[]).await;
    let mut request = half_a_request(&stave.address()).await;
    stave.signal("TERM").await;
    stave.logs("stopping").await;
    request.write_all(b"456789").await.unwrap();
    let mut answer = String::new();
    request.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 "), "{answer}");
    let (status, log) = stave.end().await;
    assert!(status.success(), "{log:#?}");
}

#[tokio::test]
async fn a_second_signal_stops_at_once() {
    let place = Place::new().await;
    let stave = place.serve(&[]).await;
    let _request = half_a_request(&stave.address()).await;
    stave.signal("INT").await;
    stave.logs("stopping").await;
    stave.signal("TERM").await;
    let (status, _) = stave.end().await;
    assert_eq!(status.code(), Some(1));
}

#[tokio::test]
async fn a_port_has_one_owner() {
    let place = Place::new().await;
    let stave = place.serve(&[]).await;
    let other = Place::new().await;
    let output = other.run(&["serve", "--listen", &stave.address()]).await;
    assert_refused(&output, &format!("Another program listens on {} already.", stave.address()));
    assert!(!other.data().exists(), "nothing was touched");
}

#[tokio::test]
async fn a_data_folder_has_one_owner() {
    let place = Place::new().await;
    let _stave = place.serve(&[]).await;
    assert_refused(&place.run(&["serve"]).await, "Another Stave is running on the data folder");
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_named() {
    let place = Place::new().await;
    fs::write(place.folder().join("file"), "").unwrap();
    assert_refused(
        &place.run(&["serve", "--data", "file/data"]).await,
        "The data folder file/data cannot be used",
    );
}

#[tokio::test]
async fn the_key_must_be_the_one_that_sealed() {
    let place = Place::new().await;
    let stave = place.serve(&[]).await;
    stave.signal("TERM").await;
    stave.end().await;
    let mut command = place.command(&["serve"]);
    command.env("STAVE_KEY", "ab".repeat(32));
    assert_refused(&finish(command).await, "This is not the key");

    fs::write(place.folder().join("short.key"), "abcd\n").unwrap();
    assert_refused(&place.run(&["serve", "--key-file", "short.key"]).await, "short.key does not hold a key");
}

#[tokio::test]
async fn a_database_of_a_newer_stave_is_left_alone() {
    let place = Place::new().await;
    let stave = place.serve(&[]).await;
    stave.signal("TERM").await;
    stave.end().await;

    place.execute("INSERT INTO stave_migration (version, applied_at) VALUES ('m9999_of_tomorrow', 1)").await;
    let output = place.run(&["serve"]).await;
    assert_refused(&output, "m9999_of_tomorrow");
    assert_refused(&output, "newer");
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_no_riddle() {
    let place = Place::new().await;
    let mut command = place.command(&["serve"]);
    command.env("STAVE_DATABASE_URL", "postgres://stave:hunter2@127.0.0.1:1/stave");
    let output = finish(command).await;
    assert_refused(&output, "127.0.0.1");
    assert!(!String::from_utf8_lossy(&output.stderr).contains("hunter2"));
}

#[tokio::test]
async fn json_logs_are_objects_with_request_ids_and_without_secrets() {
    let place = Place::new().await;
    let stave = place.serve(&["--log-format", "json", "--log-level", "trace"]).await;
    let answer = reqwest::get(stave.setup_link()).await.unwrap();
    let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    stave.logs(&id).await;
    let token = stave.setup_link().rsplit('/').next().unwrap().to_owned();
    stave.signal("TERM").await;
    let (status, log) = stave.end().await;
    assert!(status.success());
    for line in &log {
        let object: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        assert!(object["level"].is_string() && object["timestamp"].is_string(), "{line}");
        assert!(!line.contains(&token), "{line}");
    }
}

/// A request whose handler waits for the second half of the body.
async fn half_a_request(address: &str) -> TcpStream {
    let mut connection = TcpStream::connect(address).await.expect("a connection");
    let head = format!(
        "POST /login HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n"
    );
    connection.write_all(head.as_bytes()).await.expect("a connection");
    // The invitation to go on comes once the handler reads the body, so the request is surely running.
    let mut invitation = [0; 25];
    connection.read_exact(&mut invitation).await.expect("a connection");
    assert!(invitation.starts_with(b"HTTP/1.1 100 Continue"), "{}", String::from_utf8_lossy(&invitation));
    connection.write_all(b"0123").await.expect("a connection");
    connection
}

/// Needs the S3 stand-in that `scripts/test` starts at `STAVE_TEST_S3_URL`; the `AWS_` variables say where it is.
#[tokio::test]
async fn zips_can_be_kept_in_s3() {
    let Ok(bucket) = std::env::var("STAVE_TEST_S3_URL") else { return };
    let place = Place::new().await;
    let stave = place.serve(&["--storage-url", &format!("{bucket}/packages")]).await;
    assert_eq!(reqwest::get(stave.url("/readyz")).await.unwrap().status(), 200);

    let elsewhere = Place::new().await;
    let missing = elsewhere.run(&["serve", "--storage-url", "s3://stave-has-no-such-bucket"]).await;
    assert_refused(&missing, "The bucket stave-has-no-such-bucket cannot be used");
}
