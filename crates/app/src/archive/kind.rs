//! What kind of file it is, by its first bytes: names and content types are somebody's claims.

use super::ArchiveProblem;
use std::io::Read;

/// How an archive is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveKind {
    /// zip (APPNOTE).
    Zip,
    /// tar (POSIX pax, ustar, GNU).
    Tar,
    /// tar in gzip (RFC 1952).
    TarGz,
    /// tar in bzip2.
    TarBz2,
}

/// Where a tar tells that it is one.
const TAR_MAGIC_AT: usize = 257;

/// The beginnings of what people take for archives that can be used.
const OTHERS: [(&[u8], &str); 8] = [
    (b"\xfd7zXZ\0", "a .xz file"),
    (b"7z\xbc\xaf\x27\x1c", "a .7z file"),
    (b"Rar!\x1a\x07", "a .rar file"),
    (b"\x28\xb5\x2f\xfd", "a .zst file"),
    (b"\x1f\x9d", "a .Z file"),
    (b"<?php", "PHP code, perhaps a phar"),
    (b"#!", "a program"),
    (b"%PDF", "a PDF"),
];

impl ArchiveKind {
    /// Reads the beginning of a file.
    pub(super) fn of(file: &mut impl Read) -> Result<Self, ArchiveProblem> {
        let mut start = Vec::new();
        file.take(512).read_to_end(&mut start)?;
        Self::of_start(&start)
    }

    fn of_start(start: &[u8]) -> Result<Self, ArchiveProblem> {
        if start.is_empty() {
            return Err(ArchiveProblem::Empty);
        }
        if start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06") {
            return Ok(Self::Zip);
        }
        if start.starts_with(b"\x1f\x8b") {
            return Ok(Self::TarGz);
        }
        if start.starts_with(b"BZh") {
            return Ok(Self::TarBz2);
        }
        if start.get(TAR_MAGIC_AT..).is_some_and(|rest| rest.starts_with(b"ustar")) {
            return Ok(Self::Tar);
        }
        if let Some((_, name)) = OTHERS.iter().find(|(magic, _)| start.starts_with(magic)) {
            return Err(ArchiveProblem::OtherKind(name));
        }
        let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
        match text.first() {
            Some(b'<') => Err(ArchiveProblem::WebPage),
            Some(b'{' | b'[') => Err(ArchiveProblem::OtherKind("JSON")),
            _ => Err(ArchiveProblem::OtherKind("no archive")),
        }
    }
}
