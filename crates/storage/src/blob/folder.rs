//! Blobs in a folder.
//!
//! A file is copied into `incoming/`, flushed to the disk and renamed to its place: it is there as a whole or not at all,
//! whenever the power fails. What a crash leaves in `incoming/` is harmless and swept a day later.

use super::{Blob, StoredBlob, digest_of};
use crate::{OpenError, StorageError};
use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};
use stave_domain::Timestamp;
use std::{
    fs::{self, File},
    io::{self, ErrorKind, IoSliceMut, Read},
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

/// Bytes that are read from the disk at a time: enough that few reads make a download, little enough for many at once.
const CHUNK_BYTES: u64 = 256 * 1024;
/// The same of what the kernel has in memory: little enough that the processor still has it when it is sent.
const CACHED_CHUNK_BYTES: usize = 64 * 1024;
/// How old a leftover is when it is swept: no copy takes as long, also not that of another process.
const LEFTOVER_AGE: Duration = Duration::from_hours(24);

#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
    /// Makes the names in `incoming/` differ.
    copies: AtomicU64,
}

impl Folder {
    pub(super) async fn open(path: &str) -> Result<Self, OpenError> {
        let folder = Self { root: path.into(), copies: AtomicU64::new(0) };
        let (root, incoming) = (folder.root.clone(), folder.incoming());
        let prepared = blocking(move || {
            fs::create_dir_all(root.join("dists"))?;
            fs::create_dir_all(&incoming)?;
            sweep(&incoming)?;
            let probe = incoming.join(format!("probe-{}", process::id()));
            fs::write(&probe, [])?;
            fs::remove_file(&probe)
        });
        prepared.await.map_err(|error| OpenError::FolderNotWritable {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
        Ok(folder)
    }

    pub(super) async fn put_file(&self, key: String, file: PathBuf) -> Result<(), StorageError> {
        let place = self.root.join(key);
        let number = self.copies.fetch_add(1, Ordering::Relaxed);
        let copy = self.incoming().join(format!("{}-{number}", process::id()));
        blocking(move || {
            match File::options().write(true).open(&place) {
                // Whoever sweeps takes only what nobody has put there for long.
                Ok(there) => return there.set_modified(SystemTime::now()),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            let moved_in = move_in(&file, &copy, &place);
            if moved_in.is_err() {
                // Best effort: if this fails too, the sweep gets it.
                let _ = fs::remove_file(&copy);
            }
            moved_in
        })
        .await
        .map_err(StorageError::blob)
    }

    pub(super) async fn open_blob(&self, key: &str) -> Result<Option<Blob>, StorageError> {
        let place = self.root.join(key);
        let opened = blocking(move || {
            let file = match File::open(&place) {
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                file => file?,
            };
            Ok(Some(Reading { rest_bytes: file.metadata()?.len(), file }))
        });
        let Some(reading) = opened.await.map_err(StorageError::blob)? else { return Ok(None) };
        Ok(Some(Blob {
            size_bytes: reading.rest_bytes,
            stream: stream::try_unfold(reading, Reading::next).map_err(StorageError::blob).boxed(),
        }))
    }

    pub(super) async fn list(&self) -> Result<Vec<StoredBlob>, StorageError> {
        let dists = self.root.join("dists");
        blocking(move || {
            let mut found = Vec::new();
            for folder in fs::read_dir(dists)? {
                let folder = folder?;
                if !folder.file_type()?.is_dir() {
                    continue;
                }
                for file in fs::read_dir(folder.path())? {
                    let file = file?;
                    let about = file.metadata()?;
                    found.push(StoredBlob {
                        digest: digest_of(
                            &folder.file_name().to_string_lossy(),
                            &file.file_name().to_string_lossy(),
                        ),
                        size_bytes: about.len(),
                        put_at: Timestamp::try_from(about.modified()?).map_err(io::Error::other)?,
                    });
                }
            }
            Ok(found)
        })
        .await
        .map_err(StorageError::blob)
    }

    pub(super) async fn delete(&self, key: &str, unless_after: Timestamp) -> Result<bool, StorageError> {
        let place = self.root.join(key);
        blocking(move || {
            let put_at = match fs::metadata(&place) {
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(true),
                about => Timestamp::try_from(about?.modified()?).map_err(io::Error::other)?,
            };
            let is_old = put_at <= unless_after;
            if is_old {
                fs::remove_file(&place)?;
            }
            Ok(is_old)
        })
        .await
        .map_err(StorageError::blob)
    }

    pub(super) async fn ping(&self) -> Result<(), StorageError> {
        let incoming = self.incoming();
        blocking(move || fs::metadata(incoming)).await.map(|_| ()).map_err(StorageError::blob)
    }

    fn incoming(&self) -> PathBuf {
        self.root.join("incoming")
    }
}

/// A file that is read to its end.
struct Reading {
    file: File,
    rest_bytes: u64,
}

impl Reading {
    /// The next bytes, and what is read after them; `None` at the end.
    async fn next(self) -> io::Result<Option<(Bytes, Self)>> {
        if self.rest_bytes == 0 {
            return Ok(None);
        }
        let (bytes, mut next) = match self.cached() {
            Some(bytes) => (bytes, self),
            None => blocking(move || Ok((self.read()?, self))).await?,
        };
        next.rest_bytes = next.rest_bytes.saturating_sub(bytes.len() as u64);
        Ok(Some((bytes, next)))
    }

    /// What the kernel has in memory and gives without waiting for a disk, so that no other thread has to be asked.
    #[cfg(target_os = "linux")]
    fn cached(&self) -> Option<Bytes> {
        use rustix::io::{ReadWriteFlags, preadv2};
        let length =
            usize::try_from(self.rest_bytes).map_or(CACHED_CHUNK_BYTES, |rest| rest.min(CACHED_CHUNK_BYTES));
        let mut bytes = vec![0; length];
        // Where this offset is given, the file's own is used, and moved on (preadv2(2)).
        let count =
            preadv2(&self.file, &mut [IoSliceMut::new(&mut bytes)], u64::MAX, ReadWriteFlags::NOWAIT).ok()?;
        bytes.truncate(count);
        (count > 0).then(|| bytes.into())
    }

    #[cfg(not(target_os = "linux"))]
    fn cached(&self) -> Option<Bytes> {
        None
    }

    fn read(&self) -> io::Result<Bytes> {
        let length = self.rest_bytes.min(CHUNK_BYTES);
        let mut bytes = Vec::with_capacity(usize::try_from(length).map_err(io::Error::other)?);
        (&self.file).take(length).read_to_end(&mut bytes)?;
        if bytes.is_empty() {
            return Err(io::Error::new(
                ErrorKind::UnexpectedEof,
                "the file became shorter while it was read",
            ));
        }
        Ok(bytes.into())
    }
}

/// Copies a file to its place, so that it is on the disk as a whole before anybody can see it.
fn move_in(file: &Path, copy: &Path, place: &Path) -> io::Result<()> {
    fs::copy(file, copy)?;
    File::open(copy)?.sync_all()?;
    let folder = place.parent().unwrap_or(place);
    fs::create_dir_all(folder)?;
    fs::rename(copy, place)?;
    // A new name is only safe when its folder is on the disk as well.
    File::open(folder)?.sync_all()
}

/// Deletes what crashes left behind.
fn sweep(incoming: &Path) -> io::Result<()> {
    for entry in fs::read_dir(incoming)? {
        let entry = entry?;
        let age = entry.metadata()?.modified()?.elapsed().unwrap_or_default();
        if age > LEFTOVER_AGE {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Disks are slow: they are asked on the threads for that.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(bytes: &[u8], said_bytes: u64) -> Reading {
        use std::io::{Seek, Write};
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        Reading { file, rest_bytes: said_bytes }
    }

    #[tokio::test]
    async fn a_file_that_became_shorter_is_not_sent_as_a_whole() {
        let (first, next) = reading(b"half", 8).next().await.unwrap().unwrap();
        assert_eq!(&first[..], b"half");
        assert_eq!(next.next().await.err().map(|error| error.kind()), Some(ErrorKind::UnexpectedEof));
    }

    #[test]
    fn what_the_kernel_does_not_have_is_read_from_the_disk() {
        let bytes: Vec<u8> = (0..=250).cycle().take(usize::try_from(CHUNK_BYTES).unwrap() + 1000).collect();
        let mut reading = reading(&bytes, bytes.len() as u64 - 1);
        let first = reading.read().unwrap();
        reading.rest_bytes -= first.len() as u64;
        let second = reading.read().unwrap();
        assert_eq!(
            (first.len() as u64, second.len()),
            (CHUNK_BYTES, 999),
            "nothing beyond the size that was told"
        );
        assert!([first, second].concat() == bytes[..bytes.len() - 1]);
    }
}
