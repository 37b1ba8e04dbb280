//! Dists of elsewhere: fetched when somebody first asks for them, looked at, and kept for ever.

use super::read::ZIP_FAULT;
use crate::{
    App, Failure,
    archive::{self, ArchiveKind, ArchiveProblem, LARGEST_BYTES},
    dist::{Built, checksums, top_directory},
};
use stave_domain::{
    credential::StoredCredential,
    mirror::{DistOf, MirrorTimeout, authority},
    package::{Origin, Package},
    version::{Dist, RemoteArchive, Version},
};
use stave_upstream::{ComposerRepository, ComposerSite, DistError};
use std::{path::Path, sync::Arc};
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt;
use url::Url;

/// Where the bytes of a dist may be, and with what they are asked for.
struct Places {
    client: Arc<ComposerRepository>,
    urls: Vec<Url>,
}

impl App {
    /// The zip of a version whose bytes are elsewhere; fetched now if nobody asked before. Whoever asks meanwhile waits for the same
    /// one. If it cannot be had, or is not what it should be, nothing of it is kept.
    pub(crate) async fn dist_fetch(
        &self,
        package: &Package,
        commit: &str,
        archive: &RemoteArchive,
    ) -> Result<Option<Dist>, Failure> {
        let (app, package, commit, archive) =
            (self.clone(), package.clone(), commit.to_owned(), archive.clone());
        let key = (package.id, commit.clone());
        let fetch = || async move { app.dist_fetch_once(&package, &commit, &archive).await };
        self.seeking.dists.join(key, fetch).await.map(Some)
    }

    async fn dist_fetch_once(
        &self,
        package: &Package,
        commit: &str,
        archive: &RemoteArchive,
    ) -> Result<Dist, Failure> {
        let known = self.storage.dist_find(package.id, commit).await?;
        if let Some(dist) = &known
            && self.blobs.open_blob(&dist.digest).await?.is_some()
        {
            return Ok(dist.clone());
        }
        let kept = self.dist_obtain(package, commit, archive, known).await;
        self.dist_note(package, kept.as_ref().err()).await?;
        kept
    }

    /// Brings it and keeps it, if it is the one that was `known`.
    async fn dist_obtain(
        &self,
        package: &Package,
        commit: &str,
        archive: &RemoteArchive,
        known: Option<Dist>,
    ) -> Result<Dist, Failure> {
        let built = self.dist_bring(package, commit, archive).await?;
        if let Some(dist) = known
            && dist.digest != built.digest
        {
            // The blob is gone and they send other bytes now, which lock files would refuse.
            return Err(Failure::Internal(
                format!("the zip of the package {} at {commit} is lost from the blob store", package.id)
                    .into(),
            ));
        }
        self.dist_keep(package, commit, &built).await
    }

    /// Downloads it from the first place that has it as it should be. Why the last one did not, otherwise.
    async fn dist_bring(
        &self,
        package: &Package,
        commit: &str,
        archive: &RemoteArchive,
    ) -> Result<Built, Failure> {
        let _slot = self.seeking.downloads.take(package.organization_id).await?;
        let places = self.dist_places(package, commit, archive).await?;
        let mut failure = None;
        for url in &places.urls {
            match self.dist_download(&places.client, url, commit, archive).await {
                Ok(built) => return Ok(built),
                Err(failure @ (Failure::Internal(_) | Failure::Disk(_))) => return Err(failure),
                Err(other) => failure = Some(other),
            }
        }
        Err(failure.unwrap_or_else(|| {
            let said: String = archive.url.chars().take(200).collect();
            let sentence = format!(
                "“{said}” is not an address from which an archive can be fetched. Whoever runs the Composer repository that names it \
                 has to mend that."
            );
            Failure::Elsewhere { sentence, is_transient: false, source: "no usable dist address".into() }
        }))
    }

    async fn dist_places(
        &self,
        package: &Package,
        commit: &str,
        archive: &RemoteArchive,
    ) -> Result<Places, Failure> {
        let own: Vec<Url> = Url::parse(&archive.url).ok().into_iter().collect();
        let Origin::Mirror(id) = package.origin else {
            let url = own.first().cloned().unwrap_or_else(|| self.url.clone());
            let key = match self.dist_credential(package).await? {
                Some(credential) => Some(self.composer_key(&credential)?),
                None => None,
            };
            let site = ComposerSite { url, key, timeout: MirrorTimeout::default() };
            let client = Arc::new(ComposerRepository::new(self.http.clone(), site));
            return Ok(Places { client, urls: own });
        };
        let mirror = self.storage.mirror_find(id).await?.ok_or(Failure::NotFound("mirror"))?;
        let client = self.mirror_client(&mirror).await?;
        let urls = match (&mirror.root, &package.name) {
            (Some(root), Some(name)) => {
                let version = self.version_at(package, commit).await?;
                let normalized = version.as_ref().map_or("", |version| version.normalized.as_str());
                let pretty = version.as_ref().map_or("", |version| version.version.as_str());
                root.dist_urls(&DistOf { name: name.as_str(), version: pretty, normalized, archive })
            }
            _ => own,
        };
        Ok(Places { client, urls })
    }

    /// With what the dists of a custom package are fetched.
    async fn dist_credential(&self, package: &Package) -> Result<Option<StoredCredential>, Failure> {
        let typed = self.storage.definition_find(package.id).await?;
        match typed.and_then(|typed| typed.credential_id) {
            Some(id) => Ok(self.storage.credential_find(id).await?),
            None => Ok(None),
        }
    }

    async fn version_at(&self, package: &Package, commit: &str) -> Result<Option<Version>, Failure> {
        let versions = self.storage.version_list(package.id).await?;
        Ok(versions.into_iter().find(|version| version.commit == commit))
    }

    async fn dist_download(
        &self,
        client: &ComposerRepository,
        url: &Url,
        commit: &str,
        archive: &RemoteArchive,
    ) -> Result<Built, Failure> {
        let folder = self.data.join("tmp");
        let file = NamedTempFile::new_in(&folder).map_err(Failure::Disk)?;
        let mut into = tokio::fs::File::from_std(file.reopen().map_err(Failure::Disk)?);
        let fetched = client.dist(url, &mut into, LARGEST_BYTES).await.map_err(|error| match error {
            DistError::Upstream(error) => error.into(),
            DistError::Write(error) => Failure::Disk(error),
        })?;
        into.flush().await.map_err(Failure::Disk)?;
        if let Some(announced) = &archive.shasum
            && *announced != fetched.shasum
        {
            return Err(refused(url, "are not those that were announced: their checksum is another one"));
        }
        let fetched =
            Built { file, digest: fetched.digest, shasum: fetched.shasum, size_bytes: fetched.size_bytes };
        let _slot = self.cpu_slots.acquire().await.map_err(Failure::internal)?;
        let top = top_directory(commit);
        let work = move || as_zip(fetched, &top, &folder);
        let zip = tokio::task::spawn_blocking(work).await.map_err(Failure::internal)?;
        zip.map_err(|problem| unusable(url, problem))
    }

    /// Stores the bytes, then that they are there. If another process was faster, its bytes count.
    async fn dist_keep(&self, package: &Package, commit: &str, built: &Built) -> Result<Dist, Failure> {
        let dist = built.dist(package.id, commit, self.clock.now());
        self.blobs.put_file(&dist.digest, built.file.path()).await?;
        self.storage.dist_insert(&dist).await?;
        self.readme_keep(package.id, commit, built.file.path()).await?;
        Ok(self.storage.dist_find(package.id, commit).await?.unwrap_or(dist))
    }

    /// What was wrong is shown with the package, and on the page of its mirror, until the zip is here.
    async fn dist_note(&self, package: &Package, failure: Option<&Failure>) -> Result<(), Failure> {
        if !package.is_mirrored() || matches!(failure, Some(Failure::Internal(_))) {
            return Ok(());
        }
        let Some(seen) = self.storage.mirrored_package_find(package.id).await? else { return Ok(()) };
        let last_error = match failure {
            Some(failure) => Some(format!("{ZIP_FAULT} {failure}")),
            None if seen.last_error.as_deref().is_some_and(|error| error.starts_with(ZIP_FAULT)) => None,
            None => return Ok(()),
        };
        self.mirrored_note(&seen, |seen| seen.last_error = last_error).await
    }
}

/// The archive as clients get it: a zip. Its time is spent on a thread that may block.
fn as_zip(fetched: Built, top: &str, folder: &Path) -> Result<Built, ArchiveProblem> {
    if archive::check_foreign(fetched.file.path())? == ArchiveKind::Zip {
        return Ok(fetched);
    }
    let mut file = archive::to_zip(fetched.file.path(), top, folder)?;
    let (digest, shasum, size_bytes) = checksums(file.as_file_mut()).map_err(ArchiveProblem::Disk)?;
    Ok(Built { file, digest, shasum, size_bytes })
}

fn unusable(url: &Url, problem: ArchiveProblem) -> Failure {
    match problem {
        ArchiveProblem::Disk(error) => Failure::Disk(error),
        problem => {
            let sentence = format!(
                "What {} sent as a zip cannot be used, so it was not kept. {problem}",
                authority(url)
            );
            Failure::Elsewhere { sentence, is_transient: true, source: Box::new(problem) }
        }
    }
}

fn refused(url: &Url, why: &str) -> Failure {
    let sentence = format!(
        "The bytes that {} sent as a zip {why}. They were not kept. Try again later; if it stays so, tell whoever runs that server.",
        authority(url)
    );
    Failure::Elsewhere { sentence, is_transient: true, source: why.into() }
}
