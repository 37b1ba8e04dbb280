//! Archives: streamed into a file, with their checksums on the way.

use super::{Asked, ComposerRepository, MirrorProblem, hex, problem, request::Request};
use crate::{Saw, UpstreamError, answer::Answer, http::broken};
use bytes::Bytes;
use reqwest::{Response, StatusCode};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use std::{
    io,
    time::{Duration, Instant},
};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use url::Url;

/// An archive may take so many times as long as an answer; after that, whoever sends it has to send so many bytes a second. Others
/// wait until it is here.
const PATIENCE: u32 = 10;
const SLOWEST_BYTES: u64 = 64 * 1024;

/// An archive that came whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DistFetched {
    /// Its size.
    pub size_bytes: u64,
    /// SHA-1 of its bytes, 40 lower-case hex digits: what Composer calls `shasum`.
    pub shasum: String,
    /// SHA-256 of its bytes, 64 lower-case hex digits.
    pub digest: String,
}

/// Why an archive did not come.
#[derive(Debug, thiserror::Error)]
pub enum DistError {
    /// The server did not send it.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// It could not be written.
    #[error("The archive could not be written: {0}. Look whether the disk is full.")]
    Write(#[source] io::Error),
}

impl ComposerRepository {
    /// Writes the archive at an address into a file, at most so many bytes. If it fails, what was written is of no use. Whether it is
    /// the right one is for the caller to say, who knows what its checksum should be.
    pub async fn dist(
        &self,
        url: &Url,
        into: &mut (dyn AsyncWrite + Send + Unpin),
        limit_bytes: u64,
    ) -> Result<DistFetched, DistError> {
        let (asked, limit) = (Asked::Dist, self.site.timeout.duration());
        let request = Request::get(url);
        let answered = tokio::time::timeout(limit, request.follow(self, &asked)).await;
        let (mut response, at, is_known) = answered.map_err(|_| problem::timed_out(url, &asked))??;
        if response.status() != StatusCode::OK {
            let answer = Answer::new(&at, response.status(), response.headers().clone());
            return Err(problem::of_status(&answer, is_known, &asked).into());
        }
        let too_large = || problem::of(&at, MirrorProblem::TooLarge { asked: Asked::Dist });
        if response.content_length().is_some_and(|length| length > limit_bytes) {
            return Err(too_large().into());
        }
        let (mut sums, begun_at) = (Sums::default(), Instant::now());
        while let Some(piece) = self.piece(&mut response, &at).await? {
            if sums.size_bytes == 0 && piece.trim_ascii_start().starts_with(b"<") {
                // No archive begins like this, and every log-in page does.
                return Err(unreadable(&at, Saw::WebPage).into());
            }
            sums.add(&piece);
            if sums.size_bytes > limit_bytes {
                return Err(too_large().into());
            }
            into.write_all(&piece).await.map_err(DistError::Write)?;
            if sums.is_too_slow(begun_at.elapsed(), limit) {
                return Err(problem::timed_out(&at, &asked).into());
            }
        }
        if sums.size_bytes == 0 {
            return Err(unreadable(&at, Saw::Nothing).into());
        }
        into.flush().await.map_err(DistError::Write)?;
        Ok(sums.finish())
    }

    /// What comes next; each piece may take as long as a whole answer.
    async fn piece(&self, response: &mut Response, at: &Url) -> Result<Option<Bytes>, UpstreamError> {
        match tokio::time::timeout(self.site.timeout.duration(), response.chunk()).await {
            Ok(piece) => piece.map_err(|error| problem::about(broken(at, error), &Asked::Dist)),
            Err(_) => Err(problem::timed_out(at, &Asked::Dist)),
        }
    }
}

/// What is known of the bytes so far.
#[derive(Default)]
struct Sums {
    size_bytes: u64,
    sha1: Sha1,
    sha256: Sha256,
}

impl Sums {
    fn add(&mut self, piece: &[u8]) {
        self.size_bytes += u64::try_from(piece.len()).unwrap_or(u64::MAX);
        self.sha1.update(piece);
        self.sha256.update(piece);
    }

    /// Whether it takes longer than anybody can be made to wait; an answer may take `limit`.
    fn is_too_slow(&self, taken: Duration, limit: Duration) -> bool {
        taken > limit * PATIENCE + Duration::from_secs(self.size_bytes / SLOWEST_BYTES)
    }

    fn finish(self) -> DistFetched {
        DistFetched {
            size_bytes: self.size_bytes,
            shasum: hex(&self.sha1.finalize()),
            digest: hex(&self.sha256.finalize()),
        }
    }
}

fn unreadable(at: &Url, saw: Saw) -> UpstreamError {
    problem::of(at, MirrorProblem::Unreadable { saw, asked: Asked::Dist })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_drips_is_given_up() {
        let limit = Duration::from_secs(10);
        let is_too_slow = |size_bytes, taken| {
            let sums = Sums { size_bytes, ..Sums::default() };
            sums.is_too_slow(Duration::from_secs(taken), limit)
        };
        assert!(!is_too_slow(1, 100) && is_too_slow(1, 101));
        let large = 512 * 1024 * 1024;
        assert!(!is_too_slow(large, 8_292) && is_too_slow(large, 8_293));
    }
}
