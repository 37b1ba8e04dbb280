//! Files on their way in: written to the disk as they come, never held in memory.

use crate::{
    App, Failure,
    archive::{ArchiveProblem, LARGEST_BYTES},
    entropy,
};
use stave_domain::Timestamp;
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};
use tempfile::TempPath;
use tokio::{fs::File, io::AsyncWriteExt as _};

/// The beginning of the names of files that wait to be looked at.
const PREFIX: &str = "upload-";
/// Characters in the secret part of such a name (32 bytes in base64, without padding).
const SECRET_CHARS: usize = 43;
/// How long such a file waits for its form to be sent.
const WAITS: Duration = Duration::from_hours(24);

/// A file that comes in. Dropped in the middle, it leaves nothing behind.
#[derive(Debug)]
pub struct Upload {
    file: File,
    path: TempPath,
    size_bytes: u64,
}

impl Upload {
    /// Takes the next bytes. Refuses what is larger than any archive may be.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.size_bytes += bytes.len() as u64;
        if self.size_bytes > LARGEST_BYTES {
            return Err(too_large());
        }
        self.file.write_all(bytes).await.map_err(Failure::Disk)
    }

    /// The whole file, until the returned path is dropped.
    pub(super) async fn finish(mut self) -> Result<TempPath, Failure> {
        self.file.flush().await.map_err(Failure::Disk)?;
        Ok(self.path)
    }
}

/// The refusal of a file that is larger than any archive may be.
#[must_use]
pub fn too_large() -> Failure {
    Failure::invalid("file", ArchiveProblem::TooLarge.to_string())
}

impl App {
    /// A place for a file that comes in.
    pub(super) fn upload_begin(&self) -> Result<Upload, Failure> {
        let folder = self.data.join("tmp");
        sweep(&folder, SystemTime::from(self.clock.now())).map_err(Failure::Disk)?;
        let (file, path) = tempfile::NamedTempFile::new_in(&folder).map_err(Failure::Disk)?.into_parts();
        Ok(Upload { file: File::from_std(file), path, size_bytes: 0 })
    }

    /// Keeps a file until its form is sent: a secret under which it is found, for a day, on this machine.
    pub(super) fn upload_keep(&self, file: TempPath) -> Result<String, Failure> {
        let secret = entropy::secret().expose().to_owned();
        let place = self.data.join("tmp").join(format!("{PREFIX}{secret}"));
        file.persist_noclobber(place).map_err(|error| Failure::Disk(error.error))?;
        Ok(secret)
    }

    /// The file that was kept under a secret. It goes when its form is done with it.
    pub(super) fn upload_find(&self, secret: &str) -> Result<PathBuf, Failure> {
        let is_secret = secret.len() == SECRET_CHARS
            && secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        let place = self.data.join("tmp").join(format!("{PREFIX}{secret}"));
        if is_secret && place.is_file() {
            return Ok(place);
        }
        Err(Failure::Absent("This upload is not here any more: it was saved already, or a day has passed. Upload the archive once more.".into()))
    }
}

/// Deletes what nobody came back for.
fn sweep(folder: &Path, now: SystemTime) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        let age = entry
            .metadata()
            .and_then(|about| about.modified())
            .map(|at| now.duration_since(at).unwrap_or_default());
        // Somebody else may have taken it meanwhile.
        if age.is_ok_and(|age| age > WAITS) {
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

/// What a machine that is full or broken does to whoever brings an archive.
impl From<ArchiveProblem> for Failure {
    fn from(problem: ArchiveProblem) -> Self {
        match problem {
            ArchiveProblem::Disk(error) => Self::Disk(error),
            other => Self::invalid("file", other.to_string()),
        }
    }
}

/// The instant itself, where no time is said.
pub(super) fn released_at(said: Option<Timestamp>, now: Timestamp) -> Timestamp {
    said.unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_waited_too_long_is_swept() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| {
            let path = folder.path().join(name);
            fs::write(&path, "x").unwrap();
            path
        };
        let (upload, other) = (file("upload-abc"), file("something"));
        sweep(folder.path(), SystemTime::now()).unwrap();
        assert!(upload.exists());
        sweep(folder.path(), SystemTime::now() + WAITS + Duration::from_mins(1)).unwrap();
        assert!(!upload.exists() && other.exists());
    }
}
