//! Reading a zip: the list at its end first, then every file to its last byte.

use super::{
    ArchiveProblem, ENTRIES_MAX, MANIFEST, MANIFEST_MAX_BYTES, PATH_MAX_BYTES, Seen, Strictness,
    budget::{Budget, Metered},
    tree::{Kind, Tree, parts, shortened},
};
use stave_git::READMES;
use std::{
    cell::Cell,
    fs::File,
    io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom},
    path::Path,
    rc::Rc,
};
use zip::{ZipArchive, ZipReadOptions, read::ZipFileEntry, result::ZipError};

/// What the list at the end may have, in bytes: it is held in memory, where it takes some ten times as much.
const LIST_MAX_BYTES: u64 = 16 << 20;
/// The bits of a Unix mode that say what kind of file it is, and those kinds that are taken. 0 is an archive of another system.
const KIND_MASK: u32 = 0o170_000;
const KINDS: [u32; 4] = [0, 0o100_000, 0o040_000, 0o120_000];

pub(super) fn read(file: &Path, strictness: Strictness) -> Result<Seen, ArchiveProblem> {
    let mut budget = Budget::of(std::fs::metadata(file)?.len());
    let mut zip = open(file)?;
    let mut tree = list(&zip)?;
    let (manifest_path, mut manifest) = (tree.manifest_path(), None);
    for index in 0..zip.len() {
        let options = ZipReadOptions::new().enforce_header_consistency(strictness == Strictness::Upload);
        let mut file = zip.by_index_with_options(index, options).map_err(|error| problem(error, ""))?;
        let name = file.name().map_err(|error| problem(error, ""))?.into_owned();
        let Some(parts) = parts(&name)? else { continue };
        let is_link = file.is_symlink();
        let mut contents = Metered { inner: &mut file, budget: &mut budget };
        if is_link {
            tree.link(&parts, &text_of(&mut contents, &name)?)?;
        } else if parts.join("/") == manifest_path {
            let mut bytes = Vec::new();
            contents
                .by_ref()
                .take(MANIFEST_MAX_BYTES)
                .read_to_end(&mut bytes)
                .map_err(|error| at(error, &name))?;
            manifest = Some(bytes);
        }
        // To its end, where its checksum is compared.
        io::copy(&mut contents, &mut io::sink()).map_err(|error| at(error, &name))?;
    }
    Ok(Seen { tree, manifest, unpacked_bytes: budget.spent() })
}

/// The README beside composer.json, of a zip that was read to its end before: as text, if it is one that people read.
pub(super) fn readme(file: &Path) -> Result<Option<String>, ArchiveProblem> {
    let mut budget = Budget::of(std::fs::metadata(file)?.len());
    let mut zip = open(file)?;
    let manifest_path = list(&zip)?.manifest_path();
    let folder = manifest_path.strip_suffix(MANIFEST).unwrap_or_default();
    let Some(index) = READMES.iter().find_map(|name| zip.index_for_name(&format!("{folder}{name}"))) else {
        return Ok(None);
    };
    let mut file = zip.by_index(index).map_err(|error| problem(error, ""))?;
    if file.size() > MANIFEST_MAX_BYTES || file.is_symlink() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    Metered { inner: &mut file, budget: &mut budget }.take(MANIFEST_MAX_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8(bytes).ok())
}

/// Opens a zip, whose list is read at once.
fn open(file: &Path) -> Result<ZipArchive<Bounded>, ArchiveProblem> {
    let left = Rc::new(Cell::new(LIST_MAX_BYTES));
    let reader = Bounded { inner: BufReader::new(File::open(file)?), left: Rc::clone(&left) };
    let zip = ZipArchive::new(reader).map_err(|error| match error {
        ZipError::Io(error) if error.kind() == ErrorKind::FileTooLarge => ArchiveProblem::TooManyEntries,
        ZipError::Io(error) => error.into(),
        // Where the list is stands at the end.
        _ => ArchiveProblem::Truncated,
    })?;
    left.set(u64::MAX);
    if zip.len() > ENTRIES_MAX {
        return Err(ArchiveProblem::TooManyEntries);
    }
    Ok(zip)
}

/// A file of which so many bytes may be read.
struct Bounded {
    inner: BufReader<File>,
    left: Rc<Cell<u64>>,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let left = self.left.get().checked_sub(count as u64).ok_or(ErrorKind::FileTooLarge)?;
        self.left.set(left);
        Ok(count)
    }
}

impl Seek for Bounded {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

/// Where a link leads.
fn text_of(contents: &mut impl Read, name: &str) -> Result<String, ArchiveProblem> {
    let mut target = Vec::new();
    contents.take(PATH_MAX_BYTES as u64 + 1).read_to_end(&mut target).map_err(|error| at(error, name))?;
    match String::from_utf8(target) {
        Ok(target) if target.len() <= PATH_MAX_BYTES => Ok(target),
        _ => Err(ArchiveProblem::Name(shortened(name))),
    }
}

/// All names. Where links lead is known when their contents are.
fn list(zip: &ZipArchive<Bounded>) -> Result<Tree, ArchiveProblem> {
    let mut tree = Tree::default();
    for index in 0..zip.len() {
        let entry = zip.by_index_data(index).map_err(|error| problem(error, ""))?;
        let name = entry.name().map_err(|error| problem(error, ""))?.into_owned();
        judge(&entry, &name)?;
        let Some(parts) = parts(&name)? else { continue };
        let kind = match () {
            () if entry.is_symlink() => Kind::Link,
            () if entry.is_dir() => Kind::Folder,
            () => Kind::File,
        };
        tree.add(&parts, kind)?;
    }
    if zip.has_duplicate_names() {
        return Err(ArchiveProblem::Twice("A name".into()));
    }
    Ok(tree)
}

fn judge(entry: &ZipFileEntry<'_>, name: &str) -> Result<(), ArchiveProblem> {
    if entry.encrypted() {
        return Err(ArchiveProblem::Encrypted(shortened(name)));
    }
    if !matches!(entry.compression(), zip::CompressionMethod::Stored | zip::CompressionMethod::Deflated) {
        return Err(ArchiveProblem::Compression(shortened(name)));
    }
    if !KINDS.contains(&(entry.unix_mode().unwrap_or(0) & KIND_MASK)) {
        return Err(ArchiveProblem::Special(shortened(name)));
    }
    Ok(())
}

fn at(error: io::Error, name: &str) -> ArchiveProblem {
    ArchiveProblem::from(error).at(&shortened(name))
}

fn problem(error: ZipError, name: &str) -> ArchiveProblem {
    match error {
        ZipError::Io(error) => at(error, name),
        _ => ArchiveProblem::Damaged(shortened(name)),
    }
}
