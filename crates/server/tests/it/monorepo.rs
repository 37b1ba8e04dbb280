//! One repository with several packages: each has its own versions, archives and page.

use crate::support::{Answer, Browser, TestStave};
use stave_testkit::Composer;

const BOX: (&str, &str) = ("has_paths", "on");

/// Adds a repository whose packages are where `paths` say, and waits until it was read; returns its page.
async fn import(stave: &TestStave, browser: &Browser, url: &str, paths: &str) -> Answer {
    let typed = [("url", url), ("credential", "auto"), BOX, ("paths", paths)];
    let page = browser.send("/orgs/acme/packages", &typed).await;
    assert_eq!(page.status, 200, "{}", page.text());
    stave.settled(browser, page.url.path()).await
}

/// The versions of a package in the order of its document, as `composer show` lists them.
async fn versions(composer: &Composer, name: &str) -> String {
    let run = composer.run(&["show", "--available", name]).await;
    assert!(run.success(), "{run}");
    let line =
        run.output.lines().find(|line| line.starts_with("versions")).unwrap_or_else(|| panic!("{run}"));
    line.split_once(':').expect("versions : ..").1.trim().to_owned()
}

/// What somebody gets who asks for a zip by the name and commit in a lock file.
async fn dist(stave: &TestStave, token: &str, name: &str, commit: &str) -> u16 {
    let address = format!("{}/repo/acme/dists/{name}/{commit}.zip", stave.url);
    let answer = reqwest::Client::new().get(address).basic_auth("token", Some(token)).send().await;
    answer.unwrap().status().as_u16()
}

/// Where the page of a package is.
async fn page_of(browser: &Browser, name: &str) -> String {
    browser.open(&format!("/orgs/acme/packages/{name}")).await.url.path().to_owned()
}

#[tokio::test]
async fn composer_installs_two_packages_of_one_repository() {
    let (stave, ada) = TestStave::with_acme().await;
    let repository = stave.bitbucket.workspace("acme").repository("tools");
    repository.push(|git| {
        let first = git.commit(
            "main",
            &[
                (".gitattributes", "/packages export-ignore\n"),
                ("README.md", "tools"),
                (
                    "packages/mail/composer.json",
                    r#"{"name": "acme/mail", "archive": {"exclude": ["/tests"]}}"#,
                ),
                ("packages/mail/src/Mail.php", "<?php // 1.0"),
                ("packages/mail/tests/MailTest.php", "<?php"),
                ("packages/log/composer.json", r#"{"name": "acme/log", "require": {"acme/mail": "^1.0"}}"#),
                ("packages/nothing/README.md", "no package"),
                ("other/composer.json", r#"{"name": "acme/other"}"#),
            ],
        );
        git.tag("v1.0.0", &first);
        let second = git.commit("main", &[("packages/mail/src/Mail.php", "<?php // 1.1")]);
        git.tag("mail/v1.1.0", &second);
        git.tag("acme/log@2.0.0", &second);
    });
    let page = import(&stave, &ada, &repository.clone_url(), "packages/*").await;
    page.shows("acme/mail").shows("packages/log").hides("acme/other").hides("packages/nothing");

    let composer = stave.composer(&ada).await;
    assert_eq!(versions(&composer, "acme/mail").await, "v1.1.0, v1.0.0, dev-main");
    assert_eq!(versions(&composer, "acme/log").await, "2.0.0, v1.0.0, dev-main");
    let run = composer.require("acme/log").await;
    assert!(run.success(), "{run}");
    assert_eq!(composer.file("vendor/acme/mail/src/Mail.php").as_deref(), Some("<?php // 1.1"));
    assert!(composer.file("vendor/acme/log/composer.json").is_some());
    for absent in
        ["acme/mail/tests/MailTest.php", "acme/mail/README.md", "acme/mail/packages/mail/composer.json"]
    {
        assert_eq!(composer.file(&format!("vendor/{absent}")), None, "{absent}");
    }
    let lock = composer.file("composer.lock").expect("a lock file");
    assert!(!lock.contains(r#""source""#), "Composer would clone the whole repository: {lock}");

    ada.open(&page_of(&ada, "acme/mail").await)
        .await
        .shows("packages/mail")
        .shows("v1.1.0")
        .hides("acme/log@2.0.0");
}

#[tokio::test]
async fn a_package_that_was_deleted_does_not_come_back() {
    let (stave, ada) = TestStave::with_acme().await;
    let repository = stave.bitbucket.workspace("acme").repository("tools");
    let manifests =
        [("a/composer.json", r#"{"name": "acme/a"}"#), ("b/composer.json", r#"{"name": "acme/b"}"#)];
    repository.commit("main", &manifests);
    let page = import(&stave, &ada, &repository.clone_url(), "*").await;
    ada.send(&format!("{}/delete", page_of(&ada, "acme/b").await), &[]).await.shows("acme/a").hides("acme/b");
    repository.commit("main", &[("b/README.md", "still here"), ("c/composer.json", r#"{"name": "acme/c"}"#)]);
    ada.send(&format!("{}/update", page.url.path()), &[]).await;
    stave.settled(&ada, page.url.path()).await.shows("acme/c").shows("!b").hides("acme/b");

    // The last one takes the repository along, and then it can be added again.
    ada.send(&format!("{}/delete", page_of(&ada, "acme/c").await), &[]).await;
    ada.send(&format!("{}/delete", page_of(&ada, "acme/a").await), &[]).await;
    assert_eq!(ada.open(page.url.path()).await.status, 404);
    import(&stave, &ada, &repository.clone_url(), "b").await.shows("acme/b").hides("acme/a");
}

#[tokio::test]
async fn paths_can_be_changed() {
    let (stave, ada) = TestStave::with_acme().await;
    let repository = stave.bitbucket.workspace("acme").repository("tools");
    let manifests = [
        ("composer.json", r#"{"name": "acme/tools"}"#),
        ("a/composer.json", r#"{"name": "acme/a"}"#),
        ("odd/composer.json", r#"{"name": "Odd Name"}"#),
    ];
    repository.commit("main", &manifests);
    let package = stave.import(&ada, &repository.clone_url(), "auto").await;
    package.shows("acme/tools");
    let form = ada.open(&format!("{}/edit", package.url.path())).await;
    let edit = form.url.path().to_owned();
    let typed = |paths| {
        [
            ("url", repository.clone_url()),
            ("credential", "auto".into()),
            (BOX.0, BOX.1.into()),
            ("paths", paths),
        ]
    };
    let send_paths = async |paths: &str| {
        let typed: [(&str, String); 4] = typed(paths.to_owned());
        ada.send(&edit, &typed.each_ref().map(|(name, value)| (*name, value.as_str()))).await
    };
    send_paths("../x").await.shows("not a path inside the repository");
    send_paths(" ").await.shows("Name the folders");
    let page = send_paths("*\n.").await;
    let page = stave.settled(&ada, page.url.path()).await;
    page.shows("acme/tools").shows("acme/a").shows("has no usable name");
    let composer = stave.composer(&ada).await;
    assert_eq!(versions(&composer, "acme/a").await, "dev-main");

    let page = send_paths("a").await;
    let page = stave.settled(&ada, page.url.path()).await;
    page.shows("no longer name this folder");
    composer.forget_cache();
    assert!(!composer.require("acme/tools:dev-main").await.success());
    assert_eq!(versions(&composer, "acme/a").await, "dev-main");
}

#[tokio::test]
async fn a_repository_that_was_emptied_publishes_nothing_but_lock_files_work() {
    let (stave, ada) = TestStave::with_acme().await;
    let repository = stave.bitbucket.workspace("acme").repository("lib");
    repository.tag("1.0.0", r#"{"name": "acme/lib"}"#);
    let page = stave.import(&ada, &repository.clone_url(), "auto").await;
    let composer = stave.composer(&ada).await;
    let run = composer.require("acme/lib:1.0.0").await;
    assert!(run.success(), "{run}");

    repository.push(|git| {
        git.reference_delete("refs/tags/1.0.0");
        git.reference_delete("refs/heads/main");
    });
    ada.send(&format!("{}/update", page.url.path()), &[]).await;
    stave.settled(&ada, page.url.path()).await.shows("The repository is empty.").shows("acme/lib");
    composer.forget_cache().remove("vendor");
    let run = composer.install().await;
    assert!(run.success(), "lock files keep working: {run}");
    composer.remove("composer.lock");
    assert!(!composer.update().await.success(), "no version is offered any more");

    repository.commit("main", &[("composer.json", r#"{"name": "acme/lib"}"#)]);
    ada.send(&format!("{}/update", page.url.path()), &[]).await;
    stave.settled(&ada, page.url.path()).await.shows("dev-main").hides("The repository is empty.");
}

#[tokio::test]
async fn a_name_belongs_to_one_package() {
    let (stave, ada) = TestStave::with_acme().await;
    let acme = stave.bitbucket.workspace("acme");
    let (first, second) = (acme.repository("first"), acme.repository("second"));
    first.commit("main", &[("composer.json", r#"{"name": "acme/a"}"#)]);
    let manifests =
        [("a/composer.json", r#"{"name": "acme/a"}"#), ("b/composer.json", r#"{"name": "acme/b"}"#)];
    second.commit("main", &manifests);
    let package = stave.import(&ada, &first.clone_url(), "auto").await;
    let page = import(&stave, &ada, &second.clone_url(), "*").await;
    page.shows("acme/b").shows("reads that package from").shows("acme/first");
    ada.send(&format!("{}/delete", package.url.path()), &[]).await;
    ada.send(&format!("{}/update", page.url.path()), &[]).await;
    stave.settled(&ada, page.url.path()).await.hides("reads that package from").shows("acme/a");
}

#[tokio::test]
async fn lock_files_from_before_a_renaming_get_the_right_zip_or_none() {
    let (stave, ada) = TestStave::with_acme().await;
    let acme = stave.bitbucket.workspace("acme");
    let (lib, tools) = (acme.repository("lib"), acme.repository("tools"));
    lib.commit("main", &[("composer.json", r#"{"name": "acme/lib"}"#)]);
    let manifests =
        [("a/composer.json", r#"{"name": "acme/a"}"#), ("b/composer.json", r#"{"name": "acme/b"}"#)];
    tools.commit("main", &manifests);
    let pages = [
        stave.import(&ada, &lib.clone_url(), "auto").await,
        import(&stave, &ada, &tools.clone_url(), "*").await,
    ];
    let [of_lib, of_tools] = [&lib, &tools].map(|it| it.git().resolve("HEAD").expect("a commit"));
    lib.commit("main", &[("composer.json", r#"{"name": "acme/library"}"#)]);
    tools.commit("main", &[("a/composer.json", r#"{"name": "acme/alpha"}"#)]);
    for page in pages {
        ada.send(&format!("{}/update", page.url.path()), &[]).await;
        stave.settled(&ada, page.url.path()).await;
    }
    let adas = stave.token(&ada).await;
    for (name, commit, status, why) in [
        ("acme/lib", &of_lib, 200, "it has another name now"),
        ("acme/library", &of_lib, 200, "and this is it"),
        ("acme/b", &of_tools, 200, "it has the same name"),
        ("acme/alpha", &of_tools, 200, "it is the same folder"),
        ("acme/a", &of_tools, 404, "either folder could be meant"),
    ] {
        assert_eq!(dist(&stave, &adas, name, commit).await, status, "{name}: {why}");
    }

    // Whoever sees one folder only gets nothing by another name either: it could be that of the other.
    ada.send(&format!("{}/access", page_of(&ada, "acme/b").await), &[("readers", "teams")]).await;
    let grace = stave.browser();
    stave.sign_in(&grace, "grace").await;
    grace.send("/login/register", &[("username", "grace"), ("name", ""), ("email", "")]).await;
    ada.send("/orgs/acme/teams", &[("who", "grace"), ("role", "member")]).await.shows("grace");
    let hers = stave.token(&grace).await;
    for (name, status) in [("acme/alpha", 200), ("acme/a", 404), ("acme/b", 404)] {
        assert_eq!(dist(&stave, &hers, name, &of_tools).await, status, "{name}");
    }
}
