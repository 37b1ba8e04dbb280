//! Dists: the zips that Composer unpacks. Each is built once and then never changes.

use crate::{App, Failure, locks::Turn};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use stave_domain::{
    Timestamp,
    composer::{archive::Excludes, manifest::Manifest},
    id::{PackageId, RepositoryId},
    package::Package,
    run::{RunLevel, RunLine, RunState},
    version::{Archive, Dist},
};
use stave_git::{GitError, Manifest as Kept, Mirror, Tree};
use stave_storage::Blob;
use std::{
    collections::HashSet,
    fs::File,
    io::{self, Read, Seek},
    path::Path,
};
use tempfile::NamedTempFile;

/// A zip that was just built or fetched, still outside the blob store.
pub(crate) struct Built {
    pub(crate) file: NamedTempFile,
    pub(crate) digest: String,
    pub(crate) shasum: String,
    pub(crate) size_bytes: u64,
}

impl Built {
    /// What is remembered of it.
    pub(crate) fn dist(&self, package_id: PackageId, commit: &str, created_at: Timestamp) -> Dist {
        Dist {
            package_id,
            commit: commit.to_owned(),
            digest: self.digest.clone(),
            shasum: self.shasum.clone(),
            size_bytes: self.size_bytes,
            created_at: Some(created_at),
        }
    }
}

/// Why a zip was not built.
#[derive(Debug, thiserror::Error)]
enum BuildError {
    #[error(transparent)]
    Git(#[from] GitError),
    #[error(transparent)]
    Disk(#[from] io::Error),
}

impl App {
    /// The zip of a commit; built now if nobody asked before. `None` if the commit was never published.
    pub(crate) async fn dist_open(&self, package: &Package, commit: &str) -> Result<Option<Blob>, Failure> {
        if let Some(dist) = self.storage.dist_find(package.id, commit).await?
            && let Some(blob) = self.blobs.open_blob(&dist.digest).await?
        {
            return Ok(Some(blob));
        }
        let Some(publication) = self.storage.publication_find(package.id, commit).await? else {
            return Ok(None);
        };
        let dist = match (publication.archive, package.repository_id()) {
            (Archive::Commit, Some(repository)) => self.dist_make(package, repository, commit).await?,
            // What was uploaded was here before it was published.
            (Archive::Upload, _) => {
                return Err(Failure::Internal(
                    format!("the uploaded zip of the package {} at {commit} is lost", package.id).into(),
                ));
            }
            (Archive::Remote(archive), _) => self.dist_fetch(package, commit, &archive).await?,
            (Archive::Commit | Archive::Nothing, _) => None,
        };
        match dist {
            Some(dist) => Ok(self.blobs.open_blob(&dist.digest).await?),
            None => Ok(None),
        }
    }

    /// The zip of a commit, made now.
    async fn dist_make(
        &self,
        package: &Package,
        repository: RepositoryId,
        commit: &str,
    ) -> Result<Option<Dist>, Failure> {
        if let Some(dist) = self.dist_build(package, repository, commit).await? {
            return Ok(Some(dist));
        }
        // The mirror is new, on another node or after a restore: then its first fetch brings the commit.
        let found = self.storage.repository_find(repository).await?;
        self.source_read(&found.ok_or(Failure::NotFound("package"))?, None).await?;
        self.dist_build(package, repository, commit).await
    }

    /// Builds the zips of all tags that have none, then publishes their checksums. One that cannot be built keeps no other
    /// from it; if trying again may help, the job does.
    pub(crate) async fn dists_build(&self, id: PackageId) -> Result<(), Failure> {
        let Some(package) = self.storage.package_find(id).await? else { return Ok(()) };
        let Some(repository) = package.repository_id() else { return Ok(()) };
        let built: HashSet<String> =
            self.storage.dist_list(id).await?.into_iter().map(|dist| dist.commit).collect();
        let mut versions = self.storage.version_list(id).await?;
        versions.retain(|version| {
            !version.is_dev && version.removed_at.is_none() && !built.contains(&version.commit)
        });
        let (mut lines, mut again) = (Vec::new(), None);
        for version in versions {
            if let Err(failure) = self.dist_build(&package, repository, &version.commit).await {
                tracing::warn!(package = %package.id, version = version.version, %failure, "a zip could not be built");
                lines.push(RunLine {
                    level: RunLevel::Error,
                    path: package.path().to_owned(),
                    subject: version.reference_name.clone(),
                    message: format!("no zip of it could be made: {failure}"),
                });
                again = again.or(Some(failure).filter(Failure::is_transient));
            }
        }
        let txn = self.storage.begin().await?;
        self.documents_publish(&txn, id).await?;
        txn.commit().await?;
        self.run_add_lines(repository, lines).await?;
        again.map_or(Ok(()), Err)
    }

    /// Puts lines before those of the last run, in place of what was said of the same references.
    async fn run_add_lines(&self, id: RepositoryId, lines: Vec<RunLine>) -> Result<(), Failure> {
        let Some(mut run) = self.storage.run_latest(id).await?.filter(|_| !lines.is_empty()) else {
            return Ok(());
        };
        if matches!(run.state, RunState::Running { .. }) {
            return Ok(());
        }
        let is_of =
            |line: &RunLine, other: &RunLine| (&line.path, &line.subject) == (&other.path, &other.subject);
        run.lines.retain(|line| lines.iter().all(|other| !is_of(line, other)));
        run.lines.splice(0..0, lines);
        Ok(self.storage.run_finish(&run).await?)
    }

    /// Builds the zip of a commit, unless it is there. Whoever asks meanwhile waits for the same one. `None` if the mirror
    /// no longer has the commit.
    async fn dist_build(
        &self,
        package: &Package,
        repository: RepositoryId,
        commit: &str,
    ) -> Result<Option<Dist>, Failure> {
        let turn = self.mirrors.turn(repository).await;
        let known = self.storage.dist_find(package.id, commit).await?;
        if let Some(dist) = &known
            && self.blobs.open_blob(&dist.digest).await?.is_some()
        {
            return Ok(known);
        }
        let (_turn, built) = self.dist_archive((package, repository), commit, turn).await?;
        let Some(built) = built else { return Ok(None) };
        if let Some(dist) = known
            && dist.digest != built.digest
        {
            // The blob is gone and this build of Stave compresses differently: lock files would refuse other bytes.
            return Err(Failure::Internal(
                format!("the zip of the package {} at {commit} is lost from the blob store", package.id)
                    .into(),
            ));
        }
        let dist = built.dist(package.id, commit, self.clock.now());
        self.blobs.put_file(&dist.digest, built.file.path()).await?;
        self.storage.dist_insert(&dist).await?;
        Ok(Some(dist))
    }

    /// The turn goes with the thread that works, so that nobody else touches the mirror if the asker goes away.
    async fn dist_archive(
        &self,
        (package, repository): (&Package, RepositoryId),
        commit: &str,
        turn: Turn,
    ) -> Result<(Turn, Option<Built>), Failure> {
        let _slot = self.cpu_slots.acquire().await.map_err(Failure::internal)?;
        let mirror = self.mirror_path(repository);
        let folder = self.data.join("tmp");
        let top = top_directory(commit);
        let (commit, path) = (commit.to_owned(), package.path().to_owned());
        let work = move || match build(&mirror, Tree { commit: &commit, folder: &path }, &top, &folder) {
            Ok(built) => Ok((turn, Some(built))),
            Err(BuildError::Git(GitError::NoSuchCommit(_))) => Ok((turn, None)),
            Err(BuildError::Git(error)) if !error.is_transient() => Err(Failure::Conflict(error.to_string())),
            Err(BuildError::Git(error)) => Err(error.into()),
            Err(BuildError::Disk(error)) => Err(Failure::Disk(error)),
        };
        tokio::task::spawn_blocking(work).await.map_err(Failure::internal)?
    }
}

/// What `archive.exclude` of a composer.json leaves out; nothing, if it cannot be read.
fn excludes(manifest: &[u8]) -> Excludes {
    Manifest::parse(manifest)
        .map(|manifest| Excludes::parse(&manifest.archive_excludes()))
        .unwrap_or_default()
}

/// The one directory in which everything is. Composer strips it. It has the commit's name and not the package's, which may
/// change while the bytes may not.
pub(crate) fn top_directory(commit: &str) -> String {
    commit.chars().take(12).collect()
}

/// git's own rules decide first, then `archive.exclude` of composer.json.
fn build(mirror: &Path, tree: Tree<'_>, top: &str, folder: &Path) -> Result<Built, BuildError> {
    let mirror = Mirror::open_or_create(mirror)?;
    let excludes = match mirror.manifest_in(tree)? {
        Kept::Found { blob } => excludes(&mirror.blob(&blob)?),
        Kept::Missing | Kept::TooLarge { .. } | Kept::NotAFile | Kept::Unreadable => Excludes::default(),
    };
    let mut file = NamedTempFile::new_in(folder)?;
    let keep = |path: &str, ignored_by_git: bool| !excludes.decide(path).unwrap_or(ignored_by_git);
    mirror.archive(tree, top, &keep, file.as_file_mut())?;
    let (digest, shasum, size_bytes) = checksums(file.as_file_mut())?;
    Ok(Built { file, digest, shasum, size_bytes })
}

/// SHA-256 and SHA-1 of the bytes of a file, and how many they are.
pub(crate) fn checksums(file: &mut File) -> io::Result<(String, String, u64)> {
    file.rewind()?;
    let (mut sha256, mut sha1, mut size) = (Sha256::new(), Sha1::new(), 0);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok((hex::encode(sha256.finalize()), hex::encode(sha1.finalize()), size));
        }
        sha256.update(&buffer[..count]);
        sha1.update(&buffer[..count]);
        size += count as u64;
    }
}
