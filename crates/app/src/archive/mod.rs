//! Archives that people upload or others serve: whether one is whole and harmless, what is in it, and how a tar becomes a zip.
//!
//! In comes a file, from anybody. Out goes what is known of it, or one sentence that says why it is refused. Everything here blocks,
//! takes memory for names only, and unpacks nothing to the disk.

mod budget;
mod convert;
mod kind;
mod problem;
mod tar;
mod tree;
mod zip;

pub use convert::to_zip;
pub use kind::ArchiveKind;
pub use problem::ArchiveProblem;

use std::{fs::File, path::Path};
use tree::Tree;

/// The largest archive that is taken, in bytes.
pub const LARGEST_BYTES: u64 = 512 * 1024 * 1024;
/// Files and folders that an archive may have. The largest packages have some ten thousand.
const ENTRIES_MAX: usize = 100_000;
/// What all their names may have together, in bytes.
const NAMES_MAX_BYTES: usize = 32 * 1024 * 1024;
/// Linux's `PATH_MAX`: what is longer no program unpacks.
const PATH_MAX_BYTES: usize = 4096;
/// The file that makes a package.
const MANIFEST: &str = "composer.json";
/// What is read of it: enough for whoever parses it to see that it is too large.
const MANIFEST_MAX_BYTES: u64 = stave_domain::composer::manifest::LARGEST_BYTES as u64 + 1;

/// What is known of an archive that was read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspected {
    /// How it is packed.
    pub kind: ArchiveKind,
    /// The bytes of composer.json, cut off where it is larger than anybody reads.
    pub manifest: Vec<u8>,
    /// How many files, folders and links are in it.
    pub entries: usize,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// The size of everything in it.
    pub unpacked_bytes: u64,
}

/// Looks whether a file is a package that can be served: a whole archive in which nothing is dangerous, with composer.json at its
/// top or in the one folder that holds everything (Composer's `ArchiveDownloader` strips that).
pub fn check(file: &Path) -> Result<Inspected, ArchiveProblem> {
    let (seen, kind, size_bytes) = read(file, Strictness::Upload)?;
    let Some(manifest) = seen.manifest else { return Err(seen.tree.why_no_manifest()) };
    let (entries, unpacked_bytes) = (seen.tree.len(), seen.unpacked_bytes);
    Ok(Inspected { kind, manifest, entries, size_bytes, unpacked_bytes })
}

/// Looks whether a file is a whole archive in which nothing is dangerous. What somebody else serves may be without composer.json.
pub fn check_foreign(file: &Path) -> Result<ArchiveKind, ArchiveProblem> {
    let (_, kind, _) = read(file, Strictness::Foreign)?;
    Ok(kind)
}

/// The README of a zip that is served, as text; `None` if it has none that people can read.
pub fn readme(zip: &Path) -> Result<Option<String>, ArchiveProblem> {
    zip::readme(zip)
}

/// How narrowly a zip is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strictness {
    /// Both of its lists of files must say the same, so that nobody sees another package than the one that was shown.
    Upload,
    /// As programs that unpack do: the list at the end counts.
    Foreign,
}

/// What was seen on the way through an archive.
struct Seen {
    tree: Tree,
    manifest: Option<Vec<u8>>,
    unpacked_bytes: u64,
}

fn read(file: &Path, strictness: Strictness) -> Result<(Seen, ArchiveKind, u64), ArchiveProblem> {
    let size_bytes = std::fs::metadata(file)?.len();
    if size_bytes > LARGEST_BYTES {
        return Err(ArchiveProblem::TooLarge);
    }
    let kind = ArchiveKind::of(&mut File::open(file)?)?;
    let seen = match kind {
        ArchiveKind::Zip => zip::read(file, strictness)?,
        _ => tar::read(file, kind)?,
    };
    if seen.tree.len() == 0 {
        return Err(ArchiveProblem::Nothing);
    }
    seen.tree.check_links()?;
    Ok((seen, kind, size_bytes))
}

#[cfg(test)]
mod tests;
