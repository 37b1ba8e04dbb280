//! What a mirror survives.

use crate::{
    server::{Mood, Server, fetch, network},
    source::{Source, git},
};
use stave_git::{Access, GitError, Mirror, Remote};
use std::{fs, path::Path, sync::atomic::AtomicBool};

fn fill(path: &Path, server: &Server) -> Mirror {
    let mut mirror = Mirror::open_or_create(path).unwrap();
    fetch(&mut mirror, &server.url()).unwrap();
    mirror
}

fn packs(path: &Path) -> Vec<std::path::PathBuf> {
    let files = fs::read_dir(path.join("objects/pack")).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|file| file.extension().is_some_and(|extension| extension == "pack")).collect()
}

/// git agrees that everything is there.
pub(crate) fn assert_whole(path: &Path, source: &Source) {
    let checked = git(path, &["fsck", "--full", "--no-dangling"]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    let references = |folder: &Path| String::from_utf8(git(folder, &["for-each-ref"]).stdout).unwrap();
    assert_eq!(references(path), references(&source.work()));
}

#[test]
fn what_a_crash_leaves_is_swept() {
    let source = Source::with_manifest("{}");
    let server = Server::start(&source);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m");
    drop(fill(&path, &server));
    let left = [
        "packed-refs.lock",
        "packed-refs.tmp",
        "HEAD.lock",
        "config.lock",
        "ssh-key.tmp",
        "objects/pack/.tmpAbC",
        "objects/pack/pack-1.pack",
        "objects/pack/pack-2.idx",
        "objects/pack/pack-3.keep",
    ];
    for name in left {
        fs::write(path.join(name), "half").unwrap();
    }
    fs::create_dir(folder.path().join("m.new")).unwrap();
    let mut mirror = Mirror::open_or_create(&path).unwrap();
    for name in left {
        assert!(!path.join(name).exists(), "{name}");
    }
    assert!(!folder.path().join("m.new").exists());
    source.commit(&[("a", "b")]);
    assert!(fetch(&mut mirror, &server.url()).unwrap().changed);
    assert_whole(&path, &source);
}

#[test]
fn a_crash_between_the_renames_of_a_replacement() {
    let source = Source::with_manifest("{}");
    let server = Server::start(&source);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m");
    for left in ["m.new", "m.old"] {
        drop(fill(&path, &server));
        if left == "m.new" {
            fs::create_dir(folder.path().join("m.old")).unwrap();
        }
        fs::rename(&path, folder.path().join(left)).unwrap();
        let mirror = Mirror::open_or_create(&path).unwrap();
        assert_eq!(mirror.references().unwrap().branches.len(), 1, "{left}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "{left}");
    }
}

#[test]
fn a_damaged_mirror_is_fetched_anew() {
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 7] = [
        ("a pack is gone", |path| fs::remove_file(&packs(path)[0]).unwrap()),
        ("an index is gone", |path| fs::remove_file(packs(path)[0].with_extension("idx")).unwrap()),
        ("an index is nonsense", |path| overwrite(&packs(path)[0].with_extension("idx"))),
        ("HEAD is gone", |path| fs::remove_file(path.join("HEAD")).unwrap()),
        ("HEAD is nonsense", |path| fs::write(path.join("HEAD"), "\0\0\0").unwrap()),
        ("the configuration is nonsense", |path| fs::write(path.join("config"), "[[[").unwrap()),
        ("the objects are gone", |path| fs::remove_dir_all(path.join("objects")).unwrap()),
    ];
    for (what, damage) in damages {
        let source = Source::with_manifest("{}");
        let server = Server::start(&source);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m");
        drop(fill(&path, &server));
        damage(&path);
        let mut mirror = Mirror::open_or_create(&path).unwrap_or_else(|error| panic!("{what}: {error:?}"));
        fetch(&mut mirror, &server.url()).unwrap_or_else(|error| panic!("{what}: {error:?}"));
        assert_eq!(mirror.references().unwrap().default_branch.as_deref(), Some("main"), "{what}");
        assert_whole(&path, &source);
    }
}

/// As read-only as packs are.
fn overwrite(file: &Path) {
    fs::remove_file(file).unwrap();
    fs::write(file, [0; 4096]).unwrap();
}

#[test]
fn damage_that_is_found_while_reading_heals_at_the_next_fetch() {
    let source = Source::with_manifest("{}");
    let server = Server::start(&source);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m");
    let commit = source.git(&["rev-parse", "HEAD"]);
    drop(fill(&path, &server));
    for pack in packs(&path) {
        let mut bytes = fs::read(&pack).unwrap();
        let end = bytes.len() - 20;
        bytes[12..end].fill(0xff);
        fs::remove_file(&pack).unwrap();
        fs::write(&pack, bytes).unwrap();
    }
    let mut mirror = Mirror::open_or_create(&path).unwrap();
    let error = mirror.manifest(&commit).unwrap_err();
    assert!(matches!(error, GitError::Damaged(_)) && error.is_transient(), "{error:?}");
    // While the host is away, what is left stays.
    server.becomes(Mood::Status(503, String::new()));
    fetch(&mut mirror, &server.url()).unwrap_err();
    assert!(!packs(&path).is_empty());
    server.becomes(Mood::Good);
    assert!(fetch(&mut mirror, &server.url()).unwrap().changed);
    mirror.manifest(&commit).unwrap();
    assert_whole(&path, &source);
}

#[test]
fn packs_do_not_pile_up() {
    let source = Source::with_manifest("{}");
    let server = Server::start(&source);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m");
    let mut mirror = fill(&path, &server);
    for round in 0..60 {
        source.commit(&[("round", &round.to_string())]);
        fetch(&mut mirror, &server.url()).unwrap();
        assert!(packs(&path).len() <= 51);
    }
    assert!(packs(&path).len() < 15, "{}", packs(&path).len());
    assert_whole(&path, &source);
}

#[test]
fn a_look_fetches_nothing() {
    let source = Source::with_manifest("{}");
    let server = Server::start(&source);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m");
    let mut mirror = Mirror::open_or_create(&path).unwrap();
    let is_outdated = |mirror: &Mirror| {
        let (url, cancel) = (server.url(), AtomicBool::new(false));
        mirror.is_outdated(&Remote { url: &url, access: Access::Anonymous }, &network(), &cancel)
    };
    assert!(is_outdated(&mirror).unwrap(), "it is empty");
    fetch(&mut mirror, &server.url()).unwrap();
    assert!(!is_outdated(&mirror).unwrap());
    source.commit(&[("a", "b")]);
    let before = (mirror.references().unwrap(), packs(&path));
    assert!(is_outdated(&mirror).unwrap() && is_outdated(&mirror).unwrap());
    assert_eq!((mirror.references().unwrap(), packs(&path)), before);
    assert!(fetch(&mut mirror, &server.url()).unwrap().changed, "what was seen is still new to a fetch");
    assert!(!is_outdated(&mirror).unwrap());
    server.becomes(Mood::Status(404, String::new()));
    assert!(matches!(is_outdated(&mirror), Err(GitError::NotFound { .. })));

    drop(mirror);
    server.becomes(Mood::Good);
    for pack in packs(&path) {
        fs::remove_file(pack).unwrap();
    }
    assert!(is_outdated(&Mirror::open_or_create(&path).unwrap()).unwrap(), "it has to be fetched anew");
}
