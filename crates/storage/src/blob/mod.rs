//! Blobs: the bytes of dists, in a folder or an S3 bucket. A blob is named by the SHA-256 of its bytes and never changes.
//!
//! In comes a file that is finished; out goes a stream. What is half-written is never seen by anybody.

mod bucket;
mod folder;

use crate::{OpenError, StorageError};
use bytes::Bytes;
use futures::stream::BoxStream;
use stave_domain::Timestamp;
use std::{path::Path, sync::Arc};

/// Where blobs are kept. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Blobs {
    place: Place,
}

#[derive(Debug, Clone)]
enum Place {
    Folder(Arc<folder::Folder>),
    Bucket(Arc<bucket::Bucket>),
}

/// An opened blob.
pub struct Blob {
    /// Its size in bytes.
    pub size_bytes: u64,
    /// Its bytes. An error in the middle means that the rest cannot be read: the receiver must notice.
    pub stream: BoxStream<'static, Result<Bytes, StorageError>>,
}

/// A blob as it lies there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBlob {
    /// The SHA-256 of its bytes, in hex.
    pub digest: String,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// When somebody last put it there.
    pub put_at: Timestamp,
}

impl std::fmt::Debug for Blob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Blob").field("size_bytes", &self.size_bytes).finish_non_exhaustive()
    }
}

impl Blobs {
    /// Opens a folder, given by its path and made if it is not there, or `s3://bucket/prefix`, with credentials, region
    /// and endpoint from the usual `AWS_` variables of the environment.
    pub async fn open(url: &str) -> Result<Self, OpenError> {
        let place = match url.strip_prefix("s3://") {
            Some(bucket) => Place::Bucket(Arc::new(bucket::Bucket::open(bucket).await?)),
            None => Place::Folder(Arc::new(folder::Folder::open(url).await?)),
        };
        Ok(Self { place })
    }

    /// Stores a copy of a file under the SHA-256 of its bytes, in hex. If there is such a blob, it stays and
    /// counts as put there now.
    pub async fn put_file(&self, digest: &str, file: &Path) -> Result<(), StorageError> {
        let key = key(digest)?;
        match &self.place {
            Place::Folder(folder) => folder.put_file(key, file.to_owned()).await,
            Place::Bucket(bucket) => bucket.put_file(&key, file).await,
        }
    }

    /// Opens the blob with this SHA-256.
    pub async fn open_blob(&self, digest: &str) -> Result<Option<Blob>, StorageError> {
        let key = key(digest)?;
        match &self.place {
            Place::Folder(folder) => folder.open_blob(&key).await,
            Place::Bucket(bucket) => bucket.open_blob(&key).await,
        }
    }

    /// All blobs, in no order.
    pub async fn list(&self) -> Result<Vec<StoredBlob>, StorageError> {
        let found = match &self.place {
            Place::Folder(folder) => folder.list().await?,
            Place::Bucket(bucket) => bucket.list().await?,
        };
        // What is not ours lies there for some other reason.
        Ok(found.into_iter().filter(|blob| key(&blob.digest).is_ok()).collect())
    }

    /// Deletes a blob, unless it was put there after an instant. Whether it is gone.
    pub async fn delete(&self, digest: &str, unless_after: Timestamp) -> Result<bool, StorageError> {
        let key = key(digest)?;
        match &self.place {
            Place::Folder(folder) => folder.delete(&key, unless_after).await,
            Place::Bucket(bucket) => bucket.delete(&key, unless_after).await,
        }
    }

    /// Whether the folder is there, or the bucket answers.
    pub async fn ping(&self) -> Result<(), StorageError> {
        match &self.place {
            Place::Folder(folder) => folder.ping().await,
            Place::Bucket(bucket) => bucket.ping().await,
        }
    }
}

/// The name of the blob at `<2 hex>/<62 hex>.zip`, as [`key`] made it.
fn digest_of(folder: &str, file: &str) -> String {
    format!("{folder}{}", file.strip_suffix(".zip").unwrap_or(file))
}

/// The path of a blob: `dists/<2 hex>/<62 hex>.zip`. Anything but a SHA-256 is refused, so no path leads elsewhere.
fn key(digest: &str) -> Result<String, StorageError> {
    let is_digest =
        digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if !is_digest {
        return Err(StorageError::blob("the name of a blob is a SHA-256 in lower-case hex"));
    }
    Ok(format!("dists/{}/{}.zip", &digest[..2], &digest[2..]))
}

#[cfg(test)]
mod tests {
    use super::{Blob, Blobs};
    use crate::{OpenError, StorageError};
    use futures::{StreamExt, TryStreamExt};
    use std::{env, fs, iter};
    use tempfile::TempDir;

    const MAILER: &str = "aa11223344556677889900112233445566778899001122334455667788990011";
    const LOGGER: &str = "bb11223344556677889900112233445566778899001122334455667788990011";

    /// Blobs in a folder or, with `STAVE_TEST_STORAGE_URL`, in a bucket; and a folder for files.
    async fn test_blobs() -> (Blobs, TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let url = match env::var("STAVE_TEST_STORAGE_URL") {
            Ok(bucket) => format!("{bucket}/{}", folder.path().file_name().unwrap().display()),
            Err(_) => folder.path().join("a new folder").display().to_string(),
        };
        (Blobs::open(&url).await.unwrap(), folder)
    }

    async fn read(blob: Blob) -> Vec<u8> {
        let chunks: Vec<_> = blob.stream.try_collect().await.unwrap();
        let bytes = chunks.concat();
        assert_eq!(blob.size_bytes, bytes.len() as u64);
        bytes
    }

    #[tokio::test]
    async fn bytes_come_out_as_they_went_in() {
        let (blobs, folder) = test_blobs().await;
        let file = folder.path().join("file");
        // Around the borders of a chunk, and more than one part of an upload.
        for length in [0, 1, 256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1, 11 * 1024 * 1024] {
            let bytes: Vec<u8> = (0..=250).cycle().take(length).collect();
            fs::write(&file, &bytes).unwrap();
            let digest = format!("{length:064x}");
            assert!(blobs.open_blob(&digest).await.unwrap().is_none());
            blobs.put_file(&digest, &file).await.unwrap();
            assert!(read(blobs.open_blob(&digest).await.unwrap().unwrap()).await == bytes, "{length}");
        }
        blobs.ping().await.unwrap();
    }

    #[tokio::test]
    async fn a_blob_that_is_there_stays() {
        let (blobs, folder) = test_blobs().await;
        let file = folder.path().join("file");
        fs::write(&file, "first").unwrap();
        blobs.put_file(MAILER, &file).await.unwrap();
        fs::write(&file, "second").unwrap();
        blobs.put_file(MAILER, &file).await.unwrap();
        blobs.put_file(LOGGER, &file).await.unwrap();
        assert_eq!(read(blobs.open_blob(MAILER).await.unwrap().unwrap()).await, b"first");
        assert_eq!(read(blobs.open_blob(LOGGER).await.unwrap().unwrap()).await, b"second");
    }

    #[tokio::test]
    async fn what_nobody_put_there_for_long_can_be_deleted() {
        let (blobs, folder) = test_blobs().await;
        let file = folder.path().join("file");
        fs::write(&file, "bytes").unwrap();
        assert_eq!(blobs.list().await.unwrap(), []);
        blobs.put_file(MAILER, &file).await.unwrap();
        let list = blobs.list().await.unwrap();
        assert_eq!(
            list.iter().map(|it| (it.digest.as_str(), it.size_bytes)).collect::<Vec<_>>(),
            [(MAILER, 5)]
        );
        let put_at = list[0].put_at;
        assert!(!blobs.delete(MAILER, put_at - std::time::Duration::from_secs(1)).await.unwrap());
        assert!(blobs.open_blob(MAILER).await.unwrap().is_some(), "it was put there later");
        assert!(blobs.delete(MAILER, put_at).await.unwrap());
        assert!(blobs.open_blob(MAILER).await.unwrap().is_none());
        assert!(blobs.delete(MAILER, put_at).await.unwrap(), "it is gone");
        assert_eq!(blobs.list().await.unwrap(), []);
    }

    #[tokio::test]
    async fn a_file_that_is_not_there_is_a_failure() {
        let (blobs, folder) = test_blobs().await;
        let put = blobs.put_file(MAILER, &folder.path().join("nothing")).await;
        assert!(matches!(put, Err(StorageError::Blob(_))), "{put:?}");
        assert!(blobs.open_blob(MAILER).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn only_a_digest_is_a_name() {
        let (blobs, _folder) = test_blobs().await;
        for name in
            ["", "..", "../../../../etc/passwd", &MAILER.to_uppercase(), &MAILER[1..], &"é".repeat(32)]
        {
            let opened = blobs.open_blob(name).await;
            assert!(matches!(opened, Err(StorageError::Blob(_))), "{name}");
        }
    }

    /// In a folder this is up to us; a bucket promises it.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn who_reads_while_it_is_written_sees_all_or_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(&folder.path().join("blobs").display().to_string()).await.unwrap();
        let file = folder.path().join("file");
        let bytes: Vec<u8> = iter::repeat_n(7, 9 * 1024 * 1024).collect();
        fs::write(&file, &bytes).unwrap();
        let writers = (0..4).map(|_| {
            let (blobs, file) = (blobs.clone(), file.clone());
            tokio::spawn(async move { blobs.put_file(MAILER, &file).await.unwrap() })
        });
        let writers: Vec<_> = writers.collect();
        while !writers.iter().all(tokio::task::JoinHandle::is_finished) {
            if let Some(blob) = blobs.open_blob(MAILER).await.unwrap() {
                assert_eq!(blob.size_bytes, bytes.len() as u64);
                drop(blob.stream.take(1).collect::<Vec<_>>().await);
            }
        }
        for writer in writers {
            writer.await.unwrap();
        }
        assert!(read(blobs.open_blob(MAILER).await.unwrap().unwrap()).await == bytes);
    }

    #[tokio::test]
    async fn leftovers_of_a_crash_are_swept() {
        let folder = tempfile::tempdir().unwrap();
        let url = folder.path().display().to_string();
        Blobs::open(&url).await.unwrap();
        let (old, young) = (folder.path().join("incoming/1-1"), folder.path().join("incoming/2-1"));
        fs::write(&old, "half").unwrap();
        fs::write(&young, "half").unwrap();
        let two_days_ago = std::time::SystemTime::now() - std::time::Duration::from_hours(48);
        fs::File::options().write(true).open(&old).unwrap().set_modified(two_days_ago).unwrap();
        Blobs::open(&url).await.unwrap();
        assert!(!old.exists());
        assert!(young.exists(), "another process may be writing it");
    }

    #[tokio::test]
    async fn a_place_that_cannot_be_used_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let letter = folder.path().join("letter");
        fs::write(&letter, "Dear Ada").unwrap();
        let error = Blobs::open(&letter.display().to_string()).await.unwrap_err();
        assert!(
            matches!(&error, OpenError::FolderNotWritable { path, .. } if *path == letter.display().to_string()),
            "{error}"
        );
        let error = Blobs::open("s3://").await.unwrap_err();
        assert!(matches!(error, OpenError::Address(_)), "{error}");
    }
}
