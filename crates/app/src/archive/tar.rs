//! Reading a tar, plain or compressed: one pass from its beginning to its end.

use super::{
    ArchiveKind, ArchiveProblem, MANIFEST, MANIFEST_MAX_BYTES, PATH_MAX_BYTES, Seen,
    budget::{Budget, Metered},
    tree::{Kind, Tree, parts, shortened},
};
use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;
use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::Path,
};
use tar::{Archive, Entry, EntryType};

/// What a header that only describes the next entry may have, in bytes: a name, a link's target, some pax records.
const DESCRIPTION_MAX_BYTES: u64 = 64 * 1024;

/// A file, folder or link on its way out of a tar.
pub(super) struct Item<'a> {
    /// Its path, cut into parts.
    pub(super) parts: Vec<&'a str>,
    pub(super) content: Content<'a>,
}

pub(super) enum Content<'a> {
    Folder,
    File { is_executable: bool, size_bytes: u64, bytes: &'a mut dyn Read },
    Link { target: &'a str },
}

pub(super) fn read(file: &Path, kind: ArchiveKind) -> Result<Seen, ArchiveProblem> {
    let (mut tree, mut manifests) = (Tree::default(), Vec::<(String, Vec<u8>)>::new());
    let unpacked_bytes = each(file, kind, &mut |item| match item.content {
        Content::Folder => tree.add(&item.parts, Kind::Folder),
        Content::Link { target } => {
            tree.add(&item.parts, Kind::Link)?;
            tree.link(&item.parts, target)
        }
        Content::File { bytes, .. } => {
            tree.add(&item.parts, Kind::File)?;
            // Which folder is the top one is known at the end. If another one has a composer.json as well, it is none.
            let is_candidate = item.parts.len() <= 2 && item.parts.last() == Some(&MANIFEST);
            if is_candidate && manifests.iter().filter(|(path, _)| path != MANIFEST).count() < 2 {
                let mut manifest = Vec::new();
                bytes.take(MANIFEST_MAX_BYTES).read_to_end(&mut manifest)?;
                manifests.push((item.parts.join("/"), manifest));
            }
            Ok(())
        }
    })?;
    let wanted = tree.manifest_path();
    let manifest = manifests.into_iter().find(|(path, _)| *path == wanted).map(|(_, bytes)| bytes);
    Ok(Seen { tree, manifest, unpacked_bytes })
}

/// What entries before the one that they describe say of it: GNU's long names, pax records (POSIX.1-2001).
#[derive(Default)]
struct Described {
    path: Option<String>,
    target: Option<String>,
}

/// Shows every entry to `visit`, in their order, and reads to the end. Returns how much came out.
pub(super) fn each(
    file: &Path,
    kind: ArchiveKind,
    visit: &mut dyn FnMut(Item<'_>) -> Result<(), ArchiveProblem>,
) -> Result<u64, ArchiveProblem> {
    let packed = File::open(file)?;
    let mut budget = Budget::of(packed.metadata()?.len());
    let packed = BufReader::new(packed);
    let inner: Box<dyn Read> = match kind {
        ArchiveKind::TarGz => Box::new(MultiGzDecoder::new(packed)),
        ArchiveKind::TarBz2 => Box::new(MultiBzDecoder::new(packed)),
        ArchiveKind::Tar | ArchiveKind::Zip => Box::new(packed),
    };
    let mut archive = Archive::new(Metered { inner, budget: &mut budget });
    let mut described = Described::default();
    for entry in archive.entries()?.raw(true) {
        visit_entry(&mut entry?, &mut described, visit)?;
    }
    // What was compressed has a checksum behind everything.
    io::copy(&mut archive.into_inner(), &mut io::sink())?;
    Ok(budget.spent())
}

fn visit_entry(
    entry: &mut Entry<'_, impl Read>,
    described: &mut Described,
    visit: &mut dyn FnMut(Item<'_>) -> Result<(), ArchiveProblem>,
) -> Result<(), ArchiveProblem> {
    let kind = entry.header().entry_type();
    match kind {
        EntryType::GNULongName => {
            described.path = Some(description(entry)?);
            return Ok(());
        }
        EntryType::GNULongLink => {
            described.target = Some(description(entry)?);
            return Ok(());
        }
        EntryType::XHeader => return pax(&description(entry)?, described),
        EntryType::XGlobalHeader => {
            // `git archive` tells its commit there.
            description(entry)?;
            return Ok(());
        }
        _ => {}
    }
    let Described { path, target } = std::mem::take(described);
    let path = path.unwrap_or_else(|| text(&entry.path_bytes()));
    let Some(parts) = parts(&path)? else { return Ok(()) };
    let target = target.or_else(|| entry.link_name_bytes().map(|bytes| text(&bytes))).unwrap_or_default();
    let is_executable = entry.header().mode().is_ok_and(|mode| mode & 0o111 != 0);
    let size_bytes = entry.size();
    let content = match kind {
        EntryType::Directory => Content::Folder,
        EntryType::Regular | EntryType::Continuous if path.ends_with('/') => Content::Folder,
        EntryType::Regular | EntryType::Continuous => {
            Content::File { is_executable, size_bytes, bytes: entry }
        }
        EntryType::Symlink if target.len() <= PATH_MAX_BYTES => Content::Link { target: &target },
        _ => return Err(ArchiveProblem::Special(shortened(&path))),
    };
    visit(Item { parts, content })
}

/// The text of a header that describes the next entry.
fn description(entry: &mut impl Read) -> Result<String, ArchiveProblem> {
    let mut bytes = Vec::new();
    entry.take(DESCRIPTION_MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > DESCRIPTION_MAX_BYTES {
        return Err(ArchiveProblem::TooManyEntries);
    }
    Ok(text(bytes.strip_suffix(b"\0").unwrap_or(&bytes)))
}

/// Lines such as `30 path=a/very/long/name\n`, with their own length in front.
fn pax(mut records: &str, described: &mut Described) -> Result<(), ArchiveProblem> {
    let damaged = || ArchiveProblem::Damaged("its pax header".into());
    while !records.is_empty() {
        let (length, _) = records.split_once(' ').ok_or_else(damaged)?;
        let digits = length.len();
        let length: usize = length.parse().map_err(|_| damaged())?;
        let record = records
            .get(digits + 1..length)
            .and_then(|record| record.strip_suffix('\n'))
            .ok_or_else(damaged)?;
        records = &records[length..];
        match record.split_once('=').ok_or_else(damaged)? {
            ("path", path) => described.path = Some(path.to_owned()),
            ("linkpath", target) => described.target = Some(target.to_owned()),
            // The size in the header is too small for such a file, and programs disagree on which one counts.
            ("size", _) => {
                return Err(ArchiveProblem::Special("a file with its size in a pax header".into()));
            }
            (key, _) if key.starts_with("GNU.sparse") => {
                return Err(ArchiveProblem::Special("a sparse file".into()));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Names in a zip are text. A name that is not UTF-8 is read as Latin-1, which loses nothing.
fn text(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes)
        .map_or_else(|_| bytes.iter().map(|byte| char::from(*byte)).collect(), str::to_owned)
}
