//! One repository on Stave's disk: a bare repository that mirrors the branches and tags of a remote one.
//!
//! All references live in one `packed-refs` file that is replaced as a whole, never in loose files. So a fetch is
//! visible completely or not at all, a branch `feat` may follow a branch `feat/sub`, and no lock can be left behind.

use crate::{GitError, Network, Remote, fetch, meter::Meter, reference::Snapshot};
use std::{
    ffi::{OsStr, OsString},
    fs, io,
    path::{Path, PathBuf},
    rc::Rc,
    sync::atomic::AtomicBool,
    time::Instant,
};

/// A bare repository in one folder. One process and one caller at a time.
///
/// Beside the folder `x` there may for a while be `x.new` and `x.old`, when a mirror is replaced.
pub struct Mirror {
    path: PathBuf,
    pub(crate) repository: gix::Repository,
}

/// What a fetch found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetched {
    /// Whether a branch, a tag or the default branch is another than before.
    pub changed: bool,
}

/// Each fetch adds a pack, and every look-up asks every pack: with so many of them the mirror is fetched anew.
const PACKS_MAX: u16 = 50;
/// Delta bases and trees kept while refs are read.
const OBJECT_CACHE_BYTES: usize = 8 << 20;
/// Left by a reader that found the mirror damaged.
const DAMAGE_MARK: &str = "damaged";

impl Mirror {
    /// Opens the mirror in this folder, or makes an empty one. What a crash left behind is tidied up.
    ///
    /// Its references are worth something only after a [`Mirror::fetch`] has succeeded: a new mirror has none.
    pub fn open_or_create(path: &Path) -> Result<Self, GitError> {
        finish_replacing(path).map_err(GitError::disk("tidy up a mirror"))?;
        if !path.join("HEAD").is_file() || !path.join("objects/pack").is_dir() {
            create(path).map_err(GitError::disk("make a mirror"))?;
        }
        sweep(path).map_err(GitError::disk("tidy up a mirror"))?;
        let repository = open(path).or_else(|error| {
            tracing::warn!(mirror = %path.display(), %error, "a mirror cannot be opened; it is made anew");
            create(path).map_err(GitError::disk("make a mirror"))?;
            open(path).map_err(GitError::damaged)
        })?;
        Ok(Self { path: path.to_owned(), repository })
    }

    /// Makes the branches, the tags and the default branch those of the remote repository.
    ///
    /// If nothing changed, this costs one `ls-refs` and writes nothing. If it fails, the mirror is as before.
    /// `progress` is told how many bytes have come in so far; `cancel` stops the fetch within a moment.
    pub fn fetch(
        &mut self,
        remote: &Remote<'_>,
        network: &Network,
        progress: &dyn Fn(u64),
        cancel: &AtomicBool,
    ) -> Result<Fetched, GitError> {
        let began_at = Instant::now();
        let meter = || {
            let host = remote.url.authority();
            Rc::new(Meter::new(network, host, progress, cancel, began_at))
        };
        if self.is_worn()? {
            return self.fetch_anew(remote, &meter());
        }
        match fetch::run(self, remote, &meter()) {
            // What gix cannot make sense of may be our own damage: then a fresh mirror helps.
            Err(GitError::Protocol { .. }) if !Snapshot::read(&self.path)?.is_empty() => {
                self.fetch_anew(remote, &meter())
            }
            other => other,
        }
    }

    /// Whether a [`Mirror::fetch`] would change something: one `ls-refs`, which writes nothing.
    pub fn is_outdated(
        &self,
        remote: &Remote<'_>,
        network: &Network,
        cancel: &AtomicBool,
    ) -> Result<bool, GitError> {
        if self.is_worn()? {
            return Ok(true);
        }
        let host = remote.url.authority();
        fetch::differs(self, remote, &Rc::new(Meter::new(network, host, &|_| {}, cancel, Instant::now())))
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Remembers for the next fetch that the mirror is not whole.
    pub(crate) fn damaged(&self, cause: impl Into<crate::error::BoxError>) -> GitError {
        if let Err(error) = fs::write(self.path.join(DAMAGE_MARK), b"") {
            tracing::error!(mirror = %self.path.display(), %error, "a damaged mirror cannot be marked");
        }
        GitError::damaged(cause)
    }

    /// Whether it is better to fetch everything anew: too many packs, or something is missing.
    fn is_worn(&self) -> Result<bool, GitError> {
        if self.path.join(DAMAGE_MARK).exists()
            || has_many_packs(&self.path).map_err(GitError::disk("read a mirror"))?
        {
            return Ok(true);
        }
        let known = Snapshot::read(&self.path)?;
        Ok(known.ids().any(|id| !matches!(self.repository.try_find_header(id), Ok(Some(_)))))
    }

    /// Fetches into a new folder, which takes the place of this one when it is complete.
    fn fetch_anew(&mut self, remote: &Remote<'_>, meter: &Rc<Meter<'_>>) -> Result<Fetched, GitError> {
        let (new, old) = (beside(&self.path, "new"), beside(&self.path, "old"));
        create(&new).map_err(GitError::disk("make a mirror"))?;
        let fresh = Self { repository: open(&new).map_err(GitError::damaged)?, path: new.clone() };
        fetch::run(&fresh, remote, meter)?;
        drop(fresh);
        let replace = || {
            fs::rename(&self.path, &old)?;
            fs::rename(&new, &self.path)?;
            fs::remove_dir_all(&old)
        };
        replace().map_err(GitError::disk("replace a mirror"))?;
        self.repository = open(&self.path).map_err(GitError::damaged)?;
        Ok(Fetched { changed: true })
    }
}

/// Opens without any of the machine's git configuration.
fn open(path: &Path) -> gix::Result<gix::Repository> {
    // gix reserves room for packs when it opens a repository, and fails if more come to be.
    let room = gix::odb::store::init::Slots::Given(4 * PACKS_MAX);
    let options = gix::open::Options::isolated().open_path_as_is(true).object_store_slots(room);
    let mut repository = gix::open_opts(path, options)?;
    repository.object_cache_size(OBJECT_CACHE_BYTES);
    Ok(repository)
}

/// Makes an empty bare repository in place of whatever is there. `HEAD` comes last: without it, it is no repository.
fn create(path: &Path) -> io::Result<()> {
    remove(path)?;
    fs::create_dir_all(path.join("objects/pack"))?;
    fs::create_dir_all(path.join("refs"))?;
    fs::write(path.join("config"), "[core]\n\trepositoryformatversion = 0\n\tbare = true\n")?;
    Snapshot::default().write(path)
}

/// A crash may come between the two renames of a replacement.
fn finish_replacing(path: &Path) -> io::Result<()> {
    let (new, old) = (beside(path, "new"), beside(path, "old"));
    if !path.exists() && old.exists() {
        // The old one moves away only when the new one is complete.
        fs::rename(if new.exists() { &new } else { &old }, path)?;
    }
    remove(&new)?;
    remove(&old)
}

/// Removes half-written packs and everything else that only a crash leaves.
fn sweep(path: &Path) -> io::Result<()> {
    for file in files(path)? {
        let extension = file.extension().and_then(OsStr::to_str);
        if matches!(extension, Some("tmp" | "lock")) {
            fs::remove_file(&file)?;
        }
    }
    for file in files(&path.join("objects/pack"))? {
        let is_half = match file.extension().and_then(OsStr::to_str) {
            Some("pack") => !file.with_extension("idx").exists(),
            Some("idx") => !file.with_extension("pack").exists(),
            _ => true,
        };
        if is_half {
            fs::remove_file(&file)?;
        }
    }
    Ok(())
}

fn has_many_packs(path: &Path) -> io::Result<bool> {
    let files = files(&path.join("objects/pack"))?;
    let packs = files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "pack"));
    Ok(packs.count() >= PACKS_MAX.into())
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            found.push(entry.path());
        }
    }
    Ok(found)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().map(OsString::from).unwrap_or_default();
    name.push(".");
    name.push(ending);
    path.with_file_name(name)
}
