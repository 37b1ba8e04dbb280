//! What the log of the server tells about visitors and applications: nothing that somebody else could use.

use super::{
    Shop,
    client::{answer, hidden, on_a_server},
};
use axum::http::StatusCode;
use std::{
    io,
    sync::{Arc, Mutex},
};

/// What is written to the log.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_secret_is_in_the_log() {
    let written = Written::default();
    let writer = written.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    // While there is one subscriber only, what tests beside this one log first is switched off for it too.
    let _second = tracing::Dispatch::new(tracing_subscriber::fmt().with_writer(io::sink).finish());
    let _guard = tracing::subscriber::set_default(subscriber);

    let shop = Shop::open().await;
    let mut app = shop.add(on_a_server()).await;
    let mut linus = shop.site.browser();
    let page = linus.get(&app.door(&[("state", Some("c4n4ry-state"))])).await;
    let request = hidden(&page.body, "request");
    let away = linus.post("/w/shop/login/bitbucket", &[("request", &request)]).await;
    let back = shop.bitbucket.grant_access(&away.location, "linus").await;
    let told = answer(&linus.get(&crate::testing::path_of(&back)).await);
    let tokens = app.redeem(&told["code"], &[]).await.json();
    app.redeem("c4n4ry-code", &[]).await;
    app.redeem("x", &[("client_secret", "c4n4ry-secret")]).await;
    app.user_info(&tokens["access_token"]).await;
    app.user_info(&"c4n4ry-access".into()).await;
    let next = app.refresh(&tokens["refresh_token"], "").await.json();
    app.refresh(&"c4n4ry-refresh".into(), "").await;
    let hint = next["id_token"].as_str().unwrap();
    let seen = linus.get(&format!("/w/shop/logout?id_token_hint={hint}")).await;
    assert_eq!(seen.status, StatusCode::SEE_OTHER);
    let last = linus.cookies.clone();

    let log = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    assert!(
        log.contains("route=\"/w/{slug}/token\"") && log.contains("route=\"/w/{slug}/authorize\""),
        "{log}"
    );
    let upstream: Vec<_> =
        url::Url::parse(&back).unwrap().query_pairs().map(|(_, value)| value.into_owned()).collect();
    let secret = |name: &str| tokens[name].as_str().unwrap().to_owned();
    let secrets = [
        secret("access_token"),
        secret("refresh_token"),
        secret("id_token"),
        hint.to_owned(),
        app.secret.clone(),
    ];
    let trip = last["stave_trip"].clone();
    for text in secrets.into_iter().chain(upstream).chain([told["code"].clone(), trip, "c4n4ry".into()]) {
        assert!(text.len() >= 6 && !log.contains(&text), "{text}");
    }
}
