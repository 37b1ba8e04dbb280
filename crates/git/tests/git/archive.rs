//! Archives, compared with those of `git archive`.

use crate::{
    server::{Server, fetch},
    source::{Source, object},
};
use serde_json::Value;
use stave_git::{GitError, Mirror, Tree};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{Read, Seek, SeekFrom},
    os::unix::fs::{PermissionsExt, symlink},
};
use tempfile::TempDir;

fn mirror_of(source: &Source) -> (TempDir, Mirror) {
    let server = Server::start(source);
    let folder = tempfile::tempdir().unwrap();
    let mut mirror = Mirror::open_or_create(&folder.path().join("m")).unwrap();
    fetch(&mut mirror, &server.url()).unwrap();
    (folder, mirror)
}

fn archive(mirror: &Mirror, commit: &str, keep: &dyn Fn(&str, bool) -> bool) -> Result<Vec<u8>, GitError> {
    archive_of(mirror, Tree::root(commit), keep)
}

fn archive_of(
    mirror: &Mirror,
    tree: Tree<'_>,
    keep: &dyn Fn(&str, bool) -> bool,
) -> Result<Vec<u8>, GitError> {
    let mut file = tempfile::tempfile().unwrap();
    mirror.archive(tree, "acme-mailer-1", keep, &mut file)?;
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0)).unwrap();
    file.read_to_end(&mut bytes).unwrap();
    Ok(bytes)
}

/// Path to Unix mode and contents.
fn unpacked(bytes: &[u8]) -> BTreeMap<String, (u32, Vec<u8>)> {
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let count = zip.len();
    let read = |index| {
        let mut file = zip.by_index(index).unwrap();
        let mut contents = Vec::new();
        file.read_to_end(&mut contents).unwrap();
        let name = file.name().unwrap().strip_prefix("acme-mailer-1/").expect("one top directory").to_owned();
        (name, (file.unix_mode().unwrap(), contents))
    };
    (0..count).map(read).collect()
}

/// The same from `git archive`.
fn by_git(source: &Source, commit: &str) -> BTreeMap<String, Vec<u8>> {
    let out = source.folder.path().join("by-git.zip");
    source.git(&["archive", "--format=zip", "--prefix=x/", "--output", out.to_str().unwrap(), commit]);
    let mut zip = zip::ZipArchive::new(fs::File::open(out).unwrap()).unwrap();
    let mut found = BTreeMap::new();
    for index in 0..zip.len() {
        let mut file = zip.by_index(index).unwrap();
        if !file.is_dir() {
            let mut contents = Vec::new();
            file.read_to_end(&mut contents).unwrap();
            found.insert(file.name().unwrap().strip_prefix("x/").unwrap().to_owned(), contents);
        }
    }
    found
}

#[test]
fn export_ignore_is_what_git_says() {
    let vectors: Value = serde_json::from_str(include_str!("../vectors/archive-exclude.json")).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let list = |value: &Value| value.as_array().unwrap().iter().map(text).collect::<BTreeSet<_>>();
    let source = Source::new();
    let cases = vectors["cases"].as_array().unwrap();
    let mut commits = Vec::new();
    for case in cases {
        let mut files: Vec<(String, String)> =
            list(&vectors["tree"]).into_iter().map(|path| (path, "x".to_owned())).collect();
        for (path, field) in [
            (".gitattributes", "gitattributes"),
            ("sub/.gitattributes", "gitattributes_in_sub"),
            (".gitignore", "gitignore"),
        ] {
            files.retain(|(found, _)| found != path);
            files.push((path.to_owned(), text(&case[field])));
        }
        let files: Vec<(&str, &str)> =
            files.iter().map(|(path, contents)| (path.as_str(), contents.as_str())).collect();
        commits.push(source.commit(&files));
    }
    let (_folder, mirror) = mirror_of(&source);
    for (case, commit) in cases.iter().zip(&commits) {
        let ignored = std::cell::RefCell::new(BTreeSet::new());
        let keep = |path: &str, is_ignored: bool| {
            if is_ignored {
                ignored.borrow_mut().insert(path.to_owned());
            }
            !is_ignored
        };
        let files = unpacked(&archive(&mirror, commit, &keep).unwrap());
        assert_eq!(ignored.into_inner(), list(&case["git_archive_excluded"]), "{}", case["name"]);
        let expected: BTreeSet<_> =
            list(&vectors["tree"]).difference(&list(&case["git_archive_excluded"])).cloned().collect();
        assert_eq!(files.keys().cloned().collect::<BTreeSet<_>>(), expected, "{}", case["name"]);
    }
    assert_eq!(cases.len(), 15);
}

fn rich_source() -> (Source, String) {
    let source = Source::new();
    source.commit(&[
        (
            ".gitattributes",
            "/tests export-ignore\n*.txt text eol=crlf\ndocs/* export-ignore\ndocs/keep.md -export-ignore\n",
        ),
        ("sub/.gitattributes", "*.bin export-ignore\n!/keep.bin\nkeep.bin -export-ignore\n"),
        ("sub/a.bin", "a"),
        ("sub/keep.bin", "b"),
        ("sub/deep/c.bin", "c"),
        ("tests/A.php", "<?php"),
        ("docs/a.md", "a"),
        ("docs/keep.md", "keep"),
        ("lines.txt", "one\ntwo\n"),
        ("ünï cödé.php", "<?php // ü"),
        ("composer.json", "{}"),
        ("empty", ""),
        ("a-b", "1"),
        ("a/b", "2"),
        ("a.b", "3"),
        ("bin/run", "#!/bin/sh\n"),
    ]);
    fs::set_permissions(source.work().join("bin/run"), fs::Permissions::from_mode(0o755)).unwrap();
    symlink("composer.json", source.work().join("link")).unwrap();
    symlink("../nowhere", source.work().join("sub/broken")).unwrap();
    // A submodule: a commit of another repository in the tree.
    source.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{},module", "1234".repeat(10))]);
    source.git(&["add", "bin/run", "link", "sub/broken"]);
    source.git(&["commit", "--quiet", "--message", "rich"]);
    let commit = source.git(&["rev-parse", "HEAD"]);
    (source, commit)
}

#[test]
fn contents_are_those_of_git_archive() {
    let (source, commit) = rich_source();
    let (_folder, mirror) = mirror_of(&source);
    let ours = unpacked(&archive(&mirror, &commit, &|_, ignored| !ignored).unwrap());
    let theirs = by_git(&source, &commit);
    let contents: BTreeMap<_, _> =
        ours.iter().map(|(path, (_, contents))| (path.clone(), contents.clone())).collect();
    assert_eq!(contents, theirs);
    assert_eq!(ours["lines.txt"].1, b"one\r\ntwo\r\n");
    assert!(
        ours.contains_key("sub/keep.bin")
            && !ours.contains_key("sub/a.bin")
            && !ours.contains_key("tests/A.php")
    );
    let mode = |path: &str| ours[path].0;
    assert_eq!((mode("composer.json"), mode("bin/run"), mode("link")), (0o100_644, 0o100_755, 0o120_777));
    assert_eq!(
        (ours["link"].1.as_slice(), ours["sub/broken"].1.as_slice()),
        (&b"composer.json"[..], &b"../nowhere"[..])
    );
    assert!(ours.values().all(|(mode, _)| mode & 0o170_000 != 0o040_000), "no entries for folders");
}

#[test]
fn the_same_commit_gives_the_same_bytes() {
    let (source, commit) = rich_source();
    let (_folder, mirror) = mirror_of(&source);
    let bytes = archive(&mirror, &commit, &|_, ignored| !ignored).unwrap();
    let (_other_folder, other) = mirror_of(&source);
    assert_eq!(archive(&other, &commit, &|_, ignored| !ignored).unwrap(), bytes);

    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(&bytes)).unwrap();
    let count = zip.len();
    let names: Vec<Vec<u8>> =
        (0..count).map(|index| zip.by_index(index).unwrap().name_raw().to_vec()).collect();
    assert!(names.is_sorted(), "{names:?}");
    let time = zip.by_index(0).unwrap().last_modified().unwrap();
    assert_eq!(
        (time.year(), time.month(), time.day(), time.hour(), time.minute(), time.second()),
        (2023, 11, 14, 22, 14, 2)
    );
}

#[test]
fn a_folder_is_an_archive_of_its_own() {
    let source = Source::new();
    let commit = source.commit(&[
        (".gitattributes", "/packages export-ignore\n*.md export-ignore\n"),
        ("composer.json", "{}"),
        ("packages/mail/composer.json", "{}"),
        ("packages/mail/README.md", "x"),
        ("packages/mail/.gitattributes", "/tests export-ignore\n"),
        ("packages/mail/tests/A.php", "x"),
        ("packages/mail/src/packages/mail/B.php", "b"),
        ("packages/mailer/C.php", "c"),
    ]);
    let (_folder, mirror) = mirror_of(&source);
    let tree = Tree { commit: &commit, folder: "packages/mail" };
    let asked = std::cell::RefCell::new(BTreeSet::new());
    let keep = |path: &str, ignored: bool| {
        asked.borrow_mut().insert(path.to_owned());
        !ignored
    };
    let bytes = archive_of(&mirror, tree, &keep).unwrap();
    let files = unpacked(&bytes);
    let names: Vec<_> = files.keys().map(String::as_str).collect();
    assert_eq!(names, [".gitattributes", "composer.json", "src/packages/mail/B.php"]);
    assert!(asked.borrow().contains("tests/A.php"), "paths are those in the folder");
    assert_eq!(archive_of(&mirror, tree, &keep).unwrap(), bytes);
    let whole = unpacked(&archive(&mirror, &commit, &keep).unwrap());
    assert_eq!(whole.keys().collect::<Vec<_>>(), [".gitattributes", "composer.json"]);
}

#[test]
fn programs_unpack_it() {
    let (source, commit) = rich_source();
    let (folder, mirror) = mirror_of(&source);
    let zip = folder.path().join("a.zip");
    let mut file = fs::File::create_new(&zip).unwrap();
    mirror.archive(Tree::root(&commit), "top", &|_, _| true, &mut file).unwrap();
    let script = "import sys,zipfile; z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; print(len(z.namelist()))";
    let Ok(output) = std::process::Command::new("python3").args(["-c", script]).arg(&zip).output() else {
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "18");
}

#[test]
fn an_archive_of_nothing_has_its_top_directory() {
    let source = Source::with_manifest("{}");
    let (_folder, mirror) = mirror_of(&source);
    let bytes = archive(&mirror, &source.git(&["rev-parse", "HEAD"]), &|_, _| false).unwrap();
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    assert_eq!(
        (zip.len(), zip.by_index(0).unwrap().name().unwrap().into_owned()),
        (1, "acme-mailer-1/".to_owned())
    );
}

/// A few kilobytes: each of 20 trees holds the one before it twice, so that there are a million files.
#[test]
fn a_tree_that_is_a_bomb_is_refused() {
    let source = Source::with_manifest("{}");
    let hash = |object: &str| -> Vec<u8> {
        (0..20).map(|i| u8::from_str_radix(&object[2 * i..2 * i + 2], 16).unwrap()).collect()
    };
    let mut inner = (b"100644".as_slice(), hash(&source.git(&["rev-parse", "HEAD:composer.json"])));
    let mut tree = String::new();
    for _ in 0..20 {
        let file = source.work().join("tree");
        let (mode, object) = &inner;
        let twice = [mode, b" a\0".as_slice(), object, mode, b" b\0".as_slice(), object].concat();
        fs::write(&file, twice).unwrap();
        tree = source.git(&["hash-object", "-t", "tree", "-w", file.to_str().unwrap()]);
        inner = (b"40000", hash(&tree));
    }
    let commit = source.git(&["commit-tree", "-m", "x", &tree]);
    source.git(&["update-ref", "refs/heads/bomb", &commit]);
    let (_folder, mirror) = mirror_of(&source);
    let error = archive(&mirror, &commit, &|_, _| true).unwrap_err();
    assert!(matches!(error, GitError::HugeTree { .. }), "{error:?}");
    assert!(!error.is_transient());
}

#[test]
fn a_tree_that_leaves_its_folder_is_refused() {
    let source = Source::with_manifest("{}");
    let blob = source.git(&["rev-parse", "HEAD:composer.json"]);
    let hash: Vec<u8> = (0..20).map(|i| u8::from_str_radix(&blob[2 * i..2 * i + 2], 16).unwrap()).collect();
    for name in ["..", ".git", "a\\..\\..\\b"] {
        let tree = source.work().join("tree");
        fs::write(&tree, [b"100644 ", name.as_bytes(), b"\0", &hash].concat()).unwrap();
        let tree = source.git(&["hash-object", "-t", "tree", "-w", "--literally", tree.to_str().unwrap()]);
        let commit = source.git(&["commit-tree", "-m", "x", &tree]);
        source.git(&["update-ref", "refs/heads/evil", &commit]);
        let (_folder, mirror) = mirror_of(&source);
        let error = archive(&mirror, &commit, &|_, _| true).unwrap_err();
        assert!(matches!(error, GitError::UnsafeTree { .. }), "{name}: {error:?}");
    }
    let (_folder, mirror) = mirror_of(&source);
    let absent = archive(&mirror, &"0".repeat(40), &|_, _| true).unwrap_err();
    assert!(matches!(absent, GitError::NoSuchCommit(_)));
}

#[test]
fn attributes_that_make_no_sense_are_no_damage() {
    let source = Source::new();
    let attributes = "*.a -working-tree-encoding\n*.b working-tree-encoding\n*.c working-tree-encoding=none\n*.d ident=1 text=2 eol=3\n";
    let commit = source.commit(&[("x", "y")]);
    let (attributes, blob) =
        (source.object("blob", attributes.as_bytes()), source.object("blob", b"one\n\xff"));
    let entry = |name: &str, id: &str| {
        source.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{id},{name}")])
    };
    entry(".gitattributes", &attributes);
    for name in ["1.a", "2.b", "3.c", "4.d"] {
        entry(name, &blob);
    }
    let tree = source.git(&["write-tree"]);
    let commit = source.git(&["commit-tree", "-p", &commit, "-m", "x", &tree]);
    source.git(&["update-ref", "refs/heads/main", &commit]);
    let (folder, mirror) = mirror_of(&source);
    let files = unpacked(&archive(&mirror, &commit, &|_, _| true).unwrap());
    for name in ["1.a", "2.b", "3.c", "4.d"] {
        assert_eq!(files[name].1, b"one\n\xff", "{name}");
    }
    assert!(!folder.path().join("m/damaged").exists());
}

/// A git server would not send a folder as `.gitattributes`, but another may.
#[test]
fn a_malformed_tree_is_no_damage() {
    let source = Source::with_manifest("{}");
    let (folder, mirror) = mirror_of(&source);
    let path = folder.path().join("m");
    let commit_with_attributes = |id: &str| {
        let id: Vec<u8> = (0..20).map(|i| u8::from_str_radix(&id[2 * i..2 * i + 2], 16).unwrap()).collect();
        let tree = object(&path, "tree", &[b"100644 .gitattributes\0", id.as_slice()].concat());
        let people = "author A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n";
        object(&path, "commit", format!("tree {tree}\n{people}\nx").as_bytes())
    };
    let folder_as_file = commit_with_attributes(&source.git(&["rev-parse", "HEAD^{tree}"]));
    let error = archive(&mirror, &folder_as_file, &|_, _| true).unwrap_err();
    assert!(matches!(error, GitError::Malformed { .. }) && !error.is_transient(), "{error:?}");
    assert!(!path.join("damaged").exists());

    let error = archive(&mirror, &commit_with_attributes(&"0123".repeat(10)), &|_, _| true).unwrap_err();
    assert!(matches!(error, GitError::Damaged(_)), "{error:?}");
    assert!(path.join("damaged").exists());
}

/// On the small stack of a blocking thread.
#[test]
fn deep_folders_need_no_stack() {
    let source = Source::with_manifest("{}");
    let deepest = format!("{}x", "d/".repeat(2047));
    let blob = source.git(&["rev-parse", "HEAD:composer.json"]);
    let commit_with = |path: &str| {
        let entry = format!("100644,{blob},{path}");
        let added = source.git(&["update-index", "--add", "--cacheinfo", &entry]);
        assert_eq!(added, "");
        let tree = source.git(&["write-tree"]);
        let commit = source.git(&["commit-tree", "-m", "x", &tree]);
        source.git(&["update-ref", "refs/heads/main", &commit]);
        commit
    };
    let commit = commit_with(&deepest);
    let (_folder, mirror) = mirror_of(&source);
    let read = move || unpacked(&archive(&mirror, &commit, &|_, ignored| !ignored).unwrap());
    let small = std::thread::Builder::new().stack_size(256 << 10);
    let files = small.spawn(read).unwrap().join().unwrap();
    assert!(files.contains_key(&deepest));
}
