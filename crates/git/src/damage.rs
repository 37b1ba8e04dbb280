//! Whose fault it is that something cannot be read: a mirror's that lost bytes, or that of whoever made the commit.
//!
//! The two look alike to gix. What tells them apart is the name of an object, which is the hash of its bytes.

use crate::{GitError, Mirror, error::BoxError};
use gix::{Object, ObjectId, objs::Kind};
use std::collections::HashSet;

impl Mirror {
    /// Why a commit could not be read: either the mirror has not everything of it, or it is malformed itself.
    pub(crate) fn fault(&self, commit: ObjectId, cause: impl Into<BoxError>) -> GitError {
        if self.is_whole(commit) {
            GitError::Malformed { commit: commit.to_string(), source: cause.into() }
        } else {
            self.damaged(cause)
        }
    }

    /// Whether the commit, its folders and its files are here, byte for byte. Submodules are none of its own.
    fn is_whole(&self, commit: ObjectId) -> bool {
        let (mut waiting, mut seen) = (vec![commit], HashSet::new());
        while let Some(id) = waiting.pop() {
            if !seen.insert(id) {
                continue;
            }
            let Ok(object) = self.repository.find_object(id) else { return false };
            if check(&object).is_err() {
                return false;
            }
            match object.kind {
                Kind::Commit => waiting.extend(object.into_commit().tree_id().map(gix::Id::detach)),
                Kind::Tree => {
                    let tree = object.into_tree();
                    let entries =
                        tree.iter().filter_map(Result::ok).filter(|entry| !entry.mode().is_commit());
                    waiting.extend(entries.map(|entry| entry.object_id()));
                }
                Kind::Blob | Kind::Tag => {}
            }
        }
        true
    }
}

/// An error if the object is not what it was when it got its name.
pub(crate) fn check(object: &Object<'_>) -> Result<(), BoxError> {
    let found = gix::objs::compute_hash(object.id.kind(), object.kind, &object.data)?;
    if found == object.id { Ok(()) } else { Err(format!("{} has the bytes of {found}", object.id).into()) }
}
