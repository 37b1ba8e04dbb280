//! kill -9 at any moment of a fetch.

use crate::{
    mirror::assert_whole,
    server::{Server, fetch},
    source::Source,
};
use stave_domain::repository::SourceUrl;
use stave_git::Mirror;
use std::{env, path::PathBuf, process::Command, time::Duration};

const CHILD: &str = "crash::fetches_until_it_is_killed";

/// Not a test of its own: the process that the next one kills.
#[test]
fn fetches_until_it_is_killed() {
    let (Ok(url), Ok(path)) = (env::var("TEST_FETCH_URL"), env::var("TEST_FETCH_PATH")) else { return };
    let url: SourceUrl = url.parse().unwrap();
    loop {
        let mut mirror = Mirror::open_or_create(&PathBuf::from(&path)).unwrap();
        fetch(&mut mirror, &url).unwrap();
        drop(mirror);
        std::fs::remove_dir_all(&path).unwrap();
    }
}

#[test]
fn a_mirror_heals_after_kill_9() {
    let source = Source::new();
    for round in 0..30 {
        source.commit(&[
            ("composer.json", &format!("{{\"round\": {round}}}")),
            (&format!("file-{round}"), &"x".repeat(10_000)),
        ]);
        source.git(&["tag", &format!("v1.{round}")]);
    }
    let server = Server::start(&source);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m");
    for round in 0..25_u64 {
        let mut child = Command::new(env::current_exe().unwrap())
            .args([CHILD, "--exact", "--quiet"])
            .env("TEST_FETCH_URL", server.url().as_str())
            .env("TEST_FETCH_PATH", &path)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(20 + round * 13 % 170));
        child.kill().unwrap();
        child.wait().unwrap();
        let mut mirror = Mirror::open_or_create(&path).unwrap();
        fetch(&mut mirror, &server.url()).unwrap();
        assert_eq!(mirror.references().unwrap().tags.len(), 30);
        assert_whole(&path, &source);
    }
}
