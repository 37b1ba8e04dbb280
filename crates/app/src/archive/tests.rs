//! Archives as people and attackers make them.

use super::*;
use ::bzip2::write::BzEncoder;
use ::tar::{Builder, EntryType, Header};
use ::zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};
use flate2::write::GzEncoder;
use std::io::{Read as _, Write as _};
use tempfile::NamedTempFile;

const COMPOSER_JSON: &str = r#"{"name": "acme/mailer"}"#;

fn file_of(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

/// A zip with these names and contents; a name that ends in `@` is a link.
fn zip_of(files: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, contents) in files {
        match name.strip_suffix('@') {
            Some(link) => zip.add_symlink(link, *contents, SimpleFileOptions::default()).unwrap(),
            None if name.ends_with('/') => zip.add_directory(*name, SimpleFileOptions::default()).unwrap(),
            None => {
                zip.start_file(*name, SimpleFileOptions::default()).unwrap();
                zip.write_all(contents.as_bytes()).unwrap();
            }
        }
    }
    zip.finish().unwrap().into_inner()
}

/// The same as a tar. The names are written as they are, whatever `tar` thinks of them.
fn tar_of(files: &[(&str, &str)]) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    for (name, contents) in files {
        let (path, kind) = match name.strip_suffix('@') {
            Some(link) => (link, EntryType::Symlink),
            None if name.ends_with('/') => (*name, EntryType::Directory),
            None => (*name, EntryType::Regular),
        };
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(if path.starts_with("bin/") { 0o755 } else { 0o600 });
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        if kind == EntryType::Symlink {
            header.as_old_mut().linkname[..contents.len()].copy_from_slice(contents.as_bytes());
        }
        let contents = if kind == EntryType::Regular { *contents } else { "" };
        header.set_size(contents.len() as u64);
        header.set_cksum();
        tar.append(&header, contents.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap()
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), flate2::Compression::default());
    gz.write_all(bytes).unwrap();
    gz.finish().unwrap()
}

fn bz2(bytes: &[u8]) -> Vec<u8> {
    let mut bz2 = BzEncoder::new(Vec::new(), ::bzip2::Compression::default());
    bz2.write_all(bytes).unwrap();
    bz2.finish().unwrap()
}

/// The sentence with which an archive is refused, or nothing.
fn refusal(bytes: &[u8]) -> String {
    check(file_of(bytes).path()).err().map(|problem| problem.to_string()).unwrap_or_default()
}

#[test]
fn composer_json_is_read_in_every_kind() {
    for files in [
        &[("composer.json", COMPOSER_JSON), ("src/A.php", "<?php")][..],
        &[
            ("mailer-1.0/", ""),
            ("mailer-1.0/src/A.php", "<?php"),
            ("mailer-1.0/composer.json", COMPOSER_JSON),
        ],
        &[(".DS_Store", "x"), ("mailer/composer.json", COMPOSER_JSON), ("mailer/src/composer.json", "{}")],
        &[
            ("m/composer.json", COMPOSER_JSON),
            ("m/a@", "src/b"),
            ("m/src/c@", "../composer.json"),
            ("m/src/b", ""),
        ],
    ] {
        let (zip, tar) = (zip_of(files), tar_of(files));
        for (bytes, kind) in [
            (&zip, ArchiveKind::Zip),
            (&tar, ArchiveKind::Tar),
            (&gz(&tar), ArchiveKind::TarGz),
            (&bz2(&tar), ArchiveKind::TarBz2),
        ] {
            let inspected = check(file_of(bytes).path()).unwrap();
            assert_eq!(String::from_utf8(inspected.manifest).unwrap(), COMPOSER_JSON, "{files:?} {kind:?}");
            assert_eq!((inspected.kind, inspected.entries), (kind, files.len()));
            assert_eq!(inspected.size_bytes, bytes.len() as u64);
        }
    }
}

#[test]
fn what_is_dangerous_or_no_package_is_refused_with_a_sentence() {
    let table: [(&[(&str, &str)], &str); 18] = [
        (&[("../evil", "x")], "“../evil” would be written outside"),
        (&[("a/../../evil", "x")], "would be written outside"),
        (&[("/etc/passwd", "x")], "“/etc/passwd” would be written outside"),
        (&[("C:evil", "x")], "would be written outside"),
        (&[("..\\evil", "x")], "would be written outside"),
        (&[("src\\A.php", "x")], "has a backslash"),
        (&[("a\u{7}b", "x")], "cannot be used for a file"),
        (&[("a@", "/etc/passwd")], "“a” leads to “/etc/passwd”, which is not in the package"),
        (&[("composer.json", "{}"), ("a@", "../x")], "which is not in the package"),
        (&[("m/composer.json", "{}"), ("m/a@", "../x")], "which is not in the package"),
        (&[("composer.json", "{}"), ("d@", "."), ("e@", "d/..")], "“e” leads to “d/..”"),
        (&[("composer.json", "{}"), ("d@", "x"), ("d/y", "x")], "twice"),
        (&[("Readme", "x"), ("README", "x")], "“Readme” and “README” differ only in upper and lower case"),
        (&[("src/a/B", "x"), ("SRC/c", "x")], "“src” and “SRC” differ only"),
        (&[("src/composer.json", "{}"), ("README", "x")], "composer.json is in src/, not at the top: beside"),
        (&[("a/b/composer.json", "{}")], "composer.json is in a/b/, not at the top. Pack"),
        (&[("README", "x")], "There is no composer.json"),
        (&[], "nothing in the archive"),
    ];
    for (files, sentence) in table {
        for bytes in [zip_of(files), tar_of(files), gz(&tar_of(files))] {
            let refused = refusal(&bytes);
            // A tar with nothing in it is 1024 zeros.
            let is_no_archive = files.is_empty() && refused.contains("no archive");
            assert!(refused.contains(sentence) || is_no_archive, "{files:?}: {refused}");
        }
    }
}

#[test]
fn a_name_that_is_there_twice() {
    // `zip` does not write such a thing, so one name is changed afterwards.
    let zip = zip_of(&[("composer.json", COMPOSER_JSON), ("composer.jsoN", "{}")]);
    let mut twice = zip.clone();
    for at in 0..twice.len() - 13 {
        if &zip[at..at + 13] == b"composer.jsoN" {
            twice[at + 12] = b'n';
        }
    }
    for bytes in [twice, tar_of(&[("composer.json", COMPOSER_JSON), ("composer.json", "{}")])] {
        let refused = refusal(&bytes);
        assert!(refused.contains("is in the archive twice"), "{refused}");
    }
}

#[test]
fn what_is_no_archive_is_named() {
    for (bytes, sentence) in [
        (&b""[..], "The file is empty"),
        (b"\xef\xbb\xbf\n<!DOCTYPE html><title>Log in</title>", "a web page and no archive"),
        (b"<?php __HALT_COMPILER();", "a phar"),
        (b"{\"error\": 404}", "This is JSON"),
        (b"\xfd7zXZ\0\0\0", "a .xz file"),
        (b"7z\xbc\xaf\x27\x1c", "a .7z file"),
        (b"Dear Ada", "This is no archive"),
        (b"BZh9", "not complete"),
        (b"\x1f\x8b", "not complete"),
        (&gz(b"Dear Ada, this is no tar. ".repeat(40).as_slice()), "is damaged"),
    ] {
        let refused = refusal(bytes);
        assert!(refused.contains(sentence), "{sentence}: {refused}");
    }
}

#[test]
fn what_is_cut_off_or_changed_is_noticed() {
    let noise: String = (0..30_000_u32)
        .map(|n| char::from(b'a' + (n.wrapping_mul(2_654_435_761) >> 27) as u8 % 26))
        .collect();
    let files = [("composer.json", COMPOSER_JSON), ("src/A.php", noise.as_str())];
    for whole in [zip_of(&files), gz(&tar_of(&files)), bz2(&tar_of(&files))] {
        assert_eq!(refusal(&whole), "");
        for part in [whole.len() / 3, whole.len() - 5] {
            let refused = refusal(&whole[..part]);
            assert!(refused.contains("not complete") || refused.contains("damaged"), "{part}: {refused}");
        }
        let mut changed = whole.clone();
        let middle = whole.len() / 2;
        changed[middle] ^= 0x55;
        let refused = refusal(&changed);
        assert!(refused.contains("damaged") || refused.contains("not complete"), "{refused}");
    }
    let tar = tar_of(&files);
    assert!(
        refusal(&tar[..tar.len() / 2]).contains("not complete")
            || refusal(&tar[..tar.len() / 2]).contains("damaged")
    );
}

#[test]
fn bombs_are_not_unpacked() {
    let zeros = "\0".repeat(60 << 20);
    let files = [("composer.json", COMPOSER_JSON), ("bomb", zeros.as_str())];
    for bomb in [zip_of(&files), gz(&tar_of(&files)), bz2(&tar_of(&files))] {
        let refused = refusal(&bomb);
        assert!(refused.contains("far larger than it is"), "{refused}");
    }
    // What is as large as it says is none.
    assert_eq!(refusal(&tar_of(&files)), "");
}

#[test]
fn what_nobody_can_unpack_is_refused() {
    let mut encrypted = zip_of(&[("composer.json", COMPOSER_JSON)]);
    let mut other_method = encrypted.clone();
    for at in 0..encrypted.len() - 4 {
        // The local header, and the line in the list at the end.
        for (magic, flags) in [(b"PK\x03\x04", 6), (b"PK\x01\x02", 8)] {
            if encrypted[at..].starts_with(magic) {
                encrypted[at + flags] |= 1;
                other_method[at + flags + 2] = 14;
            }
        }
    }
    assert!(refusal(&encrypted).contains("“composer.json” is encrypted"), "{}", refusal(&encrypted));
    assert!(refusal(&other_method).contains("compressed in a way"), "{}", refusal(&other_method));

    let mut tar = Builder::new(Vec::new());
    for (path, kind) in [("composer.json", EntryType::Regular), ("pipe", EntryType::Fifo)] {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(0);
        header.set_path(path).unwrap();
        header.set_cksum();
        tar.append(&header, &[][..]).unwrap();
    }
    let refused = refusal(&tar.into_inner().unwrap());
    assert!(refused.contains("“pipe” is neither a file nor a folder"), "{refused}");
}

#[test]
fn too_many_files_are_refused() {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for number in 0..=ENTRIES_MAX {
        zip.start_file(format!("{number}"), SimpleFileOptions::default()).unwrap();
    }
    assert!(refusal(&zip.finish().unwrap().into_inner()).contains("More than 100000 files"));
}

/// Long names are told before the entry, by GNU and by POSIX in two ways.
#[test]
fn long_names_in_a_tar() {
    let long = format!("mailer/{}/A.php", "very-long-folder/".repeat(12));
    let mut tar = Builder::new(Vec::new());
    let mut header = Header::new_gnu();
    header.set_size(5);
    header.set_cksum();
    tar.append_data(&mut header.clone(), &long, &b"<?php"[..]).unwrap();
    tar.append_pax_extensions([("path", format!("{long}.pax").as_bytes()), ("comment", b"x")]).unwrap();
    tar.append_data(&mut header.clone(), "mailer/short", &b"<?php"[..]).unwrap();
    tar.append_pax_extensions([("path", "../../evil".as_bytes())]).unwrap();
    let so_far = tar.get_ref().clone();
    let zip = to_zip(file_of(&so_far[..so_far.len() - 1024]).path(), "x", &std::env::temp_dir()).unwrap();
    let zip = ZipArchive::new(zip.reopen().unwrap()).unwrap();
    let names: Vec<_> = zip.file_names().map(|name| name.unwrap().into_owned()).collect();
    let below = long.strip_prefix("mailer/").unwrap().replace("//", "/");
    assert_eq!(names, [format!("x/{below}"), format!("x/{below}.pax")]);

    tar.append_data(&mut header, "mailer/harmless", &b"<?php"[..]).unwrap();
    assert!(refusal(&tar.into_inner().unwrap()).contains("“../../evil” would be written outside"));
}

#[test]
fn a_tar_becomes_the_same_zip_each_time() {
    let files = [
        ("bin/run", "#!"),
        ("composer.json", COMPOSER_JSON),
        ("empty/", ""),
        ("link@", "src/A"),
        ("src/A", "a"),
    ];
    let tar = file_of(&gz(&tar_of(&files)));
    let folder = tempfile::tempdir().unwrap();
    let [one, other] = [0, 1].map(|_| to_zip(tar.path(), "abc", folder.path()).unwrap());
    let bytes = std::fs::read(one.path()).unwrap();
    assert!(bytes == std::fs::read(other.path()).unwrap());
    assert_eq!(String::from_utf8(check(one.path()).unwrap().manifest).unwrap(), COMPOSER_JSON);

    let mut zip = ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let mut seen = Vec::new();
    for at in 0..zip.len() {
        let mut file = zip.by_index(at).unwrap();
        let mut contents = String::new();
        file.read_to_string(&mut contents).unwrap();
        seen.push(format!("{} {:o} {contents}", file.name().unwrap(), file.unix_mode().unwrap()));
    }
    let expected = [
        "abc/bin/run 100755 #!",
        "abc/composer.json 100644 {\"name\": \"acme/mailer\"}",
        "abc/empty/ 40755 ",
        "abc/link 120777 src/A",
        "abc/src/A 100644 a",
    ];
    assert_eq!(seen, expected);
    drop((one, other));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
}

#[test]
fn a_disk_that_is_full_leaves_nothing_behind() {
    let tar = file_of(&tar_of(&[("composer.json", COMPOSER_JSON)]));
    let problem = to_zip(tar.path(), "abc", Path::new("/nowhere/at/all")).unwrap_err();
    assert!(problem.is_internal(), "{problem}");
}

proptest::proptest! {
    /// Whatever the bytes are: a sentence, and no panic.
    #[test]
    fn changed_bytes_never_panic(at in 0_usize..600, value: u8, kind in 0..4) {
        let files = [("m/composer.json", COMPOSER_JSON), ("m/a@", "src/b"), ("m/src/b", "b")];
        let mut bytes = match kind {
            0 => zip_of(&files),
            1 => tar_of(&files),
            2 => gz(&tar_of(&files)),
            _ => bz2(&tar_of(&files)),
        };
        let at = at % bytes.len();
        bytes[at] = value;
        let file = file_of(&bytes);
        let _ = check(file.path());
        let _ = to_zip(file.path(), "x", &std::env::temp_dir());
    }
}

#[test]
fn the_readme_is_beside_composer_json() {
    let long = "x".repeat(usize::try_from(MANIFEST_MAX_BYTES).unwrap() + 1);
    for (files, readme) in [
        (&[("composer.json", COMPOSER_JSON), ("README.md", "# Mailer")][..], Some("# Mailer")),
        (&[("top/composer.json", COMPOSER_JSON), ("top/readme.md", "# Top")], Some("# Top")),
        (&[("top/composer.json", COMPOSER_JSON), ("top/docs/README.md", "# Docs")], None),
        (&[("composer.json", COMPOSER_JSON), ("README.md", &long)], None),
        (&[("composer.json", COMPOSER_JSON), ("README.md@", "composer.json")], None),
        (&[("composer.json", COMPOSER_JSON)], None),
    ] {
        let file = file_of(&zip_of(files));
        assert_eq!(super::readme(file.path()).unwrap().as_deref(), readme, "{files:?}");
    }
    assert!(super::readme(file_of(b"no zip").path()).is_err());
}
