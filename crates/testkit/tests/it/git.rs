use crate::{CALLBACK, api};
use stave_testkit::{BareRepository, FakeBitbucket, GitServer, Level, samples};
use std::{path::Path, process::Output};
use tokio::process::Command;

async fn git(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new("git");
    command
        .current_dir(folder)
        .args(arguments)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_CONFIG_GLOBAL", "/dev/null");
    command.env_remove("http_proxy").env_remove("HTTP_PROXY").output().await.unwrap()
}

fn with_login(url: &str, user: &str, password: &str) -> String {
    url.replacen("://", &format!("://{user}:{password}@"), 1)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The number of references that a login sees; `None` if it is refused.
async fn seen(url: &str) -> Option<usize> {
    let output = git(Path::new("."), &["ls-remote", "--tags", "--refs", url]).await;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).lines().count())
}

#[tokio::test]
async fn a_token_is_the_password() {
    let bitbucket = FakeBitbucket::start().await;
    let acme = bitbucket.workspace("acme");
    acme.owner("ada").member("grace");
    let mailer = acme.repository("mailer");
    mailer.push(samples::mailer);
    let url = mailer.clone_url();
    let consumer = bitbucket.consumer("acme", CALLBACK, &["repository"]);
    let access = consumer.tokens_of("grace").access;
    assert_eq!(seen(&url).await, None);
    assert_eq!(seen(&with_login(&url, "x-token-auth", &access)).await, Some(7));
    assert_eq!(seen(&with_login(&url, "grace", &access)).await, None);
    assert_eq!(seen(&with_login(&url, "x-token-auth", "wrong")).await, None);
    let blind = bitbucket.consumer("acme", CALLBACK, &["account"]).tokens_of("grace").access;
    assert_eq!(seen(&with_login(&url, "x-token-auth", &blind)).await, None);
    let stranger = consumer.tokens_of("linus").access;
    assert_eq!(seen(&with_login(&url, "x-token-auth", &stranger)).await, None);
    let repository_token = mailer.access_token(&["repository"]);
    assert_eq!(seen(&with_login(&url, "x-token-auth", &repository_token)).await, Some(7));
    let api_token = bitbucket.user("grace").api_token(&["read:repository:bitbucket"]);
    assert_eq!(seen(&with_login(&url, "x-bitbucket-api-token-auth", &api_token)).await, Some(7));
    mailer.public();
    assert_eq!(seen(&url).await, Some(7));
    bitbucket.git_down();
    assert_eq!(seen(&url).await, None);
    bitbucket.heal().expire_access_tokens();
    mailer.private();
    assert_eq!(seen(&with_login(&url, "x-token-auth", &access)).await, None);
}

#[tokio::test]
async fn a_push_by_git_changes_what_the_api_says() {
    let bitbucket = FakeBitbucket::start().await;
    let mailer = bitbucket.workspace("acme").repository("mailer");
    mailer.tag("1.0.0", "{}").grant("ada", Level::Write).grant("grace", Level::Read);
    let consumer = bitbucket.consumer("acme", CALLBACK, &["repository:write"]);
    let folder = tempfile::tempdir().unwrap();
    let url =
        |nickname| with_login(&mailer.clone_url(), "x-token-auth", &consumer.tokens_of(nickname).access);
    let clone = git(folder.path(), &["clone", "--quiet", &url("ada"), "clone"]).await;
    assert!(clone.status.success(), "{}", said(&clone));
    let clone = folder.path().join("clone");
    git(&clone, &["tag", "1.1.0"]).await;
    let refused = git(&clone, &["push", "--quiet", &url("grace"), "1.1.0"]).await;
    assert!(!refused.status.success());
    let pushed = git(&clone, &["push", "--quiet", &url("ada"), "1.1.0"]).await;
    assert!(pushed.status.success(), "{}", said(&pushed));
    let token = consumer.tokens_of("ada").access;
    assert_eq!(api(&bitbucket, &token, "/repositories/acme/mailer/refs/tags/1.1.0").await.0, 200);
}

#[tokio::test]
async fn a_git_server_alone_serves_and_asks_for_a_login() {
    let server = GitServer::start();
    let repository = server.repository("acme/many");
    samples::history(&repository, "acme/many", 300);
    assert_eq!(seen(&server.url("acme/many")).await, Some(300));
    assert_eq!(seen(&server.url("acme/none")).await, None);
    server.require_login("ada", "secret");
    assert_eq!(seen(&server.url("acme/many")).await, None);
    assert_eq!(seen(&with_login(&server.url("acme/many"), "ada", "secret")).await, Some(300));
    assert_eq!(seen(&with_login(&server.url("acme/many"), "ada", "wrong")).await, None);
}

#[test]
fn the_same_calls_give_the_same_commits() {
    let folder = tempfile::tempdir().unwrap();
    let [one, other] = ["one", "other"].map(|name| {
        let repository = BareRepository::create(folder.path().join(name));
        samples::mailer(&repository);
        samples::oddities(&repository);
        repository.references()
    });
    assert_eq!(one, other);
    assert!(one.contains_key("refs/heads/feature/it's-\"quoted\""), "{one:?}");
}
