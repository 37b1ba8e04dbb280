//! Repositories that nobody has cloned yet.

use super::BareRepository;
use crate::common::chance;
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use std::{collections::BTreeMap, fmt::Write as _, path::Path};

const COMMITTER: &str = "Ada Example <ada@example.com> 1767225600 +0000";
const MESSAGE: &str = "Begin\n";
const README: &str = "# Read me\n";
/// The tag on the only commit.
const TAG: &str = "1.0.0";

/// What is in a repository before git is first asked for it: thousands of them cost next to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sketch {
    /// No branch and no tag.
    Empty,
    /// One commit on `main`, tagged 1.0.0: a README.md, and this composer.json if there is one.
    Begun(Option<String>),
}

impl Sketch {
    /// The files in this folder, which are made first if they are not there.
    pub(crate) fn open(&self, folder: &Path) -> BareRepository {
        if !folder.exists() {
            let fresh = folder.with_extension(chance(8));
            self.write(&BareRepository::create(&fresh));
            if std::fs::rename(&fresh, folder).is_err() {
                // Another request was faster.
                std::fs::remove_dir_all(&fresh).expect("the files of a repository can be removed");
            }
        }
        BareRepository::open(folder)
    }

    fn write(&self, git: &BareRepository) {
        if *self == Self::Empty {
            return;
        }
        let mut stream =
            format!("commit refs/heads/main\ncommitter {COMMITTER}\ndata {}\n{MESSAGE}", MESSAGE.len());
        for (path, content) in self.files() {
            let _ = writeln!(stream, "M 100644 inline {path}\ndata {}\n{content}", content.len());
        }
        git.import(stream.as_bytes());
        git.tag(TAG, "refs/heads/main");
    }

    fn files(&self) -> Vec<(&str, &str)> {
        let Self::Begun(manifest) = self else { return Vec::new() };
        // In the order of a tree: capital letters are before small ones.
        let manifest = manifest.as_deref().map(|manifest| ("composer.json", manifest));
        std::iter::once(("README.md", README)).chain(manifest).collect()
    }

    pub(crate) fn has_manifest(&self) -> bool {
        matches!(self, Self::Begun(Some(_)))
    }

    /// The composer.json, and every branch and tag with its commit.
    pub(crate) fn truth(&self) -> (Option<String>, BTreeMap<String, String>) {
        let names = ["refs/heads/main".to_owned(), format!("refs/tags/{TAG}")];
        let references =
            self.commit().into_iter().flat_map(|commit| names.clone().map(|name| (name, commit.clone())));
        (self.content("composer.json").map(str::to_owned), references.collect())
    }

    /// What is in a file.
    pub(crate) fn content(&self, path: &str) -> Option<&str> {
        self.files().into_iter().find(|(file, _)| *file == path).map(|(_, content)| content)
    }

    /// The hash that git will give the only commit.
    pub(crate) fn commit(&self) -> Option<String> {
        if *self == Self::Empty {
            return None;
        }
        let tree: Vec<u8> = self
            .files()
            .iter()
            .flat_map(|(path, content)| {
                [format!("100644 {path}\0").into_bytes(), hash("blob", content.as_bytes())].concat()
            })
            .collect();
        let tree = hex::encode(hash("tree", &tree));
        let commit = format!("tree {tree}\nauthor {COMMITTER}\ncommitter {COMMITTER}\n\n{MESSAGE}");
        Some(hex::encode(hash("commit", commit.as_bytes())))
    }
}

/// The hash of a git object.
fn hash(kind: &str, content: &[u8]) -> Vec<u8> {
    let object = [format!("{kind} {}\0", content.len()).as_bytes(), content].concat();
    digest(&SHA1_FOR_LEGACY_USE_ONLY, &object).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_are_what_the_sketch_said() {
        let folder = tempfile::tempdir().unwrap();
        let manifest = r#"{"name": "acme/mailer"}"#.to_owned();
        let rows = [Sketch::Empty, Sketch::Begun(None), Sketch::Begun(Some(manifest))];
        for (number, sketch) in rows.into_iter().enumerate() {
            let git = sketch.open(&folder.path().join(format!("{number}.git")));
            assert_eq!(git.resolve("refs/heads/main"), sketch.commit(), "{sketch:?}");
            assert_eq!(git.resolve("refs/tags/1.0.0"), sketch.commit(), "{sketch:?}");
            assert_eq!(git.resolve("main:composer.json").is_some(), sketch.has_manifest(), "{sketch:?}");
            assert_eq!(git.truth(), sketch.truth());
            assert_eq!(git.main_branch().is_some(), sketch != Sketch::Empty);
        }
    }
}
