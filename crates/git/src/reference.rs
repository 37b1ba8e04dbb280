//! Branches and tags: as they are kept, and as they are read.

use crate::{GitError, Mirror, damage, error::BoxError};
use gix::{
    ObjectId,
    bstr::{BString, ByteSlice},
    objs::Kind,
    protocol::handshake::Ref,
};
use stave_domain::Timestamp;
use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    path::Path,
};

/// The branches and tags of a mirror.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct References {
    /// The branch that the remote HEAD points to; `None` if it points to none that exists.
    pub default_branch: Option<String>,
    /// In byte order of their names.
    pub tags: Vec<Reference>,
    /// In byte order of their names.
    pub branches: Vec<Reference>,
}

/// One branch or tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Without `refs/heads/` or `refs/tags/`.
    pub name: String,
    /// What it leads to, through any number of tag objects.
    pub target: Target,
}

/// What a branch or tag leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A commit.
    Commit {
        /// 40 lower-case hex digits.
        id: String,
        /// Its author date: what Composer calls the time of a version in a plain git repository.
        author_at: Timestamp,
    },
    /// Something that has no version in it: "blob" or "tree".
    NotACommit(&'static str),
    /// A commit or tag that does not follow git's format, byte for byte as the host gave it.
    Unreadable,
}

impl Mirror {
    /// The branches and tags as the last successful fetch found them.
    pub fn references(&self) -> Result<References, GitError> {
        let kept = Snapshot::read(self.path())?;
        let default_branch = kept.default_branch();
        let (mut tags, mut branches) = (Vec::new(), Vec::new());
        for (name, id) in &kept.references {
            let target = self.peel(*id).map_err(|cause| self.damaged(cause))?;
            if let Some(name) = name.strip_prefix(TAGS) {
                tags.push(Reference { name: name.to_str_lossy().into_owned(), target });
            } else if let Some(name) = name.strip_prefix(HEADS) {
                branches.push(Reference { name: name.to_str_lossy().into_owned(), target });
            }
        }
        Ok(References { default_branch, tags, branches })
    }

    /// Follows tag objects to what they are about. An error is damage.
    fn peel(&self, mut id: ObjectId) -> Result<Target, BoxError> {
        loop {
            match self.repository.find_header(id)?.kind() {
                Kind::Tree => return Ok(Target::NotACommit("tree")),
                Kind::Blob => return Ok(Target::NotACommit("blob")),
                Kind::Tag | Kind::Commit => {}
            }
            let object = self.repository.find_object(id)?;
            match step(&object) {
                Some(Step::To(target)) => id = target,
                Some(Step::AuthorAt(author_at)) => {
                    return Ok(Target::Commit { id: id.to_string(), author_at });
                }
                None => {
                    damage::check(&object)?;
                    return Ok(Target::Unreadable);
                }
            }
        }
    }
}

/// What a tag or commit says; [`step`] finds nothing in one that is malformed.
enum Step {
    To(ObjectId),
    AuthorAt(Timestamp),
}

fn step(object: &gix::Object<'_>) -> Option<Step> {
    Some(match object.kind {
        Kind::Tag => Step::To(object.try_to_tag_ref_iter()?.target_id().ok()?),
        _ => Step::AuthorAt(instant(object.try_to_commit_ref_iter()?.author().ok()?.seconds())),
    })
}

/// Commits may claim any date; those outside the calendar count as 1970.
pub(crate) fn instant(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

const HEADS: &[u8] = b"refs/heads/";
const TAGS: &[u8] = b"refs/tags/";
const HEADER: &[u8] = b"# pack-refs with: sorted \n";
/// What `HEAD` says when the remote one says nothing. Nobody has such a branch.
const NOWHERE: &[u8] = b"refs/heads/.none";

/// All references at one time: the files `packed-refs` and `HEAD` (git: Documentation/gitrepository-layout).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// Full name of the branch that HEAD points to, which need not exist.
    head: Option<BString>,
    references: BTreeMap<BString, ObjectId>,
}

impl Snapshot {
    /// What a remote repository says. Names that git does not allow, and all but branches and tags, are left out.
    pub(crate) fn of(remote: &[Ref]) -> Self {
        let mut found = Self::default();
        for reference in remote {
            match reference {
                Ref::Symbolic { full_ref_name, target, .. } | Ref::Unborn { full_ref_name, target }
                    if full_ref_name == "HEAD" =>
                {
                    found.head = is_kept(target).then(|| target.clone());
                }
                Ref::Peeled { full_ref_name, tag: id, .. }
                | Ref::Direct { full_ref_name, object: id }
                | Ref::Symbolic { full_ref_name, tag: Some(id), .. }
                | Ref::Symbolic { full_ref_name, object: id, .. } => {
                    if is_kept(full_ref_name) {
                        found.references.insert(full_ref_name.clone(), *id);
                    }
                }
                Ref::Unborn { .. } => {}
            }
        }
        found
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.references.is_empty()
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = ObjectId> {
        self.references.values().copied()
    }

    fn default_branch(&self) -> Option<String> {
        let head = self.head.as_ref().filter(|head| self.references.contains_key(*head))?;
        head.strip_prefix(HEADS).map(|name| name.to_str_lossy().into_owned())
    }

    /// Reads what [`Snapshot::write`] wrote. A line that it cannot have written is damage.
    pub(crate) fn read(folder: &Path) -> Result<Self, GitError> {
        let head = read(&folder.join("HEAD"))?;
        let head = head.strip_prefix(b"ref: ").map(|name| BString::from(name.trim_end()));
        let mut references = BTreeMap::new();
        for line in read(&folder.join("packed-refs"))?.lines().filter(|line| !line.starts_with(b"#")) {
            let parts =
                line.split_once_str(" ").and_then(|(id, name)| Some((ObjectId::from_hex(id).ok()?, name)));
            let (id, name) =
                parts.ok_or_else(|| GitError::damaged("packed-refs has a line that is no reference"))?;
            references.insert(name.into(), id);
        }
        Ok(Self { head: head.filter(|head| head != NOWHERE), references })
    }

    /// Replaces both files, each at once.
    pub(crate) fn write(&self, folder: &Path) -> io::Result<()> {
        let mut packed = HEADER.to_vec();
        for (name, id) in &self.references {
            writeln!(packed, "{id} {name}")?;
        }
        let head = self.head.as_ref().map_or(NOWHERE, |head| head.as_slice());
        replace(&folder.join("packed-refs"), &packed)?;
        replace(&folder.join("HEAD"), &[b"ref: ", head, b"\n"].concat())
    }
}

fn is_kept(name: &BString) -> bool {
    (name.starts_with(HEADS) || name.starts_with(TAGS)) && gix::refs::FullName::try_from(name.clone()).is_ok()
}

fn read(file: &Path) -> Result<Vec<u8>, GitError> {
    match fs::read(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        other => other.map_err(GitError::disk("read the references of a mirror")),
    }
}

/// Writes beside the file and renames, so that a crash leaves either the old or the new one.
fn replace(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = file.with_extension("tmp");
    let mut writer = fs::File::create(&unfinished)?;
    writer.write_all(bytes)?;
    writer.sync_all()?;
    fs::rename(&unfinished, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn direct(name: &str) -> Ref {
        Ref::Direct { full_ref_name: name.into(), object: ObjectId::from_hex(&[b'a'; 40]).unwrap() }
    }

    #[test]
    fn only_branches_and_tags_with_allowed_names_are_kept() {
        let names = [
            "refs/heads/main",
            "refs/heads/it's \"q\"",
            "refs/heads/a'b\"c",
            "refs/heads/../../x",
            "refs/heads/ü",
            "refs/tags/v1",
            "refs/pull/1/head",
            "refs/heads/x\ny",
            "refs/heads/feat",
            "refs/heads/feat/sub",
            "refs/heads/x.lock",
            "HEAD",
        ];
        let refs: Vec<Ref> = names.iter().map(|name| direct(name)).collect();
        let kept = Snapshot::of(&refs);
        let kept: Vec<String> = kept.references.keys().map(ToString::to_string).collect();
        assert_eq!(
            kept,
            [
                "refs/heads/a'b\"c",
                "refs/heads/feat",
                "refs/heads/feat/sub",
                "refs/heads/main",
                "refs/heads/ü",
                "refs/tags/v1"
            ]
        );
    }

    #[test]
    fn a_snapshot_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Snapshot::read(folder.path()).unwrap(), Snapshot::default());
        let head = Ref::Unborn { full_ref_name: "HEAD".into(), target: "refs/heads/trunk".into() };
        for refs in
            [vec![], vec![head.clone()], vec![direct("refs/heads/main"), direct("refs/tags/v1"), head]]
        {
            let snapshot = Snapshot::of(&refs);
            snapshot.write(folder.path()).unwrap();
            assert_eq!(Snapshot::read(folder.path()).unwrap(), snapshot);
        }
        fs::write(folder.path().join("packed-refs"), "nonsense\n").unwrap();
        assert!(matches!(Snapshot::read(folder.path()), Err(GitError::Damaged(_))));
    }
}
