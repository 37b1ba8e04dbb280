//! Dists that were asked for lately: where they are, and the bytes of small ones. What lies under a digest never changes.

use crate::{App, Failure};
use bytes::Bytes;
use futures::{TryStreamExt, stream::BoxStream};
use stave_domain::{package::Package, version::Dist};
use stave_storage::{Blob, StorageError};

/// Larger ones are read from their place each time.
const SMALL_BYTES: u64 = 256 * 1024;

/// A dist that is there, with its package.
#[derive(Debug)]
pub(crate) struct FoundDist {
    pub(crate) package: Package,
    pub(crate) dist: Dist,
    /// The same as that of the dist.
    pub(crate) digest: [u8; 32],
}

impl FoundDist {
    pub(crate) fn new(package: Package, dist: Dist) -> Result<Self, Failure> {
        let mut digest = [0; 32];
        hex::decode_to_slice(&dist.digest, &mut digest).map_err(Failure::internal)?;
        Ok(Self { package, dist, digest })
    }
}

/// A zip on its way to a client.
#[derive(Debug)]
pub struct DistFile {
    /// Its size in bytes.
    pub size_bytes: u64,
    /// Its bytes.
    pub bytes: DistBytes,
}

/// The bytes of a zip.
pub enum DistBytes {
    /// All at once.
    Whole(Bytes),
    /// One after the other. An error in the middle means that the rest cannot be read: the receiver must notice.
    Stream(BoxStream<'static, Result<Bytes, StorageError>>),
}

impl From<Blob> for DistFile {
    fn from(Blob { size_bytes, stream }: Blob) -> Self {
        Self { size_bytes, bytes: DistBytes::Stream(stream) }
    }
}

impl std::fmt::Debug for DistBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Whole(_) => "Whole",
            Self::Stream(_) => "Stream",
        })
    }
}

impl App {
    /// The bytes of a dist; `None` if its blob is lost.
    pub(crate) async fn dist_file(&self, found: &FoundDist) -> Result<Option<DistFile>, Failure> {
        let digest = found.digest;
        if let Some(known) = self.contents.find(&digest) {
            let size_bytes = known.len() as u64;
            return Ok(Some(DistFile { size_bytes, bytes: DistBytes::Whole(known) }));
        }
        let Some(Blob { size_bytes, stream }) = self.blobs.open_blob(&found.dist.digest).await? else {
            return Ok(None);
        };
        if size_bytes > SMALL_BYTES {
            return Ok(Some(DistFile { size_bytes, bytes: DistBytes::Stream(stream) }));
        }
        let chunks: Vec<Bytes> = stream.try_collect().await?;
        let bytes = match &chunks[..] {
            [all] => all.clone(),
            parts => parts.concat().into(),
        };
        self.contents.put(self.contents.ticket(&digest), digest, bytes.clone(), bytes.len());
        Ok(Some(DistFile { size_bytes, bytes: DistBytes::Whole(bytes) }))
    }
}
