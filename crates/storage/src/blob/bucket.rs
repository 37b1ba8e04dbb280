//! Blobs in an S3 bucket, or in anything that speaks its language.

use super::{Blob, StoredBlob, digest_of};
use crate::{OpenError, StorageError};
use futures::{StreamExt, TryStreamExt};
use object_store::{
    ClientOptions, Error, ObjectMeta, ObjectStore, ObjectStoreExt, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder},
    buffered::BufWriter,
    path::Path as Key,
};
use stave_domain::Timestamp;
use std::{
    fmt,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::io::AsyncWriteExt;

/// A blob that was put there within this time need not be put there again.
const YOUNG: Duration = Duration::from_hours(1);

pub(super) struct Bucket {
    store: Arc<AmazonS3>,
    prefix: Key,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The store's own words hold a session token in clear.
        f.debug_struct("Bucket").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl Bucket {
    /// `address` is `bucket` or `bucket/prefix`.
    pub(super) async fn open(address: &str) -> Result<Self, OpenError> {
        let (name, prefix) = address.split_once('/').unwrap_or((address, ""));
        if name.is_empty() {
            let sentence =
                "The storage URL names no bucket. It looks like s3://bucket or s3://bucket/prefix.";
            return Err(OpenError::Address(sentence.into()));
        }
        let refused = |error: &dyn std::error::Error| OpenError::Bucket {
            bucket: name.to_owned(),
            reason: reason(error),
        };
        let builder = AmazonS3Builder::from_env()
            .with_bucket_name(name)
            .with_client_options(patient_client())
            .with_retry(RetryConfig {
                max_retries: 3,
                retry_timeout: Duration::from_secs(20),
                ..RetryConfig::default()
            });
        let store = builder.build().map_err(|error| refused(&error))?;
        let bucket = Self { store: Arc::new(store), prefix: Key::from(prefix) };
        bucket.touch().await.map_err(|error| refused(&error))?;
        Ok(bucket)
    }

    pub(super) async fn put_file(&self, key: &str, file: &Path) -> Result<(), StorageError> {
        let key = self.key(key);
        match self.store.head(&key).await {
            // Older ones are put there once more: whoever sweeps takes only what nobody has put there for long.
            Ok(there) if SystemTime::from(there.last_modified) + YOUNG > SystemTime::now() => return Ok(()),
            Ok(_) | Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(StorageError::blob(error)),
        }
        let mut from = tokio::fs::File::open(file).await.map_err(StorageError::blob)?;
        // One request if it is small, otherwise parts: it appears when it is complete.
        let mut to = BufWriter::new(Arc::clone(&self.store) as Arc<dyn ObjectStore>, key);
        let copied = async {
            tokio::io::copy(&mut from, &mut to).await?;
            to.shutdown().await
        };
        if let Err(error) = copied.await {
            // Best effort: parts that stay behind are invisible, and buckets expire them.
            let _ = to.abort().await;
            return Err(StorageError::blob(error));
        }
        Ok(())
    }

    pub(super) async fn open_blob(&self, key: &str) -> Result<Option<Blob>, StorageError> {
        match self.store.get(&self.key(key)).await {
            Ok(found) => Ok(Some(Blob {
                size_bytes: found.meta.size,
                stream: found.into_stream().map(|chunk| chunk.map_err(StorageError::blob)).boxed(),
            })),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(StorageError::blob(error)),
        }
    }

    pub(super) async fn list(&self) -> Result<Vec<StoredBlob>, StorageError> {
        let found = self.store.list(Some(&self.key("dists"))).map(|found| found.map_err(StorageError::blob));
        found.and_then(async |meta| stored(&meta)).try_collect().await
    }

    pub(super) async fn delete(&self, key: &str, unless_after: Timestamp) -> Result<bool, StorageError> {
        let key = self.key(key);
        let is_old = match self.store.head(&key).await {
            Ok(meta) => stored(&meta)?.put_at <= unless_after,
            Err(Error::NotFound { .. }) => return Ok(true),
            Err(error) => return Err(StorageError::blob(error)),
        };
        if is_old {
            self.store.delete(&key).await.map_err(StorageError::blob)?;
        }
        Ok(is_old)
    }

    pub(super) async fn ping(&self) -> Result<(), StorageError> {
        self.touch().await.map_err(StorageError::blob)
    }

    /// Asks for the list of blobs: unlike asking for one, this tells a bucket that is empty from one that is not there.
    async fn touch(&self) -> Result<(), Error> {
        self.store.list_with_delimiter(Some(&self.prefix)).await.map(|_| ())
    }

    fn key(&self, key: &str) -> Key {
        key.split('/').fold(self.prefix.clone(), Key::join)
    }
}

fn stored(meta: &ObjectMeta) -> Result<StoredBlob, StorageError> {
    let mut parts = meta.location.parts().map(|part| part.as_ref().to_owned()).collect::<Vec<_>>();
    let (file, folder) = (parts.pop().unwrap_or_default(), parts.pop().unwrap_or_default());
    let put_at = Timestamp::from_millisecond(meta.last_modified.timestamp_millis());
    Ok(StoredBlob {
        digest: digest_of(&folder, &file),
        size_bytes: meta.size,
        put_at: put_at.map_err(StorageError::blob)?,
    })
}

/// A download lasts as long as its reader is slow; only a silent server is given up.
fn patient_client() -> ClientOptions {
    ClientOptions::new()
        // Only an endpoint that the operator names can be http.
        .with_allow_http(true)
        .with_connect_timeout(Duration::from_secs(5))
        .with_timeout_disabled()
        .with_read_timeout(Duration::from_secs(30))
}

/// What is at the bottom of an error: the system's words, or the message in the server's XML.
fn reason(error: &dyn std::error::Error) -> String {
    let mut root = error;
    while let Some(source) = root.source() {
        root = source;
    }
    let text = root.to_string();
    let message = text.split_once("<Message>").and_then(|(_, rest)| rest.split_once("</Message>"));
    message.map_or(text.clone(), |(message, _)| message.to_owned())
}
