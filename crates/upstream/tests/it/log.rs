//! What is logged while people log in, at the lowest level of every library on the way.

use crate::{data_center, data_center_oauth1, sign_in::Story};
use stave_testkit::Version;
use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};
use tracing_subscriber::filter::LevelFilter;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_secret_is_logged_at_any_level() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE).with_writer(move || writer.clone()).init();

    let story = Story::start().await;
    let query = story.trip().await;
    let (_, grant) = story.finish(&query).await.unwrap();
    let fresh = story.refresh(&grant).await.unwrap();
    story.finish(&query).await.unwrap_err();

    let server = data_center::Story::start(Version::V9_4).await;
    let (_, of_server) = server.log_in("ada").await.unwrap();
    let fresh_of_server = server.sign_in().refresh(&of_server).await.unwrap();
    let signed = data_center_oauth1::Story::start(Version::V7_20).await;
    let (_, of_signed) = signed.log_in().await.unwrap();
    let fresh_of_signed = signed.connector.sign_in().unwrap().refresh(&of_signed).await.unwrap();

    let text = log.text();
    assert!(text.contains("upstream answered") && text.contains("/site/oauth2/access_token"), "{text}");
    let refresh_token = grant.refresh_token.unwrap();
    let secrets = [
        grant.access_token.expose(),
        fresh.access_token.expose(),
        refresh_token.expose(),
        &query["code"],
        &story.consumer.secret(),
        &server.link.client_secret(),
    ];
    let grants = [of_server, fresh_of_server, of_signed, fresh_of_signed];
    let of_grants = grants.iter().flat_map(|grant| [Some(&grant.access_token), grant.refresh_token.as_ref()]);
    let of_grants = of_grants.flatten().map(stave_domain::Secret::expose);
    for secret in secrets.into_iter().chain(of_grants) {
        // The first part of a long token would give it away as well.
        assert!(
            !text.contains(&secret[..secret.len().min(12)]),
            "a secret of {} bytes is in the log",
            secret.len()
        );
    }
}
