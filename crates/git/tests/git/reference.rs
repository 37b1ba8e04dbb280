//! Branches, tags and manifests as a fetch finds them.

use crate::{
    server::{Mood, Server, fetch},
    source::{Source, object},
};
use stave_git::{GitError, Manifest, Mirror, Reference, Target, Tree};
use std::{collections::BTreeMap, fs, path::Path, time::SystemTime};

fn names(references: &[Reference]) -> Vec<&str> {
    references.iter().map(|reference| reference.name.as_str()).collect()
}

fn commit_of(reference: &Reference) -> &str {
    match &reference.target {
        Target::Commit { id, .. } => id,
        other => panic!("{} is {other:?}", reference.name),
    }
}

fn files(folder: &Path) -> BTreeMap<String, SystemTime> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        found.insert(entry.path().display().to_string(), entry.metadata().unwrap().modified().unwrap());
        if entry.path().is_dir() {
            found.append(&mut files(&entry.path()));
        }
    }
    found
}

#[test]
fn a_mirror_follows_branches_tags_and_the_default_branch() {
    let source = Source::with_manifest(r#"{"name": "acme/mailer"}"#);
    let first = source.git(&["rev-parse", "HEAD"]);
    source.git(&["tag", "v1.0.0"]);
    source.git(&["tag", "--annotate", "--message", "x", "v1.1.0"]);
    source.git(&["tag", "--annotate", "--message", "x", "tag-of-tag", "v1.1.0"]);
    source.git(&["branch", "1.x"]);
    let server = Server::start(&source);
    let folder = tempfile::tempdir().unwrap();
    let mut mirror = Mirror::open_or_create(&folder.path().join("m")).unwrap();
    assert!(fetch(&mut mirror, &server.url()).unwrap().changed);

    let found = mirror.references().unwrap();
    assert_eq!(found.default_branch.as_deref(), Some("main"));
    assert_eq!(names(&found.branches), ["1.x", "main"]);
    assert_eq!(names(&found.tags), ["tag-of-tag", "v1.0.0", "v1.1.0"]);
    for tag in &found.tags {
        assert_eq!(commit_of(tag), first);
    }
    assert!(
        matches!(found.tags[0].target, Target::Commit { author_at, .. } if author_at.as_second() == 1_700_000_000)
    );

    // One more commit, a moved tag, a branch less, another default branch.
    let second = source.commit(&[("a", "b")]);
    source.git(&["tag", "--force", "v1.0.0"]);
    source.git(&["branch", "--delete", "1.x"]);
    source.git(&["branch", "--move", "trunk"]);
    assert!(fetch(&mut mirror, &server.url()).unwrap().changed);
    let found = mirror.references().unwrap();
    assert_eq!(found.default_branch.as_deref(), Some("trunk"));
    assert_eq!(names(&found.branches), ["trunk"]);
    assert_eq!(commit_of(&found.branches[0]), second);
    assert_eq!(commit_of(&found.tags[1]), second);
}

#[test]
fn nothing_new_costs_one_listing_and_writes_nothing() {
    let source = Source::with_manifest("{}");
    let server = Server::start(&source);
    let folder = tempfile::tempdir().unwrap();
    let mut mirror = Mirror::open_or_create(&folder.path().join("m")).unwrap();
    fetch(&mut mirror, &server.url()).unwrap();
    let before = files(folder.path());
    server.seen();
    assert!(!fetch(&mut mirror, &server.url()).unwrap().changed);
    let lines: Vec<String> = server.seen().into_iter().map(|seen| seen.line).collect();
    assert_eq!(lines.len(), 2, "the greeting and ls-refs: {lines:?}");
    assert_eq!(files(folder.path()), before);
}

#[test]
fn odd_names_and_targets_break_nothing() {
    let source = Source::with_manifest(r#"{"name": "acme/mailer"}"#);
    for branch in ["it's", "quo\"ted", "ünï/cödé", "a+b=c,d;e&f", "$(id)", "feat/sub"] {
        source.git(&["branch", branch]);
    }
    let blob = source.git(&["rev-parse", "HEAD:composer.json"]);
    let tree = source.git(&["rev-parse", "HEAD^{tree}"]);
    source.git(&["tag", "a-blob", &blob]);
    source.git(&["tag", "--annotate", "--message", "x", "a-tagged-blob", &blob]);
    source.git(&["tag", "a-tree", &tree]);
    source.git(&["tag", "v1"]);
    let server = Server::start(&source);
    let folder = tempfile::tempdir().unwrap();
    let mut mirror = Mirror::open_or_create(&folder.path().join("m")).unwrap();
    fetch(&mut mirror, &server.url()).unwrap();
    let found = mirror.references().unwrap();
    assert_eq!(
        names(&found.branches),
        ["$(id)", "a+b=c,d;e&f", "feat/sub", "it's", "main", "quo\"ted", "ünï/cödé"]
    );
    let targets: Vec<_> = found
        .tags
        .iter()
        .map(|tag| (tag.name.as_str(), matches!(tag.target, Target::Commit { .. })))
        .collect();
    assert_eq!(targets, [("a-blob", false), ("a-tagged-blob", false), ("a-tree", false), ("v1", true)]);

    // A branch takes the name of what was a folder of branches, and back; blob tags are known already.
    for (old, new) in [("feat/sub", "feat"), ("feat", "feat/sub")] {
        source.git(&["branch", "--move", old, new]);
        source.commit(&[("x", new)]);
        assert!(fetch(&mut mirror, &server.url()).unwrap().changed);
        let found = mirror.references().unwrap();
        assert!(names(&found.branches).contains(&new) && !names(&found.branches).contains(&old));
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is written outside of the mirror");
}

#[test]
fn an_old_server_will_do() {
    let source = Source::with_manifest("{}");
    source.git(&["tag", "--annotate", "--message", "x", "v1"]);
    source.git(&["update-ref", "refs/pull/1/head", "HEAD"]);
    let server = Server::start(&source);
    server.becomes(Mood::Old);
    let folder = tempfile::tempdir().unwrap();
    let mut mirror = Mirror::open_or_create(&folder.path().join("m")).unwrap();
    for round in 0..3 {
        assert!(fetch(&mut mirror, &server.url()).unwrap().changed);
        assert!(!fetch(&mut mirror, &server.url()).unwrap().changed);
        let found = mirror.references().unwrap();
        assert_eq!(found.default_branch.as_deref(), Some("main"));
        assert_eq!((names(&found.branches), names(&found.tags)), (vec!["main"], vec!["v1"]));
        source.commit(&[("round", &round.to_string())]);
    }
}

#[test]
fn an_empty_repository_has_no_references() {
    let source = Source::new();
    let server = Server::start(&source);
    let folder = tempfile::tempdir().unwrap();
    let mut mirror = Mirror::open_or_create(&folder.path().join("m")).unwrap();
    fetch(&mut mirror, &server.url()).unwrap();
    assert!(!fetch(&mut mirror, &server.url()).unwrap().changed);
    let found = mirror.references().unwrap();
    assert_eq!((found.default_branch, found.tags.len(), found.branches.len()), (None, 0, 0));

    source.commit(&[("composer.json", "{}")]);
    assert!(fetch(&mut mirror, &server.url()).unwrap().changed);
    assert_eq!(mirror.references().unwrap().default_branch.as_deref(), Some("main"));
    // Everything deleted again.
    source.git(&["checkout", "--quiet", "--detach"]);
    source.git(&["branch", "--delete", "--force", "main"]);
    source.git(&["symbolic-ref", "HEAD", "refs/heads/main"]);
    assert!(fetch(&mut mirror, &server.url()).unwrap().changed);
    assert_eq!(mirror.references().unwrap().branches, []);
}

#[test]
fn a_detached_head_names_no_default_branch() {
    let source = Source::with_manifest("{}");
    source.git(&["checkout", "--quiet", "--detach"]);
    let server = Server::start(&source);
    let folder = tempfile::tempdir().unwrap();
    let mut mirror = Mirror::open_or_create(&folder.path().join("m")).unwrap();
    fetch(&mut mirror, &server.url()).unwrap();
    let found = mirror.references().unwrap();
    assert_eq!((found.default_branch, names(&found.branches)), (None, vec!["main"]));
}

#[test]
fn manifests_in_folders() {
    let source = Source::new();
    let commit = source.commit(&[
        ("composer.json", "{}"),
        ("packages/b/composer.json", r#"{"name": "acme/b"}"#),
        ("packages/a/composer.json", r#"{"name": "acme/a"}"#),
        ("packages/a/deep/composer.json", "{}"),
        ("packages/none/README.md", "x"),
        ("file", "x"),
        ("odd/composer.json/x", "x"),
    ]);
    let server = Server::start(&source);
    let folder = tempfile::tempdir().unwrap();
    let mut mirror = Mirror::open_or_create(&folder.path().join("m")).unwrap();
    fetch(&mut mirror, &server.url()).unwrap();

    let all = mirror.manifest_folders(&commit, &|_| true).unwrap();
    assert_eq!(all, ["", "packages/a", "packages/a/deep", "packages/b"]);
    let wanted = mirror.manifest_folders(&commit, &|path| path.ends_with("/b")).unwrap();
    assert_eq!(wanted, ["packages/b"]);
    let manifest = |folder| mirror.manifest_in(Tree { commit: &commit, folder }).unwrap();
    let Manifest::Found { blob } = manifest("packages/a") else { panic!("it is there") };
    assert_eq!(mirror.blob(&blob).unwrap(), br#"{"name": "acme/a"}"#);
    for missing in ["packages/none", "packages", "nowhere", "packages/nowhere/x", "file", "file/x"] {
        assert_eq!(manifest(missing), Manifest::Missing, "{missing}");
    }
    assert_eq!(manifest("odd"), Manifest::NotAFile);
}

#[test]
fn manifests_are_named_before_they_are_read() {
    let source = Source::new();
    let none = source.commit(&[("README.md", "x")]);
    let small = source.commit(&[("composer.json", r#"{"name": "acme/mailer"}"#)]);
    let same = source.commit(&[("README.md", "y")]);
    let large = source.commit(&[("composer.json", &" ".repeat((1 << 20) + 1))]);
    fs::remove_file(source.work().join("composer.json")).unwrap();
    let folder_named_so = source.commit(&[("composer.json/x", "x")]);
    fs::remove_dir_all(source.work().join("composer.json")).unwrap();
    std::os::unix::fs::symlink("README.md", source.work().join("composer.json")).unwrap();
    let link = source.commit(&[]);
    let server = Server::start(&source);
    let folder = tempfile::tempdir().unwrap();
    let mut mirror = Mirror::open_or_create(&folder.path().join("m")).unwrap();
    fetch(&mut mirror, &server.url()).unwrap();

    let Manifest::Found { blob } = mirror.manifest(&small).unwrap() else { panic!("it is there") };
    assert_eq!(mirror.blob(&blob).unwrap(), br#"{"name": "acme/mailer"}"#);
    assert_eq!(mirror.manifest(&same).unwrap(), Manifest::Found { blob });
    assert_eq!(mirror.manifest(&none).unwrap(), Manifest::Missing);
    assert_eq!(mirror.manifest(&large).unwrap(), Manifest::TooLarge { size_bytes: (1 << 20) + 1 });
    assert_eq!(mirror.manifest(&folder_named_so).unwrap(), Manifest::NotAFile);
    assert_eq!(mirror.manifest(&link).unwrap(), Manifest::NotAFile);
    let unknown = mirror.manifest(&"0123".repeat(10)).unwrap_err();
    assert!(unknown.to_string().contains("is not in the repository"), "{unknown}");
}

/// What the repository's owner broke is neither damage of the mirror nor an obstacle for the other references.
#[test]
fn a_malformed_commit_stops_nobody_else() {
    let source = Source::with_manifest(r#"{"name": "acme/mailer"}"#);
    let tree = source.git(&["rev-parse", "HEAD^{tree}"]);
    let no_author = source.object("commit", format!("tree {tree}\n\nx").as_bytes());
    source.point("refs/tags/bad", &no_author);
    let server = Server::start(&source);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m");
    let mut mirror = Mirror::open_or_create(&path).unwrap();
    fetch(&mut mirror, &server.url()).unwrap();
    let found = mirror.references().unwrap();
    assert_eq!((names(&found.branches), &found.tags[0].target), (vec!["main"], &Target::Unreadable));
    assert!(matches!(mirror.manifest(commit_of(&found.branches[0])).unwrap(), Manifest::Found { .. }));
    let error = mirror
        .archive(Tree::root(&no_author), "x", &|_, _| true, &mut tempfile::tempfile().unwrap())
        .unwrap_err();
    assert!(matches!(error, GitError::Malformed { .. }) && !error.is_transient(), "{error:?}");
    assert!(!path.join("damaged").exists(), "a fetch would bring the same again");
    assert!(!fetch(&mut mirror, &server.url()).unwrap().changed);
    source.commit(&[("a", "b")]);
    assert!(fetch(&mut mirror, &server.url()).unwrap().changed);
}

/// A git server would not send these, but another may.
#[test]
fn malformed_objects_that_git_does_not_send() {
    let source = Source::with_manifest("{}");
    let tree = source.git(&["rev-parse", "HEAD^{tree}"]);
    let blob = source.git(&["rev-parse", "HEAD:composer.json"]);
    let server = Server::start(&source);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m");
    let mut mirror = Mirror::open_or_create(&path).unwrap();
    fetch(&mut mirror, &server.url()).unwrap();

    let people = "author A <a@b> 1700000000 +0000\ncommitter A <a@b> 1700000000 +0000\n";
    let commit_of_tree = |tree: &str| object(&path, "commit", format!("tree {tree}\n{people}\nx").as_bytes());
    let file = |id: &str| object(&path, "tree", &[b"100644 composer.json\0".to_vec(), bytes_of(id)].concat());
    let tag = object(&path, "tag", b"nonsense");
    let no_tree = object(&path, "commit", b"nonsense");
    let (blob_as_tree, tree_as_file) = (commit_of_tree(&blob), commit_of_tree(&file(&tree)));
    let missing = commit_of_tree(&file(&"0123".repeat(10)));
    let packed = format!("{tag} refs/tags/1\n{no_tree} refs/tags/2\n{missing} refs/tags/3\n");
    fs::write(path.join("packed-refs"), packed).unwrap();

    let targets: Vec<_> = mirror.references().unwrap().tags.into_iter().map(|tag| tag.target).collect();
    assert_eq!(targets[..2], [Target::Unreadable, Target::Unreadable]);
    assert_eq!(mirror.manifest(&no_tree).unwrap(), Manifest::Unreadable);
    let bad_tree = commit_of_tree(&object(&path, "tree", b"nonsense"));
    assert_eq!(mirror.manifest(&bad_tree).unwrap(), Manifest::Unreadable);
    assert_eq!(mirror.manifest(&blob_as_tree).unwrap(), Manifest::Unreadable);
    assert_eq!(mirror.manifest(&tree_as_file).unwrap(), Manifest::NotAFile);
    for commit in [&no_tree, &bad_tree, &blob_as_tree] {
        let error = mirror
            .archive(Tree::root(commit), "x", &|_, _| true, &mut tempfile::tempfile().unwrap())
            .unwrap_err();
        assert!(matches!(error, GitError::Malformed { .. }), "{error:?}");
    }
    assert!(!path.join("damaged").exists());
    // What is not there is damage.
    assert!(matches!(mirror.manifest(&missing), Err(GitError::Damaged(_))));
    assert!(path.join("damaged").exists());
}

fn bytes_of(id: &str) -> Vec<u8> {
    (0..20).map(|i| u8::from_str_radix(&id[2 * i..2 * i + 2], 16).unwrap()).collect()
}
