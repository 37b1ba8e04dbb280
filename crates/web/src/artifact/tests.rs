//! Uploads through the front door. The archives are tars: they are text, as far as tests are concerned.

use crate::testing::{Browser, Seen, TestSite};
use axum::http::{Request, StatusCode, header::CONTENT_TYPE};
use serde_json::Value;
use stave_app::TokenForm;

const NEW: &str = "/orgs/acme/packages/new/artifact";

/// A tar with these files (POSIX ustar).
fn tar_of(files: &[(&str, &str)]) -> String {
    let mut tar = String::new();
    for (name, contents) in files {
        let mut header = format!(
            "{name:\0<100}0000644\x000000000\x000000000\x00{:011o}\x0000000000000\x00        0",
            contents.len()
        );
        header = format!("{header:\0<257}ustar\x0000");
        header = format!("{header:\0<512}");
        let sum: u32 = header.bytes().map(u32::from).sum();
        header.replace_range(148..156, &format!("{sum:06o}\0 "));
        let padding = (512 - contents.len() % 512) % 512;
        tar += &header;
        tar += contents;
        tar += &"\0".repeat(padding);
    }
    tar + &"\0".repeat(1024)
}

fn package(composer_json: &str, code: &str) -> String {
    tar_of(&[("composer.json", composer_json), ("README.md", "It is called *A*."), ("src/A.php", code)])
}

async fn upload(browser: &mut Browser, file: &str) -> Seen {
    let body = format!(
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"p.tar\"\r\nContent-Type: application/x-tar\r\n\r\n{file}\r\n--b--\r\n"
    );
    let request =
        Request::post(format!("{NEW}/file")).header(CONTENT_TYPE, "multipart/form-data; boundary=b");
    browser.send(request, &body).await
}

async fn composer(site: &TestSite, browser: &mut Browser, path: &str) -> Seen {
    let token = site.token_of(browser).await;
    browser
        .send(
            Request::get(format!("/repo/acme/{path}")).header("authorization", format!("Bearer {token}")),
            "",
        )
        .await
}

#[tokio::test]
async fn what_is_uploaded_is_shown_before_it_is_saved() {
    let (site, _bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    assert!(grace.get(NEW).await.body.contains("Upload an artifact"));
    let json = r#"{"name": "acme/mailer", "version": "1.2.0", "description": "Sends mail", "require": {"psr/log": "^3"}}"#;
    let sent = upload(&mut grace, &package(json, "one")).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    let page = grace.get(&sent.location).await;
    for text in [
        "Nothing is saved yet",
        "acme/mailer",
        "1.2.0",
        "Sends mail",
        "psr/log",
        "3 files and folders",
        "new package",
    ] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    assert!(grace.get("/orgs/acme/packages").await.body.contains("No packages yet"));

    let saved = grace.post(&sent.location, &[]).await;
    assert!(saved.location.ends_with("?done=version-uploaded"), "{} {}", saved.location, saved.body);
    let page = grace.get(&saved.location).await.body;
    assert!(page.contains("1.2.0") && page.contains("It is called <em>A</em>."), "{page}");
    let p2: Value =
        serde_json::from_str(&composer(&site, &mut grace, "p2/acme/mailer.json").await.body).unwrap();
    let version = &p2["packages"]["acme/mailer"][0];
    assert_eq!(
        (version["version"].as_str(), version["description"].as_str()),
        (Some("1.2.0"), Some("Sends mail"))
    );
    assert_eq!(version["dist"]["shasum"].as_str().map(str::len), Some(40));
    assert_eq!(grace.post(&sent.location, &[]).await.status, StatusCode::NOT_FOUND, "it is used up");
}

#[tokio::test]
async fn another_archive_takes_its_place_only_if_somebody_says_so() {
    let (_site, _bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    let json = r#"{"name": "acme/mailer"}"#;
    let first = upload(&mut grace, &package(json, "one")).await.location;
    let nameless = grace.post(&first, &[("version", "")]).await;
    assert_eq!(nameless.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(nameless.body.contains("Its composer.json names no version."), "{}", nameless.body);
    assert!(grace.post(&first, &[("version", "soon")]).await.body.contains("is not a version"));
    assert_eq!(grace.post(&first, &[("version", "1.0")]).await.status, StatusCode::SEE_OTHER);

    let second = upload(&mut grace, &package(json, "two")).await.location;
    let refused = grace.post(&second, &[("version", "v1.0.0")]).await;
    assert!(refused.body.contains("is here already, with other bytes"), "{}", refused.body);
    assert!(refused.body.contains("Replace the version that is there"), "{}", refused.body);
    let replaced = grace.post(&second, &[("version", "v1.0.0"), ("replace", "on")]).await;
    assert_eq!(replaced.status, StatusCode::SEE_OTHER, "{}", replaced.body);

    let third = upload(&mut grace, &package(json, "three")).await.location;
    assert_eq!(grace.post(&format!("{third}/discard"), &[]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(grace.get(&third).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_no_package_is_refused_beside_the_field() {
    let (_site, _bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    for (file, sentence) in [
        (String::new(), "The file is empty"),
        ("<html>".into(), "This is a web page and no archive"),
        (tar_of(&[("src/composer.json", "{}"), ("README", "x")]), "composer.json is in src/, not at the top"),
        (tar_of(&[("../composer.json", "{}")]), "would be written outside"),
        (package("{", "x"), "Its composer.json is not valid JSON"),
        (package(r#"{"version": "1"}"#, "x"), "has no “name”"),
        (package(r#"{"name": "Acme/Mailer"}"#, "x"), "has upper-case letters"),
    ] {
        let refused = upload(&mut grace, &file).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{sentence}");
        assert!(refused.body.contains(sentence), "{sentence}: {}", refused.body);
    }
    for (form, sentence) in [
        ("filename=\"p.tar\"\r\n\r\nhalf", "The upload broke off"),
        ("filename=\"\"\r\n\r\n\r\n--b--\r\n", "Choose the archive of the package."),
    ] {
        let body = format!("--b\r\nContent-Disposition: form-data; name=\"file\"; {form}");
        let request =
            Request::post(format!("{NEW}/file")).header(CONTENT_TYPE, "multipart/form-data; boundary=b");
        let refused = grace.send(request, &body).await;
        assert!(refused.body.contains(sentence), "{}", refused.body);
    }
}

/// The text of a token of acme.
async fn token(site: &TestSite, owner: &Browser, access: &str, selection: &str) -> String {
    let form = TokenForm {
        description: "CI".into(),
        access: access.into(),
        reads: if selection.is_empty() { String::new() } else { "selection".into() },
        selection: selection.into(),
        ..TokenForm::default()
    };
    let made = site.app.organization_token_create(&site.actor(owner).await, "acme", &form).await.unwrap();
    made.secret.expose().to_owned()
}

async fn push(site: &TestSite, path: &str, token: &str, file: &str) -> (StatusCode, Value) {
    let request = Request::post(format!("/api/packages/{path}")).header("x-filename", "p.tar");
    let request =
        if token.is_empty() { request } else { request.header("authorization", format!("Bearer {token}")) };
    let seen = site.browser().send(request, file).await;
    let answer = serde_json::from_str(&seen.body).unwrap_or_else(|_| panic!("{}", seen.body));
    (seen.status, answer)
}

#[tokio::test]
async fn a_machine_uploads_with_one_call() {
    let (site, _bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    let update = token(&site, &grace, "update", "").await;
    let file = package(r#"{"name": "acme/mailer", "version": "1.2.0"}"#, "one");
    let (status, answer) = push(&site, "artifacts/", &update, &file).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    assert_eq!((answer["name"].as_str(), answer["version"].as_str()), (Some("acme/mailer"), Some("1.2.0")));
    let p2: Value =
        serde_json::from_str(&composer(&site, &mut grace, "p2/acme/mailer.json").await.body).unwrap();
    assert_eq!(p2["packages"]["acme/mailer"][0]["dist"]["shasum"], answer["shasum"]);
    assert_eq!(
        push(&site, "artifacts/", &update, &file).await,
        (StatusCode::OK, answer.clone()),
        "the same once more"
    );

    let other = package(r#"{"name": "acme/mailer", "version": "1.2.0"}"#, "two");
    let (status, refused) = push(&site, "acme/mailer/artifacts/", &update, &other).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused["message"].as_str().unwrap().contains("is here already, with other bytes"), "{refused}");
    let (status, replaced) = push(&site, "acme/mailer/artifacts/?replace=1", &update, &other).await;
    assert_eq!(status, StatusCode::CREATED, "{replaced}");
    assert_eq!(replaced["id"], answer["id"]);
    let log = grace.get("/orgs/acme/settings/log").await.body;
    assert!(log.contains("uploaded acme/mailer 1.2.0") && log.contains("the token “CI”"), "{log}");
}

#[tokio::test]
async fn only_the_right_token_uploads() {
    let (site, _bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    let file = package(r#"{"name": "acme/mailer", "version": "1.0.0"}"#, "one");
    let read = token(&site, &grace, "read", "").await;
    let chosen = token(&site, &grace, "update", "acme/other").await;
    let update = token(&site, &grace, "update", "").await;
    let person = site.token_of(&mut grace).await;
    for (token, path, status, sentence) in [
        ("", "artifacts/", StatusCode::UNAUTHORIZED, "Send a token of the organization"),
        ("stave_out_x", "artifacts/", StatusCode::UNAUTHORIZED, "Send a token of the organization"),
        (&read, "artifacts/", StatusCode::FORBIDDEN, "This token may only read"),
        (&chosen, "artifacts/", StatusCode::FORBIDDEN, "This token is for other packages than acme/mailer"),
        (&person, "artifacts/", StatusCode::FORBIDDEN, "a person's own token"),
        (&update, "acme/mailer/artifacts/", StatusCode::NOT_FOUND, "There is no such package"),
    ] {
        let (seen, answer) = push(&site, path, token, &file).await;
        assert_eq!(seen, status, "{answer}");
        assert!(answer["message"].as_str().unwrap().contains(sentence), "{answer}");
    }
    let nothing = push(&site, "artifacts/", &update, "").await.1;
    assert!(nothing["message"].as_str().unwrap().contains("The file is empty"), "{nothing}");
    assert!(grace.get("/orgs/acme/packages").await.body.contains("No packages yet"));
}

#[test]
fn sizes_for_people() {
    for (bytes, words) in [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (68_200, "68.2 kB"),
        (12_600_000, "12.6 MB"),
        (2_000_000_000, "2.0 GB"),
    ] {
        assert_eq!(super::size(&bytes), words);
    }
}
