//! Packages without a git repository: uploaded archives, versions typed as JSON; and leaving with everything.

use crate::support::{
    Browser, TestStave,
    web_server::{WebServer, free_port},
};
use serde_json::{Value, json};
use stave_app::{ExportAsked, LeftOut};
use stave_testkit::Composer;
use std::{path::PathBuf, process::Command};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// A zip as Composer itself packs it, with a file that says which one it is.
async fn zip(name: &str, version: &str, text: &str) -> (Composer, PathBuf) {
    let project = Composer::new();
    project.manifest(&json!({"name": name, "version": version, "autoload": {"files": ["say.php"]}}));
    let folder = project.project();
    std::fs::write(folder.join("say.php"), format!("<?php // {text}\n")).unwrap();
    let run = project.run(&["archive", "--format=zip", "--file=package"]).await;
    assert!(run.success(), "{run}");
    (project, folder.join("package.zip"))
}

/// A token of acme that may upload.
async fn update_token(ada: &Browser) -> String {
    let fields = [("description", "CI"), ("access", "update")];
    let page = ada.send("/orgs/acme/settings/tokens", &fields).await;
    let at = page.body.find("stave_out_").unwrap_or_else(|| panic!("no token on the page:\n{}", page.text()));
    page.body[at..at + 78].to_owned()
}

async fn push(stave: &TestStave, token: &str, query: &str, file: Vec<u8>) -> (u16, Value) {
    let request = reqwest::Client::new().post(format!("{}/api/packages/artifacts/{query}", stave.url));
    let answer = request.basic_auth("token", Some(token)).body(file).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

fn lock(composer: &Composer) -> Value {
    let lock: Value = serde_json::from_str(&composer.file("composer.lock").unwrap()).unwrap();
    lock["packages"][0].clone()
}

#[tokio::test]
async fn a_build_uploads_and_composer_installs() {
    let (stave, ada) = TestStave::with_acme().await;
    let token = update_token(&ada).await;
    let (_project, file) = zip("acme/built", "1.0.0", "first").await;
    let (status, answer) = push(&stave, &token, "", std::fs::read(&file).unwrap()).await;
    assert_eq!(status, 201, "{answer}");

    let composer = stave.composer(&ada).await;
    let run = composer.require("acme/built").await;
    assert!(run.success(), "{run}");
    assert!(composer.file("vendor/acme/built/say.php").unwrap().contains("first"));
    assert_eq!(lock(&composer)["dist"]["shasum"], answer["shasum"]);

    // The same version with other bytes, from a tar: old lock files still get the old ones.
    let (project, _) = zip("acme/built", "1.0.0", "second").await;
    let tar = project.project().join("package.tar.gz");
    let mut packed = Command::new("tar");
    packed.arg("czf").arg(&tar).arg("-C").arg(project.project()).args(["composer.json", "say.php"]);
    assert!(packed.status().unwrap().success());
    let (status, refused) = push(&stave, &token, "", std::fs::read(&tar).unwrap()).await;
    assert_eq!(status, 422, "{refused}");
    let (status, replaced) = push(&stave, &token, "?replace=1", std::fs::read(&tar).unwrap()).await;
    assert_eq!(status, 201, "{replaced}");
    composer.remove("vendor").forget_cache();
    let run = composer.install().await;
    assert!(run.success(), "{run}");
    assert!(composer.file("vendor/acme/built/say.php").unwrap().contains("first"));
    let run = composer.update().await;
    assert!(run.success(), "{run}");
    assert!(composer.file("vendor/acme/built/say.php").unwrap().contains("second"));
    assert_eq!(lock(&composer)["dist"]["shasum"], replaced["shasum"]);
}

/// What is larger than any archive is refused with a sentence, before it is sent where the client waits for that.
#[tokio::test]
async fn ten_gigabytes_are_not_taken() {
    let (stave, ada) = TestStave::with_acme().await;
    let token = update_token(&ada).await;
    let host = stave.url.strip_prefix("http://").unwrap();
    for expects in ["Expect: 100-continue\r\n", ""] {
        let mut connection = TcpStream::connect(host).await.unwrap();
        let head = format!(
            "POST /api/packages/artifacts/ HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nContent-Length: 10737418240\r\n{expects}\r\n"
        );
        connection.write_all(head.as_bytes()).await.unwrap();
        if expects.is_empty() {
            connection.write_all(&vec![7; 100_000]).await.unwrap();
            connection.shutdown().await.unwrap();
        }
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 422"), "{answer}");
        assert!(answer.contains("larger than 512 MiB"), "{answer}");
    }
}

#[tokio::test]
async fn a_custom_package_is_fetched_when_it_is_installed() {
    let (stave, ada) = TestStave::with_acme().await;
    let (_project, file) = zip("acme/plugin", "1.0.0", "bought").await;
    let port = free_port();
    let root = format!("location / {{ root {}; }}", file.parent().unwrap().display());
    let shop = WebServer::nginx(port, &root).await;
    let json = json!([
        {"name": "acme/plugin", "version": "1.0.0", "dist": {"type": "zip", "url": format!("http://127.0.0.1:{port}/package.zip")}},
        {"name": "acme/plugin", "version": "0.9.0", "dist": {"type": "zip", "url": format!("http://127.0.0.1:{port}/gone.zip")}},
    ]);
    let page = ada.send("/orgs/acme/packages/new/custom", &[("json", &json.to_string())]).await;
    page.shows("acme/plugin").shows("1.0.0");
    let composer = stave.composer(&ada).await;
    let run = composer.require("acme/plugin:^1.0").await;
    assert!(run.success(), "{run}");
    assert!(composer.file("vendor/acme/plugin/say.php").unwrap().contains("bought"));
    // It is kept: the shop may close.
    drop(shop);
    composer.remove("vendor").forget_cache();
    let run = composer.install().await;
    assert!(run.success(), "{run}");
}

/// Everything that was ever served, installed without Stave: from a web server, and from the disk.
#[tokio::test]
async fn leaving_is_easy() {
    let (stave, ada) = TestStave::with_acme().await;
    let repository = stave.bitbucket.workspace("acme").repository("lib");
    let manifest = r#"{"name": "acme/lib"}"#;
    repository.commit("main", &[("composer.json", manifest), ("a.php", "<?php")]);
    repository.tag("1.0.0", manifest).tag("1.1.0", manifest);
    stave.import(&ada, &repository.clone_url(), "auto").await.shows("acme/lib");
    let token = update_token(&ada).await;
    let (_project, file) = zip("acme/built", "2.0.0", "uploaded").await;
    assert_eq!(push(&stave, &token, "", std::fs::read(&file).unwrap()).await.0, 201);

    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let base = format!("http://127.0.0.1:{port}/composer");
    let (served, plain) = (folder.path().join("served"), folder.path().join("plain"));
    let export = async |to: &PathBuf, base_url: Option<&str>| {
        let base_url = base_url.map(|url| url.parse().unwrap());
        let asked =
            ExportAsked { organization: "acme".into(), to: to.clone(), base_url, with_mirrored: false };
        let exported = stave.app.export(&asked, &mut |_| {}).await.unwrap();
        assert_eq!((exported.packages, exported.problems), (2, Vec::<String>::new()));
        assert_eq!((exported.versions, exported.dists >= 3), (4, true), "1.0.0, 1.1.0, dev-main, 2.0.0");
        assert_eq!(exported.left_out, LeftOut::default());
        exported.url
    };
    let location = format!("location /composer/ {{ alias {}/; }}", served.display());
    let _files = WebServer::nginx(port, &location).await;
    for url in [
        export(&served, Some(&base)).await,
        // Once more over what is there.
        export(&served, Some(&base)).await,
        export(&plain, None).await,
    ] {
        let composer = Composer::new();
        composer.repository(&url);
        for package in ["acme/built", "acme/lib:^1.0", "acme/lib:dev-main"] {
            let run = composer.require(package).await;
            assert!(run.success(), "{url} {package}: {run}");
        }
        assert!(composer.file("vendor/acme/built/say.php").unwrap().contains("uploaded"));
        composer.remove("vendor").forget_cache();
        let run = composer.install().await;
        assert!(run.success(), "{url}: {run}");
    }
}
