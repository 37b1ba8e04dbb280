//! A zip with what is in a tar.

use super::{
    ArchiveKind, ArchiveProblem,
    tar::{Content, each},
};
use std::{
    fs::File,
    io::{self, BufWriter, Read, Write},
    path::Path,
};
use tempfile::NamedTempFile;
use zip::{CompressionMethod, DateTime, ZipWriter, result::ZipError, write::SimpleFileOptions};

/// zlib's usual level.
const COMPRESSION_LEVEL: i64 = 6;
/// What is copied at a time, in bytes.
const CHUNK_BYTES: usize = 64 * 1024;

/// Makes a zip of a tar that was [checked](super::check), as a new file in `folder`: the same tar gives the same bytes.
///
/// Everything lies in one folder, `top`. Files keep their order; their times are left out, modes are 0644 and 0755. If it fails, nothing
/// is left behind.
pub fn to_zip(tar: &Path, top: &str, folder: &Path) -> Result<NamedTempFile, ArchiveProblem> {
    let kind = ArchiveKind::of(&mut File::open(tar)?)?;
    let tree = super::tar::read(tar, kind)?.tree;
    tree.check_links()?;
    let strip = usize::from(tree.top().is_some());
    let mut file = NamedTempFile::new_in(folder).map_err(ArchiveProblem::writing)?;
    let mut zip = Writer::new(file.as_file_mut());
    each(tar, kind, &mut |item| {
        let parts = item.parts.get(strip..).unwrap_or_default();
        if parts.is_empty() || item.parts[0] == ".DS_Store" {
            return Ok(());
        }
        zip.add(&format!("{top}/{}", parts.join("/")), item.content)
    })?;
    zip.finish()?;
    Ok(file)
}

struct Writer<'a> {
    zip: ZipWriter<BufWriter<&'a mut File>>,
    options: SimpleFileOptions,
}

impl<'a> Writer<'a> {
    fn new(file: &'a mut File) -> Self {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(COMPRESSION_LEVEL))
            .last_modified_time(DateTime::default());
        Self { zip: ZipWriter::new(BufWriter::new(file)), options }
    }

    fn add(&mut self, name: &str, content: Content<'_>) -> Result<(), ArchiveProblem> {
        match content {
            // Folders are there when something is in them, and those that are empty are kept.
            Content::Folder => {
                self.zip.add_directory(name, self.options.unix_permissions(0o755)).map_err(writing)
            }
            Content::Link { target } => {
                self.zip.add_symlink(name, target, self.options.unix_permissions(0o777)).map_err(writing)
            }
            Content::File { is_executable, size_bytes, bytes } => {
                let mode = if is_executable { 0o755 } else { 0o644 };
                let is_large = size_bytes >= u64::from(u32::MAX);
                let options = self.options.unix_permissions(mode).large_file(is_large);
                self.zip.start_file(name, options).map_err(writing)?;
                copy(bytes, &mut self.zip)
            }
        }
    }

    fn finish(self) -> Result<(), ArchiveProblem> {
        self.zip.finish().map_err(writing)?.flush().map_err(ArchiveProblem::writing)
    }
}

/// Copies, and tells what cannot be read from what cannot be written.
fn copy(from: &mut dyn Read, to: &mut impl Write) -> Result<(), ArchiveProblem> {
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        to.write_all(&buffer[..count]).map_err(ArchiveProblem::writing)?;
    }
}

fn writing(error: ZipError) -> ArchiveProblem {
    ArchiveProblem::writing(error.into())
}
