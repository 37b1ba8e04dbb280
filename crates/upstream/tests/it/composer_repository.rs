//! Composer repositories of others, right and wrong.

use crate::support::{Server, answer, http};
use flate2::{Compression, write::GzEncoder};
use serde_json::json;
use sha1::{Digest as _, Sha1};
use sha2::Sha256;
use stave_domain::{
    Secret,
    mirror::{LeftOut, MirrorPackage, MirrorRoot, MirrorTimeout},
    package::PackageName,
};
use stave_testkit::{Composer1, FakeComposerRepository, Fault};
use stave_upstream::{
    Asked, ComposerKey, ComposerRepository, ComposerSecret, ComposerSite, DistError, DistFetched, Fetched,
    MirrorProblem, Obstacle, Saw, UpstreamError,
};
use std::{io::Write as _, time::Duration};
use url::Url;

fn site(url: &str) -> ComposerSite {
    ComposerSite { url: url.parse().unwrap(), key: None, timeout: MirrorTimeout(None) }
}

fn repository(url: &str) -> ComposerRepository {
    ComposerRepository::new(http(), site(url))
}

fn name(text: &str) -> PackageName {
    text.parse().unwrap()
}

fn problem(error: UpstreamError) -> MirrorProblem {
    let sentence = error.to_string();
    assert!(sentence.ends_with('.') && !sentence.contains("Bitbucket"), "{sentence}");
    match error {
        UpstreamError::Mirror { problem, .. } => problem,
        other => panic!("{other:?}"),
    }
}

/// The versions of a package as they come, and by what its file is recognised the next time.
async fn versions(
    of: &ComposerRepository,
    root: &MirrorRoot,
    package: &str,
    is_dev: bool,
) -> (String, String) {
    match of.package(root, &name(package), is_dev, None).await.unwrap() {
        Fetched::Found { body, last_modified } => {
            let package = MirrorPackage::read(&name(package), &body).unwrap().unwrap();
            assert_eq!(package.left_out, LeftOut::default());
            let versions: Vec<_> = package.found.iter().map(|found| found.version.clone()).collect();
            (versions.join(" "), last_modified)
        }
        other => panic!("{other:?}"),
    }
}

async fn dist(of: &ComposerRepository, url: &str, limit: u64) -> (Vec<u8>, Result<DistFetched, DistError>) {
    let mut bytes = Vec::new();
    let url: Url = url.parse().unwrap();
    let fetched = of.dist(&url, &mut bytes, limit).await;
    (bytes, fetched)
}

fn dist_problem(fetched: Result<DistFetched, DistError>) -> MirrorProblem {
    match fetched {
        Err(DistError::Upstream(error)) => problem(error),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn packages_of_composer_2_are_read_once_and_again_when_they_change() {
    let fake = FakeComposerRepository::start().await;
    let log = fake.package("psr/log");
    log.version("1.0.0", &json!({})).version("1.1.0", &json!({})).version("dev-main", &json!({}));
    let upstream = repository(&fake.url());
    let root = upstream.root().await.unwrap();
    assert!(root.may_have(&name("psr/log")) && root.changes_url.is_some());
    let (releases, seen) = versions(&upstream, &root, "psr/log", false).await;
    assert_eq!(releases, "1.1.0 1.0.0");
    assert_eq!(versions(&upstream, &root, "psr/log", true).await.0, "dev-main");

    let again =
        async |seen: &str| upstream.package(&root, &name("psr/log"), false, Some(seen)).await.unwrap();
    assert_eq!(again(&seen).await, Fetched::NotModified);
    log.remove_version("1.0.0");
    assert!(matches!(again(&seen).await, Fetched::Found { .. }));
    assert_eq!(upstream.package(&root, &name("psr/nothing"), false, None).await.unwrap(), Fetched::Missing);
    assert_eq!(upstream.package(&root, &name("psr/nothing"), true, None).await.unwrap(), Fetched::Missing);
    fake.remove_package("psr/log");
    assert_eq!(again(&seen).await, Fetched::Missing);
}

#[tokio::test]
async fn without_a_time_the_bytes_tell_whether_a_file_is_another_one() {
    let fake = FakeComposerRepository::start().await;
    let log = fake.without_last_modified().package("psr/log");
    log.version("1.0.0", &json!({}));
    let upstream = repository(&fake.url());
    let root = upstream.root().await.unwrap();
    let (_, seen) = versions(&upstream, &root, "psr/log", false).await;
    assert!(seen.starts_with("sha256:"), "{seen}");
    let again = async || upstream.package(&root, &name("psr/log"), false, Some(&seen)).await.unwrap();
    assert_eq!(again().await, Fetched::NotModified);
    assert!(fake.requests().iter().all(|request| request.header("if-modified-since").is_none()));
    log.retag("1.0.0");
    assert!(matches!(again().await, Fetched::Found { .. }));
}

#[tokio::test]
async fn a_package_without_versions_is_there_and_one_of_another_name_is_not() {
    for (body, is_there) in [
        (r#"{"packages": {"psr/log": []}}"#, Some(true)),
        (r#"{"packages": {"Psr/Log": []}}"#, Some(true)),
        (r#"{"packages": {}}"#, Some(false)),
        (r#"{"packages": []}"#, Some(false)),
        (r#"{"packages": {"psr/other": []}}"#, Some(false)),
        (r#"{"status": "error"}"#, None),
        (r#"{"packages": "none"}"#, None),
        ("[]", None),
    ] {
        let server = Server::start(move |_| answer(200, &[], body)).await;
        let root =
            MirrorRoot::parse(server.base_url.url(), br#"{"metadata-url": "/p2/%package%.json"}"#).unwrap();
        let fetched =
            repository(server.base_url.as_str()).package(&root, &name("psr/log"), false, None).await;
        match (fetched, is_there) {
            (Ok(Fetched::Found { .. }), Some(true)) | (Ok(Fetched::Missing), Some(false)) => {}
            (Err(error), None) => {
                let asked = Asked::Package("psr/log".into());
                assert_eq!(problem(error), MirrorProblem::Unreadable { saw: Saw::OtherJson, asked });
            }
            (other, _) => panic!("{body}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn composer_1_is_understood_however_it_is_spoken() {
    for how in [Composer1::Hashed, Composer1::Lazy, Composer1::Included, Composer1::Inline] {
        let fake = FakeComposerRepository::start().await;
        fake.package("psr/log").version("1.0.0", &json!({})).version("dev-main", &json!({}));
        fake.package("psr/cache").version("2.0.0", &json!({}));
        fake.composer1(how);
        let upstream = repository(&fake.url());
        let root = upstream.root().await.unwrap();
        let (all, seen) = versions(&upstream, &root, "psr/log", false).await;
        assert_eq!(all, "dev-main 1.0.0", "{how:?}");
        assert_eq!(versions(&upstream, &root, "psr/cache", false).await.0, "2.0.0");
        let fetched = async |package: &str, is_dev, seen: Option<&str>| {
            repository(&fake.url()).package(&root, &name(package), is_dev, seen).await.unwrap()
        };
        assert_eq!(fetched("psr/log", true, None).await, Fetched::Missing, "{how:?}");
        assert_eq!(fetched("psr/nothing", false, None).await, Fetched::Missing, "{how:?}");
        assert_eq!(fetched("psr/log", false, Some(&seen)).await, Fetched::NotModified, "{how:?}");
        fake.package("psr/log").retag("1.0.0");
        assert!(matches!(fetched("psr/log", false, Some(&seen)).await, Fetched::Found { .. }), "{how:?}");
    }
}

#[tokio::test]
async fn lists_are_read_once_for_many_packages_and_their_checksums_count() {
    let fake = FakeComposerRepository::start().await;
    fake.seed("acme", 20).composer1(Composer1::Hashed);
    let upstream = repository(&fake.url());
    let root = upstream.root().await.unwrap();
    fake.forget_requests();
    for number in 1..=20 {
        versions(&upstream, &root, &format!("acme/p{number:04}"), false).await;
    }
    let asked = ["/packages.json", "/p/all*", "/p/acme/*"].map(|pattern| fake.calls(pattern));
    assert_eq!(asked, [1, 1, 20]);

    for (pattern, asked) in [("/p/acme/*", Asked::Package("acme/p0001".into())), ("/p/all*", Asked::List)] {
        fake.fail_next(pattern, Fault::Altered);
        let error =
            repository(&fake.url()).package(&root, &name("acme/p0001"), false, None).await.unwrap_err();
        let problem = problem(error);
        // What was altered may be no JSON any more.
        let is_told = matches!(&problem, MirrorProblem::WrongHash { .. } | MirrorProblem::Unreadable { .. });
        assert!(is_told, "{asked:?}: {problem:?}");
    }
    fake.composer1(Composer1::Included).fail_next("/include/*", Fault::status(404, "gone"));
    let root = upstream.root().await.unwrap();
    let error = repository(&fake.url()).package(&root, &name("acme/p0001"), false, None).await.unwrap_err();
    assert_eq!(problem(error), MirrorProblem::NotFound { asked: Asked::List });
}

#[tokio::test]
async fn a_key_is_shown_to_its_own_host_alone() {
    let secret = |secret| Some((secret, "127.0.0.1"));
    let basic = ComposerSecret::Basic { username: "ada".into(), password: Secret::new("hunter2") };
    let header = ComposerSecret::Header { name: "X-Api-Key".into(), value: Secret::new("hunter2") };
    for (key, works) in [
        (secret(basic.clone()), true),
        (secret(ComposerSecret::Bearer(Secret::new("hunter2"))), true),
        (secret(header), true),
        (Some((basic, "other.example.com")), false),
        (None, false),
    ] {
        let (fake, elsewhere) =
            (FakeComposerRepository::start().await, FakeComposerRepository::start().await);
        match key.as_ref().map(|(secret, _)| secret) {
            Some(ComposerSecret::Bearer(_)) => fake.require_bearer("hunter2"),
            Some(ComposerSecret::Header { .. }) => fake.require_header("x-api-key", "hunter2"),
            _ => fake.require_basic("ada", "hunter2"),
        };
        elsewhere.package("psr/log").version("1.0.0", &json!({}));
        let authority = fake.url().replace("http://", "");
        let key = key.map(|(secret, host)| ComposerKey {
            host: if host == "127.0.0.1" { authority } else { host.to_owned() },
            secret,
        });
        let is_known = works;
        let upstream = ComposerRepository::new(http(), ComposerSite { key, ..site(&fake.url()) });
        match upstream.root().await {
            Ok(_) => assert!(works),
            Err(error) => {
                assert!(!works, "{error}");
                assert_eq!(problem(error), MirrorProblem::Unauthorized { is_known });
            }
        }
        // Archives elsewhere: named so in the metadata, or pointed to.
        let url = elsewhere.package("psr/log").dist_url("1.0.0");
        fake.fail("/moved.zip", Fault::Redirect(url.clone()));
        for url in [url, format!("{}/moved.zip", fake.url())] {
            let (bytes, fetched) = dist(&upstream, &url, 1_000_000).await;
            assert_eq!(fetched.unwrap().size_bytes, u64::try_from(bytes.len()).unwrap());
        }
        let told = |request: &stave_testkit::RecordedRequest| {
            request.header("authorization").is_some() || request.header("x-api-key").is_some()
        };
        assert!(!elsewhere.requests().iter().any(told), "{:?}", elsewhere.requests());
        assert_eq!(fake.requests().iter().all(told), works);
    }
}

#[tokio::test]
async fn a_key_that_is_not_taken_is_told_from_none() {
    let fake = FakeComposerRepository::start().await;
    fake.require_bearer("right");
    let key = ComposerKey {
        host: fake.url().replace("http://", ""),
        secret: ComposerSecret::Bearer(Secret::new("wrong")),
    };
    let upstream = ComposerRepository::new(http(), ComposerSite { key: Some(key), ..site(&fake.url()) });
    let error = upstream.root().await.unwrap_err();
    assert!(!error.to_string().contains("wrong") && !format!("{error:?}").contains("wrong"), "{error:?}");
    assert_eq!(problem(error), MirrorProblem::Unauthorized { is_known: true });
    fake.fail("/packages.json", Fault::status(403, "{}"));
    let forbidden = |is_known| MirrorProblem::Forbidden { is_known, asked: Asked::Root };
    assert_eq!(problem(upstream.root().await.unwrap_err()), forbidden(true));
    assert_eq!(problem(repository(&fake.url()).root().await.unwrap_err()), forbidden(false));
}

#[tokio::test]
async fn no_failure_is_an_absence() {
    let fake = FakeComposerRepository::start().await;
    fake.package("psr/log").version("1.0.0", &json!({}));
    let upstream = ComposerRepository::new(
        http(),
        ComposerSite { timeout: MirrorTimeout(Some(1)), ..site(&fake.url()) },
    );
    let root = upstream.root().await.unwrap();
    let asked = || Asked::Package("psr/log".into());
    let status = |status| MirrorProblem::Status { status, asked: asked() };
    let unreadable = |saw| MirrorProblem::Unreadable { saw, asked: asked() };
    for (fault, expected, is_transient) in [
        (Fault::status(500, "<html>"), status(500), true),
        (Fault::status(503, ""), status(503), true),
        (Fault::status(418, ""), status(418), false),
        (Fault::status(204, ""), status(204), false),
        (Fault::status(401, "{}"), MirrorProblem::Unauthorized { is_known: false }, false),
        (Fault::status(403, "{}"), MirrorProblem::Forbidden { is_known: false, asked: asked() }, false),
        (Fault::RateLimit, MirrorProblem::RateLimited { retry_after: None }, true),
        (Fault::status(200, "<!DOCTYPE html><title>Log in</title>"), unreadable(Saw::WebPage), true),
        (Fault::status(200, ""), unreadable(Saw::Nothing), true),
        (Fault::status(200, "{\"packages\": {\"psr/log\": [{"), unreadable(Saw::CutOff), true),
        (Fault::status(200, "busy"), unreadable(Saw::NoJson), false),
    ] {
        fake.fail_next("/p2/psr/log.json", fault.clone());
        let error = upstream.package(&root, &name("psr/log"), false, None).await.unwrap_err();
        assert_eq!(error.is_transient(), is_transient, "{fault:?}");
        assert_eq!(problem(error), expected, "{fault:?}");
    }
    for (fault, obstacle) in [
        (Fault::Truncated, Obstacle::BrokenOff),
        (Fault::Reset, Obstacle::BrokenOff),
        (Fault::Hang, Obstacle::TimedOut),
        (Fault::Slow(Duration::from_secs(3)), Obstacle::TimedOut),
    ] {
        fake.fail_next("/p2/psr/log.json", fault.clone());
        let error = upstream.package(&root, &name("psr/log"), false, None).await.unwrap_err();
        assert!(error.is_transient(), "{error}");
        match problem(error) {
            MirrorProblem::Unreachable { obstacle: found, .. } => assert_eq!(found, obstacle, "{fault:?}"),
            other => panic!("{fault:?}: {other:?}"),
        }
    }
    for fault in [Fault::status(404, "<html>"), Fault::gone()] {
        fake.fail_next("/p2/psr/log.json", fault);
        assert_eq!(upstream.package(&root, &name("psr/log"), false, None).await.unwrap(), Fetched::Missing);
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nowhere = repository(&format!("http://{}", listener.local_addr().unwrap()));
    drop(listener);
    match problem(nowhere.root().await.unwrap_err()) {
        MirrorProblem::Unreachable { obstacle, .. } => assert_eq!(obstacle, Obstacle::ConnectionRefused),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_no_packages_json_is_told() {
    let fake = FakeComposerRepository::start().await;
    let upstream = repository(&fake.url());
    let unreadable = |saw| MirrorProblem::Unreadable { saw, asked: Asked::Root };
    for (fault, expected) in [
        (Fault::status(404, ""), MirrorProblem::NotFound { asked: Asked::Root }),
        (Fault::status(200, "<html>"), unreadable(Saw::WebPage)),
        (Fault::status(200, "{\"packages\": "), unreadable(Saw::CutOff)),
        (
            Fault::Redirect(format!("{}/packages.json", fake.url())),
            MirrorProblem::Circles { asked: Asked::Root },
        ),
    ] {
        fake.fail("/packages.json", fault);
        assert_eq!(problem(upstream.root().await.unwrap_err()), expected);
        fake.heal();
    }
    for body in ["{}", "{\"error\": \"no\"}", "{\"metadata-url\": \"gopher://x/%package%\"}", "[]"] {
        fake.fail_next("/packages.json", Fault::status(200, body));
        assert!(matches!(problem(upstream.root().await.unwrap_err()), MirrorProblem::Odd(_)), "{body}");
    }
    // A repository may have moved, and says so.
    let new = FakeComposerRepository::start().await;
    fake.fail("/packages.json", Fault::Redirect(format!("{}/packages.json", new.url())));
    assert!(upstream.root().await.is_ok());
}

#[tokio::test]
async fn a_redirect_leads_to_no_address_that_is_refused() {
    let server = Server::start(|_| answer(302, &["location: http://169.254.169.254/latest"], "")).await;
    for error in [
        repository(server.base_url.as_str()).root().await.unwrap_err(),
        match dist(&repository(server.base_url.as_str()), server.base_url.as_str(), 100).await.1 {
            Err(DistError::Upstream(error)) => error,
            other => panic!("{other:?}"),
        },
    ] {
        match problem(error) {
            MirrorProblem::Unreachable { obstacle: Obstacle::AddressRefused(_), .. } => {}
            other => panic!("{other:?}"),
        }
    }
    let file = Server::start(|_| answer(302, &["location: file:///etc/passwd"], "")).await;
    let error = repository(file.base_url.as_str()).root().await.unwrap_err();
    assert_eq!(problem(error), MirrorProblem::Status { status: 302, asked: Asked::Root });
}

#[tokio::test]
async fn packed_files_are_unpacked_and_too_large_ones_are_not_taken() {
    let packed = |text: &[u8]| {
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        packed.write_all(text).unwrap();
        let body = packed.finish().unwrap();
        let head =
            format!("HTTP/1.1 200 x\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", body.len());
        [head.into_bytes(), body].concat()
    };
    let root = packed(br#"{"packages": [], "metadata-url": "/p2/%package%.json"}"#);
    // More than the 8 MiB that other answers may have, and more than anybody takes.
    let large = format!("{{\"packages\": {{\"psr/log\": []}}, \"x\": \"{}\"}}", "x".repeat(20 * 1024 * 1024));
    let (large, bomb) = (packed(large.as_bytes()), packed(&vec![b' '; 80 * 1024 * 1024]));
    let server = Server::start(move |request| match request {
        _ if request.starts_with("GET /packages.json") => root.clone(),
        _ if request.starts_with("GET /p2/psr/log.json") => large.clone(),
        _ => bomb.clone(),
    })
    .await;
    let upstream = repository(server.base_url.as_str());
    let root = upstream.root().await.unwrap();
    assert_eq!(versions(&upstream, &root, "psr/log", false).await.0, "");
    let error = upstream.package(&root, &name("psr/bomb"), false, None).await.unwrap_err();
    assert_eq!(problem(error), MirrorProblem::TooLarge { asked: Asked::Package("psr/bomb".into()) });
}

#[tokio::test]
async fn what_has_changed_is_told_from_one_time_to_the_next() {
    let fake = FakeComposerRepository::start().await;
    fake.package("psr/log").version("1.0.0", &json!({}));
    let upstream = repository(&fake.url());
    let root = upstream.root().await.unwrap();
    let first = upstream.changes(&root, None).await.unwrap();
    assert!(first.is_resync && first.next > 0 && first.updated.is_empty());
    let none = upstream.changes(&root, Some(first.next)).await.unwrap();
    assert!(!none.is_resync && none.updated.is_empty() && none.deleted.is_empty(), "{none:?}");

    fake.package("psr/log").version("dev-main", &json!({}));
    fake.package("psr/cache").version("1.0.0", &json!({}));
    fake.package("psr/gone").version("1.0.0", &json!({}));
    fake.remove_package("psr/gone");
    let some = upstream.changes(&root, Some(none.next)).await.unwrap();
    assert_eq!(some.updated, [name("psr/cache"), name("psr/log")].into());
    assert_eq!(some.deleted, [name("psr/gone")].into());
    assert!(upstream.changes(&root, Some(some.next)).await.unwrap().updated.is_empty());

    fake.forget_changes().package("psr/log").retag("1.0.0");
    assert!(upstream.changes(&root, Some(some.next)).await.unwrap().is_resync);
    fake.fail_next("/metadata/*", Fault::status(200, "<html>"));
    let problem_of = |saw| MirrorProblem::Unreadable { saw, asked: Asked::Changes };
    assert_eq!(
        problem(upstream.changes(&root, Some(some.next)).await.unwrap_err()),
        problem_of(Saw::WebPage)
    );
    fake.fail_next(
        "/metadata/*",
        Fault::status(200, r#"{"actions": [{"type": "?", "package": "a/b"}], "timestamp": 1}"#),
    );
    assert_eq!(problem(upstream.changes(&root, None).await.unwrap_err()), problem_of(Saw::OtherJson));
    let root = repository(&fake.without_feed().url()).root().await.unwrap();
    assert!(root.changes_url.is_none() && upstream.changes(&root, Some(7)).await.unwrap().is_resync);
}

#[tokio::test]
async fn warnings_and_lists_are_asked_for_in_batches() {
    let fake = FakeComposerRepository::start().await;
    fake.seed("acme", 3);
    fake.package("acme/p0001").advisory("PKSA-1", "<1.1").advisory("PKSA-2", "what?");
    fake.package("acme/p0002").malware("1.0.0", "It steals.").malware("what?", "?");
    let upstream = repository(&fake.url());
    let root = upstream.root().await.unwrap();
    let mut names: Vec<_> = (1..=3).map(|number| name(&format!("acme/p{number:04}"))).collect();
    names.extend((0..600).map(|number| name(&format!("other/p{number}"))));
    let advisories = upstream.advisories(&root, &names).await.unwrap();
    let [(package, found)] = advisories.into_iter().collect::<Vec<_>>().try_into().unwrap();
    assert_eq!((package, found.len()), (name("acme/p0001"), 1));
    assert!(found[0].is_full() && found[0].id == "PKSA-1", "{found:?}");
    assert_eq!(fake.calls("POST /api/security-advisories/"), 2);

    for has_api in [true, false] {
        if !has_api {
            let filter = json!({"metadata": true, "lists": {"malware": {"enabled": true}}, "summary-url": "/filter/summary.json"});
            fake.root_keys(&json!({"filter": filter})).package("acme/p0003").malware("1.1.0", "It lies.");
        }
        let root = upstream.root().await.unwrap();
        let filters = upstream.filters(&root, &names).await.unwrap();
        let (package, constraint) = if has_api { (1, "1.0.0") } else { (2, "1.1.0") };
        assert_eq!(filters[&names[package]]["malware"][0]["constraint"], constraint, "{filters:?}");
    }
    assert_eq!(["/api/filter", "/filter/summary.json"].map(|path| fake.calls(path)), [2, 1]);
    fake.root_keys(&json!({"filter": null, "security-advisories": {"metadata": true}}));
    let root = upstream.root().await.unwrap();
    assert!(upstream.filters(&root, &names).await.unwrap().is_empty());
    assert!(upstream.advisories(&root, &names).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_archive_is_streamed_with_its_checksums() {
    let fake = FakeComposerRepository::start().await;
    let log = fake.package("psr/log");
    log.version_of("1.0.0", &json!({}), 3_000_000);
    let (url, expected) = (log.dist_url("1.0.0"), log.dist_bytes("1.0.0"));
    let upstream = repository(&fake.url());
    let size = u64::try_from(expected.len()).unwrap();
    let (bytes, fetched) = dist(&upstream, &url, size).await;
    let hex = |bytes: &[u8]| {
        bytes.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).map(char::from).collect::<String>()
    };
    let sums = DistFetched {
        size_bytes: size,
        shasum: hex(&Sha1::digest(&expected)),
        digest: hex(&Sha256::digest(&expected)),
    };
    assert_eq!((fetched.unwrap(), bytes == expected), (sums.clone(), true));

    let too_large = MirrorProblem::TooLarge { asked: Asked::Dist };
    assert_eq!(dist_problem(dist(&upstream, &url, size - 1).await.1), too_large);
    let endless =
        Server::start(|_| [b"HTTP/1.1 200 x\r\n\r\n".to_vec(), vec![b'x'; 2_000_000]].concat()).await;
    assert_eq!(dist_problem(dist(&upstream, endless.base_url.as_str(), 1_000_000).await.1), too_large);

    fake.fail_next("/dists/*", Fault::Altered);
    let (bytes, fetched) = dist(&upstream, &url, size).await;
    let fetched = fetched.unwrap();
    assert_ne!(fetched.shasum, sums.shasum, "whoever knows the checksum sees that it is another one");
    assert_eq!((fetched.size_bytes, fetched.digest), (size, hex(&Sha256::digest(&bytes))));

    let unreadable = |saw| MirrorProblem::Unreadable { saw, asked: Asked::Dist };
    for (fault, expected) in [
        (Fault::status(404, "<html>"), MirrorProblem::NotFound { asked: Asked::Dist }),
        (Fault::status(500, ""), MirrorProblem::Status { status: 500, asked: Asked::Dist }),
        (Fault::status(200, "\n<!DOCTYPE html>"), unreadable(Saw::WebPage)),
        (Fault::status(200, ""), unreadable(Saw::Nothing)),
    ] {
        fake.fail_next("/dists/*", fault);
        assert_eq!(dist_problem(dist(&upstream, &url, size).await.1), expected);
    }
    for fault in [Fault::Truncated, Fault::Reset] {
        fake.fail_next("/dists/*", fault);
        match dist_problem(dist(&upstream, &url, size).await.1) {
            MirrorProblem::Unreachable { obstacle, .. } => assert_eq!(obstacle, Obstacle::BrokenOff),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn an_archive_may_be_slow_but_not_stand_still() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/x.zip", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for stands_still in [false, true] {
            let (mut stream, _) = listener.accept().await.unwrap();
            _ = stream.read(&mut [0; 4096]).await;
            _ = stream.write_all(b"HTTP/1.1 200 x\r\ncontent-length: 5\r\n\r\n").await;
            for _ in 0..5 {
                tokio::time::sleep(Duration::from_millis(if stands_still { 60_000 } else { 400 })).await;
                _ = stream.write_all(b"x").await;
            }
        }
    });
    let upstream =
        ComposerRepository::new(http(), ComposerSite { timeout: MirrorTimeout(Some(1)), ..site(&url) });
    assert_eq!(dist(&upstream, &url, 100).await.1.unwrap().size_bytes, 5);
    match dist_problem(dist(&upstream, &url, 100).await.1) {
        MirrorProblem::Unreachable { obstacle, .. } => assert_eq!(obstacle, Obstacle::TimedOut),
        other => panic!("{other:?}"),
    }
}

/// A disk that is full after so many bytes.
struct SmallDisk(usize);

impl tokio::io::AsyncWrite for SmallDisk {
    fn poll_write(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
        bytes: &[u8],
    ) -> std::task::Poll<std::io::Result<usize>> {
        let written = bytes.len().min(self.0);
        self.0 -= written;
        let full = || std::io::Error::from(std::io::ErrorKind::StorageFull);
        std::task::Poll::Ready(if written == 0 { Err(full()) } else { Ok(written) })
    }

    fn poll_flush(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn poll_shutdown(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::task::Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn a_full_disk_is_nobody_elses_fault() {
    let fake = FakeComposerRepository::start().await;
    fake.package("psr/log").version_of("1.0.0", &json!({}), 100_000);
    let url = fake.package("psr/log").dist_url("1.0.0").parse().unwrap();
    let fetched = repository(&fake.url()).dist(&url, &mut SmallDisk(10_000), 1_000_000).await;
    let Err(error @ DistError::Write(_)) = fetched else { panic!("{fetched:?}") };
    assert!(error.to_string().ends_with("Look whether the disk is full."), "{error}");
}
