//! `stave config`, and how the configuration reaches the process.

use crate::support::process::{Place, assert_refused, finish};
use std::fs;

#[tokio::test]
async fn a_right_configuration_is_called_right() {
    let place = Place::new().await;
    let output = place.run(&["config", "check"]).await;
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stdout), "The configuration is right.\n");
    assert!(!place.data().exists(), "looking changes nothing");
}

#[tokio::test]
async fn a_misspelt_key_is_named_with_its_line() {
    let place = Place::new().await;
    fs::write(place.folder().join("stave.toml"), "# mine\nlisten-to = \"127.0.0.1:1\"\n").unwrap();
    for arguments in [&["config", "check"][..], &["config", "show"], &["serve"], &["setup-link"], &[]] {
        assert_refused(&place.run(arguments).await, "stave.toml line 2: Stave knows no key `listen-to`.");
    }
}

#[tokio::test]
async fn a_misspelt_variable_is_named() {
    let place = Place::new().await;
    let mut command = place.command(&["serve"]);
    command.env("STAVE_LISTEN_TO", "127.0.0.1:1");
    assert_refused(&finish(command).await, "Stave knows no environment variable STAVE_LISTEN_TO.");
}

#[tokio::test]
async fn each_value_is_shown_with_its_origin_and_secrets_are_hidden() {
    let place = Place::new().await;
    fs::write(place.folder().join("mine.toml"), "url = \"https://packages.example.com\"\n").unwrap();
    let mut command = place.command(&["config", "show", "--config", "mine.toml", "--log-level", "debug"]);
    command.env("STAVE_DATABASE_URL", "postgres://stave:hunter2@db/stave").env("STAVE_KEY", "ab".repeat(32));
    let output = finish(command).await;
    let shown = String::from_utf8_lossy(&output.stdout);
    let words = |key: &str| {
        let line = shown.lines().find(|line| line.split_whitespace().next() == Some(key)).unwrap();
        line.split_whitespace().skip(1).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(words("url"), "https://packages.example.com file mine.toml line 1");
    assert_eq!(words("listen"), "127.0.0.1:0 environment STAVE_LISTEN");
    assert_eq!(words("log-level"), "debug flag --log-level");
    assert_eq!(words("log-format"), "human default");
    assert_eq!(words("database-url"), "[hidden] environment STAVE_DATABASE_URL");
    assert_eq!(words("key"), "[hidden] environment STAVE_KEY");
    assert!(!shown.contains("hunter2"));
}
