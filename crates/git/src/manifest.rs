//! composer.json at many commits.

use crate::{GitError, Mirror, damage, error::BoxError};
use gix::{
    ObjectId,
    objs::{Kind, TreeRef, tree::EntryKind},
};

/// A composer.json that is larger than this is not read: 1 MiB.
pub const MANIFEST_MAX_BYTES: u64 = 1 << 20;

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

impl Mirror {
    /// What the commit, 40 hex digits, has as its top-level composer.json. Reads no contents, only the size.
    pub fn manifest(&self, commit: &str) -> Result<Manifest, GitError> {
        let id = self.commit_id(commit)?;
        self.manifest_of(id).map_err(|cause| self.damaged(cause))
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
    fn manifest_of(&self, commit: ObjectId) -> Result<Manifest, BoxError> {
        let commit = self.repository.find_object(commit)?;
        let Some(tree) = commit.try_to_commit_ref_iter().and_then(|mut commit| commit.tree_id().ok()) else {
            damage::check(&commit)?;
            return Ok(Manifest::Unreadable);
        };
        let tree = self.repository.find_object(tree)?;
        let parsed = TreeRef::from_bytes(&tree.data, tree.id.kind()).ok().filter(|_| tree.kind.is_tree());
        let Some(TreeRef { entries }) = parsed else {
            damage::check(&tree)?;
            return Ok(Manifest::Unreadable);
        };
        let Some(entry) = entries.iter().find(|entry| entry.filename == "composer.json") else {
            return Ok(Manifest::Missing);
        };
        if !matches!(entry.mode.kind(), EntryKind::Blob | EntryKind::BlobExecutable) {
            return Ok(Manifest::NotAFile);
        }
        let header = self.repository.find_header(entry.oid)?;
        // A tree may say of anything that it is a file.
        if header.kind() != Kind::Blob {
            return Ok(Manifest::NotAFile);
        }
        let size_bytes = header.size();
        if size_bytes > MANIFEST_MAX_BYTES {
            return Ok(Manifest::TooLarge { size_bytes });
        }
        Ok(Manifest::Found { blob: entry.oid.to_string() })
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
