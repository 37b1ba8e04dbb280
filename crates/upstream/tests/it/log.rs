//! What is logged while people log in, at the lowest level of every library on the way.

use crate::sign_in::Story;
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

    let text = log.text();
    assert!(text.contains("upstream answered") && text.contains("/site/oauth2/access_token"), "{text}");
    let refresh_token = grant.refresh_token.unwrap();
    let secrets = [
        grant.access_token.expose(),
        fresh.access_token.expose(),
        refresh_token.expose(),
        &query["code"],
        &story.consumer.secret(),
    ];
    for secret in secrets {
        // The first part of a long token would give it away as well.
        assert!(
            !text.contains(&secret[..secret.len().min(12)]),
            "a secret of {} bytes is in the log",
            secret.len()
        );
    }
}
