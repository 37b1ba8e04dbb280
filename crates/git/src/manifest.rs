//! composer.json at many commits, at the root or in folders.

use crate::{
    GitError, Mirror,
    archive::{ENTRIES_MAX, PATH_MAX_BYTES},
    damage,
    error::BoxError,
};
use gix::{
    ObjectId,
    bstr::ByteSlice,
    objs::{Kind, TreeRef, tree::EntryKind},
};

/// A composer.json that is larger than this is not read: 1 MiB.
pub const MANIFEST_MAX_BYTES: u64 = 1 << 20;

const MANIFEST: &str = "composer.json";
/// What a README is called, the likeliest first.
pub const READMES: [&str; 5] = ["README.md", "readme.md", "Readme.md", "README.markdown", "README"];

/// What a tree has under a name.
enum Entry {
    There(EntryKind, ObjectId),
    Missing,
    Unreadable,
}

/// Where a commit keeps its composer.json. Many commits share one, so it is named before it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manifest {
    /// It is a file; [`Mirror::blob`] reads it.
    Found {
        /// The id of its contents, 40 lower-case hex digits: same id, same bytes.
        blob: String,
    },
    /// There is none.
    Missing,
    /// It has more bytes than [`MANIFEST_MAX_BYTES`].
    TooLarge {
        /// Its size.
        size_bytes: u64,
    },
    /// It is a folder, a symbolic link or a submodule.
    NotAFile,
    /// The commit or its top folder does not follow git's format, byte for byte as the host gave it.
    Unreadable,
}

/// A folder as it is at a commit.
#[derive(Debug, Clone, Copy)]
pub struct Tree<'a> {
    /// 40 hex digits.
    pub commit: &'a str,
    /// Its path, such as `packages/mailer`; empty is the root.
    pub folder: &'a str,
}

impl<'a> Tree<'a> {
    /// Everything that a commit holds.
    #[must_use]
    pub fn root(commit: &'a str) -> Self {
        Self { commit, folder: "" }
    }
}

impl Mirror {
    /// What the commit, 40 hex digits, has as its top-level composer.json. Reads no contents, only the size.
    pub fn manifest(&self, commit: &str) -> Result<Manifest, GitError> {
        self.manifest_in(Tree::root(commit))
    }

    /// The same in a folder; where there is no such folder, it is missing.
    pub fn manifest_in(&self, tree: Tree<'_>) -> Result<Manifest, GitError> {
        let id = self.commit_id(tree.commit)?;
        self.manifest_of(id, tree.folder).map_err(|cause| self.damaged(cause))
    }

    /// The folders of a commit in which there is a composer.json, in the order of their names, as far as `is_wanted` likes
    /// their paths. The root has an empty one.
    pub fn manifest_folders(
        &self,
        commit: &str,
        is_wanted: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<String>, GitError> {
        let id = self.commit_id(commit)?;
        let found = self.folders_of(id, is_wanted).map_err(|cause| self.damaged(cause))?;
        found.ok_or_else(|| GitError::HugeTree { commit: commit.to_owned() })
    }

    /// The README of a folder, as text; `None` if there is none, or none that is a text of at most [`MANIFEST_MAX_BYTES`].
    pub fn readme_in(&self, tree: Tree<'_>) -> Result<Option<String>, GitError> {
        let id = self.commit_id(tree.commit)?;
        for name in READMES {
            let found = self.file_of(id, tree.folder, name).map_err(|cause| self.damaged(cause))?;
            if let Manifest::Found { blob } = found {
                return Ok(String::from_utf8(self.blob(&blob)?).ok());
            }
        }
        Ok(None)
    }

    /// The bytes of a [`Manifest::Found`].
    pub fn blob(&self, id: &str) -> Result<Vec<u8>, GitError> {
        let read = || -> Result<Vec<u8>, BoxError> {
            let id = ObjectId::from_hex(id.as_bytes())?;
            Ok(self.repository.find_object(id)?.try_into_blob()?.take_data())
        };
        read().map_err(|cause| self.damaged(cause))
    }

    /// An error is damage.
    fn manifest_of(&self, commit: ObjectId, folder: &str) -> Result<Manifest, BoxError> {
        self.file_of(commit, folder, MANIFEST)
    }

    fn file_of(&self, commit: ObjectId, folder: &str, file: &str) -> Result<Manifest, BoxError> {
        let Some(mut tree) = self.top_folder(commit)? else { return Ok(Manifest::Unreadable) };
        for name in folder.split('/').filter(|name| !name.is_empty()) {
            match self.entry(tree, name)? {
                Entry::There(EntryKind::Tree, id) => tree = id,
                Entry::There(..) | Entry::Missing => return Ok(Manifest::Missing),
                Entry::Unreadable => return Ok(Manifest::Unreadable),
            }
        }
        let id = match self.entry(tree, file)? {
            Entry::There(EntryKind::Blob | EntryKind::BlobExecutable, id) => id,
            Entry::There(..) => return Ok(Manifest::NotAFile),
            Entry::Missing => return Ok(Manifest::Missing),
            Entry::Unreadable => return Ok(Manifest::Unreadable),
        };
        let header = self.repository.find_header(id)?;
        // A tree may say of anything that it is a file.
        if header.kind() != Kind::Blob {
            return Ok(Manifest::NotAFile);
        }
        let size_bytes = header.size();
        if size_bytes > MANIFEST_MAX_BYTES {
            return Ok(Manifest::TooLarge { size_bytes });
        }
        Ok(Manifest::Found { blob: id.to_string() })
    }

    /// `None` if the commit does not follow git's format.
    fn top_folder(&self, commit: ObjectId) -> Result<Option<ObjectId>, BoxError> {
        let commit = self.repository.find_object(commit)?;
        let tree = commit.try_to_commit_ref_iter().and_then(|mut commit| commit.tree_id().ok());
        if tree.is_none() {
            damage::check(&commit)?;
        }
        Ok(tree)
    }

    fn entry(&self, tree: ObjectId, name: &str) -> Result<Entry, BoxError> {
        let tree = self.repository.find_object(tree)?;
        let parsed = TreeRef::from_bytes(&tree.data, tree.id.kind()).ok().filter(|_| tree.kind.is_tree());
        let Some(TreeRef { entries }) = parsed else {
            damage::check(&tree)?;
            return Ok(Entry::Unreadable);
        };
        let found = entries.iter().find(|entry| entry.filename == name);
        Ok(found.map_or(Entry::Missing, |entry| Entry::There(entry.mode.kind(), entry.oid.to_owned())))
    }

    /// `None` if there are too many entries. What does not follow git's format, or has a name that is no text, is passed over.
    fn folders_of(
        &self,
        commit: ObjectId,
        is_wanted: &dyn Fn(&str) -> bool,
    ) -> Result<Option<Vec<String>>, BoxError> {
        let (mut found, mut seen) = (Vec::new(), 0);
        let mut waiting: Vec<_> =
            self.top_folder(commit)?.into_iter().map(|tree| (tree, String::new())).collect();
        while let Some((tree, path)) = waiting.pop() {
            let tree = self.repository.find_object(tree)?;
            let parsed = TreeRef::from_bytes(&tree.data, tree.id.kind()).ok().filter(|_| tree.kind.is_tree());
            for entry in parsed.into_iter().flat_map(|tree| tree.entries) {
                seen += 1;
                if seen > ENTRIES_MAX {
                    return Ok(None);
                }
                let Ok(name) = entry.filename.to_str() else { continue };
                match entry.mode.kind() {
                    EntryKind::Tree if path.is_empty() => {
                        waiting.push((entry.oid.to_owned(), name.to_owned()));
                    }
                    EntryKind::Tree if path.len() < PATH_MAX_BYTES => {
                        waiting.push((entry.oid.to_owned(), format!("{path}/{name}")));
                    }
                    EntryKind::Blob | EntryKind::BlobExecutable if name == MANIFEST && is_wanted(&path) => {
                        found.push(path.clone());
                    }
                    _ => {}
                }
            }
        }
        found.sort_unstable();
        Ok(Some(found))
    }

    /// The commit, if it is there: branches move, and a mirror forgets what no reference leads to.
    pub(crate) fn commit_id(&self, commit: &str) -> Result<ObjectId, GitError> {
        let absent = || GitError::NoSuchCommit(commit.to_owned());
        let id = ObjectId::from_hex(commit.as_bytes()).map_err(|_| absent())?;
        match self.repository.try_find_header(id) {
            Ok(Some(header)) if header.kind().is_commit() => Ok(id),
            Ok(_) => Err(absent()),
            Err(cause) => Err(self.damaged(cause)),
        }
    }
}
