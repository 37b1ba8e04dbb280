//! Blobs in a folder.
//!
//! A file is copied into `incoming/`, flushed to the disk and renamed to its place: it is there as a whole or not at all,
//! whenever the power fails. What a crash leaves in `incoming/` is harmless and swept a day later.

use super::{Blob, StoredBlob, digest_of};
use crate::{OpenError, StorageError};
use bytes::Bytes;
use futures::stream::{self, StreamExt};
use stave_domain::Timestamp;
use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read},
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

/// Bytes that are read at a time: enough that few reads make a download, little enough for many at once.
const CHUNK_BYTES: usize = 256 * 1024;
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
            let size_bytes = file.metadata()?.len();
            Ok(Some((size_bytes, read_chunk(file)?)))
        });
        let Some((size_bytes, first)) = opened.await.map_err(StorageError::blob)? else { return Ok(None) };
        let stream = stream::try_unfold(Some(first), async |next: Option<Chunk>| {
            let Some((bytes, rest)) = next.filter(|(bytes, _)| !bytes.is_empty()) else { return Ok(None) };
            // A short chunk is the last one: no need to ask once more.
            let after = if bytes.len() < CHUNK_BYTES {
                None
            } else {
                Some(blocking(move || read_chunk(rest)).await?)
            };
            Ok(Some((bytes, after)))
        });
        Ok(Some(Blob {
            size_bytes,
            stream: stream.map(|chunk: io::Result<_>| chunk.map_err(StorageError::blob)).boxed(),
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

/// Some bytes of a file, and the file to read on from. Fewer bytes than [`CHUNK_BYTES`] are the last ones.
type Chunk = (Bytes, File);

fn read_chunk(file: File) -> io::Result<Chunk> {
    let mut bytes = Vec::with_capacity(CHUNK_BYTES);
    let mut upto = file.take(CHUNK_BYTES as u64);
    upto.read_to_end(&mut bytes)?;
    Ok((bytes.into(), upto.into_inner()))
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
