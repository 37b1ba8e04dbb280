//! How much may come out of an archive.

use super::ArchiveProblem;
use std::io::{self, ErrorKind, Read};

/// What everything in an archive may have together.
const UNPACKED_MAX_BYTES: u64 = 2 << 30;
/// From here on it counts how much came out of how little: PHP refuses the same as a bomb (`ZipArchiver`, Composer's `ZipDownloader`).
const SUSPICIOUS_BYTES: u64 = 50 << 20;
/// The most that may come out of one byte then.
const RATIO_MAX: u64 = 100;

/// Counts what comes out.
#[derive(Debug)]
pub(super) struct Budget {
    packed_bytes: u64,
    unpacked_bytes: u64,
}

impl Budget {
    pub(super) fn of(packed_bytes: u64) -> Self {
        Self { packed_bytes, unpacked_bytes: 0 }
    }

    pub(super) fn spent(&self) -> u64 {
        self.unpacked_bytes
    }

    fn spend(&mut self, bytes: usize) -> io::Result<()> {
        self.unpacked_bytes = self.unpacked_bytes.saturating_add(bytes as u64);
        let is_bomb = self.unpacked_bytes > SUSPICIOUS_BYTES
            && self.unpacked_bytes > self.packed_bytes.saturating_mul(RATIO_MAX);
        if is_bomb || self.unpacked_bytes > UNPACKED_MAX_BYTES {
            // What stands between here and who asked keeps the kind of an error and nothing else.
            return Err(io::Error::new(ErrorKind::FileTooLarge, ArchiveProblem::Bomb));
        }
        Ok(())
    }
}

/// Reads what comes out of an archive, as long as the budget lasts.
pub(super) struct Metered<'a, R> {
    pub(super) inner: R,
    pub(super) budget: &'a mut Budget,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.budget.spend(count)?;
        Ok(count)
    }
}
