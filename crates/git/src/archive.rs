//! A zip archive of the tree of a commit: the files that `git archive` would take, in bytes that never vary.

use crate::{GitError, Mirror, Tree, error::BoxError, reference::instant};
use gix::{
    ObjectId,
    bstr::{BStr, BString, ByteSlice},
    filter::plumbing::pipeline::convert::{ToWorktreeOutcome, to_worktree},
    index::entry::Mode,
    worktree::stack::state::attributes::Source,
};
use jiff::tz::TimeZone;
use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    fs::File,
    io::{self, BufWriter, Write},
};
use zip::{CompressionMethod, DateTime, ZipWriter, write::SimpleFileOptions};

/// zlib's usual level.
const COMPRESSION_LEVEL: i64 = 6;
/// Files and folders that a tree may have. The Linux kernel has 90,000.
pub(crate) const ENTRIES_MAX: usize = 250_000;
/// What its files may have together.
const UNPACKED_MAX_BYTES: u64 = 4 << 30;
/// Linux's `PATH_MAX`: what is longer, or nested deeper than this allows, no program unpacks.
pub(crate) const PATH_MAX_BYTES: usize = 4096;

impl Mirror {
    /// Writes a zip archive of a folder at a commit into an empty file.
    ///
    /// Everything lies in one folder, `top_directory`, which is there even if nothing is in it. `keep` is asked for each
    /// file: its path in the folder, and whether git leaves it out of archives (`export-ignore`, by the rules of
    /// gitattributes(5): nested files and negation count, and what is in an ignored folder is ignored). That the folder itself
    /// or one around it is ignored does not count: so the archive of a whole repository can do without it.
    ///
    /// The same commit gives the same bytes: files in byte order of their paths, the commit's time in UTC on each of
    /// them, modes 0644 and 0755, symbolic links as such. Line endings follow `.gitattributes` as in `git archive`.
    /// A file whose attributes cannot be followed, such as `working-tree-encoding` without a name, is taken as it is.
    /// Submodules are left out. `export-subst` is not supported: `$Format:..$` stays as it is. With `ident`, `$Id$`
    /// becomes `$Id: <blob>$`, one blank less than git writes.
    pub fn archive(
        &self,
        tree: Tree<'_>,
        top_directory: &str,
        keep: &dyn Fn(&str, bool) -> bool,
        out: &mut File,
    ) -> Result<(), GitError> {
        let id = self.commit_id(tree.commit)?;
        let (whole, committed_at) = self.tree_of(id).map_err(|cause| self.fault(id, cause))?;
        let index = self.index(id, whole)?;
        let mut files =
            Files::of(&self.repository, index, tree.folder).map_err(|cause| self.fault(id, cause))?;
        let zip = Zip::new(BufWriter::new(out), top_directory, committed_at);
        match files.copy_to(zip, keep) {
            Ok(()) => Ok(()),
            Err(Failure::Huge) => Err(GitError::HugeTree { commit: tree.commit.to_owned() }),
            Err(Failure::Reading(cause)) => Err(self.fault(id, cause)),
            Err(Failure::Writing(source)) => Err(GitError::Disk { doing: "write an archive", source }),
        }
    }

    fn tree_of(&self, commit: ObjectId) -> Result<(ObjectId, DateTime), BoxError> {
        let commit = self.repository.find_object(commit)?.try_into_commit()?;
        Ok((commit.tree_id()?.detach(), dos_time(commit.committer()?.seconds())))
    }

    /// Whether the tree has too many entries. A few kilobytes can hold one folder so often that no memory has room for it.
    fn is_huge(&self, tree: ObjectId) -> Result<bool, BoxError> {
        let (mut seen, mut folders) = (0, vec![tree]);
        while let Some(folder) = folders.pop() {
            for entry in self.repository.find_tree(folder)?.iter() {
                let entry = entry?;
                seen += 1;
                if seen > ENTRIES_MAX {
                    return Ok(true);
                }
                if entry.mode().is_tree() {
                    folders.push(entry.object_id());
                }
            }
        }
        Ok(false)
    }

    /// All files of the tree. With names such as `..` and `.git`, git itself would not check it out.
    fn index(&self, commit: ObjectId, tree: ObjectId) -> Result<gix::index::File, GitError> {
        if self.is_huge(tree).map_err(|cause| self.fault(commit, cause))? {
            return Err(GitError::HugeTree { commit: commit.to_string() });
        }
        let unsafe_tree = |source: BoxError| GitError::UnsafeTree { commit: commit.to_string(), source };
        let index = self.repository.index_from_tree(&tree).map_err(|cause| {
            match cause.downcast_any_ref::<gix::validate::path::component::Error>() {
                Some(_) => unsafe_tree(cause.into()),
                None => self.fault(commit, cause),
            }
        })?;
        let paths: Vec<&BStr> = index.entries().iter().map(|entry| entry.path(&index)).collect();
        match unsafe_path(&paths) {
            Some(path) => Err(unsafe_tree(path.into())),
            None => Ok(index),
        }
    }
}

enum Failure {
    Huge,
    Reading(BoxError),
    Writing(io::Error),
}

/// The files of a tree with their attributes. All are known, because the attributes of folders around count.
struct Files<'repo> {
    /// Ends with a slash, unless it is the root.
    folder: String,
    repository: &'repo gix::Repository,
    index: gix::index::File,
    attributes: gix::AttributeStack<'repo>,
    filters: gix::filter::Pipeline<'repo>,
    ignored_folders: HashMap<BString, bool>,
}

impl<'repo> Files<'repo> {
    fn of(
        repository: &'repo gix::Repository,
        index: gix::index::File,
        folder: &str,
    ) -> Result<Self, BoxError> {
        let folder = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let attributes = || repository.attributes_only(&index, Source::IdMapping);
        let filters = gix::filter::Pipeline::new(repository, attributes()?.detach())?;
        let attributes = attributes()?;
        Ok(Self { folder, repository, index, attributes, filters, ignored_folders: HashMap::new() })
    }

    fn copy_to(&mut self, mut zip: Zip<'_>, keep: &dyn Fn(&str, bool) -> bool) -> Result<(), Failure> {
        let mut unpacked_bytes = 0;
        for position in 0..self.index.entries().len() {
            let entry = &self.index.entries()[position];
            let (path, id, mode) = (entry.path(&self.index).to_owned(), entry.id, entry.mode);
            let Some(name) = path.strip_prefix(self.folder.as_bytes()).filter(|_| mode != Mode::COMMIT)
            else {
                continue;
            };
            let ignored = self.is_ignored(path.as_ref(), mode).map_err(Failure::Reading)?;
            let name = text(name.into());
            if keep(&name, ignored) {
                let blob = self.repository.find_object(id).map_err(|error| Failure::Reading(error.into()))?;
                unpacked_bytes += blob.data.len() as u64;
                if unpacked_bytes > UNPACKED_MAX_BYTES {
                    return Err(Failure::Huge);
                }
                if mode == Mode::SYMLINK {
                    zip.link(&name, &text(blob.data.as_bstr())).map_err(Failure::Writing)?;
                } else {
                    let contents = self.convert(&blob.data, path.as_ref());
                    zip.file(&name, mode == Mode::FILE_EXECUTABLE, &contents).map_err(Failure::Writing)?;
                }
            }
        }
        zip.finish().map_err(Failure::Writing)
    }

    /// Whether the file, or a folder that it is in below the one that is asked for, has the attribute `export-ignore`.
    fn is_ignored(&mut self, path: &BStr, mode: Mode) -> Result<bool, BoxError> {
        let slashes = path.find_iter(b"/").filter(|slash| *slash >= self.folder.len());
        let folders: Vec<&BStr> = slashes.map(|slash| path[..slash].as_bstr()).collect();
        // The innermost folder that is known speaks for those around it.
        let known = |(at, folder): (usize, &&BStr)| Some((at + 1, *self.ignored_folders.get(*folder)?));
        let (known, mut ignored) = folders.iter().enumerate().rev().find_map(known).unwrap_or_default();
        for folder in &folders[known..] {
            ignored = ignored || self.has_export_ignore(folder, Mode::DIR)?;
            self.ignored_folders.insert((*folder).to_owned(), ignored);
        }
        Ok(ignored || self.has_export_ignore(path, mode)?)
    }

    fn has_export_ignore(&mut self, path: &BStr, mode: Mode) -> Result<bool, BoxError> {
        let mut found = self.attributes.selected_attribute_matches(["export-ignore"]);
        self.attributes.at_entry(path, Some(mode))?.matching_attributes(&mut found);
        Ok(found.iter_selected().any(|attribute| attribute.assignment.state.is_set()))
    }

    /// The contents as a checkout would have them: line endings, `ident`, encoding. git too takes a file as it is if it
    /// does not know the encoding.
    fn convert<'blob>(&mut self, blob: &'blob [u8], path: &BStr) -> Cow<'blob, [u8]> {
        match self.filters.convert_to_worktree(blob, path, to_worktree::Options::default()) {
            Ok(ToWorktreeOutcome::Buffer(bytes)) => Cow::Owned(bytes.to_vec()),
            // Filter programs come from git's configuration, and a mirror has none.
            Ok(ToWorktreeOutcome::Unchanged(_) | ToWorktreeOutcome::Process(_)) => Cow::Borrowed(blob),
            Err(cause) => {
                tracing::warn!(%path, %cause, "the attributes of a file cannot be followed; it is taken as it is");
                Cow::Borrowed(blob)
            }
        }
    }
}

/// A zip archive in the making.
struct Zip<'a> {
    writer: ZipWriter<BufWriter<&'a mut File>>,
    top_directory: &'a str,
    options: SimpleFileOptions,
    is_empty: bool,
}

impl<'a> Zip<'a> {
    fn new(out: BufWriter<&'a mut File>, top_directory: &'a str, committed_at: DateTime) -> Self {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(COMPRESSION_LEVEL))
            .last_modified_time(committed_at);
        Self { writer: ZipWriter::new(out), top_directory, options, is_empty: true }
    }

    fn file(&mut self, path: &str, is_executable: bool, contents: &[u8]) -> io::Result<()> {
        let mode = if is_executable { 0o755 } else { 0o644 };
        let is_large = contents.len() as u64 >= u64::from(u32::MAX);
        let name = format!("{}/{path}", self.top_directory);
        self.is_empty = false;
        self.writer.start_file(name, self.options.unix_permissions(mode).large_file(is_large))?;
        self.writer.write_all(contents)
    }

    fn link(&mut self, path: &str, target: &str) -> io::Result<()> {
        let name = format!("{}/{path}", self.top_directory);
        self.is_empty = false;
        Ok(self.writer.add_symlink(name, target, self.options.unix_permissions(0o777))?)
    }

    fn finish(mut self) -> io::Result<()> {
        if self.is_empty {
            self.writer.add_directory(self.top_directory, self.options.unix_permissions(0o755))?;
        }
        self.writer.finish()?.flush()
    }
}

/// Names in a zip are text. A name that is not UTF-8 is read as Latin-1, which loses nothing.
fn text(bytes: &BStr) -> Cow<'_, str> {
    bytes
        .to_str()
        .map_or_else(|_| Cow::Owned(bytes.iter().map(|byte| char::from(*byte)).collect()), Cow::Borrowed)
}

/// The first path that is too long to be unpacked, or would leave the folder it is unpacked to: by `..`, or by way of a
/// file or link that has its name twice.
fn unsafe_path(paths: &[&BStr]) -> Option<String> {
    let mut files = HashSet::new();
    let twice = paths.iter().find(|path| !files.insert(**path));
    let leaves = |path: &&&BStr| {
        // Unpacking programs on Windows take a backslash for a slash.
        path.split(|byte| matches!(byte, b'/' | b'\\')).any(|part| matches!(part, b"" | b"." | b".."))
            || path.len() > PATH_MAX_BYTES
            || path.find_iter(b"/").any(|slash| files.contains(path[..slash].as_bstr()))
    };
    twice.or_else(|| paths.iter().find(leaves)).map(ToString::to_string)
}

/// A zip knows the years 1980 to 2107 and even seconds.
fn dos_time(seconds: i64) -> DateTime {
    let time = TimeZone::UTC.to_datetime(instant(seconds));
    let part = |value: i8| u8::try_from(value).unwrap_or_default();
    let year = u16::try_from(time.year()).unwrap_or_default();
    DateTime::from_date_and_time(
        year,
        part(time.month()),
        part(time.day()),
        part(time.hour()),
        part(time.minute()),
        part(time.second()),
    )
    .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_outside_the_calendar_of_zip() {
        let year = |seconds| dos_time(seconds).year();
        assert_eq!((year(0), year(1_700_000_000), year(i64::MAX), year(-5)), (1980, 2023, 1980, 1980));
    }

    #[test]
    fn paths_that_leave_the_folder() {
        let table: [(&[&str], Option<&str>); 8] = [
            (&["a", "b.c/d", "..e/f..", "g\\h", "a.b/c"], None),
            (&["a", "../b"], Some("../b")),
            (&["a/../b"], Some("a/../b")),
            (&["a\\..\\b"], Some("a\\..\\b")),
            (&["a//b"], Some("a//b")),
            (&["./a"], Some("./a")),
            (&["a", "a.", "a/b"], Some("a/b")),
            (&["a", "b", "a"], Some("a")),
        ];
        for (paths, found) in table {
            let paths: Vec<&BStr> = paths.iter().map(BStr::new).collect();
            assert_eq!(unsafe_path(&paths).as_deref(), found, "{paths:?}");
        }
        let (longest, too_long) = ("a".repeat(PATH_MAX_BYTES), "a".repeat(PATH_MAX_BYTES + 1));
        assert_eq!(unsafe_path(&[longest.as_str().into(), too_long.as_str().into()]), Some(too_long));
    }
}
